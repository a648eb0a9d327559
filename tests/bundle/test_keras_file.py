"""What is refused before Keras is given it; a file of a real network is in `test_bundle_write.py`."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from digitlab.bundle.keras_file import CONFIG, WEIGHTS, inspect_keras_file

Refusal = Callable[..., str]


def layer(name: str = "Dense", module: str | None = "keras.layers", **more: Any) -> dict[str, Any]:
    return {
        "module": module,
        "class_name": name,
        "config": {"name": "layer"},
        "registered_name": None,
        **more,
    }


def config(*layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    inner = {"name": "network", "layers": [layer("InputLayer"), *layers]}
    functional = layer("Functional", "keras.src.models.functional", registered_name="Functional")
    return {**functional, "config": inner, "compile_config": {}, **more}


def hdf5(fill: Callable[[h5py.File], None]) -> bytes:
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        fill(file)
    return memory.getvalue()


def kernel(file: h5py.File) -> None:
    file["layers/dense/vars/0"] = np.zeros((784, 10), np.float32)


def members(described: Any = None, weights: bytes | None = None) -> dict[str, bytes]:
    return {
        "metadata.json": b"{}",
        CONFIG: json.dumps(config(layer()) if described is None else described).encode(),
        WEIGHTS: hdf5(kernel) if weights is None else weights,
    }


@pytest.fixture
def keras_file(tmp_path: Path) -> Callable[..., Path]:
    def write(contents: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
        path = tmp_path / "model.keras"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
        return path

    return write


def test_a_network_of_standard_layers_passes(keras_file: Callable[..., Path]) -> None:
    standard = [
        layer("Conv2D", kernel_initializer=layer("HeNormal", "keras.initializers")),
        layer("Conv2D", kernel_regularizer=layer("L2", "keras.regularizers")),
        layer(dtype={"module": "keras", "class_name": "DTypePolicy", "registered_name": None}),
    ]
    inspect_keras_file(keras_file(members(config(*standard))))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (layer("Lambda"), "received 'Lambda' of keras.layers"),
        (layer("TorchModuleWrapper"), "received 'TorchModuleWrapper' of keras.layers"),
        (layer("Dense", "os"), "received 'Dense' of os"),
        (layer("Dense", None), "received 'Dense' of no module"),
        (layer("Mine", "mine", registered_name="mine>Mine"), "received 'Mine' of mine"),
        (layer(registered_name="mine>Dense"), "received 'Dense' of keras.layers"),
        (layer(activation=layer("function", "builtins")), "received 'function' of builtins"),
        (layer(activation=layer("__lambda__", None)), "received '__lambda__' of no module"),
        (layer("get_file", "keras.utils"), "received 'get_file' of keras.utils"),
        (layer(["Dense"], "keras.layers"), "expected the configuration of a network"),  # type: ignore[arg-type]
        (layer({}, {}), "expected the configuration of a network"),  # type: ignore[arg-type]
    ],
)
def test_a_class_that_is_no_standard_layer_is_refused_however_deep(
    bad: dict[str, Any], words: str, keras_file: Callable[..., Path], refusal: Refusal
) -> None:
    for deep in (bad, layer(wrapped=[{"inner": bad}])):
        path = keras_file(members(config(layer(), deep)))
        message = refusal(inspect_keras_file, path)
        assert message.startswith(f"{path}: ")
        assert words in message
        assert message.endswith("it was not loaded")


@pytest.mark.parametrize("described", [[], "text", 5, config(compile_config={"optimizer": "adam"})])
def test_what_is_not_described_as_a_bare_network_is_refused(
    described: Any, keras_file: Callable[..., Path], refusal: Refusal
) -> None:
    path = keras_file(members(described))
    assert "expected a network that is saved without optimizer" in refusal(inspect_keras_file, path)


@pytest.mark.parametrize(
    "contents",
    [
        {},
        {name: content for name, content in members().items() if name != WEIGHTS},
        {**members(), "extra.py": b"import os"},
        {**members(), "../outside": b""},
        {**members(), "assets/vocabulary.txt": b""},
    ],
)
def test_other_members_than_a_networks_are_refused(
    contents: dict[str, bytes], keras_file: Callable[..., Path], refusal: Refusal
) -> None:
    assert "expected the members config.json, metadata.json, model.weights.h5" in refusal(
        inspect_keras_file, keras_file(contents)
    )


def test_a_member_twice_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members().items():
            archive.writestr(name, content)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(CONFIG, b"{}")
    assert "expected the members" in refusal(inspect_keras_file, path)


def test_a_member_that_would_grow_out_of_all_proportion_is_refused(
    keras_file: Callable[..., Path], refusal: Refusal
) -> None:
    path = keras_file(members(weights=bytes(50_000_000)), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000
    assert "model.weights.h5 would expand more than 20 times" in refusal(inspect_keras_file, path)


def test_a_configuration_that_is_too_long_is_refused(
    keras_file: Callable[..., Path], refusal: Refusal
) -> None:
    path = keras_file({**members(), CONFIG: b" " * 5_000_001})
    assert "expected config.json of at most 5,000,000 bytes" in refusal(inspect_keras_file, path)


@pytest.mark.parametrize("described", [b"", b"{", b"\xff", b"[" * 100_000])
def test_a_configuration_that_is_no_json_is_refused(
    described: bytes, keras_file: Callable[..., Path], refusal: Refusal
) -> None:
    path = keras_file({**members(), CONFIG: described})
    assert "expected a Keras file, received something else" in refusal(inspect_keras_file, path)


def link_elsewhere(file: h5py.File) -> None:
    file["layers"] = h5py.ExternalLink("/etc/passwd", "/")


def data_elsewhere(file: h5py.File) -> None:
    file.create_dataset("kernel", (100,), "u1", external=[("/etc/passwd", 0, 100)])


def more_than_there_is(file: h5py.File) -> None:
    file.create_dataset("kernel", (2**40,), "f4", chunks=(1024,))


@pytest.mark.parametrize(
    ("fill", "words"),
    [
        (link_elsewhere, "received an external link at 'layers'"),
        (lambda file: file.update({"a": h5py.SoftLink("/b")}), "received an external link at 'a'"),
        (data_elsewhere, "received data of another file at 'kernel'"),
        (more_than_there_is, "its weights claim 4,398,046,511,104 bytes"),
    ],
)
def test_weights_that_are_not_in_the_file_are_refused(
    fill: Callable[[h5py.File], None], words: str, keras_file: Callable[..., Path], refusal: Refusal
) -> None:
    assert words in refusal(inspect_keras_file, keras_file(members(weights=hdf5(fill))))


@pytest.mark.parametrize(
    "weights", [b"", b"no HDF5", b"\x89HDF\r\n\x1a\n" + bytes(100), hdf5(kernel)[:-9000]]
)
def test_weights_that_are_no_hdf5_are_refused(
    weights: bytes, keras_file: Callable[..., Path], refusal: Refusal
) -> None:
    path = keras_file(members(weights=weights))
    assert "expected weights in HDF5, received something else" in refusal(inspect_keras_file, path)


def test_what_is_no_archive_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "text").write_bytes(b"text")
    assert "expected a Keras file, received something else" in refusal(inspect_keras_file, tmp_path / "text")
    assert "cannot be read: No such file or directory" in refusal(inspect_keras_file, tmp_path / "nowhere")

"""Exports, each run by its own runtime, and what becomes of one that answers otherwise."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from digitlab.bundle.exports import (
    FORMATS,
    PROOF,
    Exporter,
    RefusedExportError,
    check_exports,
    export_name,
    keep_proofs,
    to_float16,
)
from digitlab.bundle.files import ONNX, check_bundle, sha256
from digitlab.bundle.parity import EXACT, QUANTIZED
from digitlab.bundle.runtime import classify_with, load_classifier
from digitlab.data import Dataset
from digitlab.errors import MissingExtraError, OutputError, UserError

pytestmark = [
    pytest.mark.slow,  # TensorFlow takes seconds to import
    # Keras 3.15 reads TensorFlow's variables as NumPy 2 no longer likes.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]

Refusal = Callable[..., str]
EXPORTS = [
    (name, quantize)
    for name, form in FORMATS.items()
    for quantize in (None, "float16")
    if form.quantizes or quantize is None
]


@pytest.fixture(scope="module")
def few(mnist: Dataset) -> Dataset:
    return dataclasses.replace(mnist, x_test=mnist.x_test[:1500], y_test=mnist.y_test[:1500])


@pytest.fixture(scope="module")
def exporter(keras_bundle: Path, few: Dataset) -> Exporter:
    return Exporter(check_bundle(keras_bundle), few)


@pytest.mark.parametrize(("name", "quantize"), EXPORTS)
def test_an_export_that_is_proved_is_kept_with_its_proof(
    name: str, quantize: str | None, exporter: Exporter, tmp_path: Path
) -> None:
    folder = tmp_path / export_name(name, quantize)
    exported = exporter.export(name, tmp_path, quantize)
    proof = exported.proof
    assert exported.folder == folder
    assert proof.images == 1500
    assert proof.largest_difference <= (QUANTIZED if quantize else EXACT)
    assert abs(exported.correct - exported.keras_correct) <= len(proof.other_labels)
    assert exported.milliseconds > 0
    for file, digest in proof.files.items():
        assert sha256(folder / file) == digest
    assert exported.size == sum((folder / file).stat().st_size for file in proof.files)
    values = json.loads((folder / PROOF).read_text("utf-8"))
    assert values["proof"] == json.loads(proof.to_json())
    assert values["network"] == exporter.bundle.card.files["model.keras"]


def test_an_export_that_answers_otherwise_leaves_nothing(
    exporter: Exporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned = dataclasses.replace(
        FORMATS["onnx"], run=lambda path: lambda images: classify_with(path)(images)[:, ::-1]
    )
    monkeypatch.setitem(FORMATS, "onnx", turned)
    with pytest.raises(RefusedExportError) as caught:
        exporter.export("onnx", tmp_path)
    message = str(caught.value)
    assert message.startswith("onnx: expected probabilities within 0.0001 of Keras's on 1,500 images")
    assert message.endswith("it was not written")
    assert list(tmp_path.iterdir()) == []


def test_an_export_is_not_overwritten(exporter: Exporter, tmp_path: Path) -> None:
    exporter.export("onnx", tmp_path)
    before = (tmp_path / "onnx" / PROOF).read_bytes()
    for again in (exporter.export, lambda name, out: check_exports([name], out, None)):
        with pytest.raises(OutputError, match="onnx: expected a new folder"):
            again("onnx", tmp_path)
    assert (tmp_path / "onnx" / PROOF).read_bytes() == before


def test_the_card_keeps_the_proofs_and_the_bundle_stays_whole(
    keras_bundle: Path, exporter: Exporter, tmp_path: Path
) -> None:
    own = check_bundle(shutil.copytree(keras_bundle, tmp_path / "own"))
    proof = exporter.export("saved-model", tmp_path / "out").proof
    keep_proofs(own, {"saved-model": proof})
    kept = load_classifier(tmp_path / "own").card
    assert kept.proofs == {"onnx": own.card.proofs["onnx"], "saved-model": proof}


def test_what_a_format_cannot_do_is_refused_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="saved-model: expected no --quantize, received float16"):
        check_exports(["onnx", "saved-model"], tmp_path / "out", "float16")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"ai_edge_litert is not installed; .* \[export\]"):
        check_exports(["litert"], tmp_path / "out", None)
    with pytest.raises(MissingExtraError, match=r"tensorflow is not installed; .* \[train\]"):
        check_exports(["onnx"], tmp_path / "out", None)


def kernels(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def test_float16_is_the_nearest(keras_bundle: Path) -> None:
    model = onnx.load(keras_bundle / ONNX)
    whole, half = kernels(model), kernels(to_float16(model))
    stored = half.keys() - whole.keys()
    assert len(stored) == 3, "of the convolution, the dense layer and the logits"
    for name in stored:
        np.testing.assert_array_equal(half[name], whole[name.removesuffix("/stored")].astype(np.float16))


def test_the_network_itself_is_left_in_float32(keras_bundle: Path) -> None:
    model = onnx.load(keras_bundle / ONNX)
    before = model.SerializeToString(deterministic=True)
    to_float16(model)
    assert model.SerializeToString(deterministic=True) == before


def test_every_name_of_an_export_is_a_folder_of_its_own() -> None:
    names: list[Any] = [export_name(name, quantize) for name, quantize in EXPORTS]
    assert len(set(names)) == len(names)

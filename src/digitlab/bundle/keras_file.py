"""Inspection of a `.keras` file before Keras loads it: a zip archive whose configuration names classes."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from digitlab.bundle.layers import INPUT, LAYERS
from digitlab.errors import BundleError

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
LARGEST = {"metadata.json": 10_000, CONFIG: 5_000_000, WEIGHTS: 1_000_000_000}
"""Members of the archive, and the largest size of each in bytes."""
LARGEST_RATIO = 20
"""Largest allowed compression ratio; weights hardly shrink, and Keras stores them uncompressed."""

_TENSOR = "__keras_tensor__"
_CLASSES = frozenset(
    {
        *(("keras.layers", name) for name in (*LAYERS, INPUT)),
        ("keras.src.models.functional", "Functional"),
        ("keras.src.models.sequential", "Sequential"),
        ("keras", "Sequential"),
        ("keras", "DTypePolicy"),
        (None, _TENSOR),
    }
)
_HELPERS = frozenset({"keras.initializers", "keras.regularizers", "keras.constraints"})
"""Modules of which any class is allowed: they are used in training only."""
_REGISTERED = frozenset({None, "Functional", "Sequential"})


def inspect_keras_file(path: Path) -> None:
    """Raise an error for a `.keras` file that Keras should not load.

    Args:
        path: path of the file.

    Raises:
        BundleError: the members are too large or not those of a network, the configuration names a class that
            is no standard layer of digitlab's networks, or weights lie in other files; the message says
            which.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _inspect_members(path, archive.infolist())
            config = json.loads(archive.read(CONFIG))
            weights = archive.read(WEIGHTS)
    except (zipfile.BadZipFile, ValueError, RecursionError, NotImplementedError, EOFError) as error:
        raise _refused(path, f"expected a Keras file, received something else: {error}") from None
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from None
    _inspect_config(path, config)
    _inspect_weights(path, weights)


def _inspect_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    names = sorted(member.filename for member in members)
    expected = sorted(LARGEST)
    if names != expected:
        raise _refused(path, f"expected the members {', '.join(expected)}, received {', '.join(names)}")
    for member in members:
        largest = LARGEST[member.filename]
        if member.file_size > largest:
            raise _refused(
                path,
                f"expected {member.filename} of at most {largest:,} bytes, received {member.file_size:,}",
            )
        if member.file_size > LARGEST_RATIO * max(member.compress_size, 1):
            raise _refused(path, f"{member.filename} would expand more than {LARGEST_RATIO} times")


def _inspect_config(path: Path, config: Any) -> None:
    if not isinstance(config, dict) or config.get("compile_config"):
        raise _refused(path, "expected a network that is saved without optimizer and loss")
    try:
        for entry in _entries(config):
            module = entry.get("module")
            name = entry["class_name"]
            is_known = (module, name) in _CLASSES or module in _HELPERS
            # Keras prefers a class that is registered under this name to that of the module.
            is_registered = entry.get("registered_name") not in _REGISTERED
            if not is_known or is_registered:
                raise _refused(
                    path, f"expected standard Keras layers only, received {name!r} of {module or 'no module'}"
                )
    except (RecursionError, TypeError):  # TypeError: a list or table where a name belongs
        raise _refused(path, "expected the configuration of a network, received something else") from None


def _entries(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every dictionary that names a class, at any depth."""
    if isinstance(value, dict):
        if "class_name" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _entries(item)


def _inspect_weights(path: Path, content: bytes) -> None:
    """Refuse weights that lie in other files, or that claim more bytes than the file has."""
    import h5py

    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            claimed = sum(_dataset_bytes(path, file))
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise _refused(path, f"expected weights in HDF5, received something else: {error}") from None
    if claimed > len(content):
        raise _refused(path, f"its weights claim {claimed:,} bytes, and {len(content):,} are there")


def _dataset_bytes(path: Path, group: Any) -> Iterator[int]:
    import h5py

    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise _refused(path, f"expected weights, received an external link at {name!r}")
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _dataset_bytes(path, item)
        elif item.external or item.is_virtual:
            raise _refused(path, f"expected weights, received data of another file at {name!r}")
        else:
            yield item.nbytes


def _refused(path: Path, cause: str) -> BundleError:
    return BundleError(f"{path}: {cause}; it was not loaded")

"""A data set of 28x28 digits in memory: loaded by name or from a folder, checked, hashed and read-only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitlab.data.catalog import (
    CATALOG,
    ROLES,
    CatalogEntry,
    DataFiles,
    combined_fingerprint,
    find_files,
    known_entry,
)
from digitlab.data.classes import CLASSES, published_classes, read_classes
from digitlab.data.idx import idx_sha256, read_idx
from digitlab.errors import DataError


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images of ten classes with their labels, in a training and a test part.

    The arrays are read-only, so that everything that shares them sees the same data.

    Attributes:
        name: name in the catalogue, or the folder that it was loaded from.
        x_train: training images, uint8 [n, 28, 28]; MNIST: 60,000, white ink (255) on black (0).
        y_train: classes of the training images, uint8 [n], 0..9.
        x_test: test images, uint8 [m, 28, 28]; MNIST: 10,000.
        y_test: classes of the test images, uint8 [m], 0..9.
        fingerprint: SHA-256 over types, shapes and contents of the four arrays in 64 hexadecimal digits; it
            does not depend on the place, orientation or compression of the files, nor on the names of the
            classes.
        classes: names of the ten classes; None if they are not known.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    fingerprint: str
    classes: tuple[str, ...] | None = None


def load(name_or_dir: str | os.PathLike[str]) -> Dataset:
    """Load a data set.

    Args:
        name_or_dir: name in the catalogue, such as `mnist`, or a folder with four IDX files named like
            MNIST's or EMNIST's, and the names of its classes in a `classes.txt` beside them if they are not
            digits. A name takes precedence over a folder of that name; pass `./mnist` for the folder.

    Returns:
        The data set; if it is in the catalogue, its hashes have been checked.

    Raises:
        DataError: the name is unknown, a file is missing or damaged, or the content is not ten classes of
            28x28 grey images.
    """
    entry = _known(name_or_dir)
    folder = entry.folder if entry else Path(name_or_dir)
    if not folder.is_dir():
        cure = ""
        if folder.is_file():
            cure = ", found a file: convert it with  digitlab data import"
        raise DataError(
            f"no data set {str(name_or_dir)!r}: expected a name ({', '.join(CATALOG)}) or a folder with the "
            f"four IDX files of a data set{cure}"
        )
    name = entry.name if entry else _name_of(folder)
    try:
        files = find_files(folder)
        arrays = _read_arrays(files)
        classes = read_classes(folder) or files.classes or published_classes(files.paths["test-labels"])
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror or error}") from error
    check_arrays(arrays, name)
    hashes = {role: idx_sha256(arrays[role]) for role in ROLES}
    if entry:
        _check_hashes(hashes, entry)
    for array in arrays.values():
        array.flags.writeable = False
    fingerprint = combined_fingerprint(hashes.values())
    known = known_entry(name, fingerprint)  # a copy of a known data set in any folder has its classes, too
    if classes is None and known:
        classes = known.classes
    return Dataset(
        name=name,
        x_train=arrays["train-images"],
        y_train=arrays["train-labels"],
        x_test=arrays["test-images"],
        y_test=arrays["test-labels"],
        fingerprint=fingerprint,
        classes=classes,
    )


def load_dataset(
    name: str | os.PathLike[str] = "mnist",
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Load a data set in the form of `keras.datasets.mnist.load_data()`.

    Args:
        name: name in the catalogue, or a folder, as accepted by `load`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images [n, 28, 28] of 0..255, white ink on black, and
        uint8 labels [n] of 0..9, all read-only. MNIST has 60,000 and 10,000 of them; its copyright is with
        Yann LeCun and Corinna Cortes, its licence is CC BY-SA 3.0, and its hashes are checked.

    Raises:
        DataError: the data set cannot be loaded, as in `load`.
    """
    dataset = load(name)
    return (dataset.x_train, dataset.y_train), (dataset.x_test, dataset.y_test)


def check_arrays(arrays: Mapping[str, np.ndarray], name: str) -> None:
    """Raise an error unless the arrays are ten classes of 28x28 grey images.

    Args:
        arrays: arrays by role (see `ROLES`).
        name: name of the data set, for the message.

    Raises:
        DataError: a type, shape, length or label does not fit `Dataset`.
    """
    for part in ("train", "test"):
        _check_part(arrays[f"{part}-images"], arrays[f"{part}-labels"], f"{name}: the {part} part")
    present = np.unique(arrays["train-labels"])
    missing = [str(label) for label in range(CLASSES) if label not in present]
    if missing:
        raise DataError(
            f"{name}: expected all ten classes 0..9 in the train part, found none of class "
            f"{', '.join(missing)}"
        )


def _check_part(images: np.ndarray, labels: np.ndarray, what: str) -> None:
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise DataError(
            f"{what}: expected uint8 grey images of 28x28, found {images.dtype} of shape {_shape(images)}"
        )
    if labels.dtype != np.uint8 or labels.ndim != 1:
        raise DataError(
            f"{what}: expected uint8 labels of one dimension, found {labels.dtype} of shape {_shape(labels)}"
        )
    if len(images) != len(labels):
        raise DataError(
            f"{what}: expected one label per image, found {len(images):,} images and {len(labels):,} labels"
        )
    if not len(images):
        raise DataError(f"{what}: expected images, found none")
    if labels.max() >= CLASSES:
        raise DataError(
            f"{what}: expected ten classes with labels 0..9, found labels {labels.min()}..{labels.max()} "
            f"({len(np.unique(labels))} classes)"
        )


def _read_arrays(files: DataFiles) -> dict[str, np.ndarray]:
    arrays = {role: read_idx(files.paths[role]) for role in ROLES}
    if files.transposed:
        for role, array in arrays.items():
            if array.ndim == 3:
                arrays[role] = np.ascontiguousarray(array.swapaxes(1, 2))
    return arrays


def _check_hashes(hashes: Mapping[str, str], entry: CatalogEntry) -> None:
    for role, expected in entry.sha256.items():
        if hashes[role] != expected:
            raise DataError(
                f"{entry.name}: its {role} are not the published ones: expected SHA-256 {expected}, "
                f"found {hashes[role]}; install digitlab again"
            )


def _known(name_or_dir: str | os.PathLike[str]) -> CatalogEntry | None:
    return CATALOG.get(name_or_dir) if isinstance(name_or_dir, str) else None


def _name_of(folder: Path) -> str:
    """Return a folder's name, distinct from the catalogue's: Path turns `./mnist` into `mnist`."""
    if str(folder) in CATALOG:
        return os.path.join(os.curdir, folder)  # noqa: PTH118  # a Path would drop the dot again
    return str(folder)


def _shape(array: np.ndarray) -> str:
    return "x".join(str(length) for length in array.shape) or "()"

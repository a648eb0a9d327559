"""A data set of 28x28 images in memory: loaded by name or from a folder, checked, hashed and read-only."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitlab.data.catalog import (
    CATALOG,
    FILE_NAMES,
    ROLES,
    CatalogEntry,
    DataFiles,
    combined_fingerprint,
    find_files,
    known_entry,
)
from digitlab.data.classes import (
    CLASSES_FILE,
    DIGITS,
    class_numbers,
    published_classes,
    read_classes,
)
from digitlab.data.idx import idx_sha256, read_idx, write_idx
from digitlab.errors import DataError
from digitlab.files import ensure_new, new_folder
from digitlab.spec.recipe import MAX_CLASSES, MIN_CLASSES

_SHOWN = 6  # labels in a message


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images of 2 to 100 classes with their labels, in a training and a test part.

    The arrays are read-only, so that everything that shares them sees the same data.

    Attributes:
        name: name in the catalogue, or the folder that it was loaded from.
        x_train: training images, uint8 [n, 28, 28]; MNIST: 60,000, white ink (255) on black (0).
        y_train: classes of the training images, uint8 [n], 0..class_count - 1.
        x_test: test images, uint8 [m, 28, 28]; MNIST: 10,000.
        y_test: classes of the test images, uint8 [m], 0..class_count - 1.
        fingerprint: SHA-256 over types, shapes and contents of the four arrays in 64 hexadecimal digits; it
            does not depend on the place, orientation or compression of the files, nor on the names of the
            classes.
        classes: names of the classes, class 0 first; None if they are not known.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    fingerprint: str
    classes: tuple[str, ...] | None = None

    @classmethod
    def from_arrays(  # noqa: PLR0913  # all but the images and labels have a default
        cls,
        x: np.ndarray,
        y: np.ndarray,
        x_test: np.ndarray | None = None,
        y_test: np.ndarray | None = None,
        *,
        name: str = "arrays",
        classes: Sequence[str] | None = None,
        test_share: float = 1 / 7,
        seed: int = 0,
    ) -> Dataset:
        """Make a data set of arrays in memory.

        Args:
            x: training images [n, 28, 28], [n, 28, 28, 1] or [n, 784]: whole numbers 0..255, or floats 0..1,
                which are multiplied by 255 and rounded. Networks learn them as they are; MNIST has white ink
                on black.
            y: labels [n], whole numbers or names; the distinct ones, sorted, are the classes, 2 to 100.
            x_test: test images, as `x`; None to set a part of `x` aside.
            y_test: labels of the test images.
            name: name of the data set, for tables and messages.
            classes: names of the classes, class 0 first, where labels are numbers from 0 on.
            test_share: share of `x` that becomes the test part where there is none, stratified by class; more
                than 0 and less than 1.
            seed: seed of the choice of that part.

        Returns:
            The data set, its arrays read-only.

        Raises:
            DataError: shapes, values or labels are others, or a class has no training image.
        """
        from digitlab.data.arrays import dataset_from_arrays

        return dataset_from_arrays(
            x, y, x_test, y_test, name=name, classes=classes, test_share=test_share, seed=seed
        )

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the data set as a folder that `load` reads: four IDX files, and the names of its classes.

        Args:
            folder: folder to create, whole or not at all; it must not exist, or be empty.

        Raises:
            OutputError: the folder exists and is not empty, or cannot be written.
        """
        with new_folder(ensure_new(folder)) as draft:
            arrays = (self.x_train, self.y_train, self.x_test, self.y_test)
            for role, array in zip(ROLES, arrays, strict=True):
                write_idx(draft / FILE_NAMES[role], array)
            if self.classes is not None:
                (draft / CLASSES_FILE).write_text("".join(f"{name}\n" for name in self.classes), "utf-8")

    @property
    def class_count(self) -> int:
        """Number of classes."""
        return class_count(self.y_train, self.classes)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes; their numbers if the data does not name them."""
        return self.classes or class_numbers(self.class_count)

    @property
    def may_be_digits(self) -> bool:
        """Whether the classes are the digits, or ten without names."""
        return self.class_names == DIGITS


def class_count(labels: np.ndarray, classes: Sequence[str] | None) -> int:
    """Return the number of classes: that of their names, or of the labels of the training part.

    Args:
        labels: labels of the training part, uint8 [n], at least one.
        classes: names of the classes; None if they are not known.
    """
    return len(classes) if classes else int(labels.max()) + 1


def load(name_or_dir: str | os.PathLike[str]) -> Dataset:
    """Load a data set.

    Args:
        name_or_dir: name in the catalogue, such as `mnist`, or a folder with four IDX files named like
            MNIST's or EMNIST's, and the names of its classes in a `classes.txt` beside them if they are not
            digits. A name takes precedence over a folder of that name; pass `./mnist` for the folder.

    Returns:
        The data set; if it is in the catalogue, its hashes have been checked.

    Raises:
        DataError: the name is unknown, a file is missing or damaged, or the content is not 2 to 100
            classes of 28x28 grey images.
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
    check_arrays(arrays, name, classes)
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
        uint8 labels [n], all read-only. MNIST has 60,000 and 10,000 of them; its copyright is with
        Yann LeCun and Corinna Cortes, its licence is CC BY-SA 3.0, and its hashes are checked.

    Raises:
        DataError: the data set cannot be loaded, as in `load`.
    """
    dataset = load(name)
    return (dataset.x_train, dataset.y_train), (dataset.x_test, dataset.y_test)


def check_arrays(arrays: Mapping[str, np.ndarray], name: str, classes: Sequence[str] | None = None) -> None:
    """Raise an error unless the arrays are 2 to 100 classes of 28x28 grey images.

    Args:
        arrays: arrays by role (see `ROLES`).
        name: name of the data set, for the message.
        classes: names of the classes; if they are not known, the labels of the training part count.

    Raises:
        DataError: a type, shape, length or label does not fit `Dataset`.
    """
    for part in ("train", "test"):
        _check_part(arrays[f"{part}-images"], arrays[f"{part}-labels"], f"{name}: the {part} part")
    labels = arrays["train-labels"]
    count = class_count(labels, classes)
    if not MIN_CLASSES <= count <= MAX_CLASSES:
        labelled = f"labels {labels.min()}..{labels.max()}"
        raise DataError(f"{name}: expected {MIN_CLASSES} to {MAX_CLASSES} classes, found {labelled}")
    named = f"classes 0..{count - 1}, as in the train part"
    if classes:
        named = f"the {count} classes that have names"
    for part in ("train", "test"):
        most = arrays[f"{part}-labels"].max()
        if most >= count:
            raise DataError(f"{name}: the {part} part: expected labels of {named}, found label {most}")
    present = np.unique(labels)
    missing = [str(label) for label in range(count) if label not in present]
    if missing:
        raise DataError(
            f"{name}: expected all {count} classes in the train part, found none of class "
            f"{', '.join(missing[:_SHOWN])}{' ...' * (len(missing) > _SHOWN)}: number the classes from 0 on"
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


def _read_arrays(files: DataFiles) -> dict[str, np.ndarray]:
    arrays = {role: read_idx(files.paths[role]) for role in ROLES}
    if files.transposed:
        for role, array in arrays.items():
            if array.ndim == 3:
                arrays[role] = np.ascontiguousarray(array.swapaxes(1, 2))
    if files.first_label:
        for role, array in arrays.items():
            if array.ndim == 1 and array.size and array.min() >= files.first_label:
                arrays[role] = array - np.uint8(files.first_label)
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

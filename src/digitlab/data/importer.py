"""Other people's data sets brought into MNIST's form: folders of pictures, or arrays in an `.npz` file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from digitlab.data.catalog import FILE_NAMES
from digitlab.data.dataset import CLASSES, check_arrays
from digitlab.data.idx import write_idx
from digitlab.data.images import decode_image
from digitlab.data.npz import read_npz
from digitlab.data.split import MIN_VALIDATION, stratified_split
from digitlab.errors import DataError
from digitlab.files import ensure_new, new_folder

DEFAULT_TEST_SHARE = 1 / 7
"""MNIST's own: 10,000 of 70,000."""

CLASS_NAMES = tuple(str(digit) for digit in range(CLASSES))
"""The folders of a folder of pictures."""
_LEFT_BY_DESKTOPS = ("desktop.ini", "thumbs.db")

Progress = Callable[[Sequence[Path]], Iterable[Path]]
"""Passes the paths on one by one and may show how far it is."""


def import_dataset(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    test_share: float = DEFAULT_TEST_SHARE,
    progress: Progress = iter,
) -> None:
    """Bring a folder of pictures or an `.npz` file into the form of a data set.

    Args:
        source: as for `import_folder` or `import_npz`.
        target: the folder to make; it must not exist, or be empty.
        test_share: as for `import_folder`.
        progress: as for `import_folder`.

    Raises:
        DataError, OutputError: when the source is neither, or as these say.
    """
    if Path(source).is_dir():
        import_folder(source, target, test_share=test_share, progress=progress)
    else:
        import_npz(source, target)


def import_folder(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    test_share: float = DEFAULT_TEST_SHARE,
    seed: int = 0,
    progress: Progress = iter,
) -> None:
    """Make a data set from pictures that lie in folders named after their classes.

    Pictures are taken as they are: 28x28 pixels, white ink on black.

    Args:
        source: a folder with the folders `0` .. `9`, or with `train` and `test` that each hold these.
        target: the folder to make, whole or not at all; it must not exist, or be empty.
        test_share: share of the pictures that becomes the test part where the source has no `test` folder;
            stratified by class, more than 0 and less than 1.
        seed: of the split into parts and of the order of the images.
        progress: shows how far the reading is.

    Raises:
        DataError: when a class is missing, or a picture is not 28x28 or opaque.
        OutputError: when the target is in the way or cannot be written.
        ImageError: when a picture cannot be decoded.
    """
    folder, target = Path(source), ensure_new(target)
    try:
        names = _entries(folder)
        if set(names) == {"train", "test"}:
            parts = [_read_pictures(folder / part, progress) for part in ("train", "test")]
        else:
            images, labels = _read_pictures(folder, progress)
            kept, held_out = _split(labels, test_share, seed)
            parts = [(images[kept], labels[kept]), (images[held_out], labels[held_out])]
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror or error}") from error
    random = np.random.default_rng(seed)
    arrays = {}
    for part, (images, labels) in zip(("train", "test"), parts, strict=True):
        # Read class by class; shuffled, any first thousand of them holds all classes.
        order = random.permutation(len(labels))
        arrays |= {f"{part}-images": images[order], f"{part}-labels": labels[order]}
    _write_folder(target, arrays, str(folder))


def import_npz(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Make a data set from an `.npz` file such as Keras's `mnist.npz`; nothing in it is ever unpickled.

    Args:
        source: a file with `x_train`, `x_test` (uint8 [n, 28, 28]) and `y_train`, `y_test` (integers 0..9).
        target: the folder to make, whole or not at all; it must not exist, or be empty.

    Raises:
        DataError: when the file is damaged, too large or holds anything else.
        OutputError: as for `import_folder`.
    """
    folder = ensure_new(target)
    _write_folder(folder, read_npz(Path(source)), str(source))


def _read_pictures(folder: Path, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """The pictures of a folder of classes, class by class and in the order of their names."""
    names = _entries(folder)
    if tuple(names) != CLASS_NAMES:
        found = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        raise DataError(
            f"{folder}: expected the folders 0..9 with pictures, or train and test with these in them; "
            f"found {found or 'an empty folder'}"
        )
    paths = [folder / name / picture for name in CLASS_NAMES for picture in _entries(folder / name)]
    images = np.array([_read_picture(path) for path in progress(paths)], np.uint8).reshape(-1, 28, 28)
    return images, np.array([int(path.parent.name) for path in paths], np.uint8)


def _read_picture(path: Path) -> np.ndarray:
    picture = decode_image(path)
    height, width = picture.grey.shape
    if (height, width) != (28, 28):
        raise DataError(f"{path}: expected a picture of 28x28 pixels, found {width}x{height}: scale it first")
    if picture.alpha is not None:
        raise DataError(f"{path}: expected opaque pixels, found transparent ones: save it without alpha")
    return picture.grey


def _split(labels: np.ndarray, test_share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    if not 0 < test_share < 1:
        raise DataError(f"test share: expected more than 0 and less than 1, received {test_share}")
    held_out = round(len(labels) * test_share)
    if not MIN_VALIDATION <= held_out < len(labels):
        raise DataError(
            f"test share: {test_share:.3g} of {len(labels)} pictures are {held_out}; expected at least "
            f"{MIN_VALIDATION} for the test part and some for training: add pictures or change the share"
        )
    return stratified_split(labels, held_out, seed)


def _entries(folder: Path) -> list[str]:
    """The names in a folder, sorted, without what desktops leave there."""
    names = (path.name for path in folder.iterdir())
    return sorted(name for name in names if name[0] != "." and name.lower() not in _LEFT_BY_DESKTOPS)


def _write_folder(target: Path, arrays: Mapping[str, np.ndarray], source: str) -> None:
    check_arrays(arrays, source)
    with new_folder(target) as draft:
        for role, file_name in FILE_NAMES.items():
            write_idx(draft / file_name, arrays[role])

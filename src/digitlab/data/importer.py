"""Import of data sets into MNIST's form: from folders of pictures, or from arrays in an `.npz` file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitlab.data.catalog import FILE_NAMES
from digitlab.data.classes import CLASSES_FILE, DIGITS, read_classes
from digitlab.data.dataset import check_arrays
from digitlab.data.idx import write_idx
from digitlab.data.npz import read_npz
from digitlab.data.picture_folder import PART_NAMES, check_class_names, list_folder
from digitlab.data.split import MIN_VALIDATION, stratified_split
from digitlab.errors import DataError
from digitlab.files import ensure_new, new_folder
from digitlab.pictures.decoder import decode_image

DEFAULT_TEST_SHARE = 1 / 7
"""Default share of the test part, which is MNIST's: 10,000 of 70,000."""

TrackProgress = Callable[[Sequence[Path]], Iterable[Path]]
"""Function that passes the paths on one by one and may show progress."""


@dataclass(frozen=True)
class Imported:
    """Sources of the images of a new data set.

    Attributes:
        pictures: file of each image, by part (`train`, `test`); empty if they came from one file.
        left_out: files among the pictures that were ignored, because desktops and archives leave them there.
    """

    pictures: Mapping[str, Sequence[Path]]
    left_out: Sequence[Path]


def import_dataset(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    test_share: float = DEFAULT_TEST_SHARE,
    progress: TrackProgress = iter,
) -> Imported:
    """Create a data set from a folder of pictures or an `.npz` file.

    Args:
        source: folder of pictures, or `.npz` file, as accepted by `import_folder` and `import_npz`.
        target: folder to create; it must not exist, or be empty.
        test_share: share of the pictures that becomes the test part if the source has none; 0..1.
        progress: function that passes the pictures' paths on and may show progress.

    Returns:
        The source of each image.

    Raises:
        DataError, OutputError: the source is neither, or it cannot be imported.
    """
    if Path(source).is_dir():
        return import_folder(source, target, test_share=test_share, progress=progress)
    import_npz(source, target)
    return Imported({}, ())


def import_folder(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    test_share: float = DEFAULT_TEST_SHARE,
    seed: int = 0,
    progress: TrackProgress = iter,
) -> Imported:
    """Create a data set from pictures in folders named after their classes.

    Pictures are used unchanged: 28x28 pixels, white ink on black.

    Args:
        source: folder with the folders `0` .. `9`, or with `train` and `test` that each hold these; a
            `classes.txt` beside them names the classes and is copied.
        target: folder to create, whole or not at all; it must not exist, or be empty.
        test_share: share of the pictures that becomes the test part if the source has no `test` folder;
            stratified by class, more than 0 and less than 1.
        seed: seed of the split into parts and of the order of the images.
        progress: function that passes the pictures' paths on and may show progress.

    Returns:
        The source of each image.

    Raises:
        DataError: a class is missing, a picture is not 28x28 or not opaque, or `classes.txt` is invalid.
        OutputError: the target exists and is not empty, or cannot be written.
        ImageError: a picture cannot be decoded.
    """
    folder = Path(source)
    target = ensure_new(target)
    try:
        classes = read_classes(folder)
        names, left_out = list_folder(folder)
        if set(names) - {CLASSES_FILE} == set(PART_NAMES):
            parts = [_find_pictures(folder / part, left_out, part) for part in PART_NAMES]
        else:
            paths = _find_pictures(folder, left_out)
            parts = _split(paths, test_share, seed)
        random = np.random.default_rng(seed)
        pictures: dict[str, list[Path]] = {}
        for part, paths in zip(PART_NAMES, parts, strict=True):
            # They come class by class; shuffled, any first thousand of them holds all classes.
            order = random.permutation(len(paths))
            pictures[part] = [paths[i] for i in order]
        images = _read_pictures([*pictures["train"], *pictures["test"]], progress)
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror or error}") from error
    train = len(pictures["train"])
    arrays = {
        "train-images": images[:train],
        "train-labels": _labels(pictures["train"]),
        "test-images": images[train:],
        "test-labels": _labels(pictures["test"]),
    }
    _write_folder(target, arrays, str(folder), classes)
    return Imported(pictures, left_out)


def import_npz(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Create a data set from an `.npz` file such as Keras's `mnist.npz`; nothing in it is ever unpickled.

    Args:
        source: file with `x_train`, `x_test` (uint8 [n, 28, 28]) and `y_train`, `y_test` (integers 0..9).
        target: folder to create, whole or not at all; it must not exist, or be empty.

    Raises:
        DataError: the file is damaged, too large or holds anything else.
        OutputError: the target exists and is not empty, or cannot be written.
    """
    folder = ensure_new(target)
    _write_folder(folder, read_npz(Path(source)), str(source))


def _find_pictures(folder: Path, left_out: list[Path], part: str = "") -> list[Path]:
    """Return the pictures of a folder of classes, class by class and in the order of their names."""
    names, left = list_folder(folder)
    if part:
        left_out += left
    else:  # the folder was listed before, to see whether it holds parts
        names = [name for name in names if name != CLASSES_FILE]
    check_class_names(folder, names, in_part=bool(part))
    paths: list[Path] = []
    for name in DIGITS:
        pictures, left = list_folder(folder / name)
        left_out += left
        if not pictures and part != "test":
            raise DataError(
                f"{folder / name}: expected pictures of this class, found an empty folder: add some"
            )
        paths += [folder / name / picture for picture in pictures]
    return paths


def _labels(paths: Sequence[Path]) -> np.ndarray:
    return np.array([int(path.parent.name) for path in paths], np.uint8)


def _read_pictures(paths: Sequence[Path], progress: TrackProgress) -> np.ndarray:
    images = [_read_picture(path) for path in progress(paths)]
    return np.array(images, np.uint8).reshape(-1, 28, 28)  # three dimensions even of no image


def _read_picture(path: Path) -> np.ndarray:
    picture = decode_image(path)
    height, width = picture.grey.shape
    if (height, width) != (28, 28):
        raise DataError(f"{path}: expected a picture of 28x28 pixels, found {width}x{height}: scale it first")
    if picture.alpha is not None:
        raise DataError(f"{path}: expected opaque pixels, found transparent ones: save it without alpha")
    return picture.grey


def _split(paths: Sequence[Path], test_share: float, seed: int) -> list[list[Path]]:
    """Split pictures into a training and a test part."""
    if not 0 < test_share < 1:
        raise DataError(f"test share: expected more than 0 and less than 1, received {test_share}")
    held_out = round(len(paths) * test_share)
    if not MIN_VALIDATION <= held_out < len(paths):
        raise DataError(
            f"test share: {test_share:.3g} of {len(paths)} pictures are {held_out}; expected at least "
            f"{MIN_VALIDATION} for the test part and some for training: add pictures or change the share"
        )
    train, test = stratified_split(_labels(paths), held_out, seed)
    return [[paths[i] for i in train], [paths[i] for i in test]]


def _write_folder(
    target: Path, arrays: Mapping[str, np.ndarray], source: str, classes: Sequence[str] | None = None
) -> None:
    check_arrays(arrays, source)
    with new_folder(target) as draft:
        for role, file_name in FILE_NAMES.items():
            write_idx(draft / file_name, arrays[role])
        if classes is not None:
            (draft / CLASSES_FILE).write_text("".join(f"{name}\n" for name in classes), "utf-8")

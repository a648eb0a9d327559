"""Import of data sets into MNIST's form: from folders of pictures, CSV tables, or arrays in `.npz` files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from digitlab.data.arrays import DEFAULT_TEST_SHARE, dataset_of, split_off_test
from digitlab.data.classes import CLASSES_FILE, DIGITS, class_numbers, read_classes
from digitlab.data.csv_file import LabelledImages, is_csv, read_csv
from digitlab.data.dataset import Dataset
from digitlab.data.npz import read_npz
from digitlab.data.picture_folder import PART_NAMES, class_names, list_folder
from digitlab.errors import DataError
from digitlab.files import ensure_new
from digitlab.pictures.decoder import decode_image
from digitlab.pictures.fitting import fit_into_square
from digitlab.spec.recipe import IMAGE_SIDE

TrackProgress = Callable[[Sequence[Path]], Iterable[Path]]
"""Function that passes the paths on one by one and may show progress."""


class PictureOptions(NamedTuple):
    """What is done to pictures that are imported.

    Attributes:
        resize: whether pictures of other sizes are scaled to 28x28, keeping the ratio of their sides.
        invert: whether every picture is inverted, as dark ink on light ground needs.
    """

    resize: bool = False
    invert: bool = False


UNCHANGED = PictureOptions()
"""Pictures are taken as they are."""


@dataclass(frozen=True)
class Imported:
    """Sources of the images of a new data set, and what was done to them.

    Attributes:
        pictures: file of each image, by part (`train`, `test`); empty if they came from one file.
        left_out: files among the pictures that were ignored, because desktops and archives leave them there.
        resized: number of pictures that were scaled to 28x28.
        inverted: number of pictures that were inverted.
    """

    pictures: Mapping[str, Sequence[Path]]
    left_out: Sequence[Path]
    resized: int = 0
    inverted: int = 0


def import_dataset(  # all but the source and the target have a default
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    test: str | os.PathLike[str] | None = None,
    test_share: float = DEFAULT_TEST_SHARE,
    options: PictureOptions = UNCHANGED,
    progress: TrackProgress = iter,
) -> Imported:
    """Create a data set from a folder of pictures, a CSV table or an `.npz` file.

    Args:
        source: folder of pictures, CSV table or `.npz` file, as accepted by `import_folder`, `import_csv` and
            `import_npz`.
        target: folder to create; it must not exist, or be empty.
        test: CSV table of the test part; None where the source has one, or a share is set aside.
        test_share: share of the images that becomes the test part if the source has none; 0..1.
        options: changes of the pictures.
        progress: function that passes the pictures' paths on and may show progress.

    Returns:
        The source of each image, and what was done.

    Raises:
        DataError, OutputError: the source is none of these, or it cannot be imported.
    """
    path = Path(source)
    if path.is_dir():
        if test is not None:
            raise DataError(f"{test}: expected no test table for a folder: put train and test into it")
        return import_folder(source, target, test_share=test_share, options=options, progress=progress)
    if options.resize or options.invert:
        raise DataError(
            f"{path}: expected a folder of pictures to resize or invert, received a file: images in "
            "tables and arrays must be 28x28 and white on black already"
        )
    if is_csv(path):
        import_csv(path, target, test=test, test_share=test_share)
    else:
        if test is not None:
            raise DataError(f"{test}: expected no test table beside an .npz file: its arrays have both parts")
        import_npz(path, target, test_share=test_share)
    return Imported({}, ())


def import_folder(  # all but the source and the target have a default
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    test_share: float = DEFAULT_TEST_SHARE,
    seed: int = 0,
    options: PictureOptions = UNCHANGED,
    progress: TrackProgress = iter,
) -> Imported:
    """Create a data set from pictures in folders named after their classes.

    Args:
        source: folder with a folder of pictures for each class, `0` .. `9` for digits, or with `train` and
            `test` that each hold these. Classes are in the order of their numbers or names, which become the
            names of the classes; a `classes.txt` beside them renames those that are numbered from 0 on.
        target: folder to create, whole or not at all; it must not exist, or be empty.
        test_share: share of the pictures that becomes the test part if the source has no `test` folder;
            stratified by class, more than 0 and less than 1.
        seed: seed of the split into parts and of the order of the images.
        options: changes of the pictures; by default none: they must be 28x28, white ink on black.
        progress: function that passes the pictures' paths on and may show progress.

    Returns:
        The source of each image, and what was done.

    Raises:
        DataError: a class has no pictures, a picture has another size or is not opaque, or `classes.txt` is
            invalid.
        OutputError: the target exists and is not empty, or cannot be written.
        ImageError: a picture cannot be decoded.
    """
    folder = Path(source)
    target = ensure_new(target)
    try:
        given = read_classes(folder)
        names, left_out = list_folder(folder)
        if set(names) - {CLASSES_FILE} == set(PART_NAMES):
            parts, classes = _find_parts(folder, left_out)
            paths = parts
        else:
            found, classes = _find_pictures(folder, left_out)
            train, test = split_off_test(_labels(found, classes), test_share, seed)
            paths = [[found[i] for i in train], [found[i] for i in test]]
        random = np.random.default_rng(seed)
        pictures: dict[str, list[Path]] = {}
        for part, of_part in zip(PART_NAMES, paths, strict=True):
            # They come class by class; shuffled, any first thousand of them holds all classes.
            order = random.permutation(len(of_part))
            pictures[part] = [of_part[i] for i in order]
        images, resized = _read_pictures([*pictures["train"], *pictures["test"]], options, progress)
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror or error}") from error
    count = len(pictures["train"])
    arrays = {
        "train-images": images[:count],
        "train-labels": _labels(pictures["train"], classes),
        "test-images": images[count:],
        "test-labels": _labels(pictures["test"], classes),
    }
    dataset_of(arrays, str(folder), _named(classes, given, folder)).save(target)
    return Imported(pictures, left_out, resized, len(images) if options.invert else 0)


def import_csv(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    test: str | os.PathLike[str] | None = None,
    test_share: float = DEFAULT_TEST_SHARE,
    seed: int = 0,
) -> None:
    """Create a data set from a table such as Kaggle's `train.csv`.

    Args:
        source: table with a column of labels and 784 of pixels 0..255, with or without a header.
        target: folder to create, whole or not at all; it must not exist, or be empty.
        test: table of the test part, of the same form; None to set a part of the first one aside.
        test_share: share of the test part where there is no table of it.
        seed: seed of the choice of that part.

    Raises:
        DataError: a table has other columns or values; the message names the row.
        OutputError: the target exists and is not empty, or cannot be written.
    """
    folder = ensure_new(target)
    train = read_csv(Path(source))
    of_test = read_csv(Path(test)) if test is not None else None
    _save_arrays(folder, str(source), train, of_test, test_share, seed)


def import_npz(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    test_share: float = DEFAULT_TEST_SHARE,
    seed: int = 0,
) -> None:
    """Create a data set from an `.npz` file such as Keras's `mnist.npz`; nothing in it is ever unpickled.

    Args:
        source: file with `x_train`, `y_train`, `x_test` and `y_test`, or `train_images`, `train_labels`,
            `test_images` and `test_labels`, or `x` and `y`: images as accepted by `Dataset.from_arrays` and
            whole numbers as labels.
        target: folder to create, whole or not at all; it must not exist, or be empty.
        test_share: share of the test part of `x` and `y`.
        seed: seed of the choice of that part.

    Raises:
        DataError: the file is damaged, too large or holds anything else.
        OutputError: the target exists and is not empty, or cannot be written.
    """
    folder = ensure_new(target)
    train, test = read_npz(Path(source))
    _save_arrays(folder, str(source), train, test, test_share, seed)


def _save_arrays(  # what both kinds of files have
    folder: Path,
    source: str,
    train: LabelledImages,
    test: LabelledImages | None,
    test_share: float,
    seed: int,
) -> None:
    data = Dataset.from_arrays(
        train.images,
        train.labels,
        test.images if test else None,
        test.labels if test else None,
        name=source,
        test_share=test_share,
        seed=seed,
    )
    data.save(folder)


def _find_parts(folder: Path, left_out: list[Path]) -> tuple[list[list[Path]], tuple[str, ...]]:
    """Return the pictures of the training and of the test part, and the names of the classes."""
    train, classes = _find_pictures(folder / "train", left_out, "train")
    test, of_test = _find_pictures(folder / "test", left_out, "test")
    if classes != of_test:
        odd = sorted(set(classes) ^ set(of_test))[0]
        where = "train" if odd in classes else "test"
        raise DataError(
            f"{folder}: expected the same classes in train and test, found {odd!r} in {where} alone: add "
            "pictures of it to the other, or remove it"
        )
    return [train, test], classes


def _find_pictures(folder: Path, left_out: list[Path], part: str = "") -> tuple[list[Path], tuple[str, ...]]:
    """Return the pictures of a folder of classes, class by class and by name, and the classes' names."""
    names, left = list_folder(folder)
    if part:
        left_out += left
    else:  # the folder was listed before, to see whether it holds parts
        names = [name for name in names if name != CLASSES_FILE]
    classes = class_names(folder, names, in_part=bool(part))
    paths: list[Path] = []
    for name in classes:
        pictures, left = list_folder(folder / name)
        left_out += left
        if not pictures and part != "test":
            raise DataError(
                f"{folder / name}: expected pictures of this class, found an empty folder: add some"
            )
        paths += [folder / name / picture for picture in pictures]
    return paths, classes


def _named(folders: tuple[str, ...], given: tuple[str, ...] | None, folder: Path) -> tuple[str, ...] | None:
    """Return the names of the classes; None where the folders are those of digits, which name nothing.

    Args:
        folders: names of the folders of the classes, in order.
        given: names in `classes.txt`; None if there is none.
        folder: folder of both, for the message.
    """
    numbers = class_numbers(len(folders))
    if given is None:
        return None if folders == DIGITS else folders
    if folders != numbers or len(given) != len(folders):
        raise DataError(
            f"{folder / CLASSES_FILE}: expected a name for each of the folders 0 to {len(given) - 1}, found "
            f"folders {', '.join(folders[:3])} ... ({len(folders)}): number the folders, or remove the file"
        )
    return given


def _labels(paths: Sequence[Path], classes: Sequence[str]) -> np.ndarray:
    index = {name: i for i, name in enumerate(classes)}
    return np.array([index[path.parent.name] for path in paths], np.uint8)


def _read_pictures(
    paths: Sequence[Path], options: PictureOptions, progress: TrackProgress
) -> tuple[np.ndarray, int]:
    """Return the pictures, uint8 [n, 28, 28], and how many of them were scaled."""
    images = np.empty((len(paths), IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    resized = 0
    for i, path in enumerate(progress(paths)):
        grey = _read_picture(path)
        if grey.shape != images.shape[1:]:
            if not options.resize:
                height, width = grey.shape
                raise DataError(
                    f"{path}: expected a picture of 28x28 pixels, found {width}x{height}: scale it first, or "
                    "add --resize"
                )
            grey = fit_into_square(grey, IMAGE_SIDE)
            resized += 1
        images[i] = 255 - grey if options.invert else grey
    return images, resized


def _read_picture(path: Path) -> np.ndarray:
    picture = decode_image(path)
    if picture.alpha is not None:
        raise DataError(f"{path}: expected opaque pixels, found transparent ones: save it without alpha")
    return picture.grey

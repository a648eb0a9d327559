"""Data sets from arrays: images and labels in the forms in which people have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from digitlab.data.catalog import ROLES, combined_fingerprint
from digitlab.data.classes import check_names
from digitlab.data.dataset import Dataset, check_arrays
from digitlab.data.idx import idx_sha256
from digitlab.data.split import MIN_VALIDATION, stratified_split
from digitlab.errors import DataError
from digitlab.spec.recipe import IMAGE_SIDE, MAX_CLASSES

DEFAULT_TEST_SHARE = 1 / 7
"""Default share of the test part, which is MNIST's: 10,000 of 70,000."""

_PIXELS = IMAGE_SIDE**2


def as_images(x: np.ndarray, what: str) -> np.ndarray:
    """Return images in MNIST's form, without loss.

    Args:
        x: images [n, 28, 28], [n, 28, 28, 1] or [n, 784]: whole numbers 0..255 of any type, or floats 0..1,
            which are multiplied by 255 and rounded.
        what: name of the arrays, for the message.

    Returns:
        Images, uint8 [n, 28, 28].

    Raises:
        DataError: their shape or values are others.
    """
    images = np.asarray(x)
    shape = images.shape
    if shape[1:] not in ((IMAGE_SIDE, IMAGE_SIDE), (IMAGE_SIDE, IMAGE_SIDE, 1), (_PIXELS,)):
        raise DataError(
            f"{what}: expected images of shape [n, 28, 28], [n, 28, 28, 1] or [n, 784], received "
            f"{list(shape)}"
        )
    images = images.reshape(len(images), IMAGE_SIDE, IMAGE_SIDE)
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind not in "iufb":
        raise DataError(f"{what}: expected numbers 0..255, received {images.dtype}")
    if not images.size:
        return images.astype(np.uint8)
    if not np.isfinite(images).all():
        raise DataError(f"{what}: expected finite numbers, received nan or infinity")
    low, high = images.min(), images.max()
    if images.dtype.kind == "f" and low >= 0 and high <= 1:
        return np.rint(images * 255).astype(np.uint8)
    if low < 0 or high > 255 or (images != np.rint(images)).any():
        raise DataError(
            f"{what}: expected whole numbers 0..255 or floats 0..1, received {images.dtype} of "
            f"{low:.6g}..{high:.6g}: scale them to one of these"
        )
    return images.astype(np.uint8)


def encode_labels(
    train: np.ndarray, test: np.ndarray, classes: Sequence[str] | None, what: str
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...] | None]:
    """Number the classes of labels from 0 on.

    Args:
        train: labels of the training part, integers or text [n], or [n, 1].
        test: labels of the test part.
        classes: names of the classes, where labels are numbers from 0 on; None if the labels are the names.
        what: name of the arrays, for the message.

    Returns:
        Labels of both parts, uint8 [n], and the names of the classes: those given; else the distinct labels
        in order, numbers by value; None where these are the numbers from 0 on, which name nothing.

    Raises:
        DataError: labels are neither whole numbers nor text, there are too many, or a test label is of no
            class of the training part.
    """
    parts = [_flat(train, what), _flat(test, what)]
    if classes is not None:
        check_names(classes, what)
    if classes is not None and all(part.dtype.kind in "iu" for part in parts):
        for part in parts:
            if part.size and not 0 <= part.min() <= part.max() < len(classes):
                raise DataError(
                    f"{what}: expected labels 0..{len(classes) - 1} of the {len(classes)} classes that have "
                    f"names, received {part.min()}..{part.max()}"
                )
        return parts[0].astype(np.uint8), parts[1].astype(np.uint8), tuple(classes)
    values = np.unique(parts[0]).tolist()
    if len(values) > MAX_CLASSES:
        raise DataError(f"{what}: expected at most {MAX_CLASSES} classes, received {len(values)} labels")
    if classes is not None:
        if {str(value) for value in values} - set(classes):
            raise DataError(f"{what}: expected labels of the classes {', '.join(classes)}, received others")
        values = [str(name) for name in classes]
    index = {value: i for i, value in enumerate(values)}
    numbered = []
    for part in parts:
        unknown = set(np.unique(part).tolist()) - set(index)
        if unknown:
            raise DataError(
                f"{what}: expected test labels of classes of the training part, received {min(unknown)!r}"
            )
        numbered.append(np.array([index[label] for label in part.tolist()], np.uint8))
    names: tuple[str, ...] | None = tuple(str(value) for value in values)
    if classes is None and values == list(range(len(values))):
        names = None
    if names is not None:
        check_names(names, what)
    return numbered[0], numbered[1], names


def _flat(labels: np.ndarray, what: str) -> np.ndarray:
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype == object and all(isinstance(label, str) for label in array.tolist()):
        array = array.astype(str)
    if array.dtype.kind == "f" and array.size and (array == np.rint(array)).all():
        array = array.astype(np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iuUb":
        hint = ""
        if array.ndim == 2:
            hint = ": of one-hot rows take labels.argmax(axis=1)"
        raise DataError(
            f"{what}: expected a whole number or a name for each image, received {array.dtype} of shape "
            f"{list(array.shape)}{hint}"
        )
    return array.astype(np.int64) if array.dtype.kind == "b" else array


def dataset_from_arrays(  # noqa: PLR0913  # all but the images and labels have a default
    x: np.ndarray,
    y: np.ndarray,
    x_test: np.ndarray | None = None,
    y_test: np.ndarray | None = None,
    *,
    name: str = "arrays",
    classes: Sequence[str] | None = None,
    test_share: float = DEFAULT_TEST_SHARE,
    seed: int = 0,
) -> Dataset:
    """Make a data set of arrays in memory, as `Dataset.from_arrays` describes.

    Args:
        x: training images, as accepted by `as_images`.
        y: their labels, as accepted by `encode_labels`.
        x_test: test images; None to set a part of `x` aside.
        y_test: labels of the test images.
        name: name of the data set.
        classes: names of the classes, where labels are numbers from 0 on.
        test_share: share of the test part where there is none; 0..1.
        seed: seed of the choice of that part.

    Raises:
        DataError: shapes, values or labels are others, or a class has no training image.
    """
    images = as_images(x, f"{name}: x")
    if (x_test is None) != (y_test is None):
        raise DataError(f"{name}: expected x_test and y_test or neither, received one of them")
    labels = np.asarray(y)
    if len(labels) != len(images):
        raise DataError(
            f"{name}: expected a label for each of {len(images):,} images, received {len(labels):,}"
        )
    if x_test is None or y_test is None:
        y_train, _, names = encode_labels(labels, labels[:0], classes, f"{name}: y")
        train, test = split_off_test(y_train, test_share, seed)
        arrays = {
            "train-images": images[train],
            "train-labels": y_train[train],
            "test-images": images[test],
            "test-labels": y_train[test],
        }
    else:
        y_train, test_labels, names = encode_labels(labels, np.asarray(y_test), classes, f"{name}: y")
        arrays = {
            "train-images": images,
            "train-labels": y_train,
            "test-images": as_images(x_test, f"{name}: x_test"),
            "test-labels": test_labels,
        }
    return dataset_of(arrays, name, names)


def split_off_test(labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose a test part, stratified by class.

    Args:
        labels: labels of all images, uint8 [n].
        share: share of the test part, more than 0 and less than 1.
        seed: seed of the choice.

    Returns:
        Indices of the training and of the test part, int64, ascending.

    Raises:
        DataError: the share leaves too few images in a part.
    """
    if not 0 < share < 1:
        raise DataError(f"test share: expected more than 0 and less than 1, received {share}")
    held_out = round(len(labels) * share)
    if not MIN_VALIDATION <= held_out < len(labels):
        raise DataError(
            f"test share: {share:.3g} of {len(labels)} images are {held_out}; expected at least "
            f"{MIN_VALIDATION} for the test part and some for training: add images or change the share"
        )
    train, test = stratified_split(labels, held_out, seed)
    return train, test


def dataset_of(arrays: Mapping[str, np.ndarray], name: str, classes: tuple[str, ...] | None) -> Dataset:
    """Make a data set of arrays by role, which it makes read-only.

    Args:
        arrays: uint8 arrays by role (see `ROLES`).
        name: name of the data set.
        classes: names of its classes; None if they are not known.

    Raises:
        DataError: they are no data set.
    """
    check_arrays(arrays, name, classes)
    own = {}
    for role in ROLES:
        own[role] = np.ascontiguousarray(arrays[role]).view()
        own[role].flags.writeable = False
    return Dataset(
        name=name,
        x_train=own["train-images"],
        y_train=own["train-labels"],
        x_test=own["test-images"],
        y_test=own["test-labels"],
        fingerprint=combined_fingerprint(idx_sha256(own[role]) for role in ROLES),
        classes=classes,
    )

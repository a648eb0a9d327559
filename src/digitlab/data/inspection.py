"""Inspection of a data set before training: faults and oddities of its images and labels, with counts.

Nothing is changed and nothing is refused here. The thresholds leave MNIST and Fashion-MNIST without a
finding; the distance of their 140,000 images is noted beside each.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from digitlab.data.catalog import CATALOG, find_files
from digitlab.data.dataset import Dataset
from digitlab.data.idx import read_idx
from digitlab.data.pixels import of_unit_range
from digitlab.spec.recipe import CLASSES

Part = Literal["train", "test"]

GRAVE_SHARE = 0.01
"""Smallest share of a part for which a fault of its images is grave."""

_DIM = 128  # the brightest pixel of each of the 140,000 images is 254 or 255
_UNEVEN = 2  # factor above or below the even share; MNIST's classes are 0.90 to 1.12 of it
_CHANCE = 4  # standard deviations: in a small set chance alone makes classes uneven
_KNOWN_POSE = 0.85  # mean correlation with MNIST's mean digits: 50 digits of MNIST 0.90, Fashion-MNIST 0.52
_OTHER_POSE = 0.1  # smallest lead over the pose as stored; MNIST's over its next likely pose: 0.21
_ENOUGH = 5_000  # images whose means decide on the pose
_PLACES = 10  # largest number that a finding names

_SHARES = {2: "a half", 10: "a tenth"}  # the even share by the number of classes
_COPY = "like another of that part, pixel for pixel"
_NAMES: dict[Part, str] = {"train": "training", "test": "test"}
_POSES = {
    (False, 1): "turned by a quarter",
    (False, 2): "upside down",
    (False, 3): "turned by a quarter",
    (True, 0): "with rows and columns exchanged, as EMNIST's files are",
    (True, 1): "mirrored",
    (True, 2): "mirrored and turned by a quarter",
    (True, 3): "mirrored",
}


@dataclass(frozen=True)
class Finding:
    """Fault or oddity of a data set.

    Attributes:
        kind: kind of the finding: `polarity`, `range`, `dim`, `blank`, `classes`, `overlap`, `labels`,
            `copies` or `pose`.
        part: part in which images were counted: `train` or `test`; None for both together.
        count: number of images concerned.
        of: number of images examined.
        sentence: finding, its effect and its remedy, in one line.
        grave: whether scores of networks trained on the data will mislead.
        places: first images concerned, at most ten, each as its part and its index there, from 0.
    """

    kind: str
    part: Part | None
    count: int
    of: int
    sentence: str
    grave: bool
    places: tuple[tuple[Part, int], ...] = ()

    def to_values(self) -> dict[str, Any]:
        """Return the fields as JSON-compatible values."""
        return {**vars(self), "places": [list(place) for place in self.places]}


def inspect_dataset(dataset: Dataset) -> tuple[Finding, ...]:
    """Find what makes networks learn, or scores measure, something else than intended.

    Args:
        dataset: any data set; one of MNIST's size takes 0.3 s of one core.

    Returns:
        Findings, the grave ones first; none for MNIST and Fashion-MNIST.
    """
    findings = [*_of_part(dataset, "train"), *_of_part(dataset, "test"), *_copies(dataset), *_pose(dataset)]
    return tuple(sorted(findings, key=lambda finding: not finding.grave))


def _of_part(dataset: Dataset, part: Part) -> Iterator[Finding]:
    images, labels = _arrays(dataset, part)
    flat = images.reshape(len(images), -1)
    peaks = flat.max(axis=1)
    is_blank = peaks == flat.min(axis=1)
    yield from _polarity(part, images, peaks, is_blank)
    is_small = of_unit_range(peaks) & ~is_blank
    yield from _of_images(
        "range", part, is_small, "of values 0..1, where 255 is full ink: multiply them by 255", grave=True
    )
    is_dim = (peaks < _DIM) & ~is_small & ~is_blank  # each image is counted in one finding only
    yield from _of_images("dim", part, is_dim, "faint, with no value above 127: full ink is 255")
    yield from _of_images("blank", part, is_blank, "of a single grey value: remove them")
    yield from _classes(part, labels, dataset.class_names)


def _polarity(part: Part, images: np.ndarray, peaks: np.ndarray, is_blank: np.ndarray) -> Iterator[Finding]:
    """Find dark ink on light ground by the images' borders, also for clothes that fill the frame.

    The border's mean is at most 0.03 of the brightest pixel in MNIST and 0.42 in Fashion-MNIST.
    """
    sides = [images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]]
    border = np.concatenate(sides, axis=1).mean(axis=1)  # mean of each image's border pixels
    is_dark_on_light = (2 * border > peaks) & ~is_blank
    others = ~is_dark_on_light & ~is_blank
    if others.any():
        what = "dark ink on light ground, the others light on dark as in MNIST: invert those (255 - value)"
    else:
        what = (
            "dark ink on light ground, where MNIST has white on black: "
            "invert them (255 - value), or the network reads only digits like these"
        )
    yield from _of_images("polarity", part, is_dark_on_light, what, grave=True)


def _classes(part: Part, labels: np.ndarray, names: Sequence[str]) -> Iterator[Finding]:
    counts = np.bincount(labels, minlength=len(names))
    missing = [name for name, count in zip(names, counts, strict=True) if not count]
    if missing:
        sentence = f"the {part} part has no image of class {', '.join(missing)}: its scores do not cover it"
        yield Finding("classes", part, 0, len(labels), sentence, grave=False)
    even = len(labels) / len(names)
    # The standard deviation of a binomial count, were each image of any class with the same probability.
    by_chance = _CHANCE * np.sqrt(even * (1 - 1 / len(names)))
    is_uneven = (counts * _UNEVEN < even) | (counts > even * _UNEVEN)
    is_beyond_chance = abs(counts - even) > by_chance
    is_far = is_uneven & is_beyond_chance & (counts > 0)  # a missing class is the finding above
    if not is_far.any():
        return
    which = ", ".join(
        f"class {names[label]} has {counts[label]:,}" for label in np.flatnonzero(is_far).tolist()
    )
    share = _SHARES.get(len(names), "an even share")
    sentence = (
        f"the classes of the {part} part are far from even: {which} of {len(labels):,} images, "
        f"where {share} is {even:,.0f}: accuracy mostly reflects the frequent ones"
    )
    yield Finding("classes", part, int(counts[is_far].sum()), len(labels), sentence, grave=False)


def _copies(dataset: Dataset) -> Iterator[Finding]:
    """Find images that are equal pixel for pixel, except blank ones, which are another finding."""
    images = np.concatenate([dataset.x_train, dataset.x_test])
    labels = np.concatenate([dataset.y_train, dataset.y_test])
    train = len(dataset.y_train)
    # An image is known by the index of the first that equals it, and the training part comes first.
    first = _first_equals(image.tobytes() for image in images)
    flat = images.reshape(len(images), -1)
    is_drawn = flat.max(axis=1) > flat.min(axis=1)
    is_in_train = is_drawn & (first < train)
    yield from _of_images(
        "overlap",
        "test",
        is_in_train[train:],
        "also in the training part, pixel for pixel, so test scores are too good: remove them from one part",
        grave=True,
    )
    yield from _conflicts(first, labels, is_drawn, train)
    is_copy = is_drawn & (first != np.arange(len(first)))
    yield from _of_images("copies", "train", is_copy[:train], f"{_COPY}; validation may see what was learnt")
    # Counted anew, since an image of the test part may equal one of the training part first.
    first_in_test = _first_equals(first[train:].tolist())
    is_copy_in_test = is_drawn[train:] & (first_in_test != np.arange(len(first_in_test)))
    yield from _of_images("copies", "test", is_copy_in_test, _COPY)


def _first_equals(items: Iterable[Hashable]) -> np.ndarray:
    """Return the index of the first item that equals each, int [n]."""
    index_of: dict[Hashable, int] = {}
    return np.array([index_of.setdefault(item, i) for i, item in enumerate(items)])


def _conflicts(first: np.ndarray, labels: np.ndarray, is_drawn: np.ndarray, train: int) -> Iterator[Finding]:
    """Find pictures under several labels, by the least and the greatest label of equal images."""
    lowest = labels[first].copy()
    highest = labels[first].copy()
    np.minimum.at(lowest, first, labels)
    np.maximum.at(highest, first, labels)
    is_mixed = (lowest != highest)[first] & is_drawn
    if not is_mixed.any():
        return
    count = int(is_mixed.sum())
    pictures = len(np.unique(first[is_mixed]))
    sentence = (
        f"{count:,} of {len(labels):,} images are {pictures:,} {'picture' if pictures == 1 else 'pictures'} "
        "under two or more labels: at most one of them is right"
    )
    is_grave = count >= GRAVE_SHARE * len(labels)
    places = _places(np.flatnonzero(is_mixed), train)
    yield Finding("labels", None, count, len(labels), sentence, is_grave, places)


def _pose(dataset: Dataset) -> Iterator[Finding]:
    """Find digits in another pose than MNIST's; images other than digits resemble MNIST in no pose."""
    mnist = _mnist_means()
    if dataset.class_count != len(mnist):
        return
    some = np.random.default_rng(0).permutation(len(dataset.y_train))[:_ENOUGH]
    means = _mean_images(dataset.x_train[some], dataset.y_train[some], len(mnist))
    likeness: dict[tuple[bool, int], float] = {}
    for transposed in (False, True):
        for turns in range(4):
            correlations = (mnist * _posed(means, transposed, turns)).sum(axis=(1, 2))
            likeness[transposed, turns] = abs(correlations.mean())  # of inverted digits it is below 0
    as_stored = likeness.pop((False, 0))
    pose = max(likeness, key=lambda pose: likeness[pose])
    if likeness[pose] < _KNOWN_POSE or likeness[pose] - as_stored < _OTHER_POSE:
        return
    count = len(dataset.y_train)
    sentence = (
        f"the digits look like MNIST's {_POSES[pose]}: turn them, or the network reads only digits like these"
    )
    yield Finding("pose", "train", count, count, sentence, grave=True)


def _posed(images: np.ndarray, transposed: bool, turns: int) -> np.ndarray:
    if transposed:
        images = images.swapaxes(1, 2)
    return np.rot90(images, turns, axes=(1, 2))


def _mean_images(images: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Return the mean of each of some classes [count, 28, 28], centred and of length 1, for correlations."""
    # A missing class has a mean of 0, which correlates with nothing.
    means = np.stack([images[labels == label].sum(axis=0, dtype=float) for label in range(count)])
    means -= means.mean(axis=(1, 2), keepdims=True)
    lengths = np.sqrt((means**2).sum(axis=(1, 2), keepdims=True))
    return means / np.maximum(lengths, 1e-9)


@cache
def _mnist_means() -> np.ndarray:
    paths = find_files(CATALOG["mnist"].folder).paths
    return _mean_images(read_idx(paths["test-images"]), read_idx(paths["test-labels"]), CLASSES)


def _of_images(
    kind: str, part: Part, concerned: np.ndarray, what: str, *, grave: bool = False
) -> Iterator[Finding]:
    """Yield a finding about the images of a part that are concerned, bool [n], if there are any."""
    count = int(concerned.sum())
    if not count:
        return
    of = len(concerned)
    sentence = f"{count:,} of {of:,} {_NAMES[part]} images {'is' if count == 1 else 'are'} {what}"
    is_grave = grave and count >= GRAVE_SHARE * of
    places: list[tuple[Part, int]] = [(part, int(i)) for i in np.flatnonzero(concerned)[:_PLACES]]
    yield Finding(kind, part, count, of, sentence, is_grave, tuple(places))


def _places(indices: np.ndarray, train: int) -> tuple[tuple[Part, int], ...]:
    """Convert the first indices into both parts, one after the other, to a part and an index there."""
    places: list[tuple[Part, int]] = []
    for i in indices[:_PLACES]:
        if i < train:
            places.append(("train", int(i)))
        else:
            places.append(("test", int(i - train)))
    return tuple(places)


def _arrays(dataset: Dataset, part: Part) -> tuple[np.ndarray, np.ndarray]:
    if part == "train":
        return dataset.x_train, dataset.y_train
    return dataset.x_test, dataset.y_test

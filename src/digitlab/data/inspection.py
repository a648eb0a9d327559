"""Inspection of a data set before training: faults and oddities of its images and labels, with counts.

Nothing is changed and nothing is refused here. The thresholds leave MNIST and Fashion-MNIST without a
finding; the distance of their 140,000 images is noted beside each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from digitlab.data.catalog import CATALOG, find_files
from digitlab.data.dataset import CLASSES, Dataset
from digitlab.data.idx import read_idx
from digitlab.data.pixels import of_unit_range

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
    peaks, lows = flat.max(axis=1), flat.min(axis=1)
    blank = peaks == lows
    yield from _polarity(part, images, peaks, blank)
    small = of_unit_range(peaks) & ~blank
    yield from _found(
        "range", part, small, "of values 0..1, where 255 is full ink: multiply them by 255", grave=True
    )
    yield from _found(
        "dim", part, (peaks < _DIM) & ~small & ~blank, "faint, with no value above 127: full ink is 255"
    )
    yield from _found("blank", part, blank, "of a single grey value: remove them")
    yield from _classes(part, labels)


def _polarity(part: Part, images: np.ndarray, peaks: np.ndarray, blank: np.ndarray) -> Iterator[Finding]:
    """Find dark ink on light ground by the images' borders, also for clothes that fill the frame.

    The border's mean is at most 0.03 of the brightest pixel in MNIST and 0.42 in Fashion-MNIST.
    """
    around = [images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]]
    border = np.concatenate(around, axis=1).mean(axis=1)
    dark = (2 * border > peaks) & ~blank
    rest = int((~blank).sum() - dark.sum())
    if rest:
        what = "dark ink on light ground, the others light on dark as in MNIST: invert those (255 - value)"
    else:
        what = (
            "dark ink on light ground, where MNIST has white on black: "
            "invert them (255 - value), or the network reads only digits like these"
        )
    yield from _found("polarity", part, dark, what, grave=True)


def _classes(part: Part, labels: np.ndarray) -> Iterator[Finding]:
    counts = np.bincount(labels, minlength=CLASSES)
    missing = [str(label) for label in range(CLASSES) if not counts[label]]
    if missing:
        sentence = f"the {part} part has no image of class {', '.join(missing)}: its scores do not cover it"
        yield Finding("classes", part, 0, len(labels), sentence, grave=False)
    share = len(labels) / CLASSES
    by_chance = _CHANCE * np.sqrt(share * (1 - 1 / CLASSES))
    far = (counts * _UNEVEN < share) | (counts > share * _UNEVEN)
    far &= (abs(counts - share) > by_chance) & (counts > 0)
    if not far.any():
        return
    which = ", ".join(f"class {label} has {counts[label]:,}" for label in np.flatnonzero(far))
    sentence = (
        f"the classes of the {part} part are far from even: {which} of {len(labels):,} images, "
        f"where a tenth is {share:,.0f}: accuracy mostly reflects the frequent ones"
    )
    yield Finding("classes", part, int(counts[far].sum()), len(labels), sentence, grave=False)


def _copies(dataset: Dataset) -> Iterator[Finding]:
    """Find images that are equal pixel for pixel, except blank ones, which are another finding."""
    images = np.concatenate([dataset.x_train, dataset.x_test])
    labels = np.concatenate([dataset.y_train, dataset.y_test])
    kept = len(dataset.y_train)
    firsts: dict[bytes, int] = {}
    first = np.array([firsts.setdefault(image.tobytes(), at) for at, image in enumerate(images)])
    flat = images.reshape(len(images), -1)
    drawn = flat.max(axis=1) > flat.min(axis=1)
    # An image is known by the first that equals it, and the training part comes first.
    yield from _found(
        "overlap",
        "test",
        (drawn & (first < kept))[kept:],
        "also in the training part, pixel for pixel, so test scores are too good: remove them from one part",
        grave=True,
    )
    yield from _conflicts(first, labels, drawn, kept)
    again = drawn & (first != np.arange(len(first)))
    yield from _found("copies", "train", again[:kept], f"{_COPY}; validation may see what was learnt")
    seen_in_test: dict[int, int] = {}
    twice = [seen_in_test.setdefault(group, at) != at for at, group in enumerate(first[kept:].tolist())]
    yield from _found("copies", "test", np.array(twice) & drawn[kept:], _COPY)


def _conflicts(first: np.ndarray, labels: np.ndarray, drawn: np.ndarray, kept: int) -> Iterator[Finding]:
    low, high = labels[first].copy(), labels[first].copy()
    np.minimum.at(low, first, labels)
    np.maximum.at(high, first, labels)
    mixed = (low != high)[first] & drawn
    if not mixed.any():
        return
    count, pictures = int(mixed.sum()), len(np.unique(first[mixed]))
    sentence = (
        f"{count:,} of {len(labels):,} images are {pictures:,} {'picture' if pictures == 1 else 'pictures'} "
        "under two or more labels: at most one of them is right"
    )
    places = _places(np.flatnonzero(mixed), kept)
    yield Finding("labels", None, count, len(labels), sentence, count >= GRAVE_SHARE * len(labels), places)


def _pose(dataset: Dataset) -> Iterator[Finding]:
    """Find digits in another pose than MNIST's; images other than digits resemble MNIST in no pose."""
    known = _mnist_means()
    some = np.random.default_rng(0).permutation(len(dataset.y_train))[:_ENOUGH]
    found = _mean_images(dataset.x_train[some], dataset.y_train[some])
    likeness = {
        (transposed, turns): abs((known * _posed(found, transposed, turns)).sum(axis=(1, 2)).mean())
        for transposed in (False, True)
        for turns in range(4)
    }
    upright = likeness.pop((False, 0))
    pose = max(likeness, key=lambda pose: likeness[pose])
    if likeness[pose] < _KNOWN_POSE or likeness[pose] - upright < _OTHER_POSE:
        return
    count = len(dataset.y_train)
    sentence = (
        f"the digits look like MNIST's {_POSES[pose]}: turn them, or the network reads only digits like these"
    )
    yield Finding("pose", "train", count, count, sentence, grave=True)


def _posed(images: np.ndarray, transposed: bool, turns: int) -> np.ndarray:
    return np.rot90(images.swapaxes(1, 2) if transposed else images, turns, axes=(1, 2))


def _mean_images(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the mean of each class [10, 28, 28], centred and of length 1: products are correlations."""
    # A missing class has a mean of 0, which correlates with nothing.
    means = np.stack([images[labels == label].sum(axis=0, dtype=float) for label in range(CLASSES)])
    means -= means.mean(axis=(1, 2), keepdims=True)
    return means / np.maximum(np.sqrt((means**2).sum(axis=(1, 2), keepdims=True)), 1e-9)


@cache
def _mnist_means() -> np.ndarray:
    paths = find_files(CATALOG["mnist"].folder).paths
    return _mean_images(read_idx(paths["test-images"]), read_idx(paths["test-labels"]))


def _found(kind: str, part: Part, which: np.ndarray, what: str, *, grave: bool = False) -> Iterator[Finding]:
    """Yield a finding about some images of a part, if there are any."""
    count, of = int(which.sum()), len(which)
    if not count:
        return
    sentence = f"{count:,} of {of:,} {_NAMES[part]} images {'is' if count == 1 else 'are'} {what}"
    places: list[tuple[Part, int]] = [(part, int(at)) for at in np.flatnonzero(which)[:_PLACES]]
    yield Finding(kind, part, count, of, sentence, grave and count >= GRAVE_SHARE * of, tuple(places))


def _places(indices: Sequence[int] | np.ndarray, kept: int) -> tuple[tuple[Part, int], ...]:
    """Convert indices into both parts, one after the other, to places in each."""
    few = [int(at) for at in indices[:_PLACES]]
    return tuple(("train", at) if at < kept else ("test", at - kept) for at in few)


def _arrays(dataset: Dataset, part: Part) -> tuple[np.ndarray, np.ndarray]:
    if part == "train":
        return dataset.x_train, dataset.y_train
    return dataset.x_test, dataset.y_test

"""The validation part and smaller training sets: samples stratified by class and determined by a seed."""

from __future__ import annotations

import numpy as np

from digitlab.errors import DataError

MIN_VALIDATION = 10


def stratified_split(labels: np.ndarray, validation: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split images into a training and a validation part with the classes in the same proportion.

    Each class contributes its share rounded down; the rest comes one each from the classes with the largest
    remainders, the smaller label first if they are equal.

    Args:
        labels: class of each image, integers [n].
        validation: size of the validation part in images, 10..n-1.
        seed: seed of the split, 0 or more; it belongs to the data, not to the trial, so that trials share the
            split.

    Returns:
        The indices of the training part, int64 [n - validation], and of the validation part, int64
        [validation], both ascending; together they are all indices once.

    Raises:
        DataError: `validation` or `seed` is out of range.
    """
    if not MIN_VALIDATION <= validation < len(labels):
        raise DataError(
            f"validation: expected {MIN_VALIDATION}..{len(labels) - 1} of {len(labels)} images, "
            f"received {validation}; set data.validation in the study file"
        )
    if seed < 0:
        raise DataError(f"split seed: expected 0 or more, received {seed}")
    random = np.random.default_rng(np.random.SeedSequence(seed))
    classes, counts = np.unique(labels, return_counts=True)
    chosen = np.zeros(len(labels), bool)
    for label, share in zip(classes, _shares(counts, validation), strict=True):
        of_class = np.flatnonzero(labels == label)
        chosen[random.permutation(of_class)[:share]] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def stratified_subset(labels: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Choose images with the classes in the same proportion; a smaller choice is part of every larger one.

    Each class's images are put into a random order. One image after the other is taken from the class that
    must come first to stay within one image of its share, whatever the size (Tijdeman 1980).

    Args:
        labels: class of each image, integers [n].
        size: number of images to choose, 1..n.
        seed: seed of the order, 0 or more.

    Returns:
        Indices of the chosen images, int64 [size], ascending.

    Raises:
        DataError: there are fewer images than `size`.
    """
    if size > len(labels):
        raise DataError(
            f"training_size: expected at most {len(labels):,}, the images that are not set aside for "
            f"validation, received {size:,}; lower data.training_size or data.validation"
        )
    random = np.random.default_rng(np.random.SeedSequence(seed))
    classes, sizes = np.unique(labels, return_counts=True)
    waiting = [random.permutation(np.flatnonzero(labels == label)).tolist() for label in classes]
    counts = sizes.tolist()
    total, slack = len(labels), max(2 * len(counts) - 2, 1)
    taken = [0] * len(counts)
    chosen = []
    for n in range(1, size + 1):
        first, least = -1, 0.0
        for i, count in enumerate(counts):
            lack = count * n - taken[i] * total  # of its share, times the number of all images
            if lack * slack < total or taken[i] == count:
                continue
            urgency = (total * (slack - 1) - lack * slack) / count
            if first < 0 or urgency < least:
                first, least = i, urgency
        chosen.append(waiting[first][taken[first]])
        taken[first] += 1
    return np.sort(np.array(chosen, np.int64))


def _shares(counts: np.ndarray, total: int) -> np.ndarray:
    """Divide `total` in proportion to `counts` by largest remainder, in exact integer arithmetic."""
    shares, remainders = np.divmod(counts.astype(np.int64) * total, counts.sum())
    largest_first = np.argsort(-remainders, kind="stable")
    missing = total - shares.sum()
    shares[largest_first[:missing]] += 1
    return shares

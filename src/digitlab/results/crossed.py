"""Expected difference on new digits: seeds and images are both samples, and they are fully crossed."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from digitlab.errors import MissingExtraError
from digitlab.results.aggregate import PERCENT

try:
    from scipy.special import stdtrit
except ModuleNotFoundError as error:
    raise MissingExtraError("scipy", "report") from error

_HALVINGS = 60  # bisections of the range of p: finer than any p that is written


class CrossedDifference(NamedTuple):
    """Expected difference between networks with other seeds on other digits of the same kind.

    Attributes:
        difference: error rate of a minus that of b, in percentage points.
        low: lower end of the 95 % interval (nan: below two seeds, or an equal difference with every seed).
        high: upper end of that interval (nan: as for `low`).
        p: two-sided p, 0..1: the interval of confidence 1 - p ends at 0 (nan: as for `low`).
    """

    difference: float
    low: float
    high: float
    p: float


class _Variances(NamedTuple):
    """Estimated variances of the mean difference, and the number of values behind each estimate."""

    seeds: float
    seed_count: int
    images: float
    image_count: int

    def half_width(self, p: float) -> float:
        """Return the half width of the interval of confidence 1 - p: squared half widths add up."""
        quantile_of_seeds = float(stdtrit(self.seed_count - 1, p / 2))
        quantile_of_images = float(stdtrit(max(self.image_count - 1, 1), p / 2))
        of_seeds = quantile_of_seeds**2 * self.seeds
        of_images = quantile_of_images**2 * self.images
        return math.sqrt(of_seeds + of_images)


def crossed_difference(correct_a: np.ndarray, correct_b: np.ndarray) -> CrossedDifference:
    """Estimate the difference in error to expect with other seeds on other images.

    The difference of one seed on one image is modelled as a mean, plus an effect of the seed, plus one of the
    image, plus a residual. The mean squares of the two-way table give a variance for each. The interval adds
    the variance of the images to the t interval of the seeds, so that it is never narrower than that.

    Args:
        correct_a: images that level a's network of each seed classified correctly, bool [seeds, images].
        correct_b: images that level b's networks classified correctly, bool [seeds, images]; seeds and images
            are those of level a.

    Raises:
        ValueError: the shapes differ or are not [seeds, images].

    Source:
        Variances by the two-way analysis of variance with random effects (Searle, Casella and McCulloch 1992,
        Variance Components, chapter 4). The two half widths are combined as by Zou and Donner 2008,
        Construction of confidence limits about effect measures (MOVER).
    """
    if correct_a.shape != correct_b.shape or correct_a.ndim != 2 or not correct_a.size:
        raise ValueError(
            f"expected two equal shapes [seeds, images], received {correct_a.shape} and {correct_b.shape}"
        )
    # +1: only b right, -1: only a right, int8 [seeds, images]
    gaps = correct_b.astype(np.int8) - correct_a.astype(np.int8)
    mean = float(gaps.mean())
    nan = math.nan
    variances = _variances(gaps, mean)
    if not variances.seeds > 0:  # one seed, or all alike: nothing is known of other seeds
        return CrossedDifference(100 * mean, nan, nan, nan)
    half = variances.half_width(0.05)
    largest = PERCENT[1]
    return CrossedDifference(
        difference=100 * mean,
        low=max(100 * (mean - half), -largest),
        high=min(100 * (mean + half), largest),
        p=_p(abs(mean), variances),
    )


def _variances(gaps: np.ndarray, mean: float) -> _Variances:
    seeds, images = gaps.shape
    if seeds < 2:
        return _Variances(math.nan, seeds, math.nan, images)
    by_seed = gaps.sum(axis=1, dtype=np.int32) / images  # [seeds]
    by_image = gaps.sum(axis=0, dtype=np.int32) / seeds  # [images]
    squares_of_seeds = images * float(((by_seed - mean) ** 2).sum())
    squares_of_images = seeds * float(((by_image - mean) ** 2).sum())
    squares_of_all = np.count_nonzero(gaps) - gaps.size * mean**2  # each gap is -1, 0 or 1
    left = max(0.0, squares_of_all - squares_of_seeds - squares_of_images)  # below 0 by rounding alone
    noise = left / ((seeds - 1) * max(images - 1, 1))
    # The mean square of the seeds contains the residual noise already, so the images' share is without it.
    image_square = squares_of_images / max(images - 1, 1)
    return _Variances(
        seeds=squares_of_seeds / (seeds - 1) / gaps.size,
        seed_count=seeds,
        images=max(0.0, image_square - noise) / gaps.size,
        image_count=images,
    )


def _p(distance: float, variances: _Variances) -> float:
    """Find the p whose interval just reaches 0, by bisection: the half width falls as p grows."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if variances.half_width(middle) > distance:
            low = middle
        else:
            high = middle
    return high

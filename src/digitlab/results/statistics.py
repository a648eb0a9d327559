"""Statistical comparison of levels: the size of a difference, its significance, and the power of the test.

Over seeds, on this test set: the paired difference with its test, Holm's correction and the power of the
test, and all of them for the levels of a study in `compare`. Over images: `mcnemar` for two single networks.
The difference to expect with other seeds on other digits is in `crossed`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from digitlab.errors import MissingExtraError
from digitlab.results.aggregate import PERCENT, t_interval
from digitlab.results.permutation import SignFlip, sign_flip_test

try:
    from scipy import special  # imports much faster than scipy.stats
except ModuleNotFoundError as error:
    raise MissingExtraError("scipy", "report") from error

MOST_SEEDS = 1000
"""Largest result of `seeds_needed`, which stands for that many or more: no study has so many seeds."""

WIDE_ALARM = 0.05
"""Largest share of studies in which a spread is called far from the reference's by chance alone."""

_ROUNDING = 1e-12  # share of the largest value: a smaller spread is rounding of decimal fractions


class PairedDifference(NamedTuple):
    """Difference between the values of two levels, paired by seed.

    Attributes:
        n: number of pairs.
        mean: mean of the differences, in the unit of the values; below 0 if the first level's are smaller.
        sd: standard deviation of the differences, ddof=1 (nan below two pairs).
        low: lower end of the 95 % t interval, cut at the largest possible difference (nan below two pairs, or
            where sd is 0).
        high: upper end of that interval, cut at the largest possible difference (nan: as for `low`).
        p: p of the paired t test, two-sided, 0..1 (nan: as for `low`).
    """

    n: int
    mean: float
    sd: float
    low: float
    high: float
    p: float


class McNemar(NamedTuple):
    """Result of McNemar's test of two networks.

    Attributes:
        only_a_right: number of images that only the first network classified correctly.
        only_b_right: number of images that only the second network classified correctly.
        p: exact p, two-sided, 0..1 (1: there are no such images).
    """

    only_a_right: int
    only_b_right: int
    p: float


class Spreads(NamedTuple):
    """Spreads over seeds of a level and of its reference.

    Attributes:
        level: standard deviation of the level's values, ddof=1 (nan below two pairs).
        reference: standard deviation of the reference's values of the same seeds, ddof=1 (nan below two
            pairs).
        p: p of the F test that they are equal, two-sided, 0..1 (nan: one of them is 0 or unknown).
    """

    level: float
    reference: float
    p: float


class Comparison(NamedTuple):
    """Comparison of a level with the reference level.

    Attributes:
        level: index of the level.
        paired: value minus that of the reference, such as the error in percentage points, by the seeds that
            both have.
        holm_p: p of the paired t test, corrected over the levels compared (nan: it has none).
        sign_flip: permutation test of the same differences, not corrected.
        detectable: smallest true difference that these seeds detect with a power of 0.8, in the unit of the
            values, if the spread is at its upper limit (nan: the spread is unknown; inf: more than possible).
        seeds_needed: number of seeds that detect the difference of interest with a power of 0.8, if the
            spread is at its upper limit; `MOST_SEEDS` stands for that many or more (None: the spread is
            unknown).
        means: means of the level's and of the reference's values, over the seeds that both have (nan: none).
        spreads: spreads of the level and of the reference.
        wide: whether the spreads differ: p below `WIDE_ALARM` divided by the number of levels tested.
    """

    level: int
    paired: PairedDifference
    holm_p: float
    sign_flip: SignFlip
    detectable: float
    seeds_needed: int | None
    means: tuple[float, float]
    spreads: Spreads
    wide: bool

    @property
    def too_few(self) -> bool:
        """Whether these seeds could miss even that one of the two makes no error at all."""
        return self.detectable > max(self.means)  # nan is not


def paired_difference(
    values: Sequence[float], reference: Sequence[float], largest: float = math.inf
) -> PairedDifference:
    """Compare two levels, paired by seed: Student's t interval and test of the differences.

    If all differences are equal (sd = 0), the interval and p are nan: error rates come in steps of one image,
    so that a few seeds can agree by chance. The sign-flip test is still defined then.

    Args:
        values: finite values of the level, one per seed, [n].
        reference: finite values of the reference, for the same seeds in the same order, [n].
        largest: largest possible difference; the interval is cut there.

    Raises:
        ValueError: the numbers of values differ, or one is not finite.

    Source:
        Student 1908.
    """
    if len(values) != len(reference) or not np.isfinite([*values, *reference]).all():
        raise ValueError(f"expected pairs of finite values, received {values} and {reference}")
    nan = math.nan
    gaps = [a - b for a, b in zip(values, reference, strict=True)]
    n, mean, sd, low, high = t_interval(gaps, limits=(-largest, largest))
    if n < 2:
        return PairedDifference(n, mean, nan, nan, nan, nan)
    greatest = max(abs(value) for value in (*values, *reference))
    if sd <= _ROUNDING * greatest:
        return PairedDifference(n, mean, 0.0, nan, nan, nan)
    t = -abs(mean) / sd * math.sqrt(n)  # below 0: the tail itself, not 1 minus almost 1
    p = 2 * float(special.stdtr(n - 1, t))
    return PairedDifference(n, mean, sd, low, high, p)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Correct several p values by Holm's step-down rule.

    Args:
        p_values: p values, each 0..1, or nan where no test was possible, which stays nan and is not counted.

    Returns:
        Corrected p values in the same order; if those below alpha are called significant, the probability
        that any of them is false is at most alpha.

    Raises:
        ValueError: a p value lies outside 0..1.

    Source:
        Holm 1979, A simple sequentially rejective multiple test procedure.
    """
    corrected = np.array(p_values, np.float64)
    known = ~np.isnan(corrected)
    if not ((corrected[known] >= 0) & (corrected[known] <= 1)).all():
        raise ValueError(f"expected p values between 0 and 1, received {p_values}")
    unknown_last = np.where(known, corrected, np.inf)
    order = np.argsort(unknown_last, kind="stable")[: known.sum()]  # smallest first
    tests_left = np.arange(len(order), 0, -1)
    steps = corrected[order] * tests_left
    # Never below that of a smaller p, and at most 1.
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return tuple(corrected.tolist())


def mcnemar(predictions_a: np.ndarray, predictions_b: np.ndarray, labels: np.ndarray) -> McNemar:
    """Test whether two single networks err equally often, from the images that only one classified right.

    Args:
        predictions_a: classes predicted by the first network, int [n].
        predictions_b: classes predicted by the second network, int [n].
        labels: true classes, int [n].

    Raises:
        ValueError: the shapes differ.

    Source:
        McNemar 1947, with the exact binomial p: given how many images only one network classified right,
        each of the two is that one with probability 1/2.
    """
    if not predictions_a.shape == predictions_b.shape == labels.shape:
        shapes = f"{predictions_a.shape}, {predictions_b.shape} and {labels.shape}"
        raise ValueError(f"expected predictions and labels of one shape, received {shapes}")
    a_right = predictions_a == labels
    b_right = predictions_b == labels
    only_a = int((a_right & ~b_right).sum())
    only_b = int((b_right & ~a_right).sum())
    tail = float(special.bdtr(min(only_a, only_b), only_a + only_b, 0.5))
    return McNemar(only_a, only_b, min(1.0, 2 * tail))


def detectable_difference(sd: float, n: int, power: float = 0.8, alpha: float = 0.05) -> float:
    """Return the smallest true paired difference that the two-sided paired t test detects.

    Args:
        sd: standard deviation of the differences, above 0.
        n: number of pairs, at least 2.
        power: probability of detecting the difference, 0.5 to below 1.
        alpha: significance level of the test, above 0 and below 0.5.

    Returns:
        The difference, in the unit of sd.

    Raises:
        ValueError: an argument lies outside its range.

    Source:
        The noncentral t distribution: Cohen 1988, Statistical Power Analysis, chapter 2. A detection
        with the wrong sign does not count; at a power of a half and more it is too rare to matter.
    """
    if not (0 < sd < math.inf and n >= 2 and 0.5 <= power < 1 and 0 < alpha < 0.5):
        raise ValueError(
            "expected sd > 0, n >= 2, power in 0.5..1 and alpha in 0..0.5, "
            f"received sd {sd}, n {n}, power {power}, alpha {alpha}"
        )
    # Not by statsmodels: its TTestPower.solve_power is silently wrong at n = 2 or small alpha.
    critical = special.stdtrit(n - 1, 1 - alpha / 2)
    noncentrality = float(special.nctdtrinc(n - 1, 1 - power, critical))
    return noncentrality * sd / math.sqrt(n)


def spread_limit(sd: float, n: int, confidence: float = 0.8) -> float:
    """Return an upper confidence limit of the true standard deviation, from that of a few values.

    Power depends on the true spread, which three seeds estimate badly. A limit that lies above it in four
    studies of five makes the power computed from it hold in four studies of five.

    Args:
        sd: standard deviation of n values, ddof=1, above 0.
        n: number of values, at least 2.
        confidence: share of studies in which the true standard deviation is below the limit, between 0 and 1.

    Returns:
        The limit: 3.9 times sd for 2 values, 2.1 for 3, 1.6 for 5, 1.3 for 10, 1.1 for 30.

    Source:
        The chi-square distribution of the sample variance of normally distributed values.
    """
    return sd * math.sqrt((n - 1) / float(special.chdtri(n - 1, confidence)))


def seeds_needed(sd: float, difference: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Return the number of seeds with which the two-sided paired t test detects a true difference.

    It grows with the square of the spread, which few seeds estimate badly: pass a `spread_limit` as sd.

    Args:
        sd: standard deviation of the differences, above 0.
        difference: true difference, in the unit of sd, above 0.
        power: probability of detecting the difference, 0.5 to below 1.
        alpha: significance level of the test, above 0 and below 0.5.

    Returns:
        Number of seeds, at least 2 and at most `MOST_SEEDS`, which stands for that many or more.

    Raises:
        ValueError: an argument lies outside its range.
    """
    if not difference > 0:
        raise ValueError(f"expected a difference above 0, received {difference}")

    def enough(n: int) -> bool:
        return detectable_difference(sd, n, power, alpha) <= difference

    # The first number that is enough, as more seeds detect smaller differences.
    return 2 + bisect_left(range(2, MOST_SEEDS), True, key=enough)


def compare(
    levels: Sequence[Mapping[int, float]],
    reference: int,
    difference: float = 0.1,
    largest: float = PERCENT[1],
) -> tuple[Comparison, ...]:
    """Compare every level of a study with its reference level.

    Verdicts use `holm_p`; the power figures are therefore those of the hardest step of Holm's rule, a test at
    0.05 divided by the number of levels tested, and hold for whichever level differs.

    Args:
        levels: values of each level by seed, such as its error in percent.
        reference: index of the reference level.
        difference: difference of interest, in the unit of the values, above 0.
        largest: largest possible difference, in the unit of the values.

    Returns:
        One comparison per other level, in their order.

    Raises:
        ValueError: there is no such reference level, a value is not finite, or the difference is not above 0.
        MissingExtraError: SciPy is not installed.
    """
    if not 0 <= reference < len(levels):
        raise ValueError(f"expected a reference level in 0..{len(levels) - 1}, received {reference}")
    others = [level for level in range(len(levels)) if level != reference]
    pairs = [_pairs(levels[level], levels[reference]) for level in others]
    paired = [paired_difference(values, base, largest) for values, base in pairs]
    corrected = holm([item.p for item in paired])
    tests = sum(not math.isnan(p) for p in corrected)
    alpha = 0.05 / max(1, tests)
    wide_alarm = WIDE_ALARM / max(1, tests)
    comparisons = []
    for i, level in enumerate(others):
        values, base = pairs[i]
        detectable, needed = _power(paired[i], difference, alpha)
        if detectable > largest:  # nan is not
            detectable = math.inf
        spreads = _spreads(values, base)
        comparison = Comparison(
            level=level,
            paired=paired[i],
            holm_p=corrected[i],
            sign_flip=sign_flip_test([a - b for a, b in zip(values, base, strict=True)]),
            detectable=detectable,
            seeds_needed=needed,
            means=(t_interval(values).mean, t_interval(base).mean),
            spreads=spreads,
            wide=spreads.p < wide_alarm,  # nan is not
        )
        comparisons.append(comparison)
    return tuple(comparisons)


def _pairs(level: Mapping[int, float], base: Mapping[int, float]) -> tuple[list[float], list[float]]:
    """Return the values of both levels for the seeds that both have, in one order."""
    shared = sorted(base.keys() & level.keys())
    return [level[seed] for seed in shared], [base[seed] for seed in shared]


def _power(paired: PairedDifference, difference: float, alpha: float) -> tuple[float, int | None]:
    """Return the detectable difference and the seeds needed; unknown where the spread is."""
    if not paired.sd > 0:
        return math.nan, None
    spread = spread_limit(paired.sd, paired.n)
    detectable = detectable_difference(spread, paired.n, alpha=alpha)
    return detectable, seeds_needed(spread, difference, alpha=alpha)


def _spreads(values: Sequence[float], reference: Sequence[float]) -> Spreads:
    """Test two variances by their ratio; values paired by seed are correlated, which makes it conservative.

    If one is 0 there is no test: a few seeds agree by chance, or all have collapsed alike.

    Source:
        Fisher's F test of two variances.
    """
    level = t_interval(values).sd
    base = t_interval(reference).sd
    if not (level > 0 and base > 0):
        return Spreads(level, base, math.nan)
    freedom = len(values) - 1
    ratio = (level / base) ** 2
    below = special.fdtr(freedom, freedom, ratio)
    above = special.fdtrc(freedom, freedom, ratio)
    p = min(1.0, 2 * float(min(below, above)))
    return Spreads(level, base, p)

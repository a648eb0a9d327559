"""Evidence: is one level better than another, by how much, and could the study have seen it?

Over seeds, on this test set: the paired difference with its test, Holm's correction and the power of the
test, and all of them for the levels of a study in `compare`. Over images: `mcnemar` for two single networks.
What to expect with other seeds on other digits is in `crossed`.
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
    from scipy import special  # in a third of the time that scipy.stats takes to be imported
except ModuleNotFoundError as error:
    raise MissingExtraError("scipy", "report") from error

MOST_SEEDS = 1000
"""What `seeds_needed` answers where it would take as many or more: no study has so many."""

WIDE_ALARM = 0.05
"""Share of studies, at most, in which chance alone makes some spread be called far from the reference's."""

_ROUNDING = 1e-12  # of the largest value: a spread below it is that of decimal fractions in binary


class PairedDifference(NamedTuple):
    """How far the values of one level lie from those of another, by seed.

    Attributes:
        n: pairs.
        mean: of the differences, in the unit of the values; below 0 where the values are the smaller ones.
        sd: standard deviation of the differences, ddof=1 (nan below two pairs).
        low: lower end of the 95 % t interval, cut at the largest possible difference (nan below two pairs, or
            where sd is 0).
        high: upper end, likewise.
        p: of the paired t test, two-sided, 0..1 (nan likewise).
    """

    n: int
    mean: float
    sd: float
    low: float
    high: float
    p: float


class McNemar(NamedTuple):
    """Where two networks differ.

    Attributes:
        only_a_right: images that only the first classified right.
        only_b_right: images that only the second classified right.
        p: exact, two-sided, 0..1 (1: they differ nowhere).
    """

    only_a_right: int
    only_b_right: int
    p: float


class Spreads(NamedTuple):
    """How far the seeds of a level and those of its reference lie apart.

    Attributes:
        level: standard deviation of the level's values, ddof=1 (nan below two pairs).
        reference: likewise, of the same seeds.
        p: of the F test that they are equal, two-sided, 0..1 (nan: one of them is 0 or unknown).
    """

    level: float
    reference: float
    p: float


class Comparison(NamedTuple):
    """A level against the reference level.

    Attributes:
        level: its position among the levels.
        paired: error minus that of the reference, by the seeds that both have, in percentage points.
        holm_p: p of the paired t test, corrected over the levels compared (nan: it has none).
        sign_flip: the permutation test of the same differences, not corrected.
        detectable: the smallest true difference that these seeds would show four times in five, in points, if
            the spread is at its upper limit (nan: the spread is unknown; inf: more than can be).
        seeds_needed: seeds that would show the difference asked about four times in five, likewise;
            `MOST_SEEDS` stands for that many or more (None: the spread is unknown).
        means: of the values of the level and of the reference, by the seeds that both have (nan: none).
        spreads: of both.
        wide: whether one spread is far larger than the other: p below `WIDE_ALARM` divided by the number of
            levels tested.
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
        """Whether these seeds would have missed even that one of the two made no error at all."""
        return self.detectable > max(self.means)  # nan is not


def paired_difference(
    values: Sequence[float], reference: Sequence[float], largest: float = math.inf
) -> PairedDifference:
    """Compare two levels by seed: Student's t interval and test of the differences.

    Where all differences are equal (sd = 0) there is an answer to how large they were but none to how sure
    that is: error rates come in steps of one image, so that few seeds agree by chance. The interval and p
    are nan then; the sign-flip test still has an answer.

    Args:
        values: [n], finite, one a seed.
        reference: [n], finite, of the same seeds in the same order.
        largest: difference that is possible; the interval is cut there.

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
    if sd <= _ROUNDING * max(map(abs, (*values, *reference))):
        return PairedDifference(n, mean, 0.0, nan, nan, nan)
    p = 2 * float(special.stdtr(n - 1, -abs(mean) / sd * math.sqrt(n)))
    return PairedDifference(n, mean, sd, low, high, p)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Correct p values for being several, by Holm's step-down rule.

    Args:
        p_values: each 0..1, or nan: no test was possible; it stays nan and is not counted.

    Returns:
        Corrected p values in the same order; calling those below alpha real is wrong anywhere with a
        probability of at most alpha.

    Raises:
        ValueError: a p value lies outside 0..1.

    Source:
        Holm 1979, A simple sequentially rejective multiple test procedure.
    """
    corrected = np.array(p_values, np.float64)
    known = ~np.isnan(corrected)
    if not ((corrected[known] >= 0) & (corrected[known] <= 1)).all():
        raise ValueError(f"expected p values between 0 and 1, received {p_values}")
    order = np.argsort(np.where(known, corrected, np.inf), kind="stable")[: known.sum()]  # smallest first
    steps = corrected[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return tuple(corrected.tolist())


def mcnemar(predictions_a: np.ndarray, predictions_b: np.ndarray, labels: np.ndarray) -> McNemar:
    """Test whether two single networks err equally often, from the images that only one classified right.

    Args:
        predictions_a: classes given by the first network, int [n].
        predictions_b: by the second, int [n].
        labels: the true classes, int [n].

    Raises:
        ValueError: the shapes differ.

    Source:
        McNemar 1947, with the exact binomial p: given how many images only one network classified right,
        each of the two is that one with probability 1/2.
    """
    if not predictions_a.shape == predictions_b.shape == labels.shape:
        shapes = f"{predictions_a.shape}, {predictions_b.shape} and {labels.shape}"
        raise ValueError(f"expected predictions and labels of one shape, received {shapes}")
    a_right, b_right = predictions_a == labels, predictions_b == labels
    only_a, only_b = int((a_right & ~b_right).sum()), int((b_right & ~a_right).sum())
    p = min(1.0, 2 * float(special.bdtr(min(only_a, only_b), only_a + only_b, 0.5)))
    return McNemar(only_a, only_b, p)


def detectable_difference(sd: float, n: int, power: float = 0.8, alpha: float = 0.05) -> float:
    """Say how large a true paired difference must be for the two-sided paired t test to find it.

    Args:
        sd: standard deviation of the differences, above 0.
        n: pairs, at least 2.
        power: probability of finding it, 0.5 to below 1.
        alpha: the p below which the test calls it found, above 0 and below 0.5.

    Returns:
        The smallest such difference, in the unit of sd.

    Raises:
        ValueError: an argument lies outside its range.

    Source:
        The noncentral t distribution: Cohen 1988, Statistical Power Analysis, chapter 2. A find with the
        wrong sign does not count; at a power of a half and more it is too rare to matter.
    """
    if not (0 < sd < math.inf and n >= 2 and 0.5 <= power < 1 and 0 < alpha < 0.5):
        raise ValueError(
            "expected sd > 0, n >= 2, power in 0.5..1 and alpha in 0..0.5, "
            f"received sd {sd}, n {n}, power {power}, alpha {alpha}"
        )
    # Solved by SciPy: statsmodels' TTestPower.solve_power ends elsewhere, silently, at n = 2 or small alpha.
    critical = special.stdtrit(n - 1, 1 - alpha / 2)
    return float(special.nctdtrinc(n - 1, 1 - power, critical)) * sd / math.sqrt(n)


def spread_limit(sd: float, n: int, confidence: float = 0.8) -> float:
    """Give the upper limit of a true standard deviation, from that of a few values.

    What power needs is the true spread, which three seeds know badly. A limit that lies above it four times
    in five makes the power that follows from it true four times in five.

    Args:
        sd: standard deviation of n values, ddof=1, above 0.
        n: values, at least 2.
        confidence: share of studies in which the true one is below the limit, between 0 and 1.

    Returns:
        The limit: 3.9 times sd of 2 values, 2.1 of 3, 1.6 of 5, 1.3 of 10, 1.1 of 30.

    Source:
        The chi-square distribution of a sample variance; values from a normal distribution.
    """
    return sd * math.sqrt((n - 1) / float(special.chdtri(n - 1, confidence)))


def seeds_needed(sd: float, difference: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Say with how many seeds the two-sided paired t test would find a true difference.

    The answer goes with the square of the spread, which few seeds tell badly: give it a `spread_limit`.

    Args:
        sd: standard deviation of the differences, above 0.
        difference: the true difference, in the unit of sd, above 0.
        power: probability of finding it, 0.5 to below 1.
        alpha: the p below which the test calls it found, above 0 and below 0.5.

    Returns:
        At least 2, at most `MOST_SEEDS`, which stands for that many or more.

    Raises:
        ValueError: an argument lies outside its range.
    """
    if not difference > 0:
        raise ValueError(f"expected a difference above 0, received {difference}")

    def enough(n: int) -> bool:
        return detectable_difference(sd, n, power, alpha) <= difference

    return 2 + bisect_left(range(2, MOST_SEEDS), True, key=enough)


def compare(
    levels: Sequence[Mapping[int, float]],
    reference: int,
    difference: float = 0.1,
    largest: float = PERCENT[1],
) -> tuple[Comparison, ...]:
    """Compare every level of a study with its reference level.

    A verdict goes by `holm_p`; the power figures are therefore those of the hardest step of Holm's rule, a
    test at 0.05 divided by the number of levels tested, and hold for whichever level differs.

    Args:
        levels: for each level its error by seed, in percent.
        reference: position of the reference level among them.
        difference: that one would want to see, in percentage points, above 0.
        largest: difference that is possible, likewise.

    Returns:
        One comparison for each other level, in their order.

    Raises:
        ValueError: there is no such reference level, an error is not finite, or the difference not above 0.
        MissingExtraError: SciPy is not installed.
    """
    if not 0 <= reference < len(levels):
        raise ValueError(f"expected a reference level in 0..{len(levels) - 1}, received {reference}")
    others = [level for level in range(len(levels)) if level != reference]
    pairs = [_pairs(levels[level], levels[reference]) for level in others]
    paired = [paired_difference(values, base, largest) for values, base in pairs]
    corrected = holm([each.p for each in paired])
    tests = max(1, sum(not math.isnan(p) for p in corrected))
    found = []
    for level, (values, base), each, p in zip(others, pairs, paired, corrected, strict=True):
        detectable, needed = _power(each, difference, 0.05 / tests)
        spreads = _spreads(values, base)
        found.append(
            Comparison(
                level=level,
                paired=each,
                holm_p=p,
                sign_flip=sign_flip_test([a - b for a, b in zip(values, base, strict=True)]),
                detectable=detectable if not detectable > largest else math.inf,
                seeds_needed=needed,
                means=(t_interval(values).mean, t_interval(base).mean),
                spreads=spreads,
                wide=spreads.p < WIDE_ALARM / tests,
            )
        )
    return tuple(found)


def _pairs(level: Mapping[int, float], base: Mapping[int, float]) -> tuple[list[float], list[float]]:
    """Give the values of both by the seeds that both have, in one order."""
    shared = sorted(base.keys() & level.keys())
    return [level[seed] for seed in shared], [base[seed] for seed in shared]


def _power(paired: PairedDifference, difference: float, alpha: float) -> tuple[float, int | None]:
    if not paired.sd > 0:
        return math.nan, None
    spread = spread_limit(paired.sd, paired.n)
    return detectable_difference(spread, paired.n, alpha=alpha), seeds_needed(spread, difference, alpha=alpha)


def _spreads(values: Sequence[float], reference: Sequence[float]) -> Spreads:
    """Test two variances by their ratio; values paired by seed resemble each other, which only quiets it.

    Where one is 0 there is no test: a few seeds agree by chance, or all have collapsed alike.

    Source:
        Fisher's F test of two variances.
    """
    level, base = t_interval(values).sd, t_interval(reference).sd
    if not (level > 0 and base > 0):
        return Spreads(level, base, math.nan)
    freedom = len(values) - 1
    ratio = (level / base) ** 2
    tail = min(special.fdtr(freedom, freedom, ratio), special.fdtrc(freedom, freedom, ratio))
    return Spreads(level, base, min(1.0, 2 * float(tail)))

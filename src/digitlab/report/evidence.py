"""Comparison of the levels of a study with its reference level, as numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from digitlab.report.material import Material
from digitlab.report.metric import ERROR, Metric, metrics_of
from digitlab.report.text import is_numeric
from digitlab.spec.plan import Cell
from digitlab.spec.study import Axis, Level

if TYPE_CHECKING:  # imported late: SciPy is slow to import, and only comparisons need it
    from digitlab.results.crossed import CrossedDifference
    from digitlab.results.statistics import Comparison, PairedDifference

ALPHA = 0.05
"""Significance level: a corrected p below it gives a verdict."""


class Interaction(NamedTuple):
    """Interaction of two crossed axes, measured at their four corners.

    Attributes:
        changes: changes of the error from the first to the last level of the first axis, at the first and at
            the last level of the second axis; in percentage points, mean over seeds.
        paired: second change minus the first, paired by seed.
        detectable: smallest true difference of the changes that these seeds detect with a power of 0.8, if
            the spread is at its upper limit (nan: it is unknown).
        unstable: whether a trial of the four levels failed.
    """

    changes: tuple[float, float]
    paired: PairedDifference
    detectable: float
    unstable: bool

    @property
    def too_few(self) -> bool:
        """Whether these seeds could miss even an interaction as large as the larger of the two changes."""
        return self.detectable > max(map(abs, self.changes))


class NewDigits(NamedTuple):
    """Comparison of a level with the reference on new digits.

    Attributes:
        expected: expected difference from the reference, with its interval.
        holm_p: p of that difference, corrected over the levels compared (nan: it has none).
    """

    expected: CrossedDifference
    holm_p: float


class Trials(NamedTuple):
    """Numbers of trials of a level.

    Attributes:
        failed: number of failed trials.
        total: number of planned trials.
    """

    failed: int
    total: int


class Evidence(NamedTuple):
    """Comparison of each level of a study with its reference level, by one metric.

    Attributes:
        metric: metric that is compared.
        axes: axes of the study.
        levels: levels of the study, each with one value per axis.
        trials: numbers of trials of each level.
        reference: index of the reference level in `levels`.
        comparisons: one comparison per other level, in the order of `levels`.
        images: number of test images, which verdicts are about (None: unknown).
        new_digits: expectation on new digits for each comparison (None: unknown; empty: unknown for all).
        interaction: interaction of two axes that both have ends (None: there are no such axes, or no seed has
            all four corners).
    """

    metric: Metric
    axes: tuple[Axis, ...]
    levels: tuple[tuple[Level, ...], ...]
    trials: tuple[Trials, ...]
    reference: int
    comparisons: tuple[Comparison, ...]
    images: int | None = None
    new_digits: tuple[NewDigits | None, ...] = ()
    interaction: Interaction | None = None

    @property
    def tested(self) -> bool:
        """Whether at least one level could be tested."""
        return any(comparison.paired.n > 1 for comparison in self.comparisons)

    @property
    def tests(self) -> int:
        """Number of levels that were tested together."""
        return sum(not math.isnan(comparison.holm_p) for comparison in self.comparisons)

    def is_unstable(self, level: int) -> bool:
        """Return whether a trial of a level failed; the seeds that are left do not represent the level."""
        return self.trials[level].failed > 0

    def verdict(self, comparison: Comparison) -> str:
        """Return the verdict of a comparison in one word.

        Returns:
            `less`, `more`, `undecided`, `no spread`, `not tested`, or `unstable` if trials of the level or of
            the reference failed.
        """
        if self.is_unstable(comparison.level) or self.is_unstable(self.reference):
            return "unstable"
        if comparison.paired.n < 2:
            return "not tested"
        return _verdict(comparison.holm_p, comparison.paired.mean)

    def verdict_on_new_digits(self, comparison: Comparison) -> str:
        """Return the verdict for new digits; what is undecided on these images stays undecided."""
        found = self.verdict(comparison)
        digits = self.digits(comparison)
        if digits is None or found not in ("less", "more"):
            return found
        return _verdict(digits.holm_p, digits.expected.difference)

    def digits(self, comparison: Comparison) -> NewDigits | None:
        """Return the expectation for a comparison on new digits (None: unknown)."""
        if not self.new_digits:
            return None
        places = [each.level for each in self.comparisons]
        return self.new_digits[places.index(comparison.level)]


def _verdict(holm_p: float, difference: float) -> str:
    if math.isnan(holm_p):
        return "no spread"
    if holm_p >= ALPHA:
        return "undecided"
    return "less" if difference < 0 else "more"


def evidence_of(material: Material) -> tuple[Evidence, ...]:
    """Compare the levels of a study with its reference level, by each of its metrics.

    Args:
        material: the study's material.

    Returns:
        One `Evidence` per metric whose values are known; empty if there is only one level.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    if len(material.table.rows) < 2:
        return ()
    known = (metric for metric in metrics_of(material.table.plan) if metric is ERROR or material.results)
    return tuple(_evidence(material, metric) for metric in known)


def _evidence(material: Material, metric: Metric) -> Evidence:
    from digitlab.results.statistics import compare

    plan, pairs = material.table.plan, material.levels()
    levels = tuple(cell.levels for _, cell in pairs)
    reference = levels.index(plan.reference)
    values = [material.by_seed(row, cell, metric) for row, cell in pairs]
    trials = tuple(Trials(len(row.failed), len(cell.trials)) for row, cell in pairs)
    comparisons = compare(values, reference, metric.difference, metric.largest)
    judged_by_classes = metric is ERROR and material.predictions
    return Evidence(
        metric=metric,
        axes=plan.study.axes,
        levels=levels,
        trials=trials,
        reference=reference,
        comparisons=comparisons,
        images=material.table.images,
        new_digits=_on_new_digits(material, reference, comparisons) if judged_by_classes else (),
        interaction=_interaction(plan.study.axes, values, trials) if metric is ERROR else None,
    )


def _on_new_digits(
    material: Material, reference: int, comparisons: Sequence[Comparison]
) -> tuple[NewDigits | None, ...]:
    from digitlab.results.statistics import holm

    if material.digits is None:
        return ()
    right = [_right(material, cell, material.digits.y_test) for cell in material.table.plan.cells]
    expected = [_expected(right[each.level], right[reference]) for each in comparisons]
    corrected = holm([math.nan if each is None else each.p for each in expected])
    return tuple(
        None if each is None else NewDigits(each, p) for each, p in zip(expected, corrected, strict=True)
    )


def _expected(level: dict[int, np.ndarray], base: dict[int, np.ndarray]) -> CrossedDifference | None:
    from digitlab.results.crossed import crossed_difference

    shared = sorted(base.keys() & level.keys())
    if len(shared) < 2:
        return None
    of_level = np.stack([level[seed] for seed in shared])  # bool [seeds, images]
    of_base = np.stack([base[seed] for seed in shared])
    return crossed_difference(of_level, of_base)


def _right(material: Material, cell: Cell, labels: np.ndarray) -> dict[int, np.ndarray]:
    """Return, by seed, which test images were classified correctly, bool [n]."""
    known = (trial for trial in cell.trials if trial.id in material.predictions)
    return {trial.seed: material.predictions[trial.id] == labels for trial in known}


def _interaction(
    axes: Sequence[Axis], values: Sequence[dict[int, float]], trials: Sequence[Trials]
) -> Interaction | None:
    """Contrast the four corners; the ends of the axes are fixed by the study file, before there are results.

    An axis of words has ends only if it has exactly two levels.
    """
    if len(axes) != 2 or not all(_has_ends(axis) for axis in axes):
        return None
    from digitlab.results.statistics import detectable_difference, paired_difference, spread_limit

    columns = len(axes[1].values)  # levels are listed with the second axis varying fastest
    places = 0, columns - 1, len(values) - columns, len(values) - 1
    corners = [values[place] for place in places]
    seeds = sorted(set.intersection(*(set(corner) for corner in corners)))
    if not seeds:
        return None
    first_low, first_high, last_low, last_high = ([corner[seed] for seed in seeds] for corner in corners)
    low, high = np.subtract(last_low, first_low), np.subtract(last_high, first_high)
    paired = paired_difference(high.tolist(), low.tolist(), 2 * ERROR.largest)
    detectable = math.nan
    if paired.sd > 0:
        detectable = detectable_difference(spread_limit(paired.sd, paired.n), paired.n)
    return Interaction(
        changes=(float(low.mean()), float(high.mean())),
        paired=paired,
        detectable=detectable,
        unstable=any(trials[place].failed for place in places),
    )


def _has_ends(axis: Axis) -> bool:
    return len(axis.values) == 2 or (len(axis.values) > 2 and is_numeric(axis.values))

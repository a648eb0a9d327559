"""Comparison of the levels of a study with its reference level, as numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from digitlab.report.metric import ERROR, Metric, metrics_of
from digitlab.report.study_data import StudyData
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


class LevelComparisons(NamedTuple):
    """Comparison of each level of a study with its reference level, by one metric.

    Attributes:
        metric: metric that is compared.
        axes: axes of the study.
        levels: levels of the study, each with one value per axis.
        trials: numbers of trials of each level.
        reference: index of the reference level in `levels`.
        by_level: one comparison per other level, in the order of `levels`.
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
    by_level: tuple[Comparison, ...]
    images: int | None = None
    new_digits: tuple[NewDigits | None, ...] = ()
    interaction: Interaction | None = None

    @property
    def tested(self) -> bool:
        """Whether at least one level could be tested."""
        return any(comparison.paired.n > 1 for comparison in self.by_level)

    @property
    def tests(self) -> int:
        """Number of levels that were tested together."""
        return sum(not math.isnan(comparison.holm_p) for comparison in self.by_level)

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
        verdict = self.verdict(comparison)
        digits = self.digits(comparison)
        if digits is None or verdict not in ("less", "more"):
            return verdict
        return _verdict(digits.holm_p, digits.expected.difference)

    def digits(self, comparison: Comparison) -> NewDigits | None:
        """Return the expectation for a comparison on new digits (None: unknown)."""
        if not self.new_digits:
            return None
        levels = [item.level for item in self.by_level]
        return self.new_digits[levels.index(comparison.level)]


def _verdict(holm_p: float, difference: float) -> str:
    if math.isnan(holm_p):
        return "no spread"
    if holm_p >= ALPHA:
        return "undecided"
    return "less" if difference < 0 else "more"


def compare_levels(study_data: StudyData) -> tuple[LevelComparisons, ...]:
    """Compare the levels of a study with its reference level, by each of its metrics.

    Args:
        study_data: the study's results, predictions and data.

    Returns:
        One `LevelComparisons` per metric whose values are known; empty if there is only one level.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    if len(study_data.table.rows) < 2:
        return ()
    comparisons = []
    for metric in metrics_of(study_data.table.plan):
        # Every table has the error; other metrics are read from whole results.
        if metric is ERROR or study_data.results:
            comparisons.append(_compare_by(metric, study_data))
    return tuple(comparisons)


def _compare_by(metric: Metric, study_data: StudyData) -> LevelComparisons:
    from digitlab.results.statistics import compare

    plan = study_data.table.plan
    pairs = study_data.levels()
    levels = tuple(cell.levels for _, cell in pairs)
    reference = levels.index(plan.reference)
    values = [study_data.by_seed(row, cell, metric) for row, cell in pairs]
    trials = tuple(Trials(len(row.failed), len(cell.trials)) for row, cell in pairs)
    by_level = compare(values, reference, metric.difference, metric.largest)
    new_digits: tuple[NewDigits | None, ...] = ()
    interaction = None
    if metric is ERROR:  # predictions are classes, of which only the error can be computed
        new_digits = _on_new_digits(study_data, reference, by_level)
        interaction = _interaction(plan.study.axes, values, trials)
    return LevelComparisons(
        metric=metric,
        axes=plan.study.axes,
        levels=levels,
        trials=trials,
        reference=reference,
        by_level=by_level,
        images=study_data.table.images,
        new_digits=new_digits,
        interaction=interaction,
    )


def _on_new_digits(
    study_data: StudyData, reference: int, comparisons: Sequence[Comparison]
) -> tuple[NewDigits | None, ...]:
    from digitlab.results.statistics import holm

    if study_data.digits is None or not study_data.predictions:
        return ()
    labels = study_data.digits.y_test
    correct = [_correct(study_data, cell, labels) for cell in study_data.table.plan.cells]
    differences = [_crossed(correct[item.level], correct[reference]) for item in comparisons]
    p_values = [math.nan if difference is None else difference.p for difference in differences]
    new_digits = []
    for difference, holm_p in zip(differences, holm(p_values), strict=True):
        new_digits.append(None if difference is None else NewDigits(difference, holm_p))
    return tuple(new_digits)


def _crossed(level: dict[int, np.ndarray], reference: dict[int, np.ndarray]) -> CrossedDifference | None:
    from digitlab.results.crossed import crossed_difference

    shared = sorted(reference.keys() & level.keys())
    if len(shared) < 2:  # one seed has no variance
        return None
    of_level = np.stack([level[seed] for seed in shared])  # bool [seeds, images]
    of_reference = np.stack([reference[seed] for seed in shared])
    return crossed_difference(of_level, of_reference)


def _correct(study_data: StudyData, cell: Cell, labels: np.ndarray) -> dict[int, np.ndarray]:
    """Return, by seed, which test images were classified correctly, bool [n]."""
    correct = {}
    for trial in cell.trials:
        if trial.id in study_data.predictions:
            correct[trial.seed] = study_data.predictions[trial.id] == labels
    return correct


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
    corners = 0, columns - 1, len(values) - columns, len(values) - 1
    seeds = sorted(set.intersection(*(set(values[i]) for i in corners)))
    if not seeds:
        return None
    errors = np.array([[values[i][seed] for seed in seeds] for i in corners])  # [corners, seeds]
    first_low, first_high, last_low, last_high = errors
    low = last_low - first_low
    high = last_high - first_high
    # Each change lies within -100 and 100 points, and their difference within twice as many.
    paired = paired_difference(high.tolist(), low.tolist(), 2 * ERROR.largest)
    detectable = math.nan
    if paired.sd > 0:
        detectable = detectable_difference(spread_limit(paired.sd, paired.n), paired.n)
    return Interaction(
        changes=(float(low.mean()), float(high.mean())),
        paired=paired,
        detectable=detectable,
        unstable=any(trials[i].failed for i in corners),
    )


def _has_ends(axis: Axis) -> bool:
    if len(axis.values) > 2:
        return is_numeric(axis.values)
    return len(axis.values) == 2

"""Results of a study as tables of text, for the terminal and the page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from digitlab.models import cost
from digitlab.report.comparisons import LevelComparisons
from digitlab.report.metric import ERROR, SQUARED_ERROR, metrics_of
from digitlab.report.text import NONE, interval, is_numeric, number, probability
from digitlab.results.aggregate import PERCENT, Estimate, LevelSummary, StudyTable
from digitlab.spec.plan import Cell
from digitlab.spec.study import level_text, settings_text

if TYPE_CHECKING:
    from digitlab.results.statistics import Comparison


class TextTable(NamedTuple):
    """A table of formatted cells.

    Attributes:
        columns: titles of the columns.
        rows: rows of cells, one cell per column.
        right: whether each column is aligned to the right.
        heads: number of columns, from the left, that name their row.
        shades: shade of each cell, 0..1, by row and column (empty: no shades).
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]
    heads: int = 1
    shades: tuple[tuple[float, ...], ...] = ()


def study_table(table: StudyTable) -> TextTable:
    """Return a study's results: one row per level, one column per axis, then n, errors, size and time.

    Means are over seeds. If the loss is varied, the mean squared error on the test set is shown beside the
    error. The column `note` is there only if a trial failed or is not done.

    Args:
        table: the study's results, one row per level.
    """
    axes = table.plan.study.axes
    squared = len(metrics_of(table.plan)) > 1
    has_notes = any(map(_remark, table.rows))
    rows: list[tuple[str, ...]] = []
    titles: tuple[str, ...] = ()
    for row, cell in zip(table.rows, table.plan.cells, strict=True):
        measures = _measures(row, cell, squared)
        if has_notes:
            measures["note"] = _remark(row)
        titles = tuple(measures)
        rows.append((*map(level_text, row.levels), *measures.values()))
    return TextTable(
        columns=(*(axis.title for axis in axes), *titles),
        rows=tuple(rows),
        right=(*(is_numeric(axis.values) for axis in axes), *(title != "note" for title in titles)),
        heads=len(axes),
    )


def _measures(row: LevelSummary, cell: Cell, squared: bool) -> dict[str, str]:
    # Known before anything is trained, unless a user's own function builds the network.
    size = cost(cell.trials[0].model, cell.trials[0].classes)
    parameters = size.parameters or row.parameters
    multiply_adds = size.multiply_adds or row.multiply_adds
    measures = {
        "n": str(row.test_error.n),
        "test error %": number(row.test_error.mean, ERROR.decimals),
        "95 % interval": interval(row.test_error),
    }
    if squared:
        measures["test squared error"] = number(row.test_mse.mean, SQUARED_ERROR.decimals)
    measures["validation error %"] = number(row.validation_error.mean, ERROR.decimals)
    measures["parameters"] = NONE if parameters is None else f"{parameters:,}"
    measures["multiply-adds"] = NONE if multiply_adds is None else f"{multiply_adds:,}"
    measures["training seconds"] = number(row.train_seconds.mean, 1)
    return measures


def _remark(row: LevelSummary) -> str:
    counts = {"failed": len(row.failed), "interrupted": row.interrupted, "not done": row.missing}
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count)


def notes(table: StudyTable) -> tuple[str, ...]:
    """Return remarks on a study's table: failures with their reasons, missing results, the reference level.

    Args:
        table: the study's results, one row per level.

    Returns:
        One sentence per remark, possibly none.
    """
    return tuple(_notes(table))


def _notes(table: StudyTable) -> Iterator[str]:
    axes = table.plan.study.axes
    seeds = table.plan.study.seeds
    for row in table.rows:
        if row.failed:
            reasons = "; ".join(_counted(row.failed))
            yield f"{settings_text(axes, row.levels)}: {len(row.failed)} of {seeds} failed: {reasons}."
    missing = [row.missing + row.interrupted for row in table.rows]
    total = sum(missing)
    if total:
        incomplete = sum(count > 0 for count in missing)
        yield (
            f"Incomplete: {total} of {seeds * len(table.rows)} results are missing, in {incomplete} of "
            f"{len(table.rows)} levels; the values may change."
        )
    if any(row.test_error.n == 1 for row in table.rows):
        yield "Where n is 1 there is no interval: a spread needs two seeds."
    if any(row.test_error.sd == 0 for row in table.rows):
        yield "Where all seeds of a level have equal errors there is no interval: the spread is unknown."
    if any(_is_cut(row.test_error) for row in table.rows):
        yield "Intervals are clipped to 0 and 100 %."
    if len(table.rows) > 1:
        yield f"Reference level: {settings_text(axes, table.plan.reference)}."


def _counted(reasons: Iterable[str]) -> Iterator[str]:
    """Yield each reason once, with the number of its trials if there are several."""
    for reason, count in Counter(reasons).items():
        yield f"{reason} ({count} times)" if count > 1 else reason


def _is_cut(estimate: Estimate) -> bool:
    lowest, highest = PERCENT
    return estimate.low <= lowest or estimate.high >= highest  # nan is neither


def comparison_table(comparisons: LevelComparisons) -> TextTable:
    """Return a table of all comparisons with the reference level.

    Differences and intervals are signed: below 0 the level is the better one. The last column, the verdict on
    new digits, is there only if predictions are known.

    Args:
        comparisons: comparisons of a study by one metric.
    """
    axes = comparisons.axes
    rows: list[tuple[str, ...]] = []
    titles: tuple[str, ...] = ()
    for comparison in comparisons.by_level:
        measures = _compared(comparisons, comparison)
        titles = tuple(measures)
        levels = map(level_text, comparisons.levels[comparison.level])
        rows.append((*levels, *measures.values()))
    return TextTable(
        columns=(*(axis.title for axis in axes), *titles),
        rows=tuple(rows),
        right=(*(is_numeric(axis.values) for axis in axes), *(title != "verdict" for title in titles)),
        heads=len(axes),
    )


def _compared(comparisons: LevelComparisons, comparison: Comparison) -> dict[str, str]:
    """Return the cells of a comparison by the titles of their columns."""
    metric, paired, flips = comparisons.metric, comparison.paired, comparison.sign_flip
    difference = f"difference,{metric.unit}" if metric.unit else f"difference in {metric.name}"
    sign_flip = NONE
    if paired.n > 1:  # one seed has only its own sign
        sign_flip = f"{flips.p:.3g} ({flips.smallest_p:.3g})"
    cells = {
        "verdict": _verdict(comparisons, comparison),
        difference: number(paired.mean, metric.decimals),
        "95 % interval": interval(paired, metric.decimals),
        "n": str(paired.n),
        "Holm p": probability(comparison.holm_p),
        "sign-flip p (least)": sign_flip,
        "detectable": _detectable(comparisons, comparison),
    }
    if comparisons.new_digits:
        cells["on new digits"] = _on_new_digits(comparisons, comparison)
    return cells


def _detectable(comparisons: LevelComparisons, comparison: Comparison) -> str:
    if comparison.too_few and comparisons.verdict(comparison) == "undecided":
        return "nothing"
    if math.isinf(comparison.detectable):
        return NONE
    return number(comparison.detectable, comparisons.metric.decimals)


def _verdict(comparisons: LevelComparisons, comparison: Comparison) -> str:
    """Return a verdict, with anything that makes it doubtful."""
    verdict = comparisons.verdict(comparison)
    if verdict == "unstable":
        failed, total = comparisons.trials[comparison.level]
        if failed == total:
            verdict = "failed: all of its trials"
        else:
            verdict = f"unstable: {_failures(comparisons, comparison)} failed"
    if not comparison.wide:
        return verdict
    spreads = comparison.spreads
    return f"{verdict}; spread {spreads.level / spreads.reference:.3g} times the reference's"


def _failures(comparisons: LevelComparisons, comparison: Comparison) -> str:
    """Return the failed trials that make a comparison unstable: those of the level, else the reference's."""
    if comparisons.is_unstable(comparison.level):
        failed, total = comparisons.trials[comparison.level]
        return f"{failed} of {total}"
    failed, total = comparisons.trials[comparisons.reference]
    return f"{failed} of {total} of the reference"


def _on_new_digits(comparisons: LevelComparisons, comparison: Comparison) -> str:
    digits = comparisons.digits(comparison)
    if digits is None:
        return NONE
    verdict = comparisons.verdict_on_new_digits(comparison)
    if math.isnan(digits.expected.low):
        return verdict
    return f"{verdict}: {interval(digits.expected, comparisons.metric.decimals)}"

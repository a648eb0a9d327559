"""Results of a study as tables of text, for the terminal and the page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from digitlab.models import cost
from digitlab.report.evidence import Evidence
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
    squared = SQUARED_ERROR in metrics_of(table.plan)
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
    size = cost(cell.trials[0].model)
    parameters = size.parameters or row.parameters
    multiply_adds = size.multiply_adds or row.multiply_adds
    mse = {"test squared error": number(row.test_mse.mean, SQUARED_ERROR.decimals)} if squared else {}
    return {
        "n": str(row.test_error.n),
        "test error %": number(row.test_error.mean, ERROR.decimals),
        "95 % interval": interval(row.test_error),
        **mse,
        "validation error %": number(row.validation_error.mean, ERROR.decimals),
        "parameters": NONE if parameters is None else f"{parameters:,}",
        "multiply-adds": NONE if multiply_adds is None else f"{multiply_adds:,}",
        "training seconds": number(row.train_seconds.mean, 1),
    }


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
    lacking = [row.missing + row.interrupted for row in table.rows]
    missing = sum(lacking)
    if missing:
        behind = sum(count > 0 for count in lacking)
        yield (
            f"Incomplete: {missing} of {seeds * len(table.rows)} results are missing, in {behind} of "
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


def evidence_table(evidence: Evidence) -> TextTable:
    """Return a table of all comparisons with the reference level.

    Differences and intervals are signed: below 0 the level is the better one. The last column, the verdict on
    new digits, is there only if predictions are known.

    Args:
        evidence: comparisons of a study by one metric.
    """
    axes, metric = evidence.axes, evidence.metric
    measures = [_compared(evidence, each) for each in evidence.comparisons]
    titles = (
        "verdict",
        f"difference,{metric.unit}" if metric.unit else f"difference in {metric.name}",
        "95 % interval",
        "n",
        "Holm p",
        "sign-flip p (least)",
        "detectable",
        "on new digits",
    )[: None if evidence.new_digits else -1]
    return TextTable(
        columns=(*(axis.title for axis in axes), *titles),
        rows=tuple(
            (*map(level_text, evidence.levels[each.level]), *cells[: len(titles)])
            for each, cells in zip(evidence.comparisons, measures, strict=True)
        ),
        right=(*(is_numeric(axis.values) for axis in axes), *(title != "verdict" for title in titles)),
        heads=len(axes),
    )


def _compared(evidence: Evidence, comparison: Comparison) -> tuple[str, ...]:
    paired, flips = comparison.paired, comparison.sign_flip
    decimals = evidence.metric.decimals
    return (
        _verdict(evidence, comparison),
        number(paired.mean, decimals),
        interval(paired, decimals),
        str(paired.n),
        probability(comparison.holm_p),
        NONE if paired.n < 2 else f"{flips.p:.3g} ({flips.smallest_p:.3g})",
        _seen(evidence, comparison),
        _on_new_digits(evidence, comparison),
    )


def _seen(evidence: Evidence, comparison: Comparison) -> str:
    if comparison.too_few and evidence.verdict(comparison) == "undecided":
        return "nothing"
    if math.isinf(comparison.detectable):
        return NONE
    return number(comparison.detectable, evidence.metric.decimals)


def _verdict(evidence: Evidence, comparison: Comparison) -> str:
    """Return a verdict, with anything that makes it doubtful."""
    found = evidence.verdict(comparison)
    if found == "unstable":
        places = (comparison.level, evidence.reference)
        failed, total = next(evidence.trials[place] for place in places if evidence.is_unstable(place))
        whose = "" if evidence.is_unstable(comparison.level) else " of the reference"
        found = f"unstable: {failed} of {total}{whose} failed"
    if not comparison.wide:
        return found
    level, reference, _ = comparison.spreads
    return f"{found}; spread {level / reference:.3g} times the reference's"


def _on_new_digits(evidence: Evidence, comparison: Comparison) -> str:
    digits = evidence.digits(comparison)
    if digits is None:
        return NONE
    found = evidence.verdict_on_new_digits(comparison)
    if math.isnan(digits.expected.low):
        return found
    return f"{found}: {interval(digits.expected, evidence.metric.decimals)}"

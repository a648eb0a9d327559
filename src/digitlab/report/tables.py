"""A study's answer as a table of text, for the terminal and the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from digitlab.models import cost
from digitlab.report.text import interval, is_numeric, level_text, number, settings_text
from digitlab.results.aggregate import Row, StudyTable
from digitlab.spec.plan import Cell

MEASURES = ("n", "test error %", "95 % interval", "validation error %", "parameters", "training seconds")


class TextTable(NamedTuple):
    """A table whose cells are written out.

    Attributes:
        columns: titles.
        rows: cells, one for each column.
        right: whether a column is aligned to the right, for each column.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]


def study_table(table: StudyTable) -> TextTable:
    """Write a study's answer: one row a level, one column an axis, then n, errors, size and time.

    Means are over seeds. A column `note` is there only if a trial failed or is not done.

    Args:
        table: the study's answer in figures.
    """
    axes = table.plan.study.axes
    remarks = tuple(_remark(row) for row in table.rows)
    noted = any(remarks)
    cells = zip(table.rows, table.plan.cells, remarks, strict=True)
    return TextTable(
        columns=(*(axis.title for axis in axes), *MEASURES, *(("note",) if noted else ())),
        rows=tuple(_cells(row, cell) + ((remark,) if noted else ()) for row, cell, remark in cells),
        right=(
            *(is_numeric(axis.values) for axis in axes),
            *(True for _ in MEASURES),
            *((False,) if noted else ()),
        ),
    )


def _cells(row: Row, cell: Cell) -> tuple[str, ...]:
    return (
        *(level_text(level) for level in row.levels),
        str(row.test_error.n),
        number(row.test_error.mean),
        interval(row.test_error),
        number(row.validation_error.mean),
        f"{cost(cell.entries[0].trial.model).parameters:,}",  # known before anything is trained
        number(row.train_seconds.mean, 1),
    )


def _remark(row: Row) -> str:
    failed = f"{len(row.failed)} failed" if row.failed else ""
    missing = f"{row.missing} not done" if row.missing else ""
    return ", ".join(filter(None, (failed, missing)))


def notes(table: StudyTable) -> tuple[str, ...]:
    """Say what a reader of the table must know: failures with their reasons, what is missing, the reference.

    Args:
        table: the study's answer in figures.

    Returns:
        Sentences, none where there is nothing to say.
    """
    return tuple(_notes(table))


def _notes(table: StudyTable) -> Iterator[str]:
    axes = table.plan.study.axes
    seeds = table.plan.study.seeds
    for row in table.rows:
        if row.failed:
            counts = Counter(row.failed).items()
            reasons = "; ".join(
                reason + (f" ({count} times)" if count > 1 else "") for reason, count in counts
            )
            yield f"{settings_text(axes, row.levels)}: {len(row.failed)} of {seeds} failed: {reasons}."
    missing = sum(row.missing for row in table.rows)
    if missing:
        behind = sum(row.missing > 0 for row in table.rows)
        yield (
            f"Not complete: {missing} of {seeds * len(table.rows)} results are not there yet, in {behind} of "
            f"{len(table.rows)} levels; the figures may change."
        )
    if any(row.test_error.n == 1 for row in table.rows):
        yield "Where n is 1 there is no interval: it takes two seeds to see a spread."
    if len(table.rows) > 1:
        yield f"Reference level: {settings_text(axes, table.plan.reference)}."

"""A study's table as a notebook shows it: answer, table, comparisons, verdicts, and the figure."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from digitlab.report.answers import headline
from digitlab.report.comparisons import compare_levels
from digitlab.report.sentences import comparison_sentences
from digitlab.report.study_data import StudyData
from digitlab.report.tables import TextTable, comparison_table, notes, study_table
from digitlab.results.aggregate import StudyTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def study_html(table: StudyTable) -> str:
    """Return a study's results as HTML without styles of its own, which follows the notebook's theme.

    Args:
        table: the study's results, one row per level.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    return "\n".join(_pieces(table))


def _pieces(table: StudyTable) -> Iterator[str]:
    yield f"<p><b>{escape(table.plan.study.question)}</b> {escape(headline(table))}</p>"
    yield _html(study_table(table))
    for note in notes(table):
        yield f"<p>{escape(note)}</p>"
    for comparisons in compare_levels(StudyData(table)):
        yield _html(comparison_table(comparisons))
        sentences = "".join(f"<li>{escape(line)}</li>" for line in comparison_sentences(comparisons))
        yield f"<ul>{sentences}</ul>"


def _html(table: TextTable) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for title in table.columns)
    rows = []
    for row in table.rows:
        cells = []
        for cell, right in zip(row, table.right, strict=True):
            cells.append(f'<td style="text-align:{"right" if right else "left"}">{escape(cell)}</td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def study_figure(table: StudyTable) -> Figure:
    """Return the figure of a study: the test error by level, with intervals and single networks.

    Args:
        table: the study's results, one row per level.

    Raises:
        MissingExtraError: Matplotlib is not installed.
    """
    from digitlab.report.drawing import draw_error_by_level
    from digitlab.report.figures import error_by_level

    return draw_error_by_level(error_by_level(StudyData(table)))

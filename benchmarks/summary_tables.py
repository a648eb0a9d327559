"""Figures as tables of text; summaries of trainings also as rows of a file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from summary import TARGETS, Summary, TimeToTarget, times_to_target

from digitlab.report.tables import TextTable


def summary_table(summaries: Sequence[Summary]) -> TextTable:
    """Format the accuracy and time of each case's full schedule."""
    columns = (
        "contestant",
        "epochs",
        "n",
        "accuracy %",
        "sd",
        "training s",
        "with import and compile s",
        "published %",
        "counts",
    )
    return TextTable(columns, tuple(map(_summary_cells, summaries)), (False, *[True] * 7, False))


def _summary_cells(summary: Summary) -> tuple[str, ...]:
    full = summary.full
    return (
        summary.name,
        str(full.epochs),
        str(full.n),
        f"{100 * full.mean:.3f}",
        "" if math.isnan(full.sd) else f"{100 * full.sd:.3f}",
        seconds_text(full.seconds),
        seconds_text(summary.whole_seconds),
        "" if summary.published is None else f"{100 * summary.published:.2f}",
        "" if summary.ours else "yes" if summary.counts else "no",
    )


def target_table(summaries: Sequence[Summary]) -> TextTable:
    """Format the training seconds of each case to each target, and their ratio to digitlab's."""
    columns = ["contestant"]
    for target in TARGETS:
        columns += [f"to {100 * target:.1f} %", "times ours"]
    found = [times_to_target(summaries, target) for target in TARGETS]
    rows = tuple(
        (summary.name, *(cell for each in found for cell in _target_cells(summary, each[place])))
        for place, summary in enumerate(summaries)
    )
    return TextTable(tuple(columns), rows, (False, *[True] * (len(columns) - 1)))


def _target_cells(summary: Summary, time: TimeToTarget) -> tuple[str, str]:
    if time.schedule is None:
        return _unreached(summary, time), ""
    shortened = "" if time.schedule is summary.full else f", {time.schedule.epochs} epochs"
    doubt = f", {_doubt(time)}" if time.undecided else ""
    return f"{seconds_text(time.schedule.seconds)} s{shortened}{doubt}", _ratio_text(time)


def _doubt(time: TimeToTarget) -> str:
    """Return the schedules between which the crossing may lie, by the intervals of their means."""
    if time.confident is None:
        return "undecided"
    assert time.earliest is not None  # whoever reaches it with confidence reaches it
    first, last = time.earliest.epochs, time.confident.epochs
    return f"between {first} and {last}" if first < last else "undecided"


def _ratio_text(time: TimeToTarget) -> str:
    if math.isnan(time.ratio):
        return ""
    text = f"{time.ratio:.3g}"
    low, high = time.ratios
    if not time.undecided:
        return text
    return f"{text} ({low:.3g} or more)" if math.isnan(high) else f"{text} ({low:.3g} to {high:.3g})"


def _unreached(summary: Summary, time: TimeToTarget) -> str:
    if not summary.counts:
        return "does not count"
    return "undecided" if time.undecided else "not reached"


def seconds_text(seconds: float) -> str:
    """Format seconds with about three significant digits."""
    return f"{seconds:.2f}" if seconds < 10 else f"{seconds:.1f}" if seconds < 100 else f"{seconds:.0f}"


def summary_rows(summaries: Sequence[Summary]) -> list[dict[str, Any]]:
    """Return a row of plain values for each case, None where there is no value."""
    found = {target: times_to_target(summaries, target) for target in TARGETS}
    return [
        _row(summary, {target: each[place] for target, each in found.items()})
        for place, summary in enumerate(summaries)
    ]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _row(summary: Summary, found: dict[float, TimeToTarget]) -> dict[str, Any]:
    full = summary.full
    row: dict[str, Any] = {
        "contestant": summary.name,
        "ours": summary.ours,
        "epochs": full.epochs,
        "n": full.n,
        "accuracy": full.mean,
        "accuracy_sd": _known(full.sd),
        "accuracy_low": _known(full.low),
        "accuracy_high": _known(full.high),
        "train_seconds": full.seconds,
        "import_seconds": summary.import_seconds,
        "compile_seconds": summary.compile_seconds,
        "whole_seconds": summary.whole_seconds,
        "published": summary.published,
        "source": summary.source,
        "counts": summary.counts,
        "versions": ", ".join(f"{name} {version}" for name, version in summary.versions.items()),
    }
    for target, time in found.items():
        to = f"to_{100 * target:.1f}"
        row[f"{to}_seconds"] = time.schedule.seconds if time.schedule else _unreached(summary, time)
        row[f"{to}_epochs"] = time.schedule.epochs if time.schedule else None
        row[f"{to}_times_ours"] = _known(time.ratio)
        row[f"{to}_decided"] = not time.undecided if summary.counts else None
        row[f"{to}_earliest_epochs"] = time.earliest.epochs if time.earliest else None
        row[f"{to}_surely_epochs"] = time.confident.epochs if time.confident else None
        row[f"{to}_times_ours_low"], row[f"{to}_times_ours_high"] = map(_known, time.ratios)
    return row


def rows_table(title: str, rows: Sequence[Mapping[str, Any]]) -> TextTable:
    """Format rows as a table: `what` names the row, the other columns are figures.

    Args:
        title: title of the table.
        rows: rows, each a mapping from column to cell; a figure that is missing or None is left blank.
    """
    columns = [name for name in dict.fromkeys(key for row in rows for key in row) if name != "what"]
    lines = tuple((row["what"], *(_figure_text(row.get(name)) for name in columns)) for row in rows)
    return TextTable((title, *columns), lines, (False, *[True] * len(columns)))


def _figure_text(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"

"""Figures as tables of text; summaries of trainings also as rows of a file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from summary import TARGETS, Schedule, Summary, TimeToTarget, times_to_target

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
    published = counts = ""
    if summary.published is not None:  # a peer
        published = f"{100 * summary.published:.2f}"
        counts = "yes" if summary.counts else "no"
    return (
        summary.name,
        str(full.epochs),
        str(full.n),
        f"{100 * full.mean:.3f}",
        "" if math.isnan(full.sd) else f"{100 * full.sd:.3f}",
        seconds_text(full.seconds),
        seconds_text(summary.whole_seconds),
        published,
        counts,
    )


def target_table(summaries: Sequence[Summary]) -> TextTable:
    """Format the training seconds of each case to each target, and their ratio to digitlab's."""
    columns = ["contestant"]
    rows = [[summary.name] for summary in summaries]
    for target in TARGETS:
        columns += [f"to {100 * target:.1f} %", "times ours"]
        times = times_to_target(summaries, target)
        for row, summary, time in zip(rows, summaries, times, strict=True):
            row.extend(_target_cells(summary, time))
    cells = tuple(tuple(row) for row in rows)
    return TextTable(tuple(columns), cells, (False, *[True] * (len(columns) - 1)))


def _target_cells(summary: Summary, time: TimeToTarget) -> tuple[str, str]:
    if time.schedule is None:
        return _unreached(summary, time), ""
    text = f"{seconds_text(time.schedule.seconds)} s"
    if time.schedule is not summary.full:
        text += f", {time.schedule.epochs} epochs"
    if time.undecided:
        text += f", {_doubt(time)}"
    return text, _ratio_text(time)


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
    if not time.undecided:
        return text
    low, high = time.ratios
    if math.isnan(high):  # no schedule reaches the target with confidence
        return f"{text} ({low:.3g} or more)"
    return f"{text} ({low:.3g} to {high:.3g})"


def _unreached(summary: Summary, time: TimeToTarget) -> str:
    if not summary.counts:
        return "does not count"
    return "undecided" if time.undecided else "not reached"


def seconds_text(seconds: float) -> str:
    """Format seconds with about three significant digits."""
    if seconds < 10:
        return f"{seconds:.2f}"
    if seconds < 100:
        return f"{seconds:.1f}"
    return f"{seconds:.0f}"


def summary_rows(summaries: Sequence[Summary]) -> list[dict[str, Any]]:
    """Return a row of plain values for each case, None where there is no value."""
    rows = [_row(summary) for summary in summaries]
    for target in TARGETS:
        times = times_to_target(summaries, target)
        for row, summary, time in zip(rows, summaries, times, strict=True):
            row.update(_target_values(summary, target, time))
    return rows


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _row(summary: Summary) -> dict[str, Any]:
    full = summary.full
    return {
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


def _target_values(summary: Summary, target: float, time: TimeToTarget) -> dict[str, Any]:
    to = f"to_{100 * target:.1f}"
    low, high = time.ratios
    return {
        f"{to}_seconds": time.schedule.seconds if time.schedule else _unreached(summary, time),
        f"{to}_epochs": _epochs(time.schedule),
        f"{to}_times_ours": _known(time.ratio),
        f"{to}_decided": not time.undecided if summary.counts else None,
        f"{to}_earliest_epochs": _epochs(time.earliest),
        f"{to}_surely_epochs": _epochs(time.confident),
        f"{to}_times_ours_low": _known(low),
        f"{to}_times_ours_high": _known(high),
    }


def _epochs(schedule: Schedule | None) -> int | None:
    return None if schedule is None else schedule.epochs


def rows_table(title: str, rows: Sequence[Mapping[str, Any]]) -> TextTable:
    """Format rows as a table: `what` names the row, the other columns are figures.

    Args:
        title: title of the table.
        rows: rows, each a mapping from column to cell; a figure that is missing or None is left blank.
    """
    names = dict.fromkeys(name for row in rows for name in row)  # of all rows, in their order
    columns = [name for name in names if name != "what"]
    lines = []
    for row in rows:
        figures = [_figure_text(row.get(name)) for name in columns]
        lines.append((row["what"], *figures))
    return TextTable((title, *columns), tuple(lines), (False, *[True] * len(columns)))


def _figure_text(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"

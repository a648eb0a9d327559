"""The board as tables of text, as rows of a file, and as plain values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from digitlab.report.tables import TextTable
from digitlab.speed.standing import TARGETS, Reach, Standing, reaches


def standing_table(standings: Sequence[Standing]) -> TextTable:
    """Format the accuracy and time of each contestant's full schedule."""
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
    return TextTable(columns, tuple(map(_standing_cells, standings)), (False, *[True] * 7, False))


def _standing_cells(standing: Standing) -> tuple[str, ...]:
    full = standing.full
    return (
        standing.name,
        str(full.epochs),
        str(full.n),
        f"{100 * full.mean:.3f}",
        "" if math.isnan(full.sd) else f"{100 * full.sd:.3f}",
        seconds_text(full.seconds),
        seconds_text(standing.whole_seconds),
        "" if standing.published is None else f"{100 * standing.published:.2f}",
        "" if standing.ours else "yes" if standing.counts else "no",
    )


def target_table(standings: Sequence[Standing]) -> TextTable:
    """Format the training seconds of each contestant to each target, and their ratio to digitlab's."""
    columns = ["contestant"]
    for target in TARGETS:
        columns += [f"to {100 * target:.1f} %", "times ours"]
    found = [reaches(standings, target) for target in TARGETS]
    rows = tuple(
        (standing.name, *(cell for each in found for cell in _reach_cells(standing, each[place])))
        for place, standing in enumerate(standings)
    )
    return TextTable(tuple(columns), rows, (False, *[True] * (len(columns) - 1)))


def _reach_cells(standing: Standing, reach: Reach) -> tuple[str, str]:
    if reach.schedule is None:
        return _absence(standing, reach), ""
    shortened = "" if reach.schedule is standing.full else f", {reach.schedule.epochs} epochs"
    doubt = f", {_doubt(reach)}" if reach.undecided else ""
    return f"{seconds_text(reach.schedule.seconds)} s{shortened}{doubt}", _ratio_text(reach)


def _doubt(reach: Reach) -> str:
    """Return the schedules between which the crossing may lie, by the intervals of their means."""
    if reach.surely is None:
        return "undecided"
    assert reach.earliest is not None  # what surely reaches a target reaches it
    first, last = reach.earliest.epochs, reach.surely.epochs
    return f"between {first} and {last}" if first < last else "undecided"


def _ratio_text(reach: Reach) -> str:
    if math.isnan(reach.ratio):
        return ""
    text = f"{reach.ratio:.3g}"
    low, high = reach.ratios
    if not reach.undecided:
        return text
    return f"{text} ({low:.3g} or more)" if math.isnan(high) else f"{text} ({low:.3g} to {high:.3g})"


def _absence(standing: Standing, reach: Reach) -> str:
    if not standing.counts:
        return "does not count"
    return "undecided" if reach.undecided else "not reached"


def seconds_text(seconds: float) -> str:
    """Format seconds with about three significant digits."""
    return f"{seconds:.2f}" if seconds < 10 else f"{seconds:.1f}" if seconds < 100 else f"{seconds:.0f}"


def board_rows(standings: Sequence[Standing]) -> list[dict[str, Any]]:
    """Return a row of plain values for each contestant, None where there is no value."""
    found = {target: reaches(standings, target) for target in TARGETS}
    return [
        _row(standing, {target: each[place] for target, each in found.items()})
        for place, standing in enumerate(standings)
    ]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _row(standing: Standing, found: dict[float, Reach]) -> dict[str, Any]:
    full = standing.full
    row: dict[str, Any] = {
        "contestant": standing.name,
        "ours": standing.ours,
        "epochs": full.epochs,
        "n": full.n,
        "accuracy": full.mean,
        "accuracy_sd": _known(full.sd),
        "accuracy_low": _known(full.low),
        "accuracy_high": _known(full.high),
        "train_seconds": full.seconds,
        "import_seconds": standing.import_seconds,
        "compile_seconds": standing.compile_seconds,
        "whole_seconds": standing.whole_seconds,
        "published": standing.published,
        "source": standing.source,
        "counts": standing.counts,
        "versions": ", ".join(f"{name} {version}" for name, version in standing.versions.items()),
    }
    for target, reach in found.items():
        to = f"to_{100 * target:.1f}"
        row[f"{to}_seconds"] = reach.schedule.seconds if reach.schedule else _absence(standing, reach)
        row[f"{to}_epochs"] = reach.schedule.epochs if reach.schedule else None
        row[f"{to}_times_ours"] = _known(reach.ratio)
        row[f"{to}_decided"] = not reach.undecided if standing.counts else None
        row[f"{to}_earliest_epochs"] = reach.earliest.epochs if reach.earliest else None
        row[f"{to}_surely_epochs"] = reach.surely.epochs if reach.surely else None
        row[f"{to}_times_ours_low"], row[f"{to}_times_ours_high"] = map(_known, reach.ratios)
    return row

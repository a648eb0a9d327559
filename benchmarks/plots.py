"""Figure of the benchmark of trainings: accuracy against training seconds."""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from summary import TARGETS, Schedule, Summary

from digitlab.report.canvas import ACCENT, GREY, INK, figure_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PNG_DOTS = 160
MARKED = (0.9, 0.95, 0.97, 0.98, 0.985, 0.99, 0.994, 0.995, 0.997)
"""Accuracies at which the axis may have a tick."""

_MARKERS = "osD^v<>Ph"
_PEERS = ("#a83232", "#c9622b", "#d9962b", "#8a6d3b", GREY, "#a0a8b0")


def plot_training(summaries: Sequence[Summary]) -> Figure:
    """Plot accuracy against training seconds, both on logarithmic scales.

    The scale of accuracy is logarithmic in the error, with a dotted line at each target. A line joins the
    schedules of a case, from the shortest to the full one, which has a large marker and an error bar of
    one standard deviation.

    Args:
        summaries: summaries of the cases to draw, at least one.
    """
    with figure_style():
        figure, (axes,) = new_figure(1, 4.4)
        markers = itertools.cycle(_MARKERS)
        colours = itertools.cycle(_PEERS)
        for summary in summaries:
            colour = ACCENT if summary.ours else next(colours)
            _draw(axes, summary, next(markers), colour)
        _time_axis(axes)
        _accuracy_axis(axes, summaries)
        figure.legend(loc="outside lower center", ncols=2)
        return figure


def _draw(axes: Axes, summary: Summary, marker: str, colour: str) -> None:
    seconds = [schedule.seconds for schedule in summary.schedules]
    errors = [_error(schedule.mean) for schedule in summary.schedules]
    width = 1.8 if summary.ours else 1.0
    axes.plot(seconds, errors, marker=marker, color=colour, alpha=0.5, markersize=3, linewidth=width)
    full = summary.full
    axes.errorbar(
        full.seconds,
        _error(full.mean),
        yerr=_deviation(full),
        fmt=marker,
        color=colour,
        markersize=8 if summary.ours else 6,
        capsize=3,
        label=summary.name if summary.counts else f"{summary.name} (does not count)",
    )


def _deviation(schedule: Schedule) -> list[list[float]] | None:
    """Return the standard deviation to either side, in % of error, within 0 and 100 (None: there is none)."""
    if not schedule.sd > 0:
        return None
    error = _error(schedule.mean)
    low = _error(min(1.0, schedule.mean + schedule.sd))
    high = _error(max(0.0, schedule.mean - schedule.sd))
    return [[error - low], [high - error]]


def _error(accuracy: float) -> float:
    """Return the error in %, at least that of half a test image: the scale is logarithmic."""
    return 100 * max(1 - accuracy, 0.5e-4)


def _time_axis(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_xlabel("training seconds, without import and compile (log scale)")
    low, high = axes.get_xlim()
    marks = [step * 10.0**power for power in range(-2, 5) for step in (1, 2, 5)]
    shown = [mark for mark in marks if low <= mark <= high]
    axes.set_xticks(shown, [f"{mark:g}" for mark in shown])
    axes.set_xticks([], minor=True)


def _accuracy_axis(axes: Axes, summaries: Sequence[Summary]) -> None:
    errors = [_error(target) for target in TARGETS]
    for summary in summaries:
        errors += [_error(schedule.mean) for schedule in summary.schedules]
    low, high = min(errors) / 1.25, max(errors) * 1.15
    axes.set_yscale("log")
    axes.set_ylim(high, low)  # better is higher
    axes.set_ylabel("test accuracy % (log scale of the error)")
    shown = [accuracy for accuracy in MARKED if low <= _error(accuracy) <= high]
    axes.set_yticks([_error(accuracy) for accuracy in shown], [f"{100 * accuracy:.1f}" for accuracy in shown])
    axes.set_yticks([], minor=True)
    for target in TARGETS:
        axes.axhline(_error(target), color=INK, linewidth=0.9, linestyle=":")


def png_of(figure: Figure) -> bytes:
    """Render a figure as a PNG file."""
    file = io.BytesIO()
    with figure_style():
        figure.savefig(file, format="png", dpi=PNG_DOTS)
    return file.getvalue()

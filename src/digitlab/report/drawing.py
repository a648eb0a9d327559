"""Drawing of figures from the numbers in `figures`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from digitlab.data.classes import DIGITS
from digitlab.report.canvas import (
    ACCENT,
    GREY,
    INK,
    colours,
    epoch_axis,
    error_axis,
    figure_style,
    level_axis,
    new_figure,
    new_grid,
    side_legend,
    wrapped,
)
from digitlab.report.figures import Band, ErrorByLevel, Kernels, LearningCurves, Misread, Series
from digitlab.spec.study import level_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONGEST_NAME = 11
"""Largest number of letters of a class's name below a picture."""


class _Handles(NamedTuple):
    """Legend handles of one series."""

    test: Any
    single: Any
    validation: Any


def draw_error_by_level(data: ErrorByLevel) -> Figure:
    """Draw error by level: means with 95 % intervals, single networks as faint dots, validation as diamonds.

    Args:
        data: result of `error_by_level`.
    """
    with figure_style():
        figure, (axes,) = new_figure(1, 3.7)
        positions = _positions(data)
        # Lines are shifted sideways a little, so that their intervals do not hide one another.
        step = 0.14 * _level_width(positions)
        count = len(data.series)
        offsets = step * np.linspace(-1, 1, count) if count > 1 else np.zeros(1)
        joined = data.scale != "category"  # between words there is nothing to interpolate
        handles = []
        for series, offset, colour in zip(data.series, offsets, colours(count), strict=True):
            layout = _Layout(positions + offset, 0.7 * step, joined)
            handles.append(_draw_series(axes, series, layout, colour))
        level_axis(axes, positions, [level_text(level) for level in data.levels], words=not joined)
        axes.set_xlabel(wrapped(data.axis))
        points, ends = _errors(data)
        error_axis(axes, data.metric.axis, points, ends)
        _error_legend(figure, data, handles)
        return figure


class _Layout(NamedTuple):
    """Positions of a series' levels, the offset of its single networks, and whether lines join the levels."""

    positions: np.ndarray
    offset: float
    joined: bool


def _draw_series(axes: Axes, series: Series, layout: _Layout, colour: str) -> _Handles:
    order = np.argsort(layout.positions)  # a study may list its levels in any order; lines go to the right
    x = layout.positions[order]
    tests = [series.test[i] for i in order]
    mean = np.array([estimate.mean for estimate in tests])
    low = np.array([estimate.low for estimate in tests])
    high = np.array([estimate.high for estimate in tests])
    validation = [series.validation[i].mean for i in order]
    faint = GREY if colour == ACCENT else colour
    marks = "--D" if layout.joined else "D"
    (dashed,) = axes.plot(x, validation, marks, color=faint, alpha=0.6, linewidth=1, markersize=3.5)
    dots_x: list[float] = []
    dots_y: list[float] = []
    for position, values in zip(layout.positions, series.singles, strict=True):
        dots_x += [position + layout.offset] * len(values)
        dots_y += values
    (single,) = axes.plot(dots_x, dots_y, "o", color=colour, alpha=0.4, markersize=4, markeredgewidth=0)
    bars = axes.errorbar(
        x,
        mean,
        yerr=[mean - low, high - mean],
        fmt="-o" if layout.joined else "o",
        color=colour,
        markersize=5,
        linewidth=1.6,
        capsize=3.5,
    )
    return _Handles(bars, single, dashed)


def _errors(data: ErrorByLevel) -> tuple[list[float], list[float]]:
    """Return the errors that are drawn as points, and the ends of the intervals."""
    points: list[float] = []
    ends: list[float] = []
    for series in data.series:
        for values in series.singles:
            points += values
        points += [estimate.mean for estimate in series.validation]
        for estimate in series.test:
            ends += (estimate.low, estimate.high)
    return points, ends


def _error_legend(figure: Figure, data: ErrorByLevel, handles: Sequence[_Handles]) -> None:
    if len(handles) == 1:
        labels = ["test: mean, 95 % interval", "test: one network", "validation: mean"]
        figure.legend(handles[0], labels, loc="outside upper center", ncols=3)
        return
    tests = [item.test for item in handles]
    side_legend(figure, tests, [series.label for series in data.series], data.others)


def draw_learning_curves(data: LearningCurves) -> Figure:
    """Draw error by epoch, training beside validation: the mean of each level, in a band over its seeds.

    Args:
        data: result of `learning_curves`.
    """
    with figure_style():
        figure, (training, validation) = new_figure(2, 3.5)
        lines = []
        values: list[float] = []
        for level, colour in zip(data.levels, colours(len(data.levels)), strict=True):
            _draw_band(training, level.epochs, level.training, colour)
            lines.append(_draw_band(validation, level.epochs, level.validation, colour))
            for band in (level.training, level.validation):
                values += np.ravel(band).tolist()
        error_axis(training, data.metric.axis, values)  # which both panels share
        last = max(int(level.epochs[-1]) for level in data.levels)
        for axes, title in ((training, "training"), (validation, "validation")):
            axes.set_title(title, loc="left", color=INK)
            epoch_axis(axes, last)
        side_legend(figure, lines, [level.label for level in data.levels], data.axes)
        return figure


def _draw_band(axes: Axes, epochs: np.ndarray, band: Band, colour: str) -> Any:
    axes.fill_between(epochs, band.low, band.high, color=colour, alpha=0.18, linewidth=0)
    marker = "o" if len(epochs) <= 20 else ""
    (line,) = axes.plot(epochs, band.mean, marker=marker, color=colour, linewidth=1.5, markersize=3)
    return line


def draw_misread(misread: Sequence[Misread], images: np.ndarray, classes: Sequence[str] = DIGITS) -> Figure:
    """Draw misread images in a grid, each with its label, the usual wrong answer and the number of errors.

    Args:
        misread: result of `most_misread`, at least one image.
        images: images of the test set, uint8 [n, 28, 28], white ink (255) on black (0); drawn black on white.
        classes: names of the classes.
    """
    with figure_style():
        captions = [_caption(item, classes) for item in misread]
        has_three_lines = any(caption.count("\n") == 2 for caption in captions)
        figure, cells = new_grid(len(misread), 6, 1.6 if has_three_lines else 1.45)
        for axes, item, caption in zip(cells, misread, captions, strict=True):
            axes.imshow(images[item.index], cmap="gray_r", vmin=0, vmax=255, interpolation="none")
            colour = INK if item.corrected is None else ACCENT
            axes.set_title(caption, fontsize=8.5, y=-0.06, va="top", linespacing=1.35, color=colour)
        return figure


def _caption(item: Misread, classes: Sequence[str]) -> str:
    truth, usual = _fitting(classes[item.truth]), _fitting(classes[item.usual])
    if item.corrected is not None:
        published = f"published {truth}\nre-labelled {_fitting(classes[item.corrected])}"
        return f"{published}\nread {usual}, {item.wrong}/{item.total}"
    separator = ", " if tuple(classes) == DIGITS else "\n"  # names are longer than a picture is wide
    return f"{truth}{separator}read {usual}\n{item.wrong} of {item.total}"


def _fitting(name: str) -> str:
    """Return a class's name, shortened to what fits below a picture; the description has it in full."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].rstrip()}…"


def draw_kernels(kernels: Kernels) -> Figure:
    """Draw the kernels of a network on one colour scale: red above 0, blue below, white at 0.

    Args:
        kernels: kernels of one network, from `first_kernels`.
    """
    with figure_style():
        figure, cells = new_grid(len(kernels.weights), 10, 0.62, gap=0.16)
        largest = np.abs(kernels.weights).max() or 1.0
        for axes, weights in zip(cells, kernels.weights, strict=True):
            axes.imshow(weights, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="none")
        return figure


def _positions(data: ErrorByLevel) -> np.ndarray:
    if data.scale == "category":
        return np.arange(len(data.levels), dtype=float)
    values = np.array(data.levels, float)
    return np.log2(values) if data.scale == "log" else values


def _level_width(positions: np.ndarray) -> float:
    """Return the width available to a level: the smallest distance of two, an eighth of the axis at most."""
    if len(positions) == 1:
        return 1.0
    closest = np.diff(np.sort(positions)).min()
    return min(closest, np.ptp(positions) / 8)

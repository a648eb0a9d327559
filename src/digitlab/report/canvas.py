"""Style, canvas, axes and legends of all figures, made with matplotlib's objects and no global state."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.errors import MissingExtraError

try:
    import matplotlib
    from matplotlib import style
    from matplotlib.colors import to_hex
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator
except ModuleNotFoundError as error:
    raise MissingExtraError("matplotlib", "report") from error

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACCENT = "#0b6e7f"
INK = "#24292e"
GREY = "#6b7680"
PALE = "#d9dee2"

# Applied on top of matplotlib's defaults.
STYLE: dict[str, Any] = {
    "font.size": 10.5,
    "text.color": INK,
    "text.parse_math": False,  # a level may hold a dollar sign
    "axes.facecolor": "none",
    "axes.edgecolor": GREY,
    "axes.titlesize": "medium",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": PALE,
    "grid.linewidth": 0.6,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "legend.title_fontsize": 9.5,
    "lines.solid_capstyle": "round",
}

WIDTH = 6.0  # inches
ERROR_RATIO = 4  # errors that span more than this factor are drawn on a logarithmic axis
LABEL_LENGTH = 24  # characters of a level's label that a figure shows
AXIS_LENGTH = 56  # characters that fit along an axis of WIDTH
_FULL_WIDTH = r"\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60\U0001f300-\U0003ffff"
"""Characters twice as wide as Latin letters; a line may break before and after each."""

LEGEND_LINES = 12  # entries of a legend at most; of more lines, evenly spaced ones are listed


def figure_style() -> AbstractContextManager[None]:
    """Return the context in which figures are made and saved, independent of the user's matplotlibrc."""
    return style.context(["default", STYLE])


def new_figure(panels: int, height: float) -> tuple[Figure, list[Axes]]:
    """Create a figure of panels side by side that share their vertical axis.

    Args:
        panels: number of panels.
        height: height of the figure, in inches.
    """
    figure = Figure((WIDTH, height), layout=ConstrainedLayoutEngine(wspace=0.05))
    return figure, list(figure.subplots(1, panels, sharey=True, squeeze=False)[0])


def new_grid(cells: int, across: int, height: float, gap: float = 0.02) -> tuple[Figure, list[Axes]]:
    """Create a figure of rows of small cells without axes; the last row may be shorter.

    Args:
        cells: number of cells.
        across: number of cells in a row of `WIDTH`.
        height: height of a row, in inches.
        gap: space between cells, as a share of a cell.
    """
    columns = min(across, cells)
    rows = -(-cells // columns)
    layout = ConstrainedLayoutEngine(wspace=gap, hspace=gap)
    figure = Figure((WIDTH * columns / across, height * rows), layout=layout)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    return figure, list(grid[:cells])


def colours(count: int) -> list[str]:
    """Return the colours of `count` lines: the accent colour for one, else a scale from dark to light."""
    if count == 1:
        return [ACCENT]
    # Without the palest end: it would vanish on a white page, and on a dark page, which inverts figures.
    return [to_hex(colour) for colour in matplotlib.colormaps["viridis"](np.linspace(0, 0.78, count))]


def level_axis(axes: Axes, positions: np.ndarray, labels: Sequence[str], *, words: bool) -> None:
    """Set a tick at each level; a label that would overlap an earlier one is left out.

    Args:
        axes: matplotlib axes whose horizontal axis is changed.
        positions: positions of the levels, float [levels].
        labels: tick labels, one per level.
        words: whether the levels are not numbers; labels that would overlap are then rotated first.
    """
    texts = [_short(label, LABEL_LENGTH) for label in labels]
    span = np.ptp(positions) or 1.0
    columns = AXIS_LENGTH * (positions - positions.min()) / span
    shown = _without_overlap(columns, [_cells(text) + 1.5 for text in texts])  # a label and a gap
    rotation: dict[str, Any] = {}
    if words and not shown.all():
        rotation = {"rotation": 35, "ha": "right"}
        shown = _without_overlap(columns, [2.0] * len(texts))  # the height of a line
    ticks = [text if is_shown else "" for text, is_shown in zip(texts, shown, strict=True)]
    axes.set_xticks(positions, ticks, **rotation)
    axes.xaxis.set_minor_locator(NullLocator())
    margin = 0.06 * span if len(positions) > 1 else 0.5
    axes.set_xlim(positions.min() - margin, positions.max() + margin)


def _without_overlap(centres: np.ndarray, widths: Sequence[float]) -> np.ndarray:
    """Select labels from left to right, each that begins after the last one ends: bool [labels]."""
    shown = np.zeros(len(centres), bool)
    end = -np.inf
    for i in np.argsort(centres):
        if centres[i] - widths[i] / 2 >= end:
            shown[i] = True
            end = centres[i] + widths[i] / 2
    return shown


def epoch_axis(axes: Axes, last: int) -> None:
    """Set ticks at whole epochs from 1 to `last`, at each one up to ten."""
    axes.set_xlabel("epoch")
    margin = max(0.5, 0.03 * last)
    axes.set_xlim(1 - margin, last + margin)
    if last <= 10:
        axes.xaxis.set_major_locator(FixedLocator(range(1, last + 1)))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def error_axis(axes: Axes, title: str, points: Iterable[float], ends: Iterable[float] = ()) -> None:
    """Scale the vertical axis to errors, logarithmic where they span more than a factor of `ERROR_RATIO`.

    Args:
        axes: matplotlib axes whose vertical axis is changed.
        title: title of the axis.
        points: errors that are drawn as points; nan is ignored.
        ends: ends of intervals; one far below the points may lie outside of a logarithmic axis.
    """
    positive = [value for value in points if value > 0]  # nan is not
    low, high = 0.0, 1.0
    if positive:
        low, high = min(positive), max(positive)
    is_log = high > ERROR_RATIO * low > 0
    lowest = low / 2 if is_log else 0.0
    within = [end for end in ends if end >= lowest]  # nan is not
    low, high = min([low, *within]), max([high, *within])
    if not is_log:
        margin = 0.06 * (high - low) or 0.1 * high  # the second where all errors are equal
        axes.set_ylim(max(0, low - margin), high + margin)
        axes.set_ylabel(title)
        return
    axes.set_ylabel(f"{title} (log scale)")
    axes.set_yscale("log", nonpositive="clip")
    axes.set_ylim(low / 1.15, high * 1.15)
    # Over a decade and more there are enough of the usual ticks; within one, more are needed.
    steps = (1, 2, 5) if high > 12 * low else (1, 1.5, 2, 3, 4, 5, 6, 8)
    axes.yaxis.set_major_locator(LogLocator(subs=steps))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def side_legend(figure: Figure, handles: Sequence[Any], labels: Sequence[str], title: str) -> None:
    """Add a legend to the right; of more than `LEGEND_LINES` lines, evenly spaced ones are listed."""
    count = min(len(labels), LEGEND_LINES)
    shown: list[int] = np.linspace(0, len(labels) - 1, count).round().astype(int).tolist()
    legend = figure.legend(
        [handles[i] for i in shown],
        [_short(labels[i], LABEL_LENGTH) for i in shown],
        title=wrapped(_short(title, 60), 16),
        loc="outside right upper",
        alignment="left",
    )
    legend.get_title().set_color(GREY)


def wrapped(title: str, width: int = AXIS_LENGTH) -> str:
    """Break a title between words into lines of `width` columns; a full-width character takes two."""
    lines = [""]
    for word in _words(title):
        line = lines[-1] + word
        if lines[-1] and _cells(line.rstrip()) > width:
            lines.append(word.lstrip())
        else:
            lines[-1] = line
    return "\n".join(line.rstrip() for line in lines)


def _words(text: str) -> list[str]:
    """Split text where a line may break: after spaces, and around full-width characters."""
    one_line = " ".join(text.split())
    return re.findall(rf"[{_FULL_WIDTH}]\s*|[^\s{_FULL_WIDTH}]+\s*", one_line)


def _cells(text: str) -> int:
    """Return the width of text in columns; a full-width character takes two."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide


def _short(label: str, length: int) -> str:
    if _cells(label) <= length:
        return label
    while _cells(label) >= length:  # one column is left for the ellipsis
        label = label[:-1]
    return label + "…"

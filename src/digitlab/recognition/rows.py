"""Layout of a page: the rows of writing, their components, and the line along which their middle runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from digitlab.recognition.components import Components, find_components, usual_height
from digitlab.recognition.ink import Ink
from digitlab.recognition.page import Page
from digitlab.recognition.page_artifacts import artifacts, remove_ruled_lines
from digitlab.recognition.row_grouping import PARAMETERS, RowParameters, group_units, join_torn, unit_box

MOST_COMPONENTS = 2_400
"""Largest number of components on a page that is read; more are print, a drawing or a texture."""
MOST_TALL = 600
"""Largest number of components that are as high as digits."""


@dataclass(frozen=True, eq=False)
class Row:
    """One line of writing, or a part of it that is apart from the rest.

    Attributes:
        members: indices of the row's components, those as high as digits from left to right, then the small
            ones.
        tall: number of members that are as high as digits.
        line: index of the row's line; 0 is the highest on the page.
        height: median height of the row's digits, in pixels of the page.
        xs: columns of the page, rising, float [n].
        ys: middle of the row at each of `xs`, in rows of the page, float [n]; it is straight between them.
        top: upper end of the ink relative to the middle, in pixels; negative if above.
        bottom: lower end of the ink relative to the middle, in pixels.
        left: first column of ink.
        right: column after the last one of ink.
    """

    members: tuple[int, ...]
    tall: int
    line: int
    height: float
    xs: np.ndarray
    ys: np.ndarray
    top: float
    bottom: float
    left: int
    right: int

    def middle(self, columns: np.ndarray | float) -> np.ndarray:
        """Return the middle of the row at columns of the page, in rows of the page."""
        return np.asarray(np.interp(columns, self.xs, self.ys))


@dataclass(frozen=True, eq=False)
class Layout:
    """The rows of a page, and what else is on it.

    Attributes:
        components: components of all ink but ruled lines.
        rows: rows of writing, in reading order.
        height: usual height of digits, in pixels.
        artifacts: kind of each component that is not writing, by its index.
        notes: sentences about what was left out.
        too_many: whether there are more components than on a page of digits; then there are no rows.
    """

    components: Components
    rows: tuple[Row, ...]
    height: float
    artifacts: dict[int, str]
    notes: tuple[str, ...]
    too_many: bool = False


def find_rows(page: Page, parameters: RowParameters = PARAMETERS) -> Layout:
    """Find the rows of a page.

    Args:
        page: the page with its ink.
        parameters: thresholds of the grouping.
    """
    ink = page.ink
    first = find_components(ink.sure, 3)
    mask, ruled = remove_ruled_lines(ink.sure | ink.pale, ink.stroke_width, _first_height(first, ink))
    components = find_components(mask, 3)
    notes = ["lines of squared paper left out"] if ink.has_net else []
    notes += [f"{ruled} ruled line{'s' * (ruled > 1)} left out"] if ruled else []
    if len(components) > MOST_COMPONENTS:
        return Layout(components, (), usual_height(components), {}, tuple(notes), too_many=True)
    is_sure = _sure(components, ink.sure)
    height = usual_height(components, is_sure) if is_sure.any() else 0.0
    if not height:
        return Layout(components, (), 0.0, {}, tuple(notes))
    known = artifacts(components, mask.shape, height)
    writing = is_sure.copy()
    writing[list(known)] = False
    if not writing.any():  # artifacts stand beside writing: without any other ink there are none
        known, writing = {}, is_sure.copy()
    notes += [
        f"{kind}: {count} left out"
        for kind in dict.fromkeys(known.values())
        if (count := list(known.values()).count(kind))
    ]
    height = _height_when_joined(components, _without_bars(components, writing, parameters), parameters)
    tall = writing & (components.heights >= parameters.tall * height)
    upright = (components.heights > 0.75 * height) | (
        components.widths < parameters.flat * components.heights
    )
    tall = tall & upright if (tall & upright).any() else tall
    units = _units(components, np.flatnonzero(tall), height, parameters)
    if len(units) > MOST_TALL:
        return Layout(components, (), height, known, tuple(notes), too_many=True)
    if not units:  # only lying strokes
        units = [[int(index)] for index in np.flatnonzero(writing & (components.widths >= height))]
    groups = [_Group(tuple(line)) for line in group_units(components, units, height, parameters)]
    groups, patterns = _without_patterns(components, groups, mask.shape, parameters)
    if patterns and not groups:
        groups = _pale_lines(components, is_sure, parameters)
        groups, patterns = (groups, patterns) if groups else (patterns, [])
    if patterns:
        notes.append("a pattern along the edge left out")
        known |= {index: "pattern" for group in patterns for index in group.tall}
    groups = _with_the_rest(components, groups, is_sure, known, parameters)
    rows = [
        _row(components, part, line, parameters)
        for line, group in enumerate(groups)
        for part in _parts(components, group, parameters)
    ]
    return Layout(components, tuple(rows), height, known, tuple(notes))


def _first_height(components: Components, ink: Ink) -> float:
    """Estimate the height of writing from all but nets of lines over the page, or else from the strokes."""
    rows, columns = ink.sure.shape
    nets = (components.widths > 0.6 * columns) & (components.heights > 0.6 * rows)
    if nets.all():
        return min(10 * ink.stroke_width, usual_height(components))
    return usual_height(components, ~nets)


@dataclass(frozen=True)
class _Group:
    """Indices of the components of a line: those as high as digits from left to right, and the small ones."""

    tall: tuple[int, ...]
    small: tuple[int, ...] = ()


def _sure(components: Components, sure: np.ndarray) -> np.ndarray:
    """Return which components are sure ink, bool [n]."""
    counts = np.bincount(components.labels[sure > 0], minlength=len(components) + 1)[1:]
    return counts > 0.3 * components.areas


def _without_bars(components: Components, writing: np.ndarray, parameters: RowParameters) -> np.ndarray:
    """Leave out lying bars, such as that of a 5, if there is something higher to measure."""
    bars = writing & (components.widths >= parameters.flat * components.heights)
    rest = writing & ~bars
    highest = components.heights[rest].max(initial=0)
    return writing & ~(bars & (components.heights < 0.75 * highest))


def _height_when_joined(components: Components, writing: np.ndarray, parameters: RowParameters) -> float:
    """Estimate the usual height of digits after joining torn ones, if there are few components."""
    if np.count_nonzero(writing) > parameters.few:
        return usual_height(components, writing)
    indices = np.flatnonzero(writing)
    units = join_torn(components, indices, np.inf, parameters)
    whole = [components.heights[unit[0]] for unit in units if len(unit) == 1]
    if whole and len(whole) < len(units):  # whole digits limit the height of a torn one
        units = join_torn(components, indices, parameters.together * float(max(whole)), parameters)
    boxes = [unit_box(components, unit) for unit in units]
    heights = np.array([box[3] - box[1] for box in boxes], float)
    areas = np.array([components.areas[unit].sum() for unit in units])
    order = np.argsort(heights)
    total = np.cumsum(areas[order])
    return float(heights[order][np.searchsorted(total, total[-1] / 2)])


def _units(
    components: Components, tall: np.ndarray, height: float, parameters: RowParameters
) -> list[list[int]]:
    """Return the components of each digit, those of torn ones joined."""
    return (
        join_torn(components, tall, parameters.together * height, parameters)
        if len(tall) <= MOST_TALL
        else [[int(index)] for index in tall]
    )


def _without_patterns(
    components: Components, groups: list[_Group], size: tuple[int, ...], parameters: RowParameters
) -> tuple[list[_Group], list[_Group]]:
    """Separate writing from patterns of solid ink that an edge of the page cuts off."""
    kept, patterns = [], []
    for group in groups:
        boxes = components.boxes[list(group.tall)]
        cut_off = components.cut_off(group.tall, size)
        width, height = (boxes[:, 2:] - boxes[:, :2]).T
        solid = np.median(components.areas[list(group.tall)] / (width * height))
        is_pattern = len(boxes) >= parameters.pattern and cut_off >= 0.5 and solid >= parameters.solid
        (patterns if is_pattern else kept).append(group)
    return kept, patterns


def _pale_lines(components: Components, is_sure: np.ndarray, parameters: RowParameters) -> list[_Group]:
    """Group pale ink into lines, for pages whose darker ink is not writing."""
    pale = ~is_sure
    height = usual_height(components, pale) if pale.any() else 0.0
    tall = np.flatnonzero(pale & (components.heights >= max(parameters.tall * height, 1)))
    if not 0 < len(tall) <= MOST_TALL:
        return []
    units = [[int(index)] for index in tall]
    return [_Group(tuple(line)) for line in group_units(components, units, height, parameters)]


def _with_the_rest(
    components: Components,
    groups: list[_Group],
    is_sure: np.ndarray,
    known: dict[int, str],
    parameters: RowParameters,
) -> list[_Group]:
    """Add small ink to the line in or beside which it stands, and pale digits to their line."""
    taken = {index for group in groups for index in group.tall} | set(known)
    rest = [index for index in range(len(components)) if index not in taken]
    while True:  # a pale digit that extends its line may bring another one within reach
        rows = [_row(components, group, 0, parameters) for group in groups]
        found = {
            index: best
            for index in rest
            if (best := _nearest(components, index, rows, bool(is_sure[index]), parameters)) is not None
        }
        groups = [
            _extended(
                components, group, [index for index, best in found.items() if best == number], parameters
            )
            for number, group in enumerate(groups)
        ]
        rest = [index for index in rest if index not in found]
        if not found or not rest:
            return groups


def _extended(components: Components, group: _Group, more: list[int], parameters: RowParameters) -> _Group:
    """Return a line with more components; those as high as its digits count as digits, too."""
    if not more:
        return group
    height = float(np.median(components.heights[list(group.tall)]))
    low, high = parameters.pale
    tall = [index for index in more if low <= components.heights[index] / height <= high]
    small = [index for index in more if index not in tall]
    return _Group(
        tuple(sorted([*group.tall, *tall], key=lambda index: components.boxes[index, 0])),
        (*group.small, *small),
    )


def _nearest(
    components: Components, index: int, rows: Sequence[Row], is_sure: bool, parameters: RowParameters
) -> int | None:
    left, top, right, bottom = components.boxes[index].tolist()
    best, least = None, np.inf
    for number, row in enumerate(rows):
        height = row.height
        size = max(right - left, bottom - top)
        if size < parameters.speck * height and not (row.left <= left and right <= row.right):
            continue
        reach = (parameters.beside if is_sure else parameters.apart) * height
        aside = max(row.left - right, left - row.right, 0)
        middle = float(row.middle((left + right) / 2))
        down = max(middle + row.top - bottom, top - middle - row.bottom, 0)
        is_bar = right - left > 0.3 * height
        most = parameters.above * height if is_bar and is_sure else 0.25 * height
        if not is_sure and not parameters.pale[0] * height <= bottom - top <= parameters.pale[1] * height:
            most = 0.0
        if aside <= reach and down <= most and aside + 2 * down < least:
            best, least = number, aside + 2 * down
    return best


def _parts(components: Components, group: _Group, parameters: RowParameters) -> list[_Group]:
    """Split a line at its wide gaps."""
    if not group.tall:
        return [group] if group.small else []
    height = float(np.median(components.heights[list(group.tall)]))
    everything = sorted([*group.tall, *group.small], key=lambda index: components.boxes[index, 0])
    parts: list[list[int]] = [[everything[0]]]
    end = int(components.boxes[everything[0], 2])
    for index in everything[1:]:
        if components.boxes[index, 0] - end > parameters.apart * height:
            parts.append([])
        parts[-1].append(index)
        end = max(end, int(components.boxes[index, 2]))
    tall = set(group.tall)
    return [
        _Group(tuple(i for i in part if i in tall), tuple(i for i in part if i not in tall)) for part in parts
    ]


def _row(components: Components, group: _Group, line: int, parameters: RowParameters) -> Row:
    members = [*group.tall, *group.small]
    leading = list(group.tall) or members
    boxes = components.boxes[leading].astype(float)
    height = float(np.median(boxes[:, 3] - boxes[:, 1])) if group.tall else float(boxes[:, 2:].max())
    height = max(height, 1.0)
    xs, ys = _middle(boxes, height, parameters)
    everything = components.boxes[members].astype(float)
    at_left, at_right = np.interp(everything[:, 0], xs, ys), np.interp(everything[:, 2], xs, ys)
    level = (at_left + at_right) / 2
    tops, bottoms = everything[:, 1] - level, everything[:, 3] - level
    top, bottom = float(tops.min()), float(bottoms.max())
    if len(group.tall) >= parameters.outvoted:
        # What sticks out far is a line that touches a digit.
        most = parameters.sticks_out * height
        top = max(top, float(np.quantile(tops[: len(leading)], 0.25)) - most)
        bottom = min(bottom, float(np.quantile(bottoms[: len(leading)], 0.75)) + most)
    left, right = int(everything[:, 0].min()), int(everything[:, 2].max())
    return Row(tuple(members), len(group.tall), line, height, xs, ys, top, bottom, left, right)


def _middle(boxes: np.ndarray, height: float, parameters: RowParameters) -> tuple[np.ndarray, np.ndarray]:
    """Fit the middle of a row: level, else straight, else bent, else from digit to digit."""
    order = np.argsort(boxes[:, 0])
    boxes = boxes[order]
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    ends = np.array([boxes[:, 0].min(), max(boxes[:, 2].max(), boxes[:, 0].min() + 1)])
    most = parameters.straight * height
    # A level line is tried first: digits of different heights, or that reach below, do not make a slope.
    for degree, fewest in ((0, 1), (1, 2), (2, 5), (3, 7)):
        if len(x) < fewest:
            break
        if degree and np.ptp(x) < height:
            break
        scaled = (x - x.mean()) / max(float(np.ptp(x)), 1.0)
        fit = np.polynomial.polynomial.polyfit(scaled, y, degree)
        if degree and np.abs(np.diff(y)).max() > parameters.steepest * max(float(np.ptp(x)), 1.0):
            continue
        if np.abs(np.polynomial.polynomial.polyval(scaled, fit) - y).max() <= most * (
            0.8 if not degree else 1
        ):
            at = np.linspace(float(ends[0]), float(ends[1]), 2 if degree < 2 else 33)
            place = (at - x.mean()) / max(float(np.ptp(x)), 1.0)
            return at, np.polynomial.polynomial.polyval(place, fit)
    knots_x, knots_y = [], []
    for box, middle in zip(boxes, y, strict=True):
        start = max(box[0], knots_x[-1] + 1e-3) if knots_x else box[0]
        knots_x += [start, max(box[2], start + 1e-3)]
        knots_y += [middle, middle]
    return np.array(knots_x), np.array(knots_y)


def page_as_row(layout: Layout, size: tuple[int, ...]) -> Row:
    """Return the whole page as one row, for faint or blurred writing whose ink was not found.

    Args:
        layout: the page's layout; all its components but artifacts become the row's.
        size: the page's size: rows, columns.
    """
    members = tuple(index for index in range(len(layout.components)) if index not in layout.artifacts)
    middle = size[0] / 2
    ends, level = np.array([0.0, size[1]]), np.full(2, middle)
    height = max(layout.height, 0.6 * size[0])
    return Row(members, len(members), 0, height, ends, level, -middle, size[0] - middle, 0, size[1])


def whole_picture(row: Row, size: tuple[int, ...], share: float = 0.4, most: float = 0.6) -> Row:
    """Extend the only row of a page to its edges if it is a picture of a row, so that no ink is cut off.

    Args:
        row: the only row.
        size: the page's size: rows, columns.
        share: share of the page's height from which the row is extended to the left and right edges.
        most: share of the page's height from which a level row is extended to the upper and lower edges, too.
    """
    tall = row.bottom - row.top
    if tall < share * size[0]:
        return row
    row = replace(row, left=0, right=size[1])
    if np.ptp(row.ys) > 0.05 * row.height or tall < most * size[0]:
        return row
    middle = float(row.middle(np.array([row.left, row.right])).mean())
    return replace(row, top=-middle, bottom=size[0] - middle)

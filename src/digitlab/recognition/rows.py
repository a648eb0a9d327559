"""Layout of a page: the rows of writing, their components, and the line along which their middle runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import polynomial

from digitlab.recognition.components import Components, find_components, usual_height
from digitlab.recognition.ink import Ink
from digitlab.recognition.page import Page
from digitlab.recognition.page_artifacts import artifacts, remove_ruled_lines
from digitlab.recognition.row_grouping import PARAMETERS, RowParameters, group_units, join_torn, unit_box

MOST_COMPONENTS = 2_400
"""Largest number of components on a page that is read; more are print, a drawing or a texture."""
MOST_TALL = 600
"""Largest number of components that are as high as digits."""
_SMALLEST_COMPONENT = 3  # pixels: fewer are specks


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
    sure_components = find_components(ink.sure, _SMALLEST_COMPONENT)
    height = _first_height(sure_components, ink)
    mask, line_count = remove_ruled_lines(ink.sure | ink.pale, ink.stroke_width, height)
    components = find_components(mask, _SMALLEST_COMPONENT)
    notes = _notes_of_lines(ink, line_count)
    if len(components) > MOST_COMPONENTS:
        return Layout(components, (), usual_height(components), {}, tuple(notes), too_many=True)
    is_sure = _sure(components, ink.sure)
    height = usual_height(components, is_sure) if is_sure.any() else 0.0
    if not height:
        return Layout(components, (), 0.0, {}, tuple(notes))
    kinds = artifacts(components, mask.shape, height)
    is_writing = is_sure.copy()
    is_writing[list(kinds)] = False
    if not is_writing.any():  # artifacts stand beside writing: without any other ink there are none
        kinds, is_writing = {}, is_sure.copy()
    notes += [f"{kind}: {count} left out" for kind, count in Counter(kinds.values()).items()]
    height = _height_when_joined(components, _without_bars(components, is_writing, parameters), parameters)
    units = _tall_units(components, is_writing, height, parameters)
    if len(units) > MOST_TALL:
        return Layout(components, (), height, kinds, tuple(notes), too_many=True)
    if not units:  # only lying strokes
        lying = np.flatnonzero(is_writing & (components.widths >= height))
        units = [[i] for i in lying.tolist()]
    groups = [_Group(tuple(line)) for line in group_units(components, units, height, parameters)]
    groups, patterns = _without_patterns(components, groups, mask.shape, parameters)
    if patterns and not groups:
        # The writing may be paler than the pattern; if there is none, the pattern is read after all.
        groups = _pale_lines(components, is_sure, parameters)
        if not groups:
            groups, patterns = patterns, []
    if patterns:
        notes.append("a pattern along the edge left out")
        kinds |= {i: "pattern" for group in patterns for i in group.tall}
    groups = _with_the_rest(components, groups, is_sure, kinds, parameters)
    rows = []
    for line, group in enumerate(groups):
        rows += [_row(components, part, line, parameters) for part in _parts(components, group, parameters)]
    return Layout(components, tuple(rows), height, kinds, tuple(notes))


def _notes_of_lines(ink: Ink, line_count: int) -> list[str]:
    notes = []
    if ink.has_net:
        notes.append("lines of squared paper left out")
    if line_count:
        notes.append(f"{line_count} ruled line{'s' * (line_count > 1)} left out")
    return notes


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
    heights_of_whole = [components.heights[unit[0]] for unit in units if len(unit) == 1]
    if heights_of_whole and len(heights_of_whole) < len(units):
        # Whole digits limit the height of a torn one.
        highest = parameters.together * float(max(heights_of_whole))
        units = join_torn(components, indices, highest, parameters)
    boxes = [unit_box(components, unit) for unit in units]
    heights = np.array([bottom - top for _, top, _, bottom in boxes], float)
    areas = np.array([components.areas[unit].sum() for unit in units])
    # The median weighted by area: half of the ink is in digits as high or lower.
    order = np.argsort(heights)
    total = np.cumsum(areas[order])
    return float(heights[order][np.searchsorted(total, total[-1] / 2)])


def _tall_units(
    components: Components, writing: np.ndarray, height: float, parameters: RowParameters
) -> list[list[int]]:
    """Return the components of each digit, those of torn ones joined."""
    is_tall = writing & (components.heights >= parameters.tall * height)
    is_lying = components.widths >= parameters.flat * components.heights
    is_upright = (components.heights > 0.75 * height) | ~is_lying
    if (is_tall & is_upright).any():
        is_tall &= is_upright
    tall = np.flatnonzero(is_tall)
    if len(tall) > MOST_TALL:  # joining compares each with each
        return [[i] for i in tall.tolist()]
    return join_torn(components, tall, parameters.together * height, parameters)


def _without_patterns(
    components: Components, groups: list[_Group], size: tuple[int, ...], parameters: RowParameters
) -> tuple[list[_Group], list[_Group]]:
    """Separate writing from patterns of solid ink that an edge of the page cuts off."""
    kept, patterns = [], []
    for group in groups:
        tall = list(group.tall)
        cut_off = components.cut_off(tall, size)
        box_areas = components.widths[tall] * components.heights[tall]
        solidity = np.median(components.areas[tall] / box_areas)
        if len(tall) >= parameters.pattern and cut_off >= 0.5 and solidity >= parameters.solid:
            patterns.append(group)
        else:
            kept.append(group)
    return kept, patterns


def _pale_lines(components: Components, is_sure: np.ndarray, parameters: RowParameters) -> list[_Group]:
    """Group pale ink into lines, for pages whose darker ink is not writing."""
    pale = ~is_sure
    height = usual_height(components, pale) if pale.any() else 0.0
    tall = np.flatnonzero(pale & (components.heights >= max(parameters.tall * height, 1)))
    if not 0 < len(tall) <= MOST_TALL:
        return []
    units = [[i] for i in tall.tolist()]
    return [_Group(tuple(line)) for line in group_units(components, units, height, parameters)]


def _with_the_rest(
    components: Components,
    groups: list[_Group],
    is_sure: np.ndarray,
    artifact_kinds: dict[int, str],
    parameters: RowParameters,
) -> list[_Group]:
    """Add small ink to the line in or beside which it stands, and pale digits to their line."""
    assigned = set(artifact_kinds)
    for group in groups:
        assigned.update(group.tall)
    rest = [i for i in range(len(components)) if i not in assigned]
    while True:  # a pale digit that extends its line may bring another one within reach
        rows = [_row(components, group, 0, parameters) for group in groups]
        additions: list[list[int]] = [[] for _ in groups]
        left_over = []
        for i in rest:
            nearest = _nearest(components, i, rows, bool(is_sure[i]), parameters)
            if nearest is None:
                left_over.append(i)
            else:
                additions[nearest].append(i)
        groups = [
            _extended(components, group, more, parameters)
            for group, more in zip(groups, additions, strict=True)
        ]
        if not left_over or len(left_over) == len(rest):
            return groups
        rest = left_over


def _extended(components: Components, group: _Group, more: list[int], parameters: RowParameters) -> _Group:
    """Return a line with more components; those as high as its digits count as digits, too."""
    if not more:
        return group
    height = float(np.median(components.heights[list(group.tall)]))
    low, high = parameters.pale
    more_tall = [i for i in more if low <= components.heights[i] / height <= high]
    more_small = [i for i in more if i not in more_tall]
    tall = sorted([*group.tall, *more_tall], key=lambda i: components.boxes[i, 0])
    return _Group(tuple(tall), (*group.small, *more_small))


def _nearest(
    components: Components, index: int, rows: Sequence[Row], is_sure: bool, parameters: RowParameters
) -> int | None:
    """Return the index of the nearest row within whose reach a component is; None if there is none."""
    left, top, right, bottom = components.boxes[index].tolist()
    size = max(right - left, bottom - top)
    nearest, least = None, np.inf
    for i, row in enumerate(rows):
        height = row.height
        is_within = row.left <= left and right <= row.right
        if size < parameters.speck * height and not is_within:
            continue
        reach = (parameters.beside if is_sure else parameters.apart) * height
        aside = max(row.left - right, left - row.right, 0)
        middle = float(row.middle((left + right) / 2))
        # Distance above or below the row's ink.
        away = max(middle + row.top - bottom, top - middle - row.bottom, 0)
        is_bar = right - left > 0.3 * height
        most_away = parameters.above * height if is_bar and is_sure else 0.25 * height
        low, high = parameters.pale
        if not is_sure and not low * height <= bottom - top <= high * height:
            most_away = 0.0
        if aside <= reach and away <= most_away and aside + 2 * away < least:
            nearest, least = i, aside + 2 * away
    return nearest


def _parts(components: Components, group: _Group, parameters: RowParameters) -> list[_Group]:
    """Split a line at its wide gaps."""
    if not group.tall:
        return [group] if group.small else []
    height = float(np.median(components.heights[list(group.tall)]))
    members = sorted([*group.tall, *group.small], key=lambda i: components.boxes[i, 0])
    parts: list[list[int]] = [[]]
    end = int(components.boxes[members[0], 2])
    for i in members:
        left, _, right, _ = components.boxes[i].tolist()
        if left - end > parameters.apart * height:
            parts.append([])
        parts[-1].append(i)
        end = max(end, right)
    groups = []
    all_tall = set(group.tall)
    for part in parts:
        tall = tuple(i for i in part if i in all_tall)
        small = tuple(i for i in part if i not in all_tall)
        groups.append(_Group(tall, small))
    return groups


def _row(components: Components, group: _Group, line: int, parameters: RowParameters) -> Row:
    members = [*group.tall, *group.small]
    leading = list(group.tall) or members
    leading_boxes = components.boxes[leading].astype(float)
    if group.tall:
        height = float(np.median(leading_boxes[:, 3] - leading_boxes[:, 1]))
    else:
        height = float((leading_boxes[:, 2:] - leading_boxes[:, :2]).max())
    height = max(height, 1.0)
    xs, ys = _middle(leading_boxes, height, parameters)
    lefts, tops, rights, bottoms = components.boxes[members].astype(float).T
    middle = (np.interp(lefts, xs, ys) + np.interp(rights, xs, ys)) / 2
    tops, bottoms = tops - middle, bottoms - middle
    top, bottom = float(tops.min()), float(bottoms.max())
    if len(group.tall) >= parameters.outvoted:
        # What sticks out far is a line that touches a digit.
        most = parameters.sticks_out * height
        top = max(top, float(np.quantile(tops[: len(leading)], 0.25)) - most)
        bottom = min(bottom, float(np.quantile(bottoms[: len(leading)], 0.75)) + most)
    left, right = int(lefts.min()), int(rights.max())
    return Row(tuple(members), len(group.tall), line, height, xs, ys, top, bottom, left, right)


def _middle(boxes: np.ndarray, height: float, parameters: RowParameters) -> tuple[np.ndarray, np.ndarray]:
    """Fit the middle of a row: level, else straight, else bent, else from digit to digit."""
    order = np.argsort(boxes[:, 0])
    boxes = boxes[order]
    lefts, tops, rights, bottoms = boxes.T
    x, y = (lefts + rights) / 2, (tops + bottoms) / 2
    mean, spread = x.mean(), max(float(np.ptp(x)), 1.0)
    scaled = (x - mean) / spread
    most = parameters.straight * height
    # A level line is tried first: digits of different heights, or that reach below, do not make a slope.
    for degree, fewest in ((0, 1), (1, 2), (2, 5), (3, 7)):
        if len(x) < fewest:
            break
        if degree and np.ptp(x) < height:
            break
        if degree and np.abs(np.diff(y)).max() > parameters.steepest * spread:
            continue
        fit = polynomial.polyfit(scaled, y, degree)
        deviation = np.abs(polynomial.polyval(scaled, fit) - y).max()
        if deviation <= (most if degree else 0.8 * most):
            left = float(lefts.min())
            right = max(float(rights.max()), left + 1)
            xs = np.linspace(left, right, 2 if degree < 2 else 33)
            return xs, polynomial.polyval((xs - mean) / spread, fit)
    xs, ys = [], []
    for left, right, middle in zip(lefts, rights, y, strict=True):
        # Columns must rise, and digits may overlap.
        start = max(left, xs[-1] + 1e-3) if xs else left
        xs += [start, max(right, start + 1e-3)]
        ys += [middle, middle]
    return np.array(xs), np.array(ys)


def page_as_row(layout: Layout, size: tuple[int, ...]) -> Row:
    """Return the whole page as one row, for faint or blurred writing whose ink was not found.

    Args:
        layout: the page's layout; all its components but artifacts become the row's.
        size: the page's size: rows, columns.
    """
    rows, columns = size
    members = tuple(i for i in range(len(layout.components)) if i not in layout.artifacts)
    middle = rows / 2
    xs, ys = np.array([0.0, columns]), np.full(2, middle)
    height = max(layout.height, 0.6 * rows)
    return Row(members, len(members), 0, height, xs, ys, -middle, rows - middle, 0, columns)


def whole_picture(row: Row, size: tuple[int, ...], share: float = 0.4, most: float = 0.6) -> Row:
    """Extend the only row of a page to its edges if it is a picture of a row, so that no ink is cut off.

    Args:
        row: the only row.
        size: the page's size: rows, columns.
        share: share of the page's height from which the row is extended to the left and right edges.
        most: share of the page's height from which a level row is extended to the upper and lower edges, too.
    """
    rows, columns = size
    ink_height = row.bottom - row.top
    if ink_height < share * rows:
        return row
    row = replace(row, left=0, right=columns)
    is_level = np.ptp(row.ys) <= 0.05 * row.height
    if not is_level or ink_height < most * rows:
        return row
    middle = float(row.middle(np.array([row.left, row.right])).mean())
    return replace(row, top=-middle, bottom=rows - middle)

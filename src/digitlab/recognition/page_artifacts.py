"""Artifacts of a page that are not writing: ruled lines, underlines, frames, borders.

Nothing is erased from the page that is read. Artifacts are removed from the mask in which rows are found, and
only on evidence: a ruled line has no gaps, unlike a row of bars, and is far longer than digits are high,
unlike a 1.
"""

# OpenCV's annotations reject scalar arguments, and declare its masks and labels as arrays of floats.
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from digitlab.recognition.components import Components


@dataclass(frozen=True)
class ArtifactParameters:
    """Thresholds of the detection of artifacts.

    Attributes:
        smallest: shorter side in pixels of the smallest page on which ruled lines are looked for.
        span: length of a ruled line, at least, as a share of the page's side along it.
        across: length from which a line counts though it is one of few, as a share of the page's side.
        alike: difference between the ends of two sides of a frame, at most, as a share of the page's side.
        many: number of lines in one direction from which weaker ones are accepted, too.
        heights: length of a ruled line, at least, in heights of the writing; a shorter one may be a stroke.
        covered: share of a ruled line's columns that have ink, at least.
        vouched_span: limit in place of `span` where there are many lines.
        vouched_heights: limit in place of `heights` where there are many lines.
        vouched_covered: limit in place of `covered` where there are many lines.
        bend: deviation of a line from straight, at most: pixels, and a share of its length that is added.
        thickest: thickness of a line, at most, in stroke widths.
        border: thickness of a border, at most, as a share of the page's side across it.
        underline: length of an underline, at least, in heights of the writing.
    """

    smallest: int = 48
    span: float = 0.5
    across: float = 0.9
    alike: float = 0.03
    many: int = 3
    heights: float = 2.5
    covered: float = 0.97
    vouched_span: float = 0.1
    vouched_heights: float = 1.2
    vouched_covered: float = 0.7
    bend: tuple[float, float] = (1.0, 0.004)
    thickest: float = 1.5
    border: float = 0.1
    underline: float = 1.5


PARAMETERS = ArtifactParameters()


@dataclass(frozen=True, eq=False)
class Line:
    """A ruled line along the rows of a mask.

    Attributes:
        area: mask of the line within its box, uint8 [h, w].
        box: rows and columns of the box.
        thickness: median thickness of the line, in pixels.
    """

    area: np.ndarray
    box: tuple[slice, slice]
    thickness: float


def remove_ruled_lines(
    mask: np.ndarray, stroke_width: float, height: float, parameters: ArtifactParameters = PARAMETERS
) -> tuple[np.ndarray, int]:
    """Remove ruled lines from a mask, but not the strokes that cross them.

    Args:
        mask: mask of ink and lines, uint8 [h, w].
        stroke_width: usual width of strokes, in pixels.
        height: height of the writing, in pixels.
        parameters: thresholds of the detection.

    Returns:
        The mask without the lines, and the number of lines.
    """
    if min(mask.shape) < parameters.smallest:
        return mask, 0
    mask, lying = _remove_lying(mask, stroke_width, height, parameters)
    transposed, upright = _remove_lying(cv2.transpose(mask), stroke_width, height, parameters)
    if upright:
        mask = cv2.transpose(transposed)
    return mask, lying + upright


def _remove_lying(
    mask: np.ndarray, stroke_width: float, height: float, parameters: ArtifactParameters
) -> tuple[np.ndarray, int]:
    """Remove the lines that lie, and return the mask without them, and their number."""
    columns = mask.shape[1]
    shortest = max(parameters.span * columns, parameters.heights * height)
    lines = _lines(mask, stroke_width, shortest, parameters.covered, parameters)
    if len(lines) >= parameters.many:
        # On ruled paper, shorter lines are what shadows and writing leave of long ones.
        shortest = max(parameters.vouched_span * columns, parameters.vouched_heights * height)
        lines = _lines(mask, stroke_width, shortest, parameters.vouched_covered, parameters)
    else:
        long = parameters.across * columns
        near = parameters.alike * columns
        lines = [line for line in lines if line.area.shape[1] >= long or _has_twin(line, lines, near)]
    if not lines:
        return mask, 0
    rest = mask.copy()
    band = np.zeros_like(mask)
    for line in lines:
        # Ink that is higher than the line is thick is a stroke that crosses it.
        crossing = np.ones((round(line.thickness) + 3, 1), np.uint8)
        strokes = cv2.morphologyEx(mask[line.box], cv2.MORPH_OPEN, crossing)
        own = cv2.dilate(line.area, np.ones((3, 1), np.uint8))
        rest[line.box][(own > 0) & (strokes == 0)] = 0
        np.maximum(band[line.box], own, out=band[line.box])
    # Components that lie wholly within the band of a line are remains of it.
    count, labels = cv2.connectedComponents(rest, connectivity=8, ltype=cv2.CV_32S)
    band = cv2.dilate(band, np.ones((5, 1), np.uint8))
    reaches_beyond = np.bincount(labels[band == 0], minlength=count) > 0
    reaches_beyond[0] = False  # the background
    return reaches_beyond[labels].view(np.uint8), len(lines)


def _has_twin(line: Line, lines: list[Line], near: float) -> bool:
    """Return whether another line begins and ends where this one does: two sides of a frame."""
    _, columns = line.box
    for other in lines:
        _, other_columns = other.box
        begins_there = abs(other_columns.start - columns.start) < near
        ends_there = abs(other_columns.stop - columns.stop) < near
        if other is not line and begins_there and ends_there:
            return True
    return False


def _lines(
    mask: np.ndarray, stroke_width: float, shortest: float, covered: float, parameters: ArtifactParameters
) -> list[Line]:
    """Find the ruled lines along the rows of a mask.

    Args:
        mask: mask of ink and lines.
        stroke_width: usual width of strokes, in pixels.
        shortest: length of a line, at least, in pixels.
        covered: share of a line's columns that have ink, at least.
        parameters: thresholds of the detection.
    """
    if _ink_width(mask) < shortest:  # decided without the operations below, which take longer
        return []
    # What is thicker than a line is a stroke, and what is left are thin things.
    thicker = np.ones((round(parameters.thickest * stroke_width) + 3, 1), np.uint8)
    thin = mask - cv2.morphologyEx(mask, cv2.MORPH_OPEN, thicker)
    # Strokes that cross a line were removed with part of it; a closing bridges their width.
    bridge = np.ones((1, 2 * round(stroke_width) + 3), np.uint8)
    joined = cv2.morphologyEx(thin, cv2.MORPH_CLOSE, bridge)
    # A line that is not quite level steps from row to row: made thicker, its runs overlap.
    joined = cv2.dilate(joined, np.ones((3, 1), np.uint8))
    shortest_run = max(12, mask.shape[1] // 24, round(2.5 * stroke_width))
    runs = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, shortest_run), np.uint8))
    if _ink_width(runs) < shortest:
        return []
    _, labels, stats, _ = cv2.connectedComponentsWithStats(runs, connectivity=8, ltype=cv2.CV_32S)
    lines = []
    for label in np.flatnonzero(stats[1:, cv2.CC_STAT_WIDTH] >= shortest) + 1:
        left, top, width, height = stats[label, :4].tolist()
        box = slice(max(0, top - 1), top + height + 1), slice(left, left + width)
        area = (labels[box] == label).view(np.uint8)
        line = _measure(area, box, mask[box], covered, parameters)
        if line is not None:
            lines.append(line)
    return lines


def _ink_width(mask: np.ndarray) -> int:
    """Return the width of the box around all ink, in pixels."""
    _, _, width, _ = cv2.boundingRect(mask)
    return width


def _measure(
    area: np.ndarray,
    box: tuple[slice, slice],
    mask: np.ndarray,
    covered: float,
    parameters: ArtifactParameters,
) -> Line | None:
    """Return an area as a line, or None if it is not straight or has gaps."""
    inked = area & mask
    thickness = np.count_nonzero(inked, axis=0)
    columns = np.flatnonzero(thickness)
    if len(columns) < covered * len(thickness):
        return None
    row_numbers = np.arange(len(inked), dtype=np.float32)[:, None]
    middles = (inked * row_numbers).sum(axis=0)[columns] / thickness[columns]
    slope, start = np.polyfit(columns, middles, 1)
    deviations = np.abs(middles - slope * columns - start)
    most, share = parameters.bend
    if np.quantile(deviations, 0.8) > most + share * len(thickness):
        return None
    return Line(area, box, float(np.median(thickness[columns])))


def artifacts(
    components: Components,
    size: tuple[int, ...],
    height: float,
    parameters: ArtifactParameters = PARAMETERS,
) -> dict[int, str]:
    """Find the components that are frames, borders and underlines.

    Args:
        components: the page's components.
        size: the page's size: rows, columns.
        height: height of the writing, in pixels.
        parameters: thresholds of the detection.

    Returns:
        Kind of each artifact, "frame", "border" or "underline", by the index of its component.
    """
    boxes, heights, widths = components.boxes, components.heights, components.widths
    kinds: dict[int, str] = {}
    large = np.flatnonzero((heights > 1.2 * height) | (widths > parameters.underline * height)).tolist()
    for i in large:
        starts_inside = (boxes[:, :2] > boxes[i, :2]).all(axis=1)
        ends_inside = (boxes[:, 2:] < boxes[i, 2:]).all(axis=1)
        is_writing = heights > 0.33 * min(height, heights[i])
        has_content = (starts_inside & ends_inside & is_writing).any()
        if has_content and _is_hollow(components, i):
            kinds[i] = "frame"
        elif _is_border(components, i, size, height, parameters):
            kinds[i] = "border"
    bars = [i for i in large if i not in kinds and _is_bar(components, i)]
    is_rest = np.ones(len(components), bool)
    is_rest[[*kinds, *bars]] = False
    if bars and is_rest.any():
        writing_height = float(np.percentile(heights[is_rest], 90))
        shortest = parameters.underline * max(writing_height, 0.5 * height)
        for i in bars:
            if widths[i] >= shortest:
                kinds[i] = "underline"
    return kinds


def _is_hollow(components: Components, index: int) -> bool:
    """Return whether a component lies along at least three sides of its box, thinly, as a frame does."""
    mask = components.mask(index)
    rim = max(1, round(0.08 * min(mask.shape)))
    sides = (
        mask[:rim].any(axis=0),
        mask[-rim:].any(axis=0),
        mask[:, :rim].any(axis=1),
        mask[:, -rim:].any(axis=1),
    )
    along = sum(side.mean() > 0.8 for side in sides)
    return along >= 3 and components.areas[index] < 0.4 * mask.size


def _is_border(
    components: Components,
    index: int,
    size: tuple[int, ...],
    height: float,
    parameters: ArtifactParameters,
) -> bool:
    """Return whether a component lies along a whole edge of the page, thinly, and is not the only one."""
    if len(components) == 1:
        return False
    left, top, right, bottom = components.boxes[index].tolist()
    width, component_height = right - left, bottom - top
    rows, columns = size[:2]
    at_left, at_right = left <= 1, right >= columns - 1
    at_top, at_bottom = top <= 1, bottom >= rows - 1
    is_lying = component_height < parameters.border * rows and at_left and at_right
    is_upright = width < parameters.border * columns and at_top and at_bottom
    along_edge = (is_lying and (at_top or at_bottom)) or (is_upright and (at_left or at_right))
    # In a picture that is cut to its ink, a 1 lies along a whole edge, too: a border is longer than digits.
    return along_edge and max(width, component_height) > parameters.heights * height


def _is_bar(components: Components, index: int) -> bool:
    """Return whether a component is a straight, thin, lying bar; a 1 is upright."""
    if components.widths[index] < 3 * components.heights[index]:
        return False
    _, sides, _ = cv2.minAreaRect(cv2.findNonZero(components.mask(index)))
    width, length = sorted(sides)
    # A row of connected digits may be as long, but is not solid.
    is_solid = components.areas[index] > 0.5 * (width + 1) * (length + 1)
    return 8 * width < length and is_solid

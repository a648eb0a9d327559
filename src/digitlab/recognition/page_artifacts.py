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
    lying, rows = _remove_lying(mask, stroke_width, height, parameters)
    turned, columns = _remove_lying(cv2.transpose(lying), stroke_width, height, parameters)
    return (cv2.transpose(turned) if columns else lying), rows + columns


def _remove_lying(
    mask: np.ndarray, stroke_width: float, height: float, parameters: ArtifactParameters
) -> tuple[np.ndarray, int]:
    shortest = max(parameters.span * mask.shape[1], parameters.heights * height)
    lines = _lines(mask, stroke_width, shortest, parameters.covered, parameters)
    if len(lines) >= parameters.many:
        # On ruled paper, shorter lines are what shadows and writing leave of long ones.
        shortest = max(parameters.vouched_span * mask.shape[1], parameters.vouched_heights * height)
        lines = _lines(mask, stroke_width, shortest, parameters.vouched_covered, parameters)
    else:
        long = parameters.across * mask.shape[1]
        near = parameters.alike * mask.shape[1]
        lines = [line for line in lines if line.area.shape[1] >= long or _has_twin(line, lines, near)]
    if not lines:
        return mask, 0
    left = mask.copy()
    band = np.zeros_like(mask)
    for line in lines:
        crossing = np.ones((round(line.thickness) + 3, 1), np.uint8)
        strokes = cv2.morphologyEx(mask[line.box], cv2.MORPH_OPEN, crossing)
        own = cv2.dilate(line.area, np.ones((3, 1), np.uint8))
        left[line.box][(own > 0) & (strokes == 0)] = 0
        np.maximum(band[line.box], own, out=band[line.box])
    # Components that lie wholly within the band of a line are remains of it.
    count, labels = cv2.connectedComponents(left, connectivity=8, ltype=cv2.CV_32S)
    band = cv2.dilate(band, np.ones((5, 1), np.uint8))
    beyond = np.bincount(labels[band == 0], minlength=count) > 0
    beyond[0] = False
    return beyond[labels].view(np.uint8), len(lines)


def _has_twin(line: Line, lines: list[Line], near: float) -> bool:
    """Return whether another line begins and ends where this one does: two sides of a frame."""
    own = line.box[1]
    ends = [other.box[1] for other in lines if other is not line]
    return any(abs(end.start - own.start) < near and abs(end.stop - own.stop) < near for end in ends)


def _lines(
    mask: np.ndarray, stroke_width: float, shortest: float, covered: float, parameters: ArtifactParameters
) -> list[Line]:
    if cv2.boundingRect(mask)[2] < shortest:
        return []
    run = max(12, mask.shape[1] // 24, round(2.5 * stroke_width))
    high = np.ones((round(parameters.thickest * stroke_width) + 3, 1), np.uint8)
    low = mask - cv2.morphologyEx(mask, cv2.MORPH_OPEN, high)
    # Strokes that cross a line were removed with part of it; a closing bridges their width.
    bridge = np.ones((1, 2 * round(stroke_width) + 3), np.uint8)
    joined = cv2.morphologyEx(low, cv2.MORPH_CLOSE, bridge)
    thick = cv2.dilate(joined, np.ones((3, 1), np.uint8))
    runs = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, run), np.uint8))
    if cv2.boundingRect(runs)[2] < shortest:
        return []
    _, labels, stats, _ = cv2.connectedComponentsWithStats(runs, connectivity=8, ltype=cv2.CV_32S)
    found = []
    for label in np.flatnonzero(stats[1:, cv2.CC_STAT_WIDTH] >= shortest) + 1:
        left, top, width, height = (int(value) for value in stats[label, :4])
        box = slice(max(0, top - 1), top + height + 1), slice(left, left + width)
        area = (labels[box] == label).view(np.uint8)
        line = _measure(area, box, mask[box], covered, parameters)
        if line is not None:
            found.append(line)
    return found


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
    rows = (inked * np.arange(len(inked), dtype=np.float32)[:, None]).sum(axis=0)[columns] / thickness[
        columns
    ]
    slope, start = np.polyfit(columns, rows, 1)
    off = np.abs(rows - slope * columns - start)
    most, share = parameters.bend
    if np.quantile(off, 0.8) > most + share * len(thickness):
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
    boxes, heights = components.boxes, components.heights
    found: dict[int, str] = {}
    large = np.flatnonzero((heights > 1.2 * height) | (components.widths > parameters.underline * height))
    for index in large.tolist():
        inside = (boxes[:, :2] > boxes[index, :2]).all(axis=1) & (boxes[:, 2:] < boxes[index, 2:]).all(axis=1)
        others = inside & (heights > 0.33 * min(height, heights[index]))
        if others.any() and _is_hollow(components, index):
            found[index] = "frame"
        elif _is_border(components, index, size, height, parameters):
            found[index] = "border"
    bars = [index for index in large.tolist() if index not in found and _is_bar(components, index)]
    rest = np.ones(len(components), bool)
    rest[[*found, *bars]] = False
    if rest.any() and bars:
        writing = float(np.percentile(heights[rest], 90))
        found |= {
            index: "underline"
            for index in bars
            if components.widths[index] >= parameters.underline * max(writing, 0.5 * height)
        }
    return found


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
    rows, columns = size[:2]
    flat = bottom - top < parameters.border * rows and left <= 1 and right >= columns - 1
    upright = right - left < parameters.border * columns and top <= 1 and bottom >= rows - 1
    at_edge = (flat and (top <= 1 or bottom >= rows - 1)) or (upright and (left <= 1 or right >= columns - 1))
    # In a picture that is cut to its ink, a 1 lies along a whole edge, too: a border is longer than digits.
    return at_edge and max(right - left, bottom - top) > parameters.heights * height


def _is_bar(components: Components, index: int) -> bool:
    """Return whether a component is a straight, thin, lying bar; a 1 is upright."""
    if components.widths[index] < 3 * components.heights[index]:
        return False
    _, sides, _ = cv2.minAreaRect(cv2.findNonZero(components.mask(index)))
    # A row of connected digits may be as long, but is not solid.
    is_solid = components.areas[index] > 0.5 * (sides[0] + 1) * (sides[1] + 1)
    return 8 * min(sides) < max(sides) and is_solid

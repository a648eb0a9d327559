"""Ruled and squared paper: its lines, told from writing and left out."""

# OpenCV's annotations know no scalars among its arguments and take its masks and labels for floats.
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from digitlab.recognition.strokes import stroke_width

_SPAN = 0.5  # of the picture: a shorter line may be a stroke
_RUN = 24  # to the picture: pieces in which a line, somewhat tilted, is straight along the rows
_SHORTEST_RUN = 12  # pixels
_SMALLEST = 64  # pixels: no one photographs less of a page
_ACROSS = 0.9  # of the picture: a line that is not one of many
_PAST = 0.75  # of such a line: how far the writing goes at most
_MANY = 3  # lines in one direction: no digit has as many so long
_THICKEST = 1.5  # strokes: what stands higher is no line
_THINNER = 0.7  # of the usual stroke
_FAINTER = 0.75  # of full ink
_ALIKE = 1.5
_ABOVE = 2  # rows above and below all ink that are looked at, too
_DARKER = 1.35  # than the line: ink on it


@dataclass(frozen=True, eq=False)
class _Rule:
    """One line along the rows: where it is, uint8 [h, w] of its box; the box; and its usual looks."""

    area: np.ndarray
    box: tuple[slice, slice]
    thickness: float
    contrast: float


def without_rules(contrast: np.ndarray, threshold: float, level: float, width: float) -> np.ndarray:
    """Leave out long thin lines along the rows and columns, but not the strokes that cross them.

    Args:
        contrast: of ink and lines to paper, uint8 [h, w].
        threshold: above which it may be ink.
        level: the contrast of full ink.
        width: the usual width of a stroke, in pixels.

    Returns:
        uint8 [h, w]; the contrast itself when there is no line.
    """
    along_rows = _without_rows(contrast, threshold, level, width)
    turned = cv2.transpose(along_rows)
    along_columns = _without_rows(turned, threshold, level, width)
    return along_rows if along_columns is turned else cv2.transpose(along_columns)


def _without_rows(contrast: np.ndarray, threshold: float, level: float, width: float) -> np.ndarray:
    mask = cv2.threshold(contrast, threshold, 1, cv2.THRESH_BINARY)[1]
    rules = _find(mask, contrast, width)
    if len(rules) >= _MANY:
        rules = _alike(rules)
    else:
        others = _without(rules, mask)
        rules = [rule for rule in rules if _is_alone(rule, others, level)]
    if not rules:
        return contrast
    contrast = contrast.copy()
    band = np.zeros_like(mask)
    for rule in rules:
        _erase(contrast[rule.box], mask[rule.box], rule)
        np.maximum(band[rule.box], rule.area, out=band[rule.box])
    return _without_remains(contrast, threshold, cv2.dilate(band, np.ones((5, 1), np.uint8)))


def _alike(rules: list[_Rule]) -> list[_Rule]:
    thickness = float(np.median([rule.thickness for rule in rules]))
    contrast = float(np.median([rule.contrast for rule in rules]))
    return [
        rule
        for rule in rules
        if rule.thickness <= max(_ALIKE * thickness, thickness + 1) and rule.contrast <= _ALIKE * contrast
    ]


def _without(rules: list[_Rule], mask: np.ndarray) -> np.ndarray:
    others = mask.copy()
    for rule in rules:
        others[rule.box] &= 1 - cv2.dilate(rule.area, np.ones((3, 1), np.uint8))
    return others


def _is_alone(rule: _Rule, others: np.ndarray, level: float) -> bool:
    """Whether a single line is none of a digit: from border to border, past all else, thinner or fainter."""
    length = rule.area.shape[1]
    if length < _ACROSS * others.shape[1] or np.count_nonzero(others.any(axis=0)) > _PAST * length:
        return False
    return rule.thickness < _THINNER * stroke_width(others) or rule.contrast < _FAINTER * level


def _without_remains(contrast: np.ndarray, threshold: float, band: np.ndarray) -> np.ndarray:
    """Erase what is left within the lines' own band, and is no part of anything beyond it."""
    mask = cv2.threshold(contrast, threshold, 1, cv2.THRESH_BINARY)[1]
    count, labels = cv2.connectedComponents(mask, connectivity=8, ltype=cv2.CV_32S)
    beyond = np.bincount(labels[band == 0], minlength=count) > 0
    return np.where(beyond[labels], contrast, 0).astype(np.uint8)


def _find(mask: np.ndarray, contrast: np.ndarray, width: float) -> list[_Rule]:
    _, top, across, height = cv2.boundingRect(mask)
    if min(mask.shape) < _SMALLEST or across <= _SPAN * mask.shape[1]:
        return []
    rows = slice(max(0, top - _ABOVE), top + height + _ABOVE)
    mask, contrast = mask[rows], contrast[rows]
    run = max(_SHORTEST_RUN, mask.shape[1] // _RUN, round(2.5 * width))
    if run > mask.shape[1] * _SPAN:
        return []
    row = np.ones((1, run), np.uint8)
    low = mask - cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((round(_THICKEST * width) + 3, 1), np.uint8))
    joined = cv2.morphologyEx(low, cv2.MORPH_CLOSE, np.ones((1, round(width) + 3), np.uint8))
    runs = cv2.morphologyEx(cv2.dilate(joined, np.ones((3, 1), np.uint8)), cv2.MORPH_OPEN, row)
    if cv2.boundingRect(runs)[2] <= _SPAN * mask.shape[1]:
        return []
    linked = cv2.morphologyEx(runs, cv2.MORPH_CLOSE, row)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(linked, connectivity=8, ltype=cv2.CV_32S)
    rules = []
    for label in np.flatnonzero(boxes[:, cv2.CC_STAT_WIDTH] > _SPAN * mask.shape[1]):
        if label:
            left, top, right, bottom = (int(value) for value in boxes[label, :4])
            box = slice(max(0, top - 1), top + bottom + 1), slice(left, left + right)
            area = (labels[box] == label).view(np.uint8)
            within = slice(rows.start + box[0].start, rows.start + box[0].start + len(area)), box[1]
            rules.append(_measure(area, within, mask[box], contrast[box]))
    return [rule for rule in rules if rule.thickness]


def _measure(area: np.ndarray, box: tuple[slice, slice], mask: np.ndarray, contrast: np.ndarray) -> _Rule:
    columns = np.count_nonzero(area & mask, axis=0)
    columns = columns[columns > 0]
    peaks = np.where(area, contrast, 0).max(axis=0)
    return _Rule(area, box, float(np.median(columns)) if columns.size else 0.0, float(np.median(peaks)))


def _erase(contrast: np.ndarray, mask: np.ndarray, rule: _Rule) -> None:
    """Erase a line but where something thicker or darker crosses it."""
    thick = round(rule.thickness) + 3
    crossing = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((thick, 1), np.uint8))
    area = cv2.dilate(rule.area, np.ones((3, 1), np.uint8))
    contrast[(area > 0) & (crossing == 0) & (contrast < _DARKER * rule.contrast)] = 0

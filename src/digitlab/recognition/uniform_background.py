"""Drawings on paper of one grey level, whose ink is found without an estimate of the paper."""

# OpenCV's annotations reject scalar arguments, and declare its masks and labels as arrays of floats.
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

import cv2
import numpy as np

from digitlab.recognition.page_rectification import SMALLEST
from digitlab.recognition.paper import DARKEST, PageStatistics
from digitlab.recognition.strokes import ridge_width

_LEAST = 2  # grey levels by which paper of one level varies at most
_CLEAR = 16  # grey levels: smaller differences, unless they are soft edges, are noise, shadow or texture
_PAPER = 0.5  # share of the picture that is paper, at least
_BORDER = 0.8  # share of the picture's borders that is paper, at least
_FAINT = 0.5  # share of soft edges in what differs from the paper, at most
_OTHER = 0.02  # share of the ink: light fringes of dark ink, or the reverse, at most, as scaling leaves them
_FATTEST = 0.16  # share of the shorter side: the widest stroke; what is fatter may be a sheet
_FULL = 0.55  # share of its bounding box that a sheet with writing on it exceeds
_SMALLEST_SHEET = 0.08  # share of the picture
_COARSE = 4  # pixels to one, each way, in the picture in which a sheet is looked for


def measure_uniform_background(grey: np.ndarray) -> PageStatistics | None:
    """Measure a picture of strokes on paper of one grey level.

    Args:
        grey: the picture, uint8 [h, w], 0 black .. 255 white.

    Returns:
        The statistics; None if the paper is not of one level, or nothing is on it.
    """
    borders = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    level = int(np.median(borders))
    is_paper = np.abs(borders.astype(np.int16) - level) <= _LEAST
    if np.count_nonzero(is_paper) < _BORDER * borders.size:
        return None
    paper = np.full_like(grey, level)
    darker, lighter = cv2.subtract(paper, grey), cv2.subtract(grey, paper)
    differing = _count_above(cv2.max(darker, lighter), _LEAST)
    dark_area, light_area = _count_above(darker, _CLEAR), _count_above(lighter, _CLEAR)
    dark_on_light = dark_area >= light_area
    ink_area, other_area = max(dark_area, light_area), min(dark_area, light_area)
    if not ink_area or other_area > _OTHER * ink_area or differing > (1 - _PAPER) * grey.size:
        return None
    difference = darker if dark_on_light else lighter
    if differing - ink_area > _FAINT * differing or _has_sheet(difference):
        return None
    paper = paper if dark_on_light else 255 - paper
    grey_level = 255 / max(DARKEST, int(paper[0, 0]))
    contrast = cv2.convertScaleAbs(difference, alpha=grey_level)
    return PageStatistics(paper, contrast, grey_level, _stroke_width(contrast))


def _count_above(values: np.ndarray, threshold: int) -> int:
    _, above = cv2.threshold(values, threshold, 1, cv2.THRESH_BINARY)
    return cv2.countNonZero(above)


def _has_sheet(difference: np.ndarray) -> bool:
    """Return whether what differs from the paper may be a sheet: it fills its box, or has a fat part."""
    half = float(difference.max()) / 2
    _, marks = cv2.threshold(difference[::_COARSE, ::_COARSE], half, 1, cv2.THRESH_BINARY)
    area = cv2.countNonZero(marks)
    if min(difference.shape) < SMALLEST or area < _SMALLEST_SHEET * marks.size:
        return False
    _, _, width, height = cv2.boundingRect(marks)
    if area > _FULL * width * height:
        return True
    side = round(_FATTEST * min(marks.shape))
    fat_part = cv2.erode(marks, np.ones((side, side), np.uint8), borderValue=0)
    return bool(fat_part.any())


def _stroke_width(contrast: np.ndarray) -> float:
    _, mask = cv2.threshold(contrast, float(contrast.max()) / 2, 1, cv2.THRESH_BINARY)
    left, top, width, height = cv2.boundingRect(mask)
    box = mask[top : top + height, left : left + width]
    # With a border of paper, since the distance transform does not take the end of the array for an outline.
    return ridge_width(cv2.copyMakeBorder(box, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0))

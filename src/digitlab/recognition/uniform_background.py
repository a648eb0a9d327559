"""Drawings on paper of one grey level, whose ink is found without an estimate of the paper."""

# OpenCV's annotations reject scalar arguments, and declare its masks and labels as arrays of floats.
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

import cv2
import numpy as np

from digitlab.recognition.page_rectification import SMALLEST
from digitlab.recognition.paper import DARKEST
from digitlab.recognition.strokes import ridge_width
from digitlab.recognition.view import View

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


def on_plain_paper(grey: np.ndarray) -> View | None:
    """View a picture as strokes on paper of one grey level.

    Args:
        grey: the picture, uint8 [h, w], 0 black .. 255 white.

    Returns:
        The view; None if the paper is not of one level, or nothing is on it.
    """
    borders = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    level = int(np.median(borders))
    if np.count_nonzero(np.abs(borders.astype(np.int16) - level) <= _LEAST) < _BORDER * borders.size:
        return None
    paper = np.full_like(grey, level)
    darker, lighter = cv2.subtract(paper, grey), cv2.subtract(grey, paper)
    sides = [_above(darker, _CLEAR), _above(lighter, _CLEAR)]
    reflects = sides[0] >= sides[1]
    clear = max(sides)
    differing = _above(cv2.max(darker, lighter), _LEAST)
    if not clear or min(sides) > _OTHER * clear or differing > (1 - _PAPER) * grey.size:
        return None
    if differing - clear > _FAINT * differing or _has_sheet(darker if reflects else lighter):
        return None
    dark, paper = (grey, paper) if reflects else (255 - grey, 255 - paper)
    grey_level = 255 / max(DARKEST, int(paper[0, 0]))
    contrast = cv2.convertScaleAbs(darker if reflects else lighter, alpha=grey_level)
    return View(dark, paper, contrast, grey_level, _width(contrast))


def _above(values: np.ndarray, threshold: int) -> int:
    return cv2.countNonZero(cv2.threshold(values, threshold, 1, cv2.THRESH_BINARY)[1])


def _has_sheet(difference: np.ndarray) -> bool:
    half = float(difference.max()) / 2
    marks = cv2.threshold(difference[::_COARSE, ::_COARSE], half, 1, cv2.THRESH_BINARY)[1]
    area = cv2.countNonZero(marks)
    if min(difference.shape) < SMALLEST or area < _SMALLEST_SHEET * marks.size:
        return False
    _, _, width, height = cv2.boundingRect(marks)
    fat = round(_FATTEST * min(marks.shape))
    square = np.ones((fat, fat), np.uint8)
    return area > _FULL * width * height or bool(cv2.erode(marks, square, borderValue=0).any())


def _width(contrast: np.ndarray) -> float:
    mask = cv2.threshold(contrast, float(contrast.max()) / 2, 1, cv2.THRESH_BINARY)[1]
    left, top, width, height = cv2.boundingRect(mask)
    # With a border of paper, since the distance transform does not take the end of the array for an outline.
    box = cv2.copyMakeBorder(
        mask[top : top + height, left : left + width], 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0
    )
    return ridge_width(box)

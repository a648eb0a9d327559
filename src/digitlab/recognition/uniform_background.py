"""Drawings on paper of one grey level: what is ink in them shows without a search for the paper."""

# OpenCV's annotations know no scalars among its arguments and take its masks and labels for floats.
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

import cv2
import numpy as np

from digitlab.recognition.page_rectification import SMALLEST
from digitlab.recognition.paper import DARKEST
from digitlab.recognition.strokes import ridge_width
from digitlab.recognition.view import View

_LEAST = 2  # grey levels: paper that differs more is not of one level
_CLEAR = 16  # grey levels: what differs by less and is no soft edge is noise, shadow or texture
_PAPER = 0.5  # of the picture, and
_BORDER = 0.8  # of its borders, are paper
_FAINT = 0.5  # of what differs from the paper: soft edges at most
_OTHER = 0.02  # of it: what is lighter than the paper where ink is darker, as scaling leaves it at outlines
_FATTEST = 0.16  # of the shorter side: a stroke; what is fatter may be a sheet, and
_FULL = 0.55  # of its box: a sheet with writing on it
_SMALLEST_SHEET = 0.08  # of the picture
_COARSE = 4  # pixels to one where that is looked for


def on_plain_paper(grey: np.ndarray) -> View | None:
    """View a picture as strokes on paper of one grey level.

    Args:
        grey: uint8 [h, w], 0 black .. 255 white.

    Returns:
        None if it is anything else, or has nothing on it.
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
    # One row and column around: what lies at the border of a mask has no distance to it.
    box = cv2.copyMakeBorder(
        mask[top : top + height, left : left + width], 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0
    )
    return ridge_width(box)

"""A sheet or board that lies within the picture, told from what it lies on."""

# OpenCV's annotations know no scalars among its arguments and take its masks and labels for floats.
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

import cv2
import numpy as np

_SIDE = 160
_SMALLEST = 200  # pixels: smaller pictures are no photographs of a sheet and its surroundings
_AREA = 0.12, 0.95  # of the picture
_NARROWEST = 0.3  # of the shorter side of the picture; a fat 1 is narrower
_CORNERED = 0.94  # of its hull is within four corners; of an ellipse, as a fat 0 is, 0.64
_FULL = 0.8  # of its hull is sheet, the rest ink
_RIM = 3  # pixels along its edge, which are left out with the surroundings


def paint_surroundings(grey: np.ndarray) -> np.ndarray:
    """Paint what surrounds a sheet in the sheet's own brightness.

    Args:
        grey: uint8 [h, w].

    Returns:
        uint8 [h, w]; the picture itself if no sheet lies within it.
    """
    if min(grey.shape) < _SMALLEST:
        return grey
    factor = max(grey.shape) / _SIDE
    size = round(grey.shape[1] / factor), round(grey.shape[0] / factor)
    small = cv2.GaussianBlur(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), (0, 0), 1)
    sheet = _find_sheet(small)
    if sheet is None:
        return grey
    inside = cv2.erode(sheet, np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8))
    weight = inside.astype(np.float32)
    mass, reach = cv2.blur(weight, (25, 25)), float(cv2.mean(small, inside)[0])
    paint = (cv2.blur(weight * small, (25, 25)) + 0.01 * reach) / (mass + 0.01)
    whole = grey.shape[::-1]
    paint = cv2.resize(np.rint(paint).astype(np.uint8), whole, interpolation=cv2.INTER_LINEAR)
    return np.where(cv2.resize(inside, whole, interpolation=cv2.INTER_NEAREST), grey, paint)


def _find_sheet(small: np.ndarray) -> np.ndarray | None:
    """The hull of a four-cornered area that differs from what is along the borders, uint8 [h, w]."""
    bright = cv2.threshold(small, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]
    border = np.concatenate([bright[0], bright[-1], bright[:, 0], bright[:, -1]])
    area = 1 - bright if border.mean() > 0.5 else bright
    contours, _ = cv2.findContours(area, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    hull = cv2.convexHull(max(contours, key=cv2.contourArea))
    hull_area = cv2.contourArea(hull)
    if not _AREA[0] < hull_area / small.size < _AREA[1]:
        return None
    if min(cv2.minAreaRect(hull)[1]) < _NARROWEST * min(small.shape):
        return None
    left, top, width, height = cv2.boundingRect(hull)
    right, bottom = left + width, top + height
    if (left <= 1) + (top <= 1) + (right >= small.shape[1] - 1) + (bottom >= small.shape[0] - 1) > 1:
        return None  # a shadow, or its edge
    corners = cv2.approxPolyDP(hull, 0.03 * cv2.arcLength(hull, True), True)
    if len(corners) != 4 or cv2.contourArea(corners) < _CORNERED * hull_area:
        return None
    sheet = cv2.fillConvexPoly(np.zeros_like(small), hull, 1)
    full = cv2.countNonZero(sheet & area) >= _FULL * cv2.countNonZero(sheet)
    return sheet if full else None

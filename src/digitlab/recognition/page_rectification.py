"""Detection and rectification of a sheet or board in a photograph that shows its surroundings, too."""

# OpenCV's annotations reject scalar arguments, and declare its masks and labels as arrays of floats.
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from digitlab.recognition.page_outline import differences, four_corners, inset, sides_within
from digitlab.recognition.scaling import shrink

SMALLEST = 200
"""Shorter side, in pixels, below which a picture is not a photograph of a sheet and its surroundings."""

_SIDE = 240  # pixels: longer side of the reduced picture in which sheets are looked for
_LEVELS = 12  # number of thresholds that are tried: in shadow another one separates the sheet than in light
_AREA = 0.12, 0.98  # share of the picture that a sheet's hull covers: at least, at most
_NARROWEST = 0.3  # share of the picture's shorter side that a sheet's is at least; a fat 1 is narrower
_CORNERED = 0.93  # share of the area between four corners that the hull fills at least; of a fat 0, 0.79
_FULL = 0.8  # share of the hull that is sheet at least; the rest is ink
_RIM = 1.5  # pixels along a sheet's edge that are cut off with the surroundings
_RIMS = 4, 6  # pixels along the edge of a partly shown sheet: painted over; not used as paint
_EDGE = 4  # grey levels by which a sheet differs from its surroundings at least
_ALONG = 0.8  # share of every side along which it does
_SHARP = 0.7  # share of the far difference that the near one has at least; the edge of a shadow is softer
_NEAR, _FAR = 3, 9  # pixels from the edge at which brightness is compared
_MOST_SIDES = 6  # sides of a partly shown sheet that are not the picture's


@dataclass(frozen=True, eq=False)
class Sheet:
    """Where a sheet lies in a picture.

    Attributes:
        outline: x and y of the sheet's corners in pixels, float32 [n, 2]; a whole sheet has four, clockwise
            from the upper left.
        whole: whether all of the sheet is in the picture; otherwise some of its sides are the picture's.
    """

    outline: np.ndarray
    whole: bool


def find_sheet(grey: np.ndarray) -> Sheet | None:
    """Find the largest sheet that differs from its surroundings on all sides.

    Args:
        grey: the picture, uint8 [h, w].

    Returns:
        The sheet, a whole one rather than a partly shown one; None if there is none.
    """
    if min(grey.shape) < SMALLEST:
        return None
    factor = max(grey.shape) / _SIDE
    small = cv2.GaussianBlur(shrink(grey, factor), (0, 0), 1)
    found = [sheet for level in _levels(small) for sheet in _sheets(small, level)]
    if not found:
        return None
    best = max(found, key=lambda sheet: (sheet.whole, cv2.contourArea(sheet.outline)))
    outline = inset(best.outline, _RIM) if best.whole else best.outline
    return Sheet(((outline + 0.5) * factor - 0.5).astype(np.float32), best.whole)


def rectify(grey: np.ndarray, sheet: Sheet) -> tuple[np.ndarray, np.ndarray]:
    """Rectify a whole sheet, or paint over the surroundings of a partly shown one.

    Args:
        grey: the picture, uint8 [h, w].
        sheet: a sheet in this picture.

    Returns:
        The sheet, uint8 [h, w]; and the homography from its pixels to those of the picture, float64 [3, 3].
    """
    if not sheet.whole:
        return _inpaint_background(grey, sheet.outline), np.eye(3)
    corners = sheet.outline
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    width, height = round(float(max(sides[0], sides[2]))), round(float(max(sides[1], sides[3])))
    flat = np.array([(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)], np.float32)
    back = cv2.getPerspectiveTransform(flat, corners)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(
        grey, back, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
    ), back


def _inpaint_background(grey: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Paint over the surroundings of a sheet with the paper's brightness at the nearest point."""
    factor = max(grey.shape) / _SIDE
    small = shrink(grey, factor)
    corners = np.rint((outline + 0.5) / factor - 0.5).astype(np.int32)
    filled = cv2.fillConvexPoly(np.zeros_like(small), corners, 1)
    inside, source = (cv2.erode(filled, np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)) for rim in _RIMS)
    paper = cv2.morphologyEx(np.where(source, small, 0), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    _, nearest = cv2.distanceTransformWithLabels(1 - source, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    by_label = np.zeros(int(nearest.max()) + 1, np.uint8)
    by_label[nearest[source > 0]] = paper[source > 0]
    paint = cv2.blur(by_label[nearest], (5, 5))
    whole = grey.shape[::-1]
    paint = cv2.resize(paint, whole, interpolation=cv2.INTER_LINEAR)
    return np.where(cv2.resize(inside, whole, interpolation=cv2.INTER_NEAREST), grey, paint)


def _levels(small: np.ndarray) -> np.ndarray:
    darkest, lightest = np.percentile(small, (2, 98))
    if lightest - darkest < 2 * _EDGE:
        return np.empty(0)
    otsu = cv2.threshold(small, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0]
    return np.unique([otsu, *np.linspace(darkest, lightest, _LEVELS + 2)[1:-1].round()])


def _sheets(small: np.ndarray, level: float) -> Iterator[Sheet]:
    """Yield possible sheets among the areas above and below a threshold of brightness."""
    bright = cv2.threshold(small, level, 1, cv2.THRESH_BINARY)[1]
    for area in (bright, 1 - bright):
        hull = _hull(area)
        if hull is None:
            continue
        borders = _borders_reached(hull, small.shape)
        if borders <= 1:  # with more it is a shadow or a partly shown sheet
            corners = four_corners(hull)
            if corners is not None and _is_whole(small, hull, corners):
                yield Sheet(corners, whole=True)
        if borders and area is bright and _is_part(small, hull):
            yield Sheet(hull[:, 0].astype(np.float32), whole=False)


def _hull(area: np.ndarray) -> np.ndarray | None:
    """Return the hull of an area's largest connected part, or None if it is small or not filled."""
    contours, _ = cv2.findContours(area, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    hull = cv2.convexHull(max(contours, key=cv2.contourArea))
    if not _AREA[0] < cv2.contourArea(hull) / area.size < _AREA[1]:
        return None
    if min(cv2.minAreaRect(hull)[1]) < _NARROWEST * min(area.shape):
        return None
    within = cv2.fillConvexPoly(np.zeros_like(area), hull, 1)
    return hull if cv2.countNonZero(within & area) >= _FULL * cv2.countNonZero(within) else None


def _borders_reached(hull: np.ndarray, shape: tuple[int, ...]) -> int:
    left, top, width, height = cv2.boundingRect(hull)
    right, bottom = left + width, top + height
    return (left <= 1) + (top <= 1) + (right >= shape[1] - 1) + (bottom >= shape[0] - 1)


def _is_whole(small: np.ndarray, hull: np.ndarray, corners: np.ndarray) -> bool:
    """Return whether a hull has four corners and is lighter, or darker, than what is around all its sides.

    This tells a sheet from ink and frames, which have paper on both sides.
    """
    if cv2.contourArea(hull) < _CORNERED * cv2.contourArea(corners):
        return False
    sides = np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)
    near = differences(small, sides, corners.mean(axis=0), _NEAR)
    return any((sign * near > _EDGE).mean(axis=1).min() > _ALONG for sign in (1, -1))


def _is_part(small: np.ndarray, hull: np.ndarray) -> bool:
    """Return whether a hull is sharply lighter than its surroundings along all sides but the picture's."""
    sides = sides_within(hull, small.shape)
    if not 0 < len(sides) <= _MOST_SIDES:
        return False
    centre = hull[:, 0].mean(axis=0)
    near, far = (differences(small, sides, centre, aside) for aside in (_NEAR, _FAR))
    return bool(((near > _EDGE) & (near > _SHARP * far)).mean(axis=1).min() > _ALONG)

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
_LEAST_AREA, _MOST_AREA = 0.12, 0.98  # share of the picture that a sheet's hull covers
_NARROWEST = 0.3  # share of the picture's shorter side that a sheet's is at least; a fat 1 is narrower
_CORNERED = 0.93  # share of the area between four corners that the hull fills at least; of a fat 0, 0.79
_FULL = 0.8  # share of the hull that is sheet at least; the rest is ink
_RIM = 1.5  # pixels along a sheet's edge that are cut off with the surroundings
_PAINTED_RIM = 4  # pixels along the edge of a partly shown sheet that are painted over
_UNUSED_RIM = 6  # pixels along its edge that are not used as paint
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
    sheets = [sheet for level in _levels(small) for sheet in _sheets(small, level)]
    if not sheets:
        return None
    best = max(sheets, key=lambda sheet: (sheet.whole, cv2.contourArea(sheet.outline)))
    outline = inset(best.outline, _RIM) if best.whole else best.outline
    # Coordinates are of the pixels' middles, half a pixel beside the corners that scale.
    outline = (outline + 0.5) * factor - 0.5
    return Sheet(outline.astype(np.float32), best.whole)


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
    top, right, bottom, left = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    width = round(float(max(top, bottom)))
    height = round(float(max(left, right)))
    flat = np.array([(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)], np.float32)
    to_picture = cv2.getPerspectiveTransform(flat, corners)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REPLICATE
    rectified = cv2.warpPerspective(grey, to_picture, (width, height), flags=flags, borderMode=border)
    return rectified, to_picture


def _inpaint_background(grey: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Paint over the surroundings of a sheet with the paper's brightness at the nearest point."""
    factor = max(grey.shape) / _SIDE
    small = shrink(grey, factor)
    corners = np.rint((outline + 0.5) / factor - 0.5).astype(np.int32)
    filled = cv2.fillConvexPoly(np.zeros_like(small), corners, 1)
    kept = _without_rim(filled, _PAINTED_RIM)
    source = _without_rim(filled, _UNUSED_RIM)
    paper = cv2.morphologyEx(np.where(source, small, 0), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    # Each pixel gets the label of the nearest one of the source, and so its brightness.
    _, labels = cv2.distanceTransformWithLabels(1 - source, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    brightness = np.zeros(int(labels.max()) + 1, np.uint8)
    brightness[labels[source > 0]] = paper[source > 0]
    paint = cv2.blur(brightness[labels], (5, 5))
    size = grey.shape[::-1]
    paint = cv2.resize(paint, size, interpolation=cv2.INTER_LINEAR)
    kept = cv2.resize(kept, size, interpolation=cv2.INTER_NEAREST)
    return np.where(kept, grey, paint)


def _without_rim(mask: np.ndarray, rim: int) -> np.ndarray:
    side = 2 * rim + 1
    return cv2.erode(mask, np.ones((side, side), np.uint8))


def _levels(small: np.ndarray) -> np.ndarray:
    """Return thresholds of brightness to try: Otsu's, and others evenly spaced."""
    darkest, lightest = np.percentile(small, (2, 98))
    if lightest - darkest < 2 * _EDGE:
        return np.empty(0)
    otsu, _ = cv2.threshold(small, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    evenly_spaced = np.linspace(darkest, lightest, _LEVELS + 2)[1:-1].round()
    return np.unique([otsu, *evenly_spaced])


def _sheets(small: np.ndarray, level: float) -> Iterator[Sheet]:
    """Yield possible sheets among the areas above and below a threshold of brightness."""
    _, bright = cv2.threshold(small, level, 1, cv2.THRESH_BINARY)
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
    if not _LEAST_AREA < cv2.contourArea(hull) / area.size < _MOST_AREA:
        return None
    _, sides, _ = cv2.minAreaRect(hull)
    if min(sides) < _NARROWEST * min(area.shape):
        return None
    within = cv2.fillConvexPoly(np.zeros_like(area), hull, 1)
    is_full = cv2.countNonZero(within & area) >= _FULL * cv2.countNonZero(within)
    return hull if is_full else None


def _borders_reached(hull: np.ndarray, shape: tuple[int, ...]) -> int:
    """Return how many of the picture's four borders a hull reaches."""
    rows, columns = shape
    left, top, width, height = cv2.boundingRect(hull)
    right, bottom = left + width, top + height
    return (left <= 1) + (top <= 1) + (right >= columns - 1) + (bottom >= rows - 1)


def _is_whole(small: np.ndarray, hull: np.ndarray, corners: np.ndarray) -> bool:
    """Return whether a hull has four corners and is lighter, or darker, than what is around all its sides.

    This tells a sheet from ink and frames, which have paper on both sides.
    """
    if cv2.contourArea(hull) < _CORNERED * cv2.contourArea(corners):
        return False
    sides = np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)
    near = differences(small, sides, corners.mean(axis=0), _NEAR)
    return _holds_along_all_sides(near > _EDGE) or _holds_along_all_sides(-near > _EDGE)


def _is_part(small: np.ndarray, hull: np.ndarray) -> bool:
    """Return whether a hull is sharply lighter than its surroundings along all sides but the picture's."""
    sides = sides_within(hull, small.shape)
    if not 0 < len(sides) <= _MOST_SIDES:
        return False
    centre = hull[:, 0].mean(axis=0)
    near = differences(small, sides, centre, _NEAR)
    far = differences(small, sides, centre, _FAR)
    return _holds_along_all_sides((near > _EDGE) & (near > _SHARP * far))


def _holds_along_all_sides(holds: np.ndarray) -> bool:
    """Return whether something holds at most points of every side, bool [n, points]."""
    return bool(holds.mean(axis=1).min() > _ALONG)

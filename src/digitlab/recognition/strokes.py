"""Measures of strokes."""

# OpenCV's annotations know no scalars among its arguments and take its masks and labels for floats.
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

import cv2
import numpy as np

_STEEP = 0.5  # of the contrast nearby: how much of it a sharp outline rises
_MANY = 20  # pieces
_LONG = 5.5  # widths of a stroke: the usual size of a piece of writing
_SMALLEST = 48  # pixels: in smaller pictures, strokes are as close together as noise
_SHARP = 0.6  # of the outline of a stroke is sharp


def stroke_width(mask: np.ndarray) -> float:
    """Measure the mean width of strokes: twice their area by the length of their outline.

    Args:
        mask: uint8 [h, w], 0 elsewhere.

    Returns:
        In pixels; 0 without strokes.
    """
    mask = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    area = cv2.countNonZero(mask)
    steps = cv2.countNonZero(mask[:, 1:] ^ mask[:, :-1]) + cv2.countNonZero(mask[1:] ^ mask[:-1])
    # Steps along rows and columns are 4/pi times an outline that runs in all directions alike.
    return 2 * area / (steps * np.pi / 4) if area else 0.0


def ridge_width(mask: np.ndarray) -> float:
    """Measure the usual width of strokes along their middle: half of the ink is in strokes as wide or wider.

    Args:
        mask: uint8 [h, w], 0 elsewhere.

    Returns:
        In pixels; 0 without strokes.
    """
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    ridge = np.sort(inside[(inside > 0) & (inside >= cv2.dilate(inside, np.ones((3, 3), np.uint8)))])
    if not ridge.size:
        return 0.0
    ink = np.cumsum(ridge)
    return 2 * float(ridge[np.searchsorted(ink, ink[-1] / 2)]) - 0.5


def hysteresis(strength: np.ndarray, low: float, high: float) -> np.ndarray:
    """Find connected areas above a threshold that are somewhere above a higher one.

    Args:
        strength: uint8 [h, w].
        low: the threshold.
        high: the higher one.

    Returns:
        uint8 [h, w], 1 in those areas, 0 elsewhere.
    """
    above = cv2.threshold(strength, low, 1, cv2.THRESH_BINARY)[1]
    count, labels = cv2.connectedComponents(above, connectivity=8, ltype=cv2.CV_32S)
    keep = np.zeros(count, np.uint8)
    keep[labels[strength > high]] = 1
    return _kept(above, labels, keep)


def keep_sharp(mask: np.ndarray, contrast: np.ndarray, reach: int) -> np.ndarray:
    """Keep connected areas with sharp outlines: strokes, and neither shadows nor reflections.

    Args:
        mask: uint8 [h, w], 0 elsewhere.
        contrast: uint8 [h, w].
        reach: pixels within which a sharp outline rises to its full contrast.

    Returns:
        uint8 [h, w], 1 in what is kept.
    """
    near = np.ones((reach, reach), np.uint8)
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    outline = np.flatnonzero(mask > inner)
    peak, foot = cv2.dilate(contrast, near).ravel()[outline], cv2.erode(contrast, near).ravel()[outline]
    steep = peak - foot > _STEEP * peak
    if steep.all():
        return mask
    count, labels = cv2.connectedComponents(mask, connectivity=8, ltype=cv2.CV_32S)
    owner = labels.ravel()[outline]
    sharp = np.bincount(owner[steep], minlength=count) >= _SHARP * np.bincount(owner, minlength=count)
    return _kept(mask, labels, sharp.view(np.uint8))


def _kept(mask: np.ndarray, labels: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """The labelled areas of a mask to be kept, uint8 [n] of 0 and 1; the first is what is no area."""
    if keep[1:].all():
        return mask
    keep[0] = 0
    return keep[labels]


def grain(grey: np.ndarray) -> float:
    """Standard deviation of the noise between neighbouring pixels, in grey levels.

    Source: J. Immerkaer, Fast noise variance estimation (1996), with the median in the place of the mean.
    """
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    if min(grey.shape) < _SMALLEST:
        return 0.0
    response = np.abs(cv2.filter2D(grey[::2], cv2.CV_16S, kernel))
    return float(np.median(response)) / 0.6745 / 6


def is_speckled(mask: np.ndarray) -> bool:
    """Whether there are only specks: many pieces that are hardly longer than wide.

    Args:
        mask: uint8 [h, w], 0 elsewhere.
    """
    if cv2.connectedComponents(mask, connectivity=8, ltype=cv2.CV_32S)[0] <= _MANY:
        return False  # without a measure of each, which costs more
    boxes = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)[2][1:]
    length = np.maximum(boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT])
    usual = np.average(length, weights=boxes[:, cv2.CC_STAT_AREA])
    return bool(usual < _LONG * stroke_width(mask))

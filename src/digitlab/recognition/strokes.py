"""Measurements of strokes, and filters of masks."""

# OpenCV's annotations reject scalar arguments, and declare its masks and labels as arrays of floats.
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

import cv2
import numpy as np

_STEEP = 0.5  # share of the contrast nearby by which a sharp outline rises
_MANY = 20  # pieces: fewer are never all specks
_LONG = 5.5  # stroke widths: usual length of pieces of writing, at least
_SMALLEST = 48  # pixels: in smaller pictures, strokes are as close to each other as noise
_SHARP = 0.6  # share of a stroke's outline that is sharp, at least


def stroke_width(mask: np.ndarray) -> float:
    """Measure the mean width of strokes: twice their area divided by the length of their outline.

    Args:
        mask: mask of strokes, uint8 [h, w] of 0 and 1.

    Returns:
        Mean width in pixels; 0 without strokes.
    """
    mask = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    area = cv2.countNonZero(mask)
    steps = cv2.countNonZero(mask[:, 1:] ^ mask[:, :-1]) + cv2.countNonZero(mask[1:] ^ mask[:-1])
    # Steps along rows and columns are 4/pi times an outline that runs in all directions alike.
    return 2 * area / (steps * np.pi / 4) if area else 0.0


def ridge_width(mask: np.ndarray) -> float:
    """Measure the usual width of strokes along their middle: half of the ink is in strokes as wide or wider.

    Args:
        mask: mask of strokes, uint8 [h, w] of 0 and 1.

    Returns:
        Usual width in pixels; 0 without strokes.
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
        strength: values to threshold, uint8 [h, w].
        low: threshold of the areas.
        high: higher threshold that each area exceeds somewhere.

    Returns:
        Mask of the areas, uint8 [h, w] of 0 and 1.
    """
    above = cv2.threshold(strength, low, 1, cv2.THRESH_BINARY)[1]
    count, labels = cv2.connectedComponents(above, connectivity=8, ltype=cv2.CV_32S)
    keep = np.zeros(count, np.uint8)
    keep[labels[strength > high]] = 1
    return _kept(above, labels, keep)


def keep_sharp(mask: np.ndarray, contrast: np.ndarray, reach: int) -> np.ndarray:
    """Keep connected areas with sharp outlines: strokes, and neither shadows nor reflections.

    Args:
        mask: mask of the areas, uint8 [h, w] of 0 and 1.
        contrast: contrast of each pixel to the paper, uint8 [h, w].
        reach: side in pixels of the window within which a sharp outline rises to its full contrast.

    Returns:
        Mask of the areas that are kept, uint8 [h, w] of 0 and 1.
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
    """Return the labelled areas of a mask for which `keep`, uint8 [n], is 1; entry 0 is the background."""
    if keep[1:].all():
        return mask
    keep[0] = 0
    return keep[labels]


def grain(grey: np.ndarray) -> float:
    """Estimate the standard deviation of the noise in grey levels; 0 for pictures that are too small.

    Source: J. Immerkaer, Fast noise variance estimation (1996), with the median in place of the mean.
    """
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    if min(grey.shape) < _SMALLEST:
        return 0.0
    response = np.abs(cv2.filter2D(grey[::2], cv2.CV_16S, kernel))
    # 0.6745 is the median absolute value of standard normal noise, 6 the Euclidean norm of the kernel.
    return float(np.median(response)) / 0.6745 / 6


def is_speckled(mask: np.ndarray) -> bool:
    """Return whether a mask has only specks: many pieces that are hardly longer than wide.

    Args:
        mask: mask of ink, uint8 [h, w] of 0 and 1.
    """
    if cv2.connectedComponents(mask, connectivity=8, ltype=cv2.CV_32S)[0] <= _MANY:
        return False  # decided without statistics of the pieces, which take longer
    boxes = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)[2][1:]
    length = np.maximum(boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT])
    usual = np.average(length, weights=boxes[:, cv2.CC_STAT_AREA])
    return bool(usual < _LONG * stroke_width(mask))

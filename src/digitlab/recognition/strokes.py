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
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    highest_near = cv2.dilate(distance, np.ones((3, 3), np.uint8))
    is_ridge = (distance > 0) & (distance >= highest_near)
    radii = np.sort(distance[is_ridge])
    if not radii.size:
        return 0.0
    ink = np.cumsum(radii)
    radius = float(radii[np.searchsorted(ink, ink[-1] / 2)])
    return 2 * radius - 0.5


def hysteresis(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Find connected areas above a threshold that are somewhere above a higher one.

    Args:
        values: values to threshold, uint8 [h, w].
        low: threshold of the areas.
        high: higher threshold that each area exceeds somewhere.

    Returns:
        Mask of the areas, uint8 [h, w] of 0 and 1.
    """
    _, above = cv2.threshold(values, low, 1, cv2.THRESH_BINARY)
    count, labels = cv2.connectedComponents(above, connectivity=8, ltype=cv2.CV_32S)
    keep = np.zeros(count, np.uint8)
    keep[labels[values > high]] = 1
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
    window = np.ones((reach, reach), np.uint8)
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    outline = np.flatnonzero(mask > inner)
    highest = cv2.dilate(contrast, window).ravel()[outline]
    lowest = cv2.erode(contrast, window).ravel()[outline]
    is_steep = highest - lowest > _STEEP * highest
    if is_steep.all():
        return mask
    count, labels = cv2.connectedComponents(mask, connectivity=8, ltype=cv2.CV_32S)
    area_of = labels.ravel()[outline]
    length = np.bincount(area_of, minlength=count)
    steep_length = np.bincount(area_of[is_steep], minlength=count)
    is_sharp = steep_length >= _SHARP * length
    return _kept(mask, labels, is_sharp.view(np.uint8))


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
    count, _ = cv2.connectedComponents(mask, connectivity=8, ltype=cv2.CV_32S)
    if count <= _MANY:
        return False  # decided without statistics of the pieces, which take longer
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    pieces = stats[1:]  # without the background
    lengths = np.maximum(pieces[:, cv2.CC_STAT_WIDTH], pieces[:, cv2.CC_STAT_HEIGHT])
    usual_length = np.average(lengths, weights=pieces[:, cv2.CC_STAT_AREA])
    return bool(usual_length < _LONG * stroke_width(mask))

"""Polarity of a picture: ink darker or lighter than its paper."""

from __future__ import annotations

import cv2
import numpy as np

from digitlab.recognition.scaling import shrink

_SIDE = 512  # pixels: longer side of the first level of the pyramid, at most
_SMALLEST = 5  # pixels: shorter side of the last level of the pyramid, at least
_FEW = 5_000  # pixels: smaller levels of the pyramid have less weight
_INNER, _OUTER = 0.8, 2.0  # pixels: standard deviations of the two Gaussians of the band-pass filter
_QUANTUM = 1.0  # grey levels squared: added to the variance, so that rounding alone has no skewness


def is_dark_on_light(grey: np.ndarray) -> bool:
    """Return whether the ink of a picture is darker than its paper.

    Strokes are few pixels that differ much from their surroundings on both sides; shadows, edges and noise
    differ as much up as down. So the skewness of the band-passed picture has the sign of the ink, on the
    levels of a pyramid at which strokes are a few pixels wide.

    Args:
        grey: the picture, uint8 [h, w], 0 black .. 255 white.
    """
    votes = 0.0
    level = shrink(grey, max(1.0, max(grey.shape) / _SIDE))
    while min(level.shape) >= _SMALLEST:
        skewness = _skewness(level)
        weight = min(1.0, level.size / _FEW) ** 0.2
        votes += skewness * abs(skewness) * weight
        level = shrink(level, 2.0)
    return votes >= 0


def _skewness(grey: np.ndarray) -> float:
    """Compute the skewness of surroundings minus pixel: positive if few pixels are much darker."""
    values = grey.astype(np.float32)
    inner = cv2.GaussianBlur(values, (0, 0), _INNER, borderType=cv2.BORDER_REPLICATE)
    outer = cv2.GaussianBlur(values, (0, 0), _OUTER, borderType=cv2.BORDER_REPLICATE)
    band = cv2.subtract(outer, inner)
    squares = cv2.multiply(band, band)
    cubes = cv2.multiply(squares, band)
    third_moment = float(cv2.sumElems(cubes)[0]) / band.size
    variance = float(cv2.sumElems(squares)[0]) / band.size
    return third_moment / (variance + _QUANTUM) ** 1.5

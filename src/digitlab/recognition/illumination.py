"""Correction of smooth uneven light: gradients and vignettes."""

from __future__ import annotations

import cv2
import numpy as np

_SAMPLE = 32
_THIN = 5  # pixels at four times that size: thinner things, strokes and lines, are removed
_SMALLEST = 64  # pixels: smaller pictures are not photographs, and may be mostly ink
_PAPER = 0.7  # quantile of the brightness at which there certainly is paper
_SPREAD = 6.0  # grey levels by which paper differs from smooth light at most
_PAPER_SHARE = 0.8  # of the picture in smooth light, at least; with less there are shadows, not handled here
_EVEN = 4.0  # grey levels: smaller differences of light are left alone


def flatten(grey: np.ndarray, dark_on_light: bool) -> np.ndarray:
    """Correct smooth uneven light in a picture of dark ink on light paper.

    Args:
        grey: the picture, uint8 [h, w].
        dark_on_light: whether brightness is proportional to the light; False if the picture is a negative.

    Returns:
        The picture as under its mean light everywhere, uint8 [h, w]; unchanged if the light is even, or not
        smooth.
    """
    if min(grey.shape) < _SMALLEST:
        return grey
    small = cv2.resize(grey, (4 * _SAMPLE, 4 * _SAMPLE), interpolation=cv2.INTER_AREA)
    small = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((_THIN, _THIN), np.uint8))
    sample = cv2.resize(small, (_SAMPLE, _SAMPLE), interpolation=cv2.INTER_AREA).astype(np.float32)
    light = _surface(sample)
    if np.ptp(light) < _EVEN or light.min() < _EVEN:
        return grey
    is_paper = np.abs(sample - light) < _SPREAD
    if np.mean(is_paper) < _PAPER_SHARE:
        return grey
    mean_light = float(light.mean())
    rounded = np.rint(np.minimum(light, 255)).astype(np.uint8)
    light_everywhere = cv2.resize(rounded, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    if dark_on_light:
        return cv2.divide(grey, light_everywhere, scale=mean_light)
    # In a negative brightness is not proportional to the light: the difference is taken off.
    return cv2.addWeighted(grey, 1, light_everywhere, -1, mean_light)


def _surface(sample: np.ndarray) -> np.ndarray:
    """Fit a quadratic surface to the paper by least squares with Tukey's biweight, which ignores ink."""
    rows, columns = sample.shape
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j].reshape(2, -1)
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1).astype(np.float32)
    values = sample.ravel()
    surface = np.full_like(values, np.quantile(values, _PAPER))
    for _ in range(6):
        residual = values - surface
        # 1.5 median absolute deviations are about one standard deviation.
        spread = max(2.0, 1.5 * float(np.median(np.abs(residual))))
        weight = np.square(np.clip(1 - np.square(residual / (4 * spread)), 0, 1))
        weighted = terms * weight[:, None]
        coefficients, *_ = np.linalg.lstsq(weighted.T @ terms, weighted.T @ values, rcond=None)
        surface = terms @ coefficients
    return surface.reshape(sample.shape)

"""Shrinking of pictures."""

from __future__ import annotations

import cv2
import numpy as np


def shrink(grey: np.ndarray, factor: float) -> np.ndarray:
    """Shrink a picture; each new pixel is the mean of those that it replaces.

    Args:
        grey: the picture, uint8 [h, w].
        factor: factor by which both sides are divided, 1 or more.

    Returns:
        The smaller picture, uint8 [h / factor, w / factor], sides rounded and at least one pixel.
    """
    height, width = grey.shape
    size = max(1, round(width / factor)), max(1, round(height / factor))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)

"""Pictures made smaller."""

from __future__ import annotations

import cv2
import numpy as np


def shrink(grey: np.ndarray, factor: float) -> np.ndarray:
    """Make a picture smaller, each new pixel the mean of those that it stands for.

    Args:
        grey: uint8 [h, w].
        factor: by which, in both directions.

    Returns:
        uint8 [h / factor, w / factor], rounded, at least one pixel either way.
    """
    height, width = grey.shape
    size = max(1, round(width / factor)), max(1, round(height / factor))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)

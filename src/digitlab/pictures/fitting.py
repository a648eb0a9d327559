"""Pictures of any size, fitted into a square."""

from __future__ import annotations

import numpy as np
from PIL import Image


def fit_into_square(grey: np.ndarray, side: int) -> np.ndarray:
    """Scale a picture until it just fits into a square, and fill the rest with its ground.

    The ratio of its sides stays. A smaller picture is enlarged bicubically, a larger one reduced by area
    averages; the ground is the median of the picture's border.

    Args:
        grey: picture, uint8 [h, w], both at least 1.
        side: side of the square, in pixels.

    Returns:
        The square, uint8 [side, side].
    """
    height, width = grey.shape
    scale = side / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    scaled = np.asarray(Image.fromarray(grey).resize(size, method))
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    square = np.full((side, side), np.median(border).astype(np.uint8), np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = scaled
    return square

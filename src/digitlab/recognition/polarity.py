"""Whether ink is darker or lighter than its paper."""

from __future__ import annotations

import cv2
import numpy as np

from digitlab.recognition.scaling import shrink

_SIDE = 512
_SMALLEST = 5
_FEW = 5_000  # pixels: a smaller level of the pyramid has less to say
_INNER, _OUTER = 0.8, 2.0  # pixels
_QUANTUM = 1.0  # grey levels squared


def is_dark_on_light(grey: np.ndarray) -> bool:
    """Tell the polarity of a picture.

    Strokes are few pixels that differ much from what surrounds them on both sides; what is not written, such
    as shadows, edges and noise, differs as much up as down. So the skewness of a band-passed picture has the
    sign of the ink, on the levels of a pyramid at which strokes are a few pixels wide.

    Args:
        grey: uint8 [h, w], 0 black .. 255 white.
    """
    votes = 0.0
    level = shrink(grey, max(1.0, max(grey.shape) / _SIDE))
    while min(level.shape) >= _SMALLEST:
        skewness = _skewness(level)
        votes += skewness * abs(skewness) * min(1.0, level.size / _FEW) ** 0.2
        level = shrink(level, 2.0)
    return votes >= 0


def _skewness(grey: np.ndarray) -> float:
    """Of what surrounds a pixel less itself; positive when few pixels are much darker than around them."""
    values = grey.astype(np.float32)
    inner = cv2.GaussianBlur(values, (0, 0), _INNER, borderType=cv2.BORDER_REPLICATE)
    outer = cv2.GaussianBlur(values, (0, 0), _OUTER, borderType=cv2.BORDER_REPLICATE)
    band = cv2.subtract(outer, inner)
    squares = cv2.multiply(band, band)
    cubes = float(cv2.sumElems(cv2.multiply(squares, band))[0])
    return cubes / band.size / (float(cv2.sumElems(squares)[0]) / band.size + _QUANTUM) ** 1.5

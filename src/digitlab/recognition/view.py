"""A picture with its contrast to the paper, before ink is segmented."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class View:
    """A picture as dark marks on light paper.

    Attributes:
        dark: the picture, or its negative if its ink is light, uint8 [h, w].
        paper: brightness of the paper, uint8 [h, w].
        contrast: darkness of each pixel relative to the paper, uint8 [h, w], 255 for black.
        noise: standard deviation of the paper's noise on the scale of the contrast; at least one grey level.
        width: usual width of strokes, in pixels; 0 if there are none.
    """

    dark: np.ndarray
    paper: np.ndarray
    contrast: np.ndarray
    noise: float
    width: float

"""How a picture is seen: what stands out from the paper, before it is told which of it is ink."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class View:
    """A picture as dark marks on light paper.

    Attributes:
        dark: the picture, turned into its negative if its ink was light, uint8 [h, w].
        paper: brightness of the paper, uint8 [h, w].
        contrast: how much darker than the paper, uint8 [h, w], 255 for black.
        noise: standard deviation of the paper in the contrast; of one grey level at least.
        width: the usual width of a stroke, in pixels; 0 when none was found.
    """

    dark: np.ndarray
    paper: np.ndarray
    contrast: np.ndarray
    noise: float
    width: float

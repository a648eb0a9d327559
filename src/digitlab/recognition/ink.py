"""The ink of a picture, separated from what it is written on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digitlab.recognition.reading import Step


@dataclass(frozen=True, eq=False)
class Ink:
    """What is written in a picture, at the working size: the upright picture or its reduction.

    Attributes:
        strength: how much of a pixel is ink, uint8 [h, w], 0 none .. 255 full; 0 where there is no writing.
        scale: pixels of the upright picture to one of the working size, 1 or more.
        stroke_width: the usual width of a stroke, in pixels of the working size; 0 when there is no ink.
        steps: pictures of the preparation, when they were asked for.
    """

    strength: np.ndarray
    scale: float
    stroke_width: float
    steps: tuple[Step, ...] = ()

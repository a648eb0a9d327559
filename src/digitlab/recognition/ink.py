"""The ink of a picture, separated from what it is written on."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from digitlab.recognition.reading import Box, Step


@dataclass(frozen=True, eq=False)
class Ink:
    """What is written in a picture, at the working size: the picture, the sheet in it, or its reduction.

    Attributes:
        strength: how much of a pixel is ink, uint8 [h, w], 0 none .. 255 full; 0 where there is no writing.
        place: the homography from its pixels to those of the upright picture, float64 [3, 3].
        size: of the upright picture, in pixels: width, height.
        stroke_width: the usual width of a stroke, in pixels of the working size; 0 when there is no ink.
        steps: pictures of the preparation, when they were asked for.
    """

    strength: np.ndarray
    place: np.ndarray
    size: tuple[int, int]
    stroke_width: float
    steps: tuple[Step, ...] = ()

    def box(self, left: int, top: int, right: int, bottom: int) -> Box:
        """Find the box in the upright picture of one at the working size; what lies outside is cut off."""
        corners = np.array([[[left, top], [right, top], [right, bottom], [left, bottom]]], float)
        corners = np.clip(cv2.perspectiveTransform(corners, self.place)[0], 0, self.size)
        (left, top), (right, bottom) = (np.rint(ends).astype(int).tolist() for ends in _ends(corners))
        return Box(left, top, right - left, bottom - top)


def _ends(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return corners.min(axis=0), corners.max(axis=0)

"""Preparation of a decoded picture as an upright grey page: transparency, colour, and its sheet of paper."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from digitlab.pictures.decoder import Picture
from digitlab.recognition.alpha import composite
from digitlab.recognition.colour import colour_distance
from digitlab.recognition.ink import Ink, binarize
from digitlab.recognition.page_rectification import find_sheet, rectify
from digitlab.recognition.reading import Box, Step
from digitlab.recognition.scaling import shrink
from digitlab.recognition.uniform_background import measure_uniform_background

WORKING_PIXELS = 1_500_000
"""Largest number of pixels of a page: digits of a photographed page keep 30 rows, as many as are read."""


@dataclass(frozen=True, eq=False)
class Page:
    """A picture, or the sheet in it, ready to be read.

    Attributes:
        grey: grey picture of the page, uint8 [h, w], dark on light or light on dark.
        ink: the ink found on the page.
        homography: homography from the page's pixels to those of the upright picture, float64 [3, 3].
        size: width and height of the upright picture, in pixels.
        steps: pictures of the preparation steps; empty unless they were asked for.
        notes: sentences about the preparation, for the reading.
    """

    grey: np.ndarray
    ink: Ink
    homography: np.ndarray
    size: tuple[int, int]
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()

    def box(self, corners: np.ndarray) -> Box:
        """Return the box around points of the page in the upright picture, clipped to it.

        Args:
            corners: x and y of the points, in pixels of the page, float [n, 2].
        """
        mapped = cv2.perspectiveTransform(corners.reshape(1, -1, 2).astype(np.float64), self.homography)[0]
        mapped = np.clip(mapped, 0, self.size)
        left, top = np.rint(mapped.min(axis=0)).astype(int).tolist()
        right, bottom = np.rint(mapped.max(axis=0)).astype(int).tolist()
        return Box(left, top, right - left, bottom - top)


def make_page(picture: Picture, explain: bool = False) -> Page:
    """Prepare a picture as a page.

    Args:
        picture: the decoded picture.
        explain: whether to keep pictures of the preparation steps.
    """
    whole = composite(picture)
    height, width = whole.shape
    factor = max(1.0, (whole.size / WORKING_PIXELS) ** 0.5)
    grey = shrink(whole, factor)
    homography = np.diag([width / grey.shape[1], height / grey.shape[0], 1.0])
    steps, notes = [Step("grey", grey)], []
    by_colour = _by_colour(picture, grey)
    if by_colour is not None:
        grey = by_colour
        steps.append(Step("colour", grey))
        notes.append("binarized by colour: brightness alone does not show the ink")
    statistics = measure_uniform_background(grey)
    sheet = find_sheet(grey) if statistics is None else None
    if sheet is not None:
        grey, to_picture = rectify(grey, sheet)
        homography = homography @ to_picture
        steps.append(Step("sheet", grey))
        notes.append("a sheet was found in the picture; the rest was left out")
        statistics = measure_uniform_background(grey)
    ink = binarize(grey, statistics)
    if explain:
        marks = cv2.subtract(255 * (ink.sure | ink.pale), 127 * ink.pale)  # pale ink is grey
        steps += [Step("paper", ink.paper), Step("contrast", ink.contrast), Step("ink", marks)]
    return Page(grey, ink, homography, (width, height), tuple(steps) if explain else (), tuple(notes))


def _by_colour(picture: Picture, grey: np.ndarray) -> np.ndarray | None:
    if picture.colour is None or picture.alpha is not None:
        return None
    size = grey.shape[::-1]
    colour = picture.colour
    if colour.shape[1::-1] != size:
        colour = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
    return colour_distance(colour, grey)

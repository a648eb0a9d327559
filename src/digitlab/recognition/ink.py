"""Ink, told from paper: rows are found by it and digits cut out of them; what is read is the grey page."""

# OpenCV's annotations know no scalars among its arguments and take its masks and labels for floats.
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from digitlab.recognition.illumination import flatten
from digitlab.recognition.paper import Survey, contrast_to_paper, find_paper, noise_of_paper, survey
from digitlab.recognition.polarity import is_dark_on_light
from digitlab.recognition.strokes import grain, hysteresis, is_speckled, keep_sharp, stroke_width
from digitlab.recognition.view import View


@dataclass(frozen=True)
class InkParameters:
    """What is taken for ink.

    Attributes:
        floor: contrast of 255 under which nothing is ink, however quiet the paper.
        noises: standard deviations of the paper under which nothing is ink.
        sure_low: of the contrast of full ink: what is connected to sure ink and above it is ink.
        sure_high: of the contrast of full ink: what sure ink reaches somewhere.
        pale: of the contrast of full ink: what pale ink, such as pink beside black, reaches somewhere.
        quiet: standard deviations of the paper that full ink is above it; where it is less, all is noise.
        holes: in connected ink from which on it is a net of lines.
        hole: pixels of such a hole, at least.
        smallest_net: pixels of the shorter side of a picture with such a net.
        closings: radii, in pixels, by which ragged ink is closed until it hangs together.
        ragged_pieces: components that ragged ink has at least.
        ragged_fills: times its area that each closing makes it at least; of other writing 1.03 to 1.1.
        ragged_left: of its components that are left when it hangs together, at most.
        densest: of the picture that is ink at most after a closing.
    """

    floor: float = 8.0
    noises: float = 4.0
    sure_low: float = 0.3
    sure_high: float = 0.6
    pale: float = 0.22
    quiet: float = 7.0
    holes: int = 6
    hole: float = 60.0
    smallest_net: int = 200
    closings: tuple[int, ...] = (1, 2, 3)
    ragged_pieces: int = 5
    ragged_fills: tuple[float, ...] = (1.15, 1.35, 1.35)
    ragged_left: float = 0.2
    densest: float = 0.4


PARAMETERS = InkParameters()

_SMALL = 20  # pixels: in a picture that is smaller even a sharp outline is blurred over all of a stroke


@dataclass(frozen=True, eq=False)
class Ink:
    """What is ink on a page.

    Attributes:
        contrast: how much each pixel differs from the paper as ink does, uint8 [h, w].
        sure: 1 where ink is, as dark as most of it, uint8 [h, w].
        pale: 1 where ink may be that is paler, uint8 [h, w]; none of `sure`.
        level: contrast of full ink.
        stroke_width: the usual one, in pixels; 0 where there is no ink.
        paper: brightness of the paper, uint8 [h, w].
        floor: contrast under which nothing is ink.
        has_net: whether a net of paler lines, as of squared paper, was left out.
    """

    contrast: np.ndarray
    sure: np.ndarray
    pale: np.ndarray
    level: float
    stroke_width: float
    paper: np.ndarray
    floor: float
    has_net: bool = False


def find_ink(grey: np.ndarray, view: View | None, parameters: InkParameters = PARAMETERS) -> Ink:
    """Find ink of either polarity.

    Args:
        grey: a page, uint8 [h, w].
        view: of it, if it is a drawing on paper of one level.
        parameters: what is taken for ink.
    """
    view = view or _on_any_paper(grey)
    contrast = view.contrast
    floor = max(parameters.floor, parameters.noises * view.noise)
    reach = max(5 if min(contrast.shape) < _SMALL else 3, round(0.7 * view.width) | 1)
    level = _ink_level(contrast, floor, reach)
    nothing = np.zeros_like(contrast)
    if level < parameters.quiet * view.noise:
        return Ink(contrast, nothing, nothing, 0.0, 0.0, view.paper, floor)
    low = max(parameters.sure_low * level, floor)
    sure = keep_sharp(hysteresis(contrast, low, parameters.sure_high * level), contrast, reach)
    has_net = _is_net(sure, parameters)
    if has_net:
        # Lines of the paper hold everything together. They are paler than ink: rows need the ink alone.
        low = max(low, float(cv2.threshold(contrast[sure > 0], 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0]))
        sure = keep_sharp(hysteresis(contrast, low, parameters.sure_high * level), contrast, reach)
    sure = _whole(sure, parameters)
    if sure is None:
        return Ink(contrast, nothing, nothing, 0.0, 0.0, view.paper, floor)
    width = stroke_width(sure)
    if has_net:
        return Ink(contrast, sure, nothing, level, width, view.paper, floor, has_net)
    high = max(parameters.pale * level, parameters.quiet * view.noise)
    pale = _pale(contrast, sure, max(floor, 0.5 * parameters.pale * level), high, reach)
    return Ink(contrast, sure, pale, level, width, view.paper, floor, has_net)


def _on_any_paper(grey: np.ndarray) -> View:
    reflects = is_dark_on_light(grey)
    dark = flatten(grey if reflects else 255 - grey, reflects)
    first = survey(dark)
    dark = _smooth(dark, first)
    paper = find_paper(dark, first.width)
    contrast, lighter, grey_level = contrast_to_paper(dark, paper, reflects)
    return View(dark, paper, contrast, max(grey_level, noise_of_paper(contrast, lighter)), first.width)


def _is_net(mask: np.ndarray, parameters: InkParameters) -> bool:
    """Whether some ink has more holes than any digits that touch: lines of squared paper."""
    if min(mask.shape) < parameters.smallest_net:
        return False
    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if len(contours) <= parameters.holes:
        return False
    parents = hierarchy[0, :, 3]
    large = [
        int(parent)
        for contour, parent in zip(contours, parents.tolist(), strict=True)
        if parent >= 0 and cv2.contourArea(contour) > parameters.hole
    ]
    return bool(large) and int(np.bincount(large).max()) > parameters.holes


def _whole(mask: np.ndarray, parameters: InkParameters) -> np.ndarray | None:
    """Close ragged ink until it hangs together; None where there are specks alone, as in noise and textures.

    Ragged ink, as a bad scan leaves it, has its holes within a pixel or two, so that the least closing fills
    much and joins most; nothing else that is written does.
    """
    count = cv2.connectedComponents(mask, connectivity=8, ltype=cv2.CV_32S)[0] - 1
    if count >= parameters.ragged_pieces:
        for radius, fill in zip(parameters.closings, parameters.ragged_fills, strict=True):
            closed = _closed(mask, radius)
            if cv2.countNonZero(closed) < fill * cv2.countNonZero(mask):
                break
            if cv2.countNonZero(closed) > parameters.densest * closed.size:
                break  # noise, which fills the picture when it is closed
            left = cv2.connectedComponents(closed, connectivity=8, ltype=cv2.CV_32S)[0] - 1
            if left <= count * parameters.ragged_left or (
                radius == parameters.closings[-1] and 2 * left < count
            ):
                return closed
    return None if is_speckled(mask) else mask


def _closed(mask: np.ndarray, radius: int) -> np.ndarray:
    size = 2 * radius + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    padded = cv2.copyMakeBorder(mask, size, size, size, size, cv2.BORDER_CONSTANT, value=0)
    return np.ascontiguousarray(cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc)[size:-size, size:-size])


def _pale(contrast: np.ndarray, sure: np.ndarray, low: float, high: float, reach: int) -> np.ndarray:
    """Ink that is paler than the rest, and no part of it."""
    above = hysteresis(contrast, low, high)
    count, labels = cv2.connectedComponents(above, connectivity=8, ltype=cv2.CV_32S)
    alone = np.ones(count, np.uint8)
    alone[labels[sure > 0]] = 0
    alone[0] = 0
    if not alone.any():
        return np.zeros_like(sure)
    pale = alone[labels]
    return keep_sharp(pale, contrast, reach) if pale.any() else pale


def _smooth(grey: np.ndarray, first: Survey) -> np.ndarray:
    """Blur away noise, as far as the width of the strokes allows."""
    noise = grain(grey)
    if noise <= 0.05 * first.contrast:
        return grey
    sigma = min(0.3 * first.width, 7 * noise / max(first.contrast, 1))
    return cv2.GaussianBlur(grey, (0, 0), sigma) if sigma > 0.4 else grey


def _ink_level(contrast: np.ndarray, floor: float, reach: int) -> float:
    """The contrast of full ink; 0 without strokes."""
    strokes = keep_sharp(cv2.threshold(contrast, floor, 1, cv2.THRESH_BINARY)[1], contrast, reach)
    counts = cv2.calcHist([contrast], [0], strokes, [256], [0, 256]).ravel()
    if not counts.any():
        return 0.0
    values = np.arange(256)
    counts[values < (counts * values).sum() / counts.sum()] = 0
    total = np.cumsum(counts)
    return float(np.searchsorted(total, 0.9 * total[-1]))

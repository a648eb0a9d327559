"""Segmentation of ink from paper, to find rows and to cut out digits; the row reader reads the grey page."""

# OpenCV's annotations reject scalar arguments, and declare its masks and labels as arrays of floats.
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np

from digitlab.recognition.illumination import flatten
from digitlab.recognition.paper import (
    PageStatistics,
    StrokeStatistics,
    contrast_to_paper,
    find_paper,
    measure_strokes,
    noise_of_paper,
)
from digitlab.recognition.polarity import is_dark_on_light
from digitlab.recognition.strokes import grain, hysteresis, is_speckled, keep_sharp, stroke_width


@dataclass(frozen=True)
class InkParameters:
    """Thresholds of the segmentation of ink. Contrast is in 0..255, 255 for black on white.

    Attributes:
        floor: contrast below which nothing is ink, however little noise the paper has.
        noises: standard deviations of the paper's noise below which nothing is ink.
        sure_low: share of full ink's contrast above which pixels connected to sure ink are sure ink, too.
        sure_high: share of full ink's contrast that every component of sure ink exceeds somewhere.
        pale: share of full ink's contrast that pale ink, such as pink beside black, exceeds somewhere.
        quiet: standard deviations of the paper's noise that full ink has at least; below, all is noise.
        holes: number of holes that a component has at most, unless it is a net of lines.
        hole: area in pixels above which a hole counts.
        smallest_net: shorter side in pixels of the smallest picture in which nets are looked for.
        closings: radii in pixels of the closings by which ragged ink is joined, tried in this order.
        ragged_pieces: number of components that ragged ink has at least.
        ragged_fills: factor by which each closing at least enlarges the area of ragged ink; that of other
            writing grows by 1.03 to 1.1.
        ragged_left: share of ragged ink's components that are left when it is joined, at most.
        densest: share of the picture that is ink after a closing, at most.
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

_SMALL = 20  # pixels: in a smaller picture even a sharp outline is blurred over the whole width of a stroke


@dataclass(frozen=True, eq=False)
class Ink:
    """The ink on a page.

    Attributes:
        contrast: contrast of each pixel to the paper, in the direction of ink, uint8 [h, w].
        sure: mask of sure ink, which is about as dark as most of the ink, uint8 [h, w] of 0 and 1.
        pale: mask of paler marks that may be ink, uint8 [h, w] of 0 and 1; without pixels of `sure`.
        level: contrast of full ink, 0..255; 0 without ink.
        stroke_width: mean width of strokes, in pixels; 0 without ink.
        paper: brightness of the paper, uint8 [h, w].
        floor: contrast below which nothing is ink.
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


def binarize(
    grey: np.ndarray, statistics: PageStatistics | None, parameters: InkParameters = PARAMETERS
) -> Ink:
    """Find the ink on a page, darker or lighter than its paper.

    Args:
        grey: the page, uint8 [h, w].
        statistics: the page's statistics if its paper has one grey level; None to estimate the paper.
        parameters: thresholds of the segmentation.
    """
    statistics = statistics or _estimate_paper(grey)
    contrast, paper, noise = statistics.contrast, statistics.paper, statistics.noise
    floor = max(parameters.floor, parameters.noises * noise)
    least_reach = 5 if min(contrast.shape) < _SMALL else 3
    reach = max(least_reach, round(0.7 * statistics.width) | 1)
    level = _ink_level(contrast, floor, reach)
    nothing = np.zeros_like(contrast)
    no_ink = Ink(contrast, nothing, nothing, 0.0, 0.0, paper, floor)
    if level < parameters.quiet * noise:
        return no_ink
    low = max(parameters.sure_low * level, floor)
    high = parameters.sure_high * level
    sure = keep_sharp(hysteresis(contrast, low, high), contrast, reach)
    has_net = _is_net(sure, parameters)
    if has_net:
        # Lines of the paper connect all ink to one component. They are paler: Otsu's threshold removes them.
        otsu, _ = cv2.threshold(contrast[sure > 0], 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        low = max(low, float(otsu))
        sure = keep_sharp(hysteresis(contrast, low, high), contrast, reach)
    sure = _whole(sure, parameters)
    if sure is None:
        return no_ink
    width = stroke_width(sure)
    if has_net:
        return Ink(contrast, sure, nothing, level, width, paper, floor, has_net)
    pale_low = max(floor, 0.5 * parameters.pale * level)
    pale_high = max(parameters.pale * level, parameters.quiet * noise)
    pale = _pale(contrast, sure, pale_low, pale_high, reach)
    return Ink(contrast, sure, pale, level, width, paper, floor)


def _estimate_paper(grey: np.ndarray) -> PageStatistics:
    dark_on_light = is_dark_on_light(grey)
    dark = flatten(grey if dark_on_light else 255 - grey, dark_on_light)
    strokes = measure_strokes(dark)
    dark = _smooth(dark, strokes)
    paper = find_paper(dark, strokes.width)
    contrast, lightness, grey_level = contrast_to_paper(dark, paper, dark_on_light)
    noise = max(grey_level, noise_of_paper(contrast, lightness))
    return PageStatistics(paper, contrast, noise, strokes.width)


def _is_net(mask: np.ndarray, parameters: InkParameters) -> bool:
    """Return whether a component has more holes than touching digits have: lines of squared paper."""
    if min(mask.shape) < parameters.smallest_net:
        return False
    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if len(contours) <= parameters.holes:
        return False
    parents = hierarchy[0, :, 3].tolist()  # of a hole: the component's outline; -1 for an outline
    holes_of: Counter[int] = Counter()
    for contour, parent in zip(contours, parents, strict=True):
        if parent >= 0 and cv2.contourArea(contour) > parameters.hole:
            holes_of[parent] += 1
    return max(holes_of.values(), default=0) > parameters.holes


def _whole(mask: np.ndarray, parameters: InkParameters) -> np.ndarray | None:
    """Join ragged ink by closings; return None if there are only specks, as in noise and textures.

    Ragged ink, as in a bad scan, has gaps of a pixel or two, so that the smallest closing fills much of it
    and joins most components, which it does in no other writing.
    """
    count = _component_count(mask)
    if count >= parameters.ragged_pieces:
        for radius, fill in zip(parameters.closings, parameters.ragged_fills, strict=True):
            closed = _closed(mask, radius)
            area = cv2.countNonZero(closed)
            if area < fill * cv2.countNonZero(mask):
                break
            if area > parameters.densest * closed.size:
                break  # noise fills the picture when it is closed
            count_left = _component_count(closed)
            if count_left <= count * parameters.ragged_left:
                return closed
            is_last = radius == parameters.closings[-1]
            if is_last and 2 * count_left < count:
                return closed
    return None if is_speckled(mask) else mask


def _component_count(mask: np.ndarray) -> int:
    labels, _ = cv2.connectedComponents(mask, connectivity=8, ltype=cv2.CV_32S)
    return labels - 1  # without the background


def _closed(mask: np.ndarray, radius: int) -> np.ndarray:
    size = 2 * radius + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    padded = cv2.copyMakeBorder(mask, size, size, size, size, cv2.BORDER_CONSTANT, value=0)
    return np.ascontiguousarray(cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc)[size:-size, size:-size])


def _pale(contrast: np.ndarray, sure: np.ndarray, low: float, high: float, reach: int) -> np.ndarray:
    """Return the mask of ink that is paler than sure ink and not connected to it."""
    above = hysteresis(contrast, low, high)
    count, labels = cv2.connectedComponents(above, connectivity=8, ltype=cv2.CV_32S)
    is_pale = np.ones(count, np.uint8)
    is_pale[labels[sure > 0]] = 0
    is_pale[0] = 0  # the background
    if not is_pale.any():
        return np.zeros_like(sure)
    pale = is_pale[labels]
    return keep_sharp(pale, contrast, reach) if pale.any() else pale


def _smooth(grey: np.ndarray, strokes: StrokeStatistics) -> np.ndarray:
    """Blur the noise away as far as the width of the strokes allows."""
    noise = grain(grey)
    if noise <= 0.05 * strokes.contrast:
        return grey
    sigma = min(0.3 * strokes.width, 7 * noise / max(strokes.contrast, 1))
    return cv2.GaussianBlur(grey, (0, 0), sigma) if sigma > 0.4 else grey


def _ink_level(contrast: np.ndarray, floor: float, reach: int) -> float:
    """Estimate the contrast of full ink; 0 without strokes."""
    _, above = cv2.threshold(contrast, floor, 1, cv2.THRESH_BINARY)
    strokes = keep_sharp(above, contrast, reach)
    counts = cv2.calcHist([contrast], [0], strokes, [256], [0, 256]).ravel()
    if not counts.any():
        return 0.0
    values = np.arange(256)
    mean = (counts * values).sum() / counts.sum()
    # Soft edges of strokes are paler than the mean: full ink is the 0.9 quantile of the rest.
    counts[values < mean] = 0
    total = np.cumsum(counts)
    return float(np.searchsorted(total, 0.9 * total[-1]))

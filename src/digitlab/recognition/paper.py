"""Estimates of the paper: its brightness without the writing, its noise, and the contrast to it."""

# OpenCV's annotations reject scalar arguments, and declare its masks and labels as arrays of floats.
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from digitlab.recognition.scaling import shrink
from digitlab.recognition.strokes import keep_sharp, ridge_width

DARKEST = 40
"""Brightness of paper, in grey levels, below which contrast is no longer measured in proportion to it."""

_SIDE = 128  # pixels: longer side of the picture on which strokes are surveyed
_LEAST = 4  # grey levels: smaller differences to the paper are not strokes
_WIDEST = 0.4  # share of the shorter side: the widest stroke
_HIDDEN = 0.1  # share of the strokes that a window shows: the most that it may hide
_BLURRED = 48  # pixels: smaller pictures are not blurred
_FINE_STROKE = 4.0  # pixels: width of strokes in the reduced picture from which the paper is estimated
_MIDDLE = 0.3  # quantile taken for the middle of the paper; it is below 0.5, since some pixels are ink


@dataclass(frozen=True, eq=False)
class PageStatistics:
    """Estimates of a picture's paper and of the strokes on it, before ink is segmented.

    Attributes:
        paper: brightness of the paper, uint8 [h, w].
        contrast: darkness of each pixel relative to the paper, uint8 [h, w], 255 for black.
        noise: standard deviation of the paper's noise on the scale of the contrast; at least one grey level.
        width: usual width of strokes, in pixels; 0 if there are none.
    """

    paper: np.ndarray
    contrast: np.ndarray
    noise: float
    width: float


@dataclass(frozen=True)
class StrokeStatistics:
    """First estimates of the strokes in a picture.

    Attributes:
        width: usual width of strokes, in pixels; 0 if nothing stands out.
        contrast: mean contrast of strokes to the paper, in grey levels.
    """

    width: float
    contrast: float


def measure_strokes(grey: np.ndarray) -> StrokeStatistics:
    """Find strokes of any width on a reduced picture.

    Closings by wider and wider windows show strokes as soon as the window is wider than the strokes; what
    keeps growing with the window is uneven light.

    Args:
        grey: the picture, uint8 [h, w], dark ink on light paper.
    """
    small, factor = _shrink(grey, max(grey.shape) / _SIDE)
    if min(small.shape) >= _BLURRED:
        small = cv2.GaussianBlur(small, (0, 0), 0.8)
    closings = [_try_window(small, window) for window in _windows(small)]
    closings = [closing for closing in closings if closing.strokes.any()]
    # The first window that hides hardly any stroke of those that wider ones show.
    for i, closing in enumerate(closings):
        hidden = max((_hidden(closing, wider) for wider in closings[i + 1 :]), default=0)
        if hidden <= _HIDDEN * cv2.countNonZero(closing.strokes):
            return StrokeStatistics(ridge_width(closing.strokes) * factor, closing.contrast)
    return StrokeStatistics(0.0, 0.0)


@dataclass(frozen=True, eq=False)
class _Closing:
    """Closing by one window: difference to the paper, uint8 [h, w]; mask of strokes; their mean contrast."""

    difference: np.ndarray
    strokes: np.ndarray
    contrast: float


def _hidden(closing: _Closing, wider: _Closing) -> int:
    """Return the number of pixels of strokes that a wider window shows and this one does not."""
    gain = cv2.subtract(wider.difference, closing.difference)
    _, more = cv2.threshold(gain, closing.contrast / 2, 1, cv2.THRESH_BINARY)
    return cv2.countNonZero(keep_sharp(more, wider.difference, reach=3))


def _windows(grey: np.ndarray) -> list[int]:
    """Return sides of windows in pixels, each about half of the next; the largest is the widest stroke."""
    widest = max(5, round(_WIDEST * min(grey.shape)))
    windows = [widest]
    while windows[-1] > 9:
        windows.append(max(5, windows[-1] // 2))
    return windows[::-1]


def _try_window(grey: np.ndarray, window: int) -> _Closing:
    paper = _close(grey, window)
    difference = cv2.subtract(paper, grey)
    noise = noise_of_paper(difference, cv2.subtract(grey, paper))
    _, above = cv2.threshold(difference, max(_LEAST, 4 * noise), 1, cv2.THRESH_BINARY)
    strokes = keep_sharp(above, difference, reach=3)
    mean_contrast, *_ = cv2.mean(difference, strokes)
    return _Closing(difference, strokes, mean_contrast)


def find_paper(grey: np.ndarray, width: float) -> np.ndarray:
    """Estimate the paper's brightness by a closing wider than strokes, to keep shadows and edges of sheets.

    Args:
        grey: the picture, uint8 [h, w], dark ink on light paper.
        width: usual width of strokes, in pixels.

    Returns:
        Brightness of the paper, uint8 [h, w].
    """
    fine, factor = _shrink(grey, width / _FINE_STROKE)
    window = min(round(_WIDEST * min(fine.shape)), round(3 * width / factor) + 2)
    paper = _close(fine, window)
    if factor == 1:
        return paper
    return cv2.resize(paper, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)


def contrast_to_paper(
    grey: np.ndarray, paper: np.ndarray, dark_on_light: bool
) -> tuple[np.ndarray, np.ndarray, float]:
    """Compare a picture with its paper.

    Args:
        grey: the picture, uint8 [h, w], dark ink on light paper.
        paper: brightness of the paper, uint8 [h, w].
        dark_on_light: whether contrast is measured as a share of the paper's brightness, so that it is the
            same in light and in shadow; False if the picture is a negative.

    Returns:
        Darkness of each pixel relative to the paper, uint8 [h, w], 255 for black; lightness, on the same
        scale; and the usual size of one grey level on this scale.
    """
    usual = float(np.median(paper))
    if dark_on_light:
        least = np.full_like(paper, round(max(DARKEST, usual / 4)))
        unit = cv2.max(paper, least)
    else:
        unit = np.full_like(paper, round(max(DARKEST, usual)))
    darkness = cv2.divide(cv2.subtract(paper, grey), unit, scale=255)
    lightness = cv2.divide(cv2.subtract(grey, paper), unit, scale=255)
    return darkness, lightness, 255 / max(DARKEST, usual)


def noise_of_paper(darker: np.ndarray, lighter: np.ndarray) -> float:
    """Estimate the standard deviation of the paper's noise from pixels that are not darker, and so not ink.

    Args:
        darker: darkness of each pixel relative to the paper, uint8 [h, w].
        lighter: lightness of each pixel relative to the paper, on the same scale, uint8 [h, w].
    """
    _, paper = cv2.threshold(darker, 0, 1, cv2.THRESH_BINARY_INV)
    counts = cv2.calcHist([lighter], [0], paper, [256], [0, 256]).ravel()
    total = np.cumsum(counts)
    # Of normal noise, 68 and 95 % lie within one and two standard deviations.
    one, two = np.searchsorted(total, (0.68 * total[-1], 0.95 * total[-1]))
    return max(float(one), float(two) / 2)


def _shrink(grey: np.ndarray, factor: float) -> tuple[np.ndarray, float]:
    """Shrink a picture by a factor if that is above 1; return it and the factor that was applied."""
    if factor > 1:
        return shrink(grey, factor), factor
    return grey, 1.0


def _close(grey: np.ndarray, window: int) -> np.ndarray:
    """Close and smooth; the result is lowered, since a closing follows the crests of the paper's noise."""
    window = max(5, window | 1)  # odd, so that it has a middle
    paper = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((window, window), np.uint8))
    if window > 8:
        side = window // 4 | 1
        paper = cv2.blur(paper, (side, side), borderType=cv2.BORDER_REPLICATE)
    excess = float(np.quantile(cv2.subtract(paper, grey), _MIDDLE))
    # As an array, since OpenCV mistakes numbers for small arrays.
    return cv2.subtract(paper, np.full_like(paper, round(excess)))

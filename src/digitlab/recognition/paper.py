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


@dataclass(frozen=True)
class Survey:
    """First estimates of the strokes in a picture.

    Attributes:
        width: usual width of strokes, in pixels; 0 if nothing stands out.
        contrast: mean contrast of strokes to the paper, in grey levels.
    """

    width: float
    contrast: float


def survey(grey: np.ndarray) -> Survey:
    """Find strokes of any width on a reduced picture.

    Closings by wider and wider windows show strokes as soon as the window is wider than the strokes; what
    keeps growing with the window is uneven light.

    Args:
        grey: the picture, uint8 [h, w], dark ink on light paper.
    """
    small, factor = _at_most(grey, max(grey.shape) / _SIDE)
    if min(small.shape) >= _BLURRED:
        small = cv2.GaussianBlur(small, (0, 0), 0.8)
    looks = [look for look in (_look(small, window) for window in _windows(small)) if look.strokes.any()]
    for number, look in enumerate(looks):
        hidden = max((_hidden(look, wider) for wider in looks[number + 1 :]), default=0)
        if hidden <= _HIDDEN * cv2.countNonZero(look.strokes):
            return Survey(ridge_width(look.strokes) * factor, look.contrast)
    return Survey(0.0, 0.0)


@dataclass(frozen=True, eq=False)
class _Look:
    """Closing by one window: difference to the paper, uint8 [h, w]; mask of strokes; their mean contrast."""

    difference: np.ndarray
    strokes: np.ndarray
    contrast: float


def _hidden(look: _Look, wider: _Look) -> int:
    """Return the number of pixels of strokes that a wider window shows and this one does not."""
    _, more = cv2.threshold(
        cv2.subtract(wider.difference, look.difference), look.contrast / 2, 1, cv2.THRESH_BINARY
    )
    return cv2.countNonZero(keep_sharp(more, wider.difference, reach=3))


def _windows(grey: np.ndarray) -> list[int]:
    widest = max(5, round(_WIDEST * min(grey.shape)))
    windows = [widest]
    while windows[-1] > 9:
        windows.append(max(5, windows[-1] // 2))
    return windows[::-1]


def _look(grey: np.ndarray, window: int) -> _Look:
    paper = _close(grey, window)
    difference = cv2.subtract(paper, grey)
    noise = noise_of_paper(difference, cv2.subtract(grey, paper))
    above = cv2.threshold(difference, max(_LEAST, 4 * noise), 1, cv2.THRESH_BINARY)[1]
    strokes = keep_sharp(above, difference, reach=3)
    return _Look(difference, strokes, cv2.mean(difference, strokes)[0])


def find_paper(grey: np.ndarray, width: float) -> np.ndarray:
    """Estimate the paper's brightness by a closing wider than strokes, to keep shadows and edges of sheets.

    Args:
        grey: the picture, uint8 [h, w], dark ink on light paper.
        width: usual width of strokes, in pixels.

    Returns:
        Brightness of the paper, uint8 [h, w].
    """
    fine, factor = _at_most(grey, width / _FINE_STROKE)
    window = min(round(_WIDEST * min(fine.shape)), round(3 * width / factor) + 2)
    paper = _close(fine, window)
    return cv2.resize(paper, grey.shape[::-1], interpolation=cv2.INTER_LINEAR) if factor > 1 else paper


def contrast_to_paper(
    grey: np.ndarray, paper: np.ndarray, reflects: bool
) -> tuple[np.ndarray, np.ndarray, float]:
    """Compare a picture with its paper.

    Args:
        grey: the picture, uint8 [h, w], dark ink on light paper.
        paper: brightness of the paper, uint8 [h, w].
        reflects: whether contrast is measured as a share of the paper's brightness, so that it is the same in
            light and in shadow; False if the picture is a negative.

    Returns:
        Darkness of each pixel relative to the paper, uint8 [h, w], 255 for black; lightness, on the same
        scale; and the usual size of one grey level on this scale.
    """
    usual = float(np.median(paper))
    least = np.full_like(paper, round(max(DARKEST, usual / 4 if reflects else usual)))
    unit = cv2.max(paper, least) if reflects else least
    darker, lighter = cv2.subtract(paper, grey), cv2.subtract(grey, paper)
    return (
        cv2.divide(darker, unit, scale=255),
        cv2.divide(lighter, unit, scale=255),
        255 / max(DARKEST, usual),
    )


def noise_of_paper(darker: np.ndarray, lighter: np.ndarray) -> float:
    """Estimate the standard deviation of the paper's noise from pixels that are not darker, and so not ink.

    Args:
        darker: darkness of each pixel relative to the paper, uint8 [h, w].
        lighter: lightness of each pixel relative to the paper, on the same scale, uint8 [h, w].
    """
    paper = cv2.threshold(darker, 0, 1, cv2.THRESH_BINARY_INV)[1]
    total = np.cumsum(cv2.calcHist([lighter], [0], paper, [256], [0, 256]).ravel())
    # Of normal noise, 68 and 95 % lie within one and two standard deviations.
    one, two = np.searchsorted(total, (0.68 * total[-1], 0.95 * total[-1]))
    return max(float(one), float(two) / 2)


def _at_most(grey: np.ndarray, factor: float) -> tuple[np.ndarray, float]:
    """Shrink a picture by a factor if that is above 1; return it and the factor that was applied."""
    return (shrink(grey, factor), factor) if factor > 1 else (grey, 1.0)


def _close(grey: np.ndarray, window: int) -> np.ndarray:
    """Close and smooth; the result is lowered, since a closing follows the crests of the paper's noise."""
    window = max(5, window | 1)
    paper = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((window, window), np.uint8))
    if window > 8:
        paper = cv2.blur(paper, (window // 4 | 1, window // 4 | 1), borderType=cv2.BORDER_REPLICATE)
    above = cv2.subtract(paper, grey)
    middle = np.full_like(
        paper, round(float(np.quantile(above, _MIDDLE)))
    )  # OpenCV mistakes numbers for small arrays
    return cv2.subtract(paper, middle)

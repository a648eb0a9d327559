"""What a picture is written on: its brightness without the writing."""

# OpenCV's annotations know no scalars among its arguments and take its masks and labels for floats.
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from digitlab.recognition.scaling import shrink
from digitlab.recognition.strokes import keep_sharp, ridge_width

DARKEST = 40
"""Grey levels: below, contrast is no longer measured in proportion to the paper."""

_SIDE = 128
_LEAST = 4  # grey levels
_WIDEST = 0.4  # of the shorter side: the widest stroke
_HIDDEN = 0.1  # of the strokes that a window shows: what it may hide
_BLURRED = 48  # pixels: pictures smaller than this are looked at as they are
_FINE_STROKE = 4.0  # pixels: how wide strokes are where the paper is followed closely
_MIDDLE = 0.3  # the quantile that stands for the middle of the paper, some of the rest being ink


@dataclass(frozen=True)
class Survey:
    """What a first look at a picture tells.

    Attributes:
        width: the usual width of a stroke, in pixels; 0 when nothing stands out.
        contrast: of strokes to paper, in grey levels.
    """

    width: float
    contrast: float


def survey(grey: np.ndarray) -> Survey:
    """Look for strokes of any width, on a small picture.

    Closings by wider and wider windows show strokes as soon as the window is wider than they; what grows with
    every window is no stroke but uneven light.

    Args:
        grey: uint8 [h, w], dark ink on light paper.
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
    """What a window shows: the difference to the paper, uint8 [h, w]; its strokes; their mean contrast."""

    difference: np.ndarray
    strokes: np.ndarray
    contrast: float


def _hidden(look: _Look, wider: _Look) -> int:
    """Pixels of strokes that a wider window shows and this one does not."""
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
    """Estimate the brightness of the paper: a closing wider than strokes keeps shadows and edges of sheets.

    Args:
        grey: uint8 [h, w], dark ink on light paper.
        width: the usual width of a stroke, in pixels.

    Returns:
        uint8 [h, w].
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
        grey: uint8 [h, w], dark ink on light paper.
        paper: uint8 [h, w].
        reflects: whether the contrast is measured as a share of the paper, so that it is the same in light
            and in shadow; not if the picture is a negative.

    Returns:
        How much darker, uint8 [h, w], 255 for black; how much lighter, of the same scale; and what one grey
        level is in it, usually.
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
    """Standard deviation of the paper, from the pixels that are not darker than it: no ink is among them.

    Args:
        darker: how much darker than the paper, uint8 [h, w].
        lighter: how much lighter, of the same scale.
    """
    paper = cv2.threshold(darker, 0, 1, cv2.THRESH_BINARY_INV)[1]
    total = np.cumsum(cv2.calcHist([lighter], [0], paper, [256], [0, 256]).ravel())
    one, two = np.searchsorted(total, (0.68 * total[-1], 0.95 * total[-1]))
    return max(float(one), float(two) / 2)


def _at_most(grey: np.ndarray, factor: float) -> tuple[np.ndarray, float]:
    """Make a picture smaller by a factor, if that does, and say by which it was."""
    return (shrink(grey, factor), factor) if factor > 1 else (grey, 1.0)


def _close(grey: np.ndarray, window: int) -> np.ndarray:
    """Close and smooth; a closing lies on the crests of noise, so that it is lowered to the middle."""
    window = max(5, window | 1)
    paper = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((window, window), np.uint8))
    if window > 8:
        paper = cv2.blur(paper, (window // 4 | 1, window // 4 | 1), borderType=cv2.BORDER_REPLICATE)
    above = cv2.subtract(paper, grey)
    middle = np.full_like(
        paper, round(float(np.quantile(above, _MIDDLE)))
    )  # OpenCV mistakes numbers for small arrays
    return cv2.subtract(paper, middle)

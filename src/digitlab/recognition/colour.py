"""Distance of colours from the paper's colour, which shows ink that luminance hides."""

# OpenCV's annotations reject scalar arguments, and declare its masks and labels as arrays of floats.
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

import cv2
import numpy as np

_SIDE = 96  # pixels: longer side of the reduced picture from which the paper's colour is estimated
_WINDOW = 31  # pixels of that picture: side of the median filter; strokes are narrower than half of it
_LOOK = 250_000  # pixels of the reduced picture in which hidden ink is looked for
_COLOURED = 24  # grey levels between two channels: a picture with less everywhere is grey
_SEEN = 40  # grey levels: hidden ink differs by more from the paper in some channel
_HIDDEN = 1.35  # times the contrast in luminance: more than of any pen on white paper; a blue pen has 1.2
_SHARE = 0.1  # share of the pixels that differ from the paper that must be hidden


def colour_distance(colour: np.ndarray, grey: np.ndarray) -> np.ndarray | None:
    """Return the colour distance from the paper if luminance hides ink: red on green, or pink beside black.

    The paper's colour is the median around each pixel; the distance is the largest difference from it over
    red, green and blue. Unlike any fixed axis of colour it shows two inks of different colours at once.

    Args:
        colour: RGB picture, uint8 [h, w, 3].
        grey: the picture's luminance, uint8 [h, w].

    Returns:
        Inverted distance, uint8 [h, w], dark ink on white; None if the luminance shows as much.
    """
    factor = max(1.0, (grey.size / _LOOK) ** 0.5)
    rows, columns = grey.shape
    size = max(1, round(columns / factor)), max(1, round(rows / factor))
    small = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
    red, green, blue = cv2.split(small)
    spread = cv2.max(cv2.absdiff(red, green), cv2.absdiff(green, blue))
    if spread.max() < _COLOURED:
        return None
    distance = _distance(small)
    small_grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    luminance_contrast = cv2.absdiff(small_grey, _paper(small_grey))
    _, seen = cv2.threshold(distance, _SEEN, 1, cv2.THRESH_BINARY)
    shown = cv2.convertScaleAbs(luminance_contrast, alpha=_HIDDEN)
    hidden = cv2.bitwise_and(cv2.compare(distance, shown, cv2.CMP_GT), seen)
    # JPEG stores colour coarsely, so that outlines of strokes may seem hidden: only wider parts count.
    hidden = cv2.erode(hidden, np.ones((2, 2), np.uint8))
    if cv2.countNonZero(hidden) <= _SHARE * max(cv2.countNonZero(seen), 1):
        return None
    return 255 - _distance(colour)


def _distance(colour: np.ndarray) -> np.ndarray:
    """Return the largest difference from the paper over red, green and blue, uint8 [h, w]."""
    red, green, blue = cv2.split(cv2.absdiff(colour, _paper(colour)))
    return cv2.max(cv2.max(red, green), blue)


def _paper(picture: np.ndarray) -> np.ndarray:
    """Return the paper's grey or colour at each pixel: the median around it."""
    height, width = picture.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.medianBlur(small, _WINDOW), (width, height), interpolation=cv2.INTER_LINEAR)

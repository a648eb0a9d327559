"""The preparation of pictures: from anybody's picture to ink, and from ink to MNIST form."""

from __future__ import annotations

import cv2
import numpy as np

from digitlab.data.images import Picture
from digitlab.recognition.ink import Ink
from digitlab.recognition.light import even_out
from digitlab.recognition.mnist_form import to_mnist_form
from digitlab.recognition.opacity import flatten
from digitlab.recognition.paper import Survey, contrast_to_paper, find_paper, noise_of_paper, survey
from digitlab.recognition.polarity import is_dark_on_light
from digitlab.recognition.reading import Step
from digitlab.recognition.rules import without_rules
from digitlab.recognition.sheet import paint_surroundings
from digitlab.recognition.strokes import (
    grain,
    hysteresis,
    is_speckled,
    keep_sharp,
    stroke_width,
    without_scraps,
)

__all__ = ["Ink", "find_ink", "to_mnist_form"]

_WORKING_PIXELS = 1_500_000
_SMALL = 20  # pixels


def find_ink(picture: Picture, explain: bool = False) -> Ink:
    """Separate ink from paper.

    Args:
        picture: as decoded.
        explain: whether to keep pictures of the steps.

    Returns:
        The ink; without any, nothing stands out from the paper.
    """
    grey, scale = _shrink(flatten(picture))
    grey = paint_surroundings(grey)
    reflects = is_dark_on_light(grey)
    dark = grey if reflects else 255 - grey
    dark = even_out(dark, reflects)
    first = survey(dark)
    dark = _smooth(dark, first)
    paper = find_paper(dark, first.width)
    contrast, lighter, grey_level = contrast_to_paper(dark, paper, reflects)
    noise = max(grey_level, noise_of_paper(contrast, lighter))
    floor = max(8.0, 4 * noise)
    # In the smallest pictures even a sharp outline is blurred over all of its pixels.
    reach = max(5 if min(grey.shape) < _SMALL else 3, round(0.7 * first.width) | 1)
    level = _ink_level(contrast, floor, reach)
    unruled = without_rules(contrast, max(0.15 * level, floor), level, first.width)
    if unruled is not contrast:
        contrast, level = unruled, _ink_level(unruled, floor, reach)
    if level < 7 * noise:
        return Ink(np.zeros_like(grey), scale, 0.0)
    mask = keep_sharp(hysteresis(contrast, max(0.3 * level, floor), 0.6 * level), contrast, reach)
    mask = without_scraps(mask)
    if is_speckled(mask):
        return Ink(np.zeros_like(grey), scale, 0.0)
    strength = cv2.multiply(contrast, cv2.dilate(mask, np.ones((3, 3), np.uint8)), scale=255 / level)
    width = stroke_width(mask)
    steps = (
        (
            Step("grey", grey),
            Step("evenly lit", dark),
            Step("paper", paper),
            Step("contrast", contrast),
            Step("ink", strength),
        )
        if explain
        else ()
    )
    return Ink(strength, scale, width, steps)


def _shrink(grey: np.ndarray) -> tuple[np.ndarray, float]:
    height, width = grey.shape
    scale = (height * width / _WORKING_PIXELS) ** 0.5
    if scale <= 1:
        return grey, 1.0
    size = max(1, round(width / scale)), max(1, round(height / scale))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA), scale


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

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
from digitlab.recognition.plain import on_plain_paper
from digitlab.recognition.polarity import is_dark_on_light
from digitlab.recognition.reading import Step
from digitlab.recognition.rules import without_rules
from digitlab.recognition.scaling import shrink
from digitlab.recognition.sheet import find_sheet, take_out
from digitlab.recognition.strokes import (
    grain,
    hysteresis,
    is_speckled,
    keep_sharp,
    stroke_width,
    without_scraps,
)
from digitlab.recognition.view import View

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
    whole = flatten(picture)
    grey, place = _to_working_size(whole)
    view, sheet, place = _look(grey, place)
    strength, width = _separate(view)
    steps = (
        (
            Step("grey", grey),
            *((Step("sheet", sheet),) if sheet is not grey else ()),
            Step("evenly lit", view.dark),
            Step("paper", view.paper),
            Step("contrast", view.contrast),
            Step("ink", strength),
        )
        if explain
        else ()
    )
    return Ink(strength, place, (whole.shape[1], whole.shape[0]), width, steps)


def _look(grey: np.ndarray, place: np.ndarray) -> tuple[View, np.ndarray, np.ndarray]:
    """View a picture, or the sheet that lies in it: the view, what is viewed, and where that is."""
    view = on_plain_paper(grey)
    if view is not None:
        return view, grey, place
    sheet = find_sheet(grey)
    if sheet is None:
        return _on_any_paper(grey), grey, place
    paper, back = take_out(grey, sheet)
    return on_plain_paper(paper) or _on_any_paper(paper), paper, place @ back


def _on_any_paper(grey: np.ndarray) -> View:
    reflects = is_dark_on_light(grey)
    dark = even_out(grey if reflects else 255 - grey, reflects)
    first = survey(dark)
    dark = _smooth(dark, first)
    paper = find_paper(dark, first.width)
    contrast, lighter, grey_level = contrast_to_paper(dark, paper, reflects)
    return View(dark, paper, contrast, max(grey_level, noise_of_paper(contrast, lighter)), first.width)


def _separate(view: View) -> tuple[np.ndarray, float]:
    """Tell ink from all else: its strength, uint8 [h, w], and the width of its strokes."""
    floor = max(8.0, 4 * view.noise)
    # In the smallest pictures even a sharp outline is blurred over all of its pixels.
    reach = max(5 if min(view.contrast.shape) < _SMALL else 3, round(0.7 * view.width) | 1)
    strength = np.zeros_like(view.contrast)
    box = _box(view.contrast, floor, reach)
    level = _ink_level(view.contrast[box], floor, reach)
    contrast = without_rules(view.contrast, max(0.15 * level, floor), level, view.width)
    found = contrast[box]
    if contrast is not view.contrast:
        level = _ink_level(found, floor, reach)
    if level < 7 * view.noise:
        return strength, 0.0
    mask = keep_sharp(hysteresis(found, max(0.3 * level, floor), 0.6 * level), found, reach)
    mask = without_scraps(mask)
    if is_speckled(mask):
        return strength, 0.0
    near = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    strength[box] = cv2.multiply(found, near, scale=255 / level)
    return strength, stroke_width(mask)


def _box(contrast: np.ndarray, floor: float, margin: int) -> tuple[slice, slice]:
    """Where anything may be ink; the margin is clipped only at the borders of the picture."""
    left, top, width, height = cv2.boundingRect(cv2.threshold(contrast, floor, 1, cv2.THRESH_BINARY)[1])
    return (
        slice(max(0, top - margin), top + height + margin),
        slice(max(0, left - margin), left + width + margin),
    )


def _to_working_size(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reduce a picture to the working size; with the homography back."""
    height, width = grey.shape
    scale = max(1.0, (height * width / _WORKING_PIXELS) ** 0.5)
    if scale > 1:
        grey = shrink(grey, scale)
    return grey, np.diag([width / grey.shape[1], height / grey.shape[0], 1.0])


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

"""Digits moved, turned, slanted and written with another pen, as other people write them."""

from __future__ import annotations

import cv2
import numpy as np

ROTATION = 12.0
"""Largest rotation either way, in degrees."""
SCALE = 0.12
"""Largest share by which width and height, each by itself, become larger or smaller."""
SHEAR = 0.15
"""Largest sideways shift of a row, as a share of its distance from the middle."""
SHIFT = 1.5
"""Largest shift along each axis, in pixels."""
THICKNESS = 0.4
"""Largest share of a pixel by which strokes become thicker or thinner on each side."""

_SQUARE = np.ones((3, 3), np.uint8)


def move_digits(digits: np.ndarray, seed: int) -> np.ndarray:
    """Change each digit at random, within the bounds of this module.

    Args:
        digits: images in MNIST form, uint8 [n, 28, 28].
        seed: random seed, 0 or more; the same digits and seed give the same images.

    Returns:
        Images, uint8 [n, 28, 28].
    """
    random = np.random.default_rng(np.random.SeedSequence(seed))
    moved = np.empty_like(digits)
    for i, digit in enumerate(digits):
        placed = cv2.warpAffine(digit, _matrix(random, digit.shape[0]), digit.shape)
        moved[i] = _thickened(placed, random.uniform(-THICKNESS, THICKNESS))
    return moved


def _matrix(random: np.random.Generator, side: int) -> np.ndarray:
    """Draw an affine map that leaves the middle of the image where it is, but for the shift: [2, 3]."""
    angle = np.deg2rad(random.uniform(-ROTATION, ROTATION))
    slant = random.uniform(-SHEAR, SHEAR)
    stretch = np.exp(random.uniform(-1, 1, 2) * np.log1p(SCALE))
    shift = random.uniform(-SHIFT, SHIFT, 2)
    cosine, sine = np.cos(angle), np.sin(angle)
    rotation = np.array([[cosine, -sine], [sine, cosine]])
    linear = rotation @ np.array([[1, slant], [0, 1]]) @ np.diag(stretch)
    middle = np.full(2, (side - 1) / 2)
    offset = middle + shift - linear @ middle
    return np.column_stack([linear, offset])


def _thickened(digit: np.ndarray, amount: float) -> np.ndarray:
    """Mix a digit with its dilation (an amount above 0) or its erosion (below 0) by a 3x3 square."""
    other = cv2.dilate(digit, _SQUARE) if amount > 0 else cv2.erode(digit, _SQUARE)
    return cv2.addWeighted(digit, 1 - abs(amount), other, abs(amount), 0)

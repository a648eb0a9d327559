"""MNIST's test digits pasted into larger pictures, and read there: what the preparation loses."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

WIDTH, HEIGHT = 400, 300
SIDES = (24, 280)
"""The side to which a digit's 28 pixels are scaled, from and to."""


def pasted(digits: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    """Paste each digit into a picture of 400x300 at random size and place, on a random background.

    Ink and background are greys at least 80 levels apart, either the darker; half of the backgrounds get
    lighter to one side, and all have a little noise.

    Args:
        digits: digits in MNIST form, uint8 [n, 28, 28].
        seed: seed of all that is random.

    Returns:
        The pictures one by one, uint8 [300, 400].
    """
    chance = np.random.default_rng(seed)
    for digit in digits:
        yield paste(digit, chance)


def paste(digit: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Paste one digit; as `pasted`."""
    smallest, largest = np.log(SIDES)
    side = int(np.exp(chance.uniform(smallest, largest)))  # as many that are twice as small as twice as large
    interpolation = cv2.INTER_AREA if side < 28 else cv2.INTER_CUBIC
    ink = cv2.resize(digit, (side, side), interpolation=interpolation)
    top = int(chance.integers(0, HEIGHT - side + 1))
    left = int(chance.integers(0, WIDTH - side + 1))
    opacity = np.zeros((HEIGHT, WIDTH), np.float32)
    opacity[top : top + side, left : left + side] = ink / np.float32(255)
    background, pen = chance.uniform(0, 255, 2)
    while abs(background - pen) < 80:
        background, pen = chance.uniform(0, 255, 2)
    picture = background + opacity * (pen - background)
    if chance.random() < 0.5:
        picture += np.linspace(-1, 1, WIDTH, dtype=np.float32) * chance.uniform(-20, 20)
    picture += chance.normal(0, chance.uniform(0, 3), picture.shape)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)

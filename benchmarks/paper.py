"""What ink is written on: white paper, a black canvas, grey paper in uneven light; and the margins."""

from __future__ import annotations

import cv2
import numpy as np

LOOKS = ("white", "grey", "black")


def pad(ink: np.ndarray, top: int, bottom: int, left: int, right: int) -> np.ndarray:
    """Leave margins around ink, in pixels; a negative one cuts into it."""
    height, width = ink.shape
    ink = ink[max(0, -top) : height - max(0, -bottom), max(0, -left) : width - max(0, -right)]
    margins = [(max(0, top), max(0, bottom)), (max(0, left), max(0, right))]
    return np.pad(ink, margins)


def around(ink: np.ndarray, margin: float, chance: np.random.Generator) -> np.ndarray:
    """Leave margins of about this many heights of the ink on every side."""
    size = margin * ink.shape[0]
    top, bottom, left, right = (int(size * chance.uniform(0.7, 1.5)) for _ in range(4))
    return pad(ink, top, bottom, left, right)


def square(ink: np.ndarray, side: int) -> np.ndarray:
    """Put ink in the middle of a square picture."""
    height, width = ink.shape
    top = (side - height) // 2
    left = (side - width) // 2
    return pad(ink, top, side - height - top, left, side - width - left)


def look(ink: np.ndarray, chance: np.random.Generator, name: str | None = None) -> np.ndarray:
    """Give ink a paper.

    Args:
        ink: float32 [h, w], 0..1.
        chance: generator of the paper, the light and the noise.
        name: one of `LOOKS`; None takes one by chance, grey paper half of the time.

    Returns:
        A picture, uint8 [h, w].
    """
    name = name or str(chance.choice(LOOKS, p=(0.3, 0.5, 0.2)))
    if name == "black":
        return level(chance.uniform(220, 256) * ink)
    pen = chance.uniform(0, 60)
    if name == "white":
        return level(255 + ink * (pen - 255))
    return photographed(ink, grey_paper(ink.shape, chance), chance)


def grey_paper(size: tuple[int, ...], chance: np.random.Generator) -> np.ndarray:
    """Paper of some grey that gets lighter to one side: float32 [h, w]."""
    height, width = size[:2]
    angle = chance.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    x = columns / width - 0.5
    y = rows / height - 0.5
    toward_light = np.cos(angle) * x + np.sin(angle) * y
    return (chance.uniform(140, 225) + chance.uniform(5, 45) * toward_light).astype(np.float32)


def photographed(ink: np.ndarray, paper: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Write on paper, and take a picture that is a little soft and has noise: uint8 [h, w]."""
    strength = chance.uniform(0.5, 0.85)
    picture = paper * (1 - strength * ink)  # ink lets a share of the paper's light through
    blur = chance.uniform(0.3, 0.3 + ink.shape[0] / 300)
    picture = cv2.GaussianBlur(picture, (0, 0), blur)
    noise = chance.normal(0, chance.uniform(0.5, 3), picture.shape)
    return level(picture + noise)


def level(values: np.ndarray) -> np.ndarray:
    """Round to the levels 0..255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def coloured(ink: np.ndarray, colour: tuple[int, ...], background: tuple[int, ...]) -> np.ndarray:
    """Write in one colour on another: uint8 [h, w, 3], RGB."""
    share = ink[..., None]
    return level(np.array(background) * (1 - share) + np.array(colour) * share)

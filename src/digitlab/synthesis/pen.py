"""Ink along a path of the pen: one width of stroke, with varying pressure, wet or dry."""

from __future__ import annotations

import cv2
import numpy as np

from digitlab.synthesis.row_hand import Way

_FINE = 44
"""Height of a digit in pixels where ink is drawn, before it is scaled to the picture's resolution."""
_WIDTH = 0.088
"""Median width of a stroke, as a share of the digit's height."""
_NARROWEST, _WIDEST = 0.035, 0.2
"""Smallest and largest width of a stroke, as shares of the digit's height."""
_MARGIN = 16
"""Margin in pixels around all points, more than half of the widest stroke."""


def draw_ink(
    way: Way | None, height: float, random: np.random.Generator, rough: bool
) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """Draw ink along a path of the pen.

    Args:
        way: path of the pen of a row, in heights of a digit; None for a row without ink.
        height: height of a digit in the picture, in pixels.
        random: random generator.
        rough: whether the ink has grain, as on paper.

    Returns:
        Ink, float32 [h, w], from 0, paper, to 1, full; and the box of the ink in pixels: top, bottom, left,
        right.
    """
    if way is None:
        rows = round(1.2 * height)
        columns = round(height * random.uniform(1, 6))
        return np.zeros((rows, columns), np.float32), (0, rows, 0, columns)
    points, lines = way
    low, high = points.min(axis=0), points.max(axis=0)
    fine_columns, fine_rows = (np.ceil((high - low) * _FINE).astype(int) + 2 * _MARGIN).tolist()
    pixels = (points - low) * _FINE + _MARGIN
    # A stroke thinner than a pixel would look like a shade of the paper.
    narrowest = max(_NARROWEST, 1 / height)
    width = np.clip(np.exp(random.normal(np.log(_WIDTH), 0.42)), narrowest, _WIDEST)
    radius = _FINE / 2 * float(width)
    distances = _distances(pixels, lines, (fine_rows, fine_columns))
    reach = radius * _pressure(fine_columns, random)
    softness = random.uniform(0.5, 1.6) if rough else 0.5  # pixels from full ink to none
    fine = np.clip((reach - distances) / softness + 0.5, 0, 1)
    if rough and random.random() < 0.35:
        fine *= _grain(fine.shape, random)
    scale = height / _FINE
    columns = max(1, round(fine_columns * scale))
    rows = max(1, round(fine_rows * scale))
    ink = np.asarray(cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA))
    edge = (_MARGIN - radius) * scale
    return ink, (round(edge), round(rows - edge), round(edge), round(columns - edge))


def _distances(pixels: np.ndarray, lines: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the distance of each pixel from the path of the pen, float32 [h, w]."""
    begin, end = pixels[lines[:, 0]], pixels[lines[:, 1]]
    # As many points on each line as the longest one has pixels.
    steps = int(np.ceil(np.abs(end - begin).max())) + 1
    share = np.linspace(0, 1, min(steps, 400), dtype=np.float32)[None, :, None]
    path = begin[:, None] + share * (end - begin)[:, None]
    columns, rows = np.rint(path).astype(np.int32).reshape(-1, 2).T
    paper = np.full(size, 255, np.uint8)
    paper[rows, columns] = 0
    return cv2.distanceTransform(paper, cv2.DIST_L2, cv2.DIST_MASK_5)


def _pressure(columns: int, random: np.random.Generator) -> np.ndarray:
    """Draw factors of the pen's width along the row, float32 [1, w]."""
    coarse = random.standard_normal((1, columns // 12 + 2)).astype(np.float32)
    strength = random.uniform(0, 0.16)
    return 1 + strength * cv2.resize(coarse, (columns, 1), interpolation=cv2.INTER_CUBIC)


def _grain(size: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Draw the share of a dry pen's ink that reaches the paper, float32 [h, w]."""
    rows, columns = size
    # Grains are about two pixels wide.
    grain = random.standard_normal((rows // 2 + 1, columns // 2 + 1), np.float32)
    grain = cv2.resize(grain, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.clip(1 - random.uniform(0.05, 0.5) * np.abs(grain), 0, 1)

"""Papers that rows are written on, and their exposure by a camera or scanner."""

from __future__ import annotations

import cv2
import numpy as np

_PRINTED_LETTERS = list("abcdefghiklmnoprstuvwxyzABCDEFGHKLMNPRSTUVWXYZ")
"""Letters of printed words."""


def draw_paper(
    size: tuple[int, int], height: float, random: np.random.Generator, held_back: bool = False
) -> np.ndarray:
    """Draw paper with what is printed on it.

    Args:
        size: rows and columns, in pixels.
        height: height of a digit, in pixels.
        random: random generator.
        held_back: whether the print is of the families that are held back from training.

    Returns:
        Reflectance, the share of the light that is reflected, float32 [h, w], 0 to about 1.
    """
    paper = np.full(size, random.uniform(0.62, 1.0), np.float32)
    if random.random() < 0.35:
        grain = height * random.uniform(0.3, 3)
        paper *= _smooth_noise(size, grain, random.uniform(0.01, 0.06), random)
    families = HELD_BACK if held_back else FAMILIES
    share_with_print = 0.9 if held_back else 0.55
    if random.random() < share_with_print:
        prints = 2 if random.random() < 0.35 else 1
        for _ in range(prints):
            draw_print = families[random.integers(len(families))]
            paper *= draw_print(size, height, random)
    return paper


def _smooth_noise(
    size: tuple[int, int], grain: float, strength: float, random: np.random.Generator
) -> np.ndarray:
    """Draw factors near 1 that vary slowly: fibres, stains."""
    rows, columns = size
    coarse_size = (int(rows / grain) + 2, int(columns / grain) + 2)
    coarse = random.standard_normal(coarse_size).astype(np.float32)
    return 1 + strength * cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)


def _coordinates(size: tuple[int, int]) -> np.ndarray:
    """Return the row and the column of each pixel, float32 [2, h, w]."""
    return np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)


def _lines(size: tuple[int, int], positions: np.ndarray, thickness: float, across: bool) -> np.ndarray:
    """Compute how much of each row (or column) lines cover, float32 [h, w], 0..1.

    Args:
        size: rows and columns, in pixels.
        positions: row of each line if the lines run across, else its column.
        thickness: thickness of the lines, in pixels.
        across: whether the lines run from left to right; otherwise from top to bottom.
    """
    pixels = np.arange(size[0] if across else size[1], dtype=np.float32)
    cover = np.zeros_like(pixels)
    for position in positions:
        line = np.clip(thickness / 2 + 0.5 - np.abs(pixels - position), 0, 1)
        cover = np.maximum(cover, line)
    cover = cover[:, None] if across else cover[None, :]
    return np.broadcast_to(cover, size)


def _tilted(cover: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Rotate half of the covers by up to two degrees."""
    if random.random() < 0.5:
        return cover
    rows, columns = cover.shape
    rotation = cv2.getRotationMatrix2D((columns / 2, rows / 2), random.uniform(-2, 2), 1)
    cover = np.ascontiguousarray(cover)
    return cv2.warpAffine(cover, rotation, (columns, rows), borderMode=cv2.BORDER_REPLICATE)


def _thickness(height: float, random: np.random.Generator) -> float:
    """Draw the thickness of a printed line, a pixel or more: usually 1/25 of a digit's height."""
    return max(1.0, height * float(np.exp(random.normal(np.log(0.04), 0.5))))


def _ruled(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Draw one line, or lines at a distance, faint or nearly as dark as ink."""
    step = height * random.uniform(0.8, 2.2)
    positions = np.arange(random.uniform(0, step), size[0], step)
    if random.random() < 0.5:
        positions = positions[:1]
    cover = _lines(size, positions, _thickness(height, random), across=True)
    darkness = random.uniform(0.1, 0.85)
    return 1 - darkness * _tilted(cover, random)


def _squared(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Draw squared paper, with finer lines than ruled paper."""
    rows, columns = size
    step = height * random.uniform(0.25, 0.9)
    thickness = _thickness(height, random) * 0.7
    row_positions = np.arange(random.uniform(0, step), rows, step)
    lying = _lines(size, row_positions, thickness, across=True)
    column_positions = np.arange(random.uniform(0, step), columns, step)
    upright = _lines(size, column_positions, thickness, across=False)
    darkness = random.uniform(0.06, 0.4)
    return 1 - darkness * _tilted(np.maximum(lying, upright), random)


def _framed(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Draw a box around the row, or cells of a digit's width; the sides of some are as short as a comb's."""
    rows, columns = size
    top, bottom, left, right = height * random.uniform(0, 0.25, 4)  # distances from the picture's edges
    thickness = _thickness(height, random)
    sides = _lines(size, np.array([left, columns - 1 - right]), thickness, across=False)
    if random.random() < 0.4:
        step = height * random.uniform(0.7, 1.6)
        sides = _lines(size, np.arange(left, columns, step), thickness, across=False)
        if random.random() < 0.35:
            teeth = np.arange(rows)[:, None] > random.uniform(0.55, 0.85) * rows
            sides = sides * teeth
    ends = _lines(size, np.array([top, rows - 1 - bottom]), thickness, across=True)
    darkness = random.uniform(0.15, 0.9)
    return 1 - darkness * _tilted(np.maximum(sides, ends), random)


def _screen(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Draw a printed screen of straight or wavy lines."""
    angle = random.uniform(0, np.pi)
    pitch = height * random.uniform(0.06, 0.4)
    across, along = _rotated(size, angle)
    if random.random() < 0.6:
        swing = height * random.uniform(0.03, 0.3)
        wavelength = height * random.uniform(0.5, 3)
        across = across + swing * np.sin(2 * np.pi * along / wavelength + random.uniform(0, 6))
    wave = np.sin(2 * np.pi * across / pitch)
    sharpness = random.uniform(1, 4)
    darkness = random.uniform(0.03, 0.3)
    return 1 - darkness * np.clip(0.5 + 0.5 * sharpness * wave, 0, 1)


def _rotated(size: tuple[int, int], angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates of each pixel along two axes turned by an angle, [h, w] each."""
    y, x = _coordinates(size)
    return np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x


def _dots(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Draw a halftone: dots on a turned grid."""
    pitch = height * random.uniform(0.08, 0.35)
    u, v = _rotated(size, random.uniform(0, np.pi / 2))
    grid = np.cos(2 * np.pi * u / pitch) + np.cos(2 * np.pi * v / pitch)
    darkness = random.uniform(0.03, 0.3)
    threshold = random.uniform(-0.5, 1.2)  # the higher, the smaller the dots
    return 1 - darkness * np.clip((grid - threshold) * 1.5, 0, 1)


def _print(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Draw printed words, small, or large and pale, behind or beside the writing."""
    rows, columns = size
    canvas = np.zeros(size, np.uint8)
    is_small = random.random() < 0.6
    scale = height * (random.uniform(0.008, 0.016) if is_small else random.uniform(0.02, 0.06))
    for _ in range(random.integers(1, 3)):
        word = "".join(random.choice(_PRINTED_LETTERS, random.integers(3, 12)))
        left = int(random.uniform(-0.2, 0.8) * columns)
        baseline = int(random.uniform(0, 1.05) * rows)
        thickness = max(1, round(scale * random.uniform(0.8, 2.5)))
        font = int(random.integers(0, 5))  # one of OpenCV's
        cv2.putText(canvas, word, (left, baseline), font, scale, 255, thickness, cv2.LINE_AA)
    darkness = random.uniform(0.1, 0.6 if is_small else 0.25)
    return 1 - darkness * (canvas.astype(np.float32) / 255)


def _shaded(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Darken one side of an edge: a shaded column, a fold, a stamp's rim."""
    angle = random.choice([0, np.pi / 2, random.uniform(0, np.pi)])
    beyond = _beyond_an_edge(size, angle, random)
    softness = height * random.uniform(0.01, 0.6)
    darkness = random.uniform(0.05, 0.4)
    return 1 - darkness * np.clip(0.5 + beyond / softness, 0, 1)


def _beyond_an_edge(size: tuple[int, int], angle: float, random: np.random.Generator) -> np.ndarray:
    """Draw a straight edge; return how far each pixel is beyond it, [h, w], below 0 before it."""
    rows, columns = size
    y, x = _coordinates(size)
    edge_x = random.uniform(0, columns)
    edge_y = random.uniform(0, rows)
    return np.cos(angle) * (x - edge_x) + np.sin(angle) * (y - edge_y)


def _rings(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Draw a guilloche: two families of rings."""
    rows, columns = size
    y, x = _coordinates(size)
    cover = np.zeros(size, np.float32)
    pitch = height * random.uniform(0.1, 0.35)
    for _ in range(2):
        centre_x = random.uniform(0, columns)
        centre_y = random.uniform(-1, 2) * rows
        radius = np.hypot(x - centre_x, y - centre_y)
        rings = np.clip(np.sin(2 * np.pi * radius / pitch) * 3 - 1.5, 0, 1)
        cover = np.maximum(cover, rings)
    darkness = random.uniform(0.05, 0.28)
    return 1 - darkness * cover


def _hatched(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Hatch a part of the field crosswise."""
    _, columns = size
    y, x = _coordinates(size)
    pitch = height * random.uniform(0.12, 0.4)
    waves = np.maximum(np.sin(2 * np.pi * (x + y) / pitch), np.sin(2 * np.pi * (x - y) / pitch))
    part = x > random.uniform(-1, 0.7) * columns
    darkness = random.uniform(0.05, 0.3)
    return 1 - darkness * np.clip(waves * 4 - 2.5, 0, 1) * part


def _crumpled(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Draw facets of different brightness, with the creases between them."""
    shade = np.zeros(size, np.float32)
    crease_width = max(1, 0.03 * height)
    for _ in range(random.integers(3, 7)):
        beyond = _beyond_an_edge(size, random.uniform(0, np.pi), random)
        facets = random.uniform(-0.07, 0.07) * np.sign(beyond)
        crease = 0.1 * np.exp(-np.abs(beyond) / crease_width)
        shade += facets - crease
    return np.clip(1 + shade, 0.3, 1.2)


# `_ruled` is there twice, so that it is drawn twice as often.
FAMILIES = (_ruled, _ruled, _squared, _framed, _screen, _dots, _print, _shaded)
HELD_BACK = (_rings, _hatched, _crumpled)


def expose(page: np.ndarray, height: float, strength: float, random: np.random.Generator) -> np.ndarray:
    """Expose a page as a camera or scanner does; a person can still read it.

    Args:
        page: reflectance of the page, float32 [h, w].
        height: height of a digit, in pixels; small ones are blurred less.
        strength: share of the light that the ink absorbs, 0..1; faint ink gets less noise.
        random: random generator.

    Returns:
        Grey image, uint8 [h, w], dark ink on light paper.
    """
    rows, columns = page.shape
    if random.random() < 0.4:
        x = np.linspace(-0.5, 0.5, columns)[None]
        y = np.linspace(-0.5, 0.5, rows)[:, None]
        light_gradient = 1 + random.uniform(-0.3, 0.3) * x + random.uniform(-0.3, 0.3) * y
        page = page * light_gradient.astype(np.float32)
    # A person still reads a blur of 1/25 of a digit's height and noise of 1/6 of the contrast (docs/rows.md).
    if random.random() < 0.5:
        most_blur = np.clip(0.04 * height, 0.3, 1.1)
        page = cv2.GaussianBlur(page, (0, 0), random.uniform(0.3, most_blur))
    dark, light = sorted(random.uniform((0, 130), (70, 262)))
    levels = dark + (light - dark) * page
    if random.random() < 0.6:
        contrast = strength * (light - dark)  # grey levels
        most_noise = min(11.0, 0.17 * contrast * min(1.0, height / 24))
        noise = random.uniform(0.1, 1) * most_noise * random.standard_normal((rows, columns), np.float32)
        levels = levels + noise
    grey = np.clip(levels, 0, 255).astype(np.uint8)
    if random.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 92))]
        _, jpeg = cv2.imencode(".jpg", grey, quality)
        grey = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE))
    return grey

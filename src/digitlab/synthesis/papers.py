"""Papers that rows are written on, and their exposure by a camera or scanner."""

from __future__ import annotations

import cv2
import numpy as np


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
        paper *= _smooth_noise(size, height * random.uniform(0.3, 3), random.uniform(0.01, 0.06), random)
    families = HELD_BACK if held_back else FAMILIES
    if random.random() < (0.9 if held_back else 0.55):
        for _ in range(1 + (random.random() < 0.35)):
            paper *= families[random.integers(len(families))](size, height, random)
    return paper


def _smooth_noise(
    size: tuple[int, int], grain: float, strength: float, random: np.random.Generator
) -> np.ndarray:
    """Draw factors near 1 that vary slowly: fibres, stains."""
    rows, columns = size
    coarse = random.standard_normal((int(rows / grain) + 2, int(columns / grain) + 2)).astype(np.float32)
    return 1 + strength * cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)


def _places(size: tuple[int, int]) -> np.ndarray:
    """Return the row and the column of each pixel, float32 [2, h, w]."""
    return np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)


def _lines(size: tuple[int, int], places: np.ndarray, thickness: float, across: bool) -> np.ndarray:
    """Compute how much of each row (or column) lines cover, float32 [h, w], 0..1."""
    at = np.arange(size[0] if across else size[1], dtype=np.float32)
    cover = np.zeros_like(at)
    for place in places:
        cover = np.maximum(cover, np.clip(thickness / 2 + 0.5 - np.abs(at - place), 0, 1))
    line = cover[:, None] if across else cover[None, :]
    return np.broadcast_to(line, size)


def _tilted(cover: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Rotate half of the covers by up to two degrees."""
    if random.random() < 0.5:
        return cover
    rows, columns = cover.shape
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), random.uniform(-2, 2), 1)
    return cv2.warpAffine(np.ascontiguousarray(cover), turn, (columns, rows), borderMode=cv2.BORDER_REPLICATE)


def _thickness(height: float, random: np.random.Generator) -> float:
    return max(1.0, height * float(np.exp(random.normal(np.log(0.04), 0.5))))


def _ruled(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Draw one line, or lines at a distance, faint or nearly as dark as ink."""
    step = height * random.uniform(0.8, 2.2)
    places = np.arange(random.uniform(0, step), size[0], step)
    if random.random() < 0.5:
        places = places[:1]
    cover = _lines(size, places, _thickness(height, random), across=True)
    return 1 - random.uniform(0.1, 0.85) * _tilted(cover, random)


def _squared(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    step, thickness = height * random.uniform(0.25, 0.9), _thickness(height, random) * 0.7
    across, along = (
        _lines(size, np.arange(random.uniform(0, step), length, step), thickness, across)
        for length, across in ((size[0], True), (size[1], False))
    )
    return 1 - random.uniform(0.06, 0.4) * _tilted(np.maximum(across, along), random)


def _framed(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Draw a box around the row, or cells of a digit's width; the sides of some are as short as a comb's."""
    rows, columns = size
    inset = height * random.uniform(0, 0.25, 4)
    thickness = _thickness(height, random)
    sides = _lines(size, np.array([inset[2], columns - 1 - inset[3]]), thickness, across=False)
    if random.random() < 0.4:
        step = height * random.uniform(0.7, 1.6)
        sides = _lines(size, np.arange(inset[2], columns, step), thickness, across=False)
        if random.random() < 0.35:
            teeth = np.arange(rows)[:, None] > random.uniform(0.55, 0.85) * rows
            sides = sides * teeth
    ends = _lines(size, np.array([inset[0], rows - 1 - inset[1]]), thickness, across=True)
    return 1 - random.uniform(0.15, 0.9) * _tilted(np.maximum(sides, ends), random)


def _screen(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Draw a printed screen of straight or wavy lines."""
    y, x = _places(size)
    angle, pitch = random.uniform(0, np.pi), height * random.uniform(0.06, 0.4)
    across = np.cos(angle) * x + np.sin(angle) * y
    if random.random() < 0.6:
        along = np.cos(angle) * y - np.sin(angle) * x
        swing, length = height * random.uniform(0.03, 0.3), height * random.uniform(0.5, 3)
        across = across + swing * np.sin(2 * np.pi * along / length + random.uniform(0, 6))
    wave = np.sin(2 * np.pi * across / pitch)
    sharp = random.uniform(1, 4)
    return 1 - random.uniform(0.03, 0.3) * np.clip(0.5 + 0.5 * sharp * wave, 0, 1)


def _dots(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    y, x = _places(size)
    pitch, angle = height * random.uniform(0.08, 0.35), random.uniform(0, np.pi / 2)
    u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    grid = np.cos(2 * np.pi * u / pitch) + np.cos(2 * np.pi * v / pitch)
    return 1 - random.uniform(0.03, 0.3) * np.clip((grid - random.uniform(-0.5, 1.2)) * 1.5, 0, 1)


def _print(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Draw printed words, small, or large and pale, behind or beside the writing."""
    canvas = np.zeros(size, np.uint8)
    letters = "abcdefghiklmnoprstuvwxyzABCDEFGHKLMNPRSTUVWXYZ"
    small = random.random() < 0.6
    scale = height * (random.uniform(0.008, 0.016) if small else random.uniform(0.02, 0.06))
    for _ in range(random.integers(1, 3)):
        word = "".join(random.choice(list(letters), random.integers(3, 12)))
        place = (int(random.uniform(-0.2, 0.8) * size[1]), int(random.uniform(0, 1.05) * size[0]))
        thickness = max(1, round(scale * random.uniform(0.8, 2.5)))
        cv2.putText(canvas, word, place, int(random.integers(0, 5)), scale, 255, thickness, cv2.LINE_AA)
    return 1 - random.uniform(0.1, 0.6 if small else 0.25) * (canvas.astype(np.float32) / 255)


def _shaded(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Darken one side of an edge: a shaded column, a fold, a stamp's rim."""
    y, x = _places(size)
    angle = random.choice([0, np.pi / 2, random.uniform(0, np.pi)])
    side = np.cos(angle) * (x - random.uniform(0, size[1])) + np.sin(angle) * (y - random.uniform(0, size[0]))
    soft = height * random.uniform(0.01, 0.6)
    return 1 - random.uniform(0.05, 0.4) * np.clip(0.5 + side / soft, 0, 1)


def _rings(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Draw a guilloche: two families of rings."""
    y, x = _places(size)
    dark = np.zeros(size, np.float32)
    pitch = height * random.uniform(0.1, 0.35)
    for _ in range(2):
        far = np.hypot(x - random.uniform(0, size[1]), y - random.uniform(-1, 2) * size[0])
        dark = np.maximum(dark, np.clip(np.sin(2 * np.pi * far / pitch) * 3 - 1.5, 0, 1))
    return 1 - random.uniform(0.05, 0.28) * dark


def _hatched(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Hatch a part of the field crosswise."""
    y, x = _places(size)
    pitch = height * random.uniform(0.12, 0.4)
    dark = np.maximum(np.sin(2 * np.pi * (x + y) / pitch), np.sin(2 * np.pi * (x - y) / pitch))
    part = x > random.uniform(-1, 0.7) * size[1]
    return 1 - random.uniform(0.05, 0.3) * np.clip(dark * 4 - 2.5, 0, 1) * part


def _crumpled(size: tuple[int, int], height: float, random: np.random.Generator) -> np.ndarray:
    """Draw facets of different brightness, with the creases between them."""
    y, x = _places(size)
    shade = np.zeros(size, np.float32)
    for _ in range(random.integers(3, 7)):
        angle = random.uniform(0, np.pi)
        side = np.cos(angle) * (x - random.uniform(0, size[1])) + np.sin(angle) * (
            y - random.uniform(0, size[0])
        )
        shade += random.uniform(-0.07, 0.07) * np.sign(side) - 0.1 * np.exp(
            -np.abs(side) / max(1, 0.03 * height)
        )
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
    size = page.shape
    if random.random() < 0.4:
        y, x = np.linspace(-0.5, 0.5, size[0])[:, None], np.linspace(-0.5, 0.5, size[1])[None]
        page = page * (1 + random.uniform(-0.3, 0.3) * x + random.uniform(-0.3, 0.3) * y).astype(np.float32)
    # A person still reads a blur of 1/25 of a digit's height and noise of 1/6 of the contrast (docs/rows.md).
    if random.random() < 0.5:
        page = cv2.GaussianBlur(page, (0, 0), random.uniform(0.3, np.clip(0.04 * height, 0.3, 1.1)))
    dark, light = sorted(random.uniform((0, 130), (70, 262)))
    seen = dark + (light - dark) * page
    if random.random() < 0.6:
        contrast = strength * (light - dark)  # grey levels
        most = min(11.0, 0.17 * contrast * min(1.0, height / 24))
        seen = seen + random.uniform(0.1, 1) * most * random.standard_normal(size, np.float32)
    grey = np.clip(seen, 0, 255).astype(np.uint8)
    if random.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 92))]
        file = cv2.imencode(".jpg", grey, quality)[1]
        grey = np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE))
    return grey

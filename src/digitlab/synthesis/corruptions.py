"""Fifteen corruptions of digits that a person can still read, to test networks off their training data.

Source:
    Mu and Gilmer 2019, MNIST-C: A Robustness Benchmark for Computer Vision. The code is ours; the severities
    and the layouts of stripe, dotted line, zigzag and spatter follow the authors' published code
    (google-research/mnist-c, Apache-2.0). The images differ, so figures do not compare with published ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType

import cv2
import numpy as np

from digitlab.errors import DataError

SIZE = 28
_CENTRE = (SIZE - 1) / 2
_Corruption = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def corrupt(name: str, images: np.ndarray, seed: int) -> np.ndarray:
    """Corrupt images in one of fifteen ways.

    Args:
        name: name of the corruption, one of `CORRUPTIONS`.
        images: images to corrupt, uint8 [n, 28, 28], white ink on black.
        seed: random seed, 0 or more; the same images and seed give the same corruption.

    Returns:
        Corrupted images, uint8 [n, 28, 28].

    Raises:
        DataError: there is no corruption of that name, or the images have another type or size.
    """
    if name not in _BY_NAME:
        raise DataError(f"corruption {name!r}: expected one of {', '.join(CORRUPTIONS)}")
    if images.dtype != np.uint8 or images.shape[1:] != (SIZE, SIZE):
        raise DataError(f"expected uint8 images [n, 28, 28], received {images.dtype} {list(images.shape)}")
    if not len(images):
        return images.copy()
    random = np.random.default_rng(np.random.SeedSequence([seed, CORRUPTIONS.index(name)]))
    corrupted = _BY_NAME[name](images.astype(np.float32) / 255, random)
    return np.rint(255 * np.clip(corrupted, 0, 1)).astype(np.uint8)


def _shot_noise(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw each pixel from a Poisson distribution, with three photons where the ink is full."""
    return random.poisson(3 * images) / 3


def _impulse_noise(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Turn 17 % of the pixels black or white."""
    struck = random.random(images.shape) < 0.17
    return np.where(struck, random.integers(0, 2, images.shape), images)


def _glass_blur(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Blur along the columns, twice exchange pixels with others above or to the left, and blur again.

    The published code declares channels that its images do not have, so that the blur, of 0.7 pixels, is
    along the columns alone.
    """
    blurred = _gaussian(0.7) @ images
    everyone = np.arange(len(images))
    # From the last pixel to the first, so that one is carried on and on: the published order.
    inner = range(SIZE - 1, 1, -1)
    for row, column in [(row, column) for _ in range(2) for row in inner for column in inner]:
        struck = random.random(len(images)) < 0.5
        down, right = random.integers(-1, 1, (2, len(images))) * struck
        other = (everyone, row + down, column + right)
        here = blurred[:, row, column].copy()
        blurred[:, row, column] = blurred[other]
        blurred[other] = here
    return _gaussian(0.7) @ blurred


def _motion_blur(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Blur along a trail to one side, of 3 pixels' spread, within 45 degrees of the horizontal."""
    kernels = [_trail(angle) for angle in np.deg2rad(np.arange(-45, 46))]
    chosen = random.integers(0, len(kernels), len(images))
    pairs = zip(images, chosen, strict=True)
    return np.stack([cv2.filter2D(image, -1, kernels[number]) for image, number in pairs])


def _trail(angle: float) -> np.ndarray:
    reach = 10
    along = np.arange(0, reach, 0.25)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    places = np.rint(reach + along[:, None] * (np.sin(angle), np.cos(angle))).astype(int)
    np.add.at(kernel, (places[:, 0], places[:, 1]), np.exp(-((along / 3) ** 2) / 2))
    return kernel / kernel.sum()


def _shear(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Shear by 0.4 radians to one side or the other."""
    lean = np.tan(0.4) * _signs(random, len(images))
    return _move(images, [np.array([[1, value], [0, 1]]) for value in lean])


def _scale(images: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Shrink to 0.7 of the size."""
    return _move(images, [np.eye(2) * 0.7] * len(images))


def _rotate(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Rotate by 0.4 radians one way or the other."""
    turns = 0.4 * _signs(random, len(images))
    return _move(images, [np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) for t in turns])


def _brightness(images: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Add half of full white everywhere."""
    return images + 0.5


def _translate(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Shift by 3 pixels up or down and to the left or right."""
    padded = np.pad(images, ((0, 0), (3, 3), (3, 3)))
    starts = random.choice((0, 6), (len(images), 2))
    pairs = zip(padded, starts, strict=True)
    return np.stack([image[down : down + SIZE, right : right + SIZE] for image, (down, right) in pairs])


def _stripe(images: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Invert the outer quarters at the left and right, so that the digit is in a stripe."""
    corrupted = 1 - images
    corrupted[:, :, 7:21] = images[:, :, 7:21]
    return corrupted


def _fog(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Add a cloud of up to three times the full ink, and dim the sum to the brightness of the ink."""
    cloud = sum(0.51**octave * _octave(random, len(images), 256 >> octave) for octave in range(8))
    brightest = images.max(axis=(1, 2), keepdims=True)
    return (images + 3 * np.clip(0.5 + cloud / 2.8, 0, 1)) * brightest / (brightest + 3)


def _octave(random: np.random.Generator, count: int, cell: int) -> np.ndarray:
    """Draw noise, [count, 28, 28] in -1..1: random values `cell` pixels apart, interpolated linearly."""
    knots = np.arange(SIZE // cell + 3, dtype=np.float32)
    at = np.arange(SIZE, dtype=np.float32) / cell + random.random((2, count, 1), np.float32)
    down, across = np.maximum(0, 1 - np.abs(at[..., None] - knots))
    values = random.uniform(-1, 1, (count, len(knots), len(knots))).astype(np.float32)
    return down @ values @ across.transpose(0, 2, 1)


def _spatter(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Lay dark drops over the digit, where smoothed noise is above its mean."""
    wet = _blur(random.normal(0.65, 0.3, images.shape).astype(np.float32), 1) > 0.65
    drops = _blur(wet.astype(np.float32), 1.5)
    drops[drops < 0.8] = 0
    return images * (1 - drops) + drops * 63 / 255


def _dotted_line(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw a line from edge to edge, 2 columns drawn and 2 left out in turn."""
    start, end = random.integers(0, 27, (2, len(images)))
    everywhere = np.zeros(len(images)), np.full(len(images), 27.0)
    line = _line(everywhere[0], start, everywhere[1], end)
    return images + line * (np.arange(SIZE) // 2 % 2)


def _zigzag(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw a line from left to right with teeth of 2 pixels up and down, each 4 pixels from the next."""
    left, right = 2, 25
    start = random.integers(0, 27, len(images))
    angle = np.arctan(random.integers(-5, 5, len(images)) / (right - left))
    length = (right - left) / np.cos(angle)  # 23 to 23.6 pixels: room for six teeth
    along = [np.zeros(len(images)), *(np.full(len(images), 4.0 * i + 2) for i in range(6)), length]
    aside = [0.0, *(2.0 * (-1) ** i for i in range(6)), -1 / (length - 20)]
    across = [left + x * np.cos(angle) - y * np.sin(angle) for x, y in zip(along, aside, strict=True)]
    down = [start + x * np.sin(angle) + y * np.cos(angle) for x, y in zip(along, aside, strict=True)]
    # Two strokes share the column that they meet in, where they add up.
    ends = pairwise(zip(across, down, strict=True))
    return images + sum(_line(*one, *other) for one, other in ends)


def _line(left: np.ndarray, top: np.ndarray, right: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Draw white strokes between two points, each float [n], which fade out within 1.45 pixels.

    Returns:
        Strokes, float [n, 28, 28], 0 in the columns beyond the points.
    """
    columns = np.arange(SIZE)
    slope = (bottom - top) / (right - left)
    height = top[:, None] + slope[:, None] * (columns - left[:, None])  # [n, 28]
    distance = np.abs(columns[:, None] - height[:, None, :])
    strength = np.clip(1 + np.log(1 - np.minimum(distance, 2.29) / 2.3), 0, 1)
    drawn = (columns >= np.floor(left)[:, None]) & (columns < np.ceil(right)[:, None])
    return strength * drawn[:, None]


def _canny_edges(images: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Keep the edges that Canny's detector finds after a blur by 1 pixel."""
    blurred = np.rint(255 * _blur(images, 1)).astype(np.uint8)
    return np.stack([cv2.Canny(image, 25, 51, L2gradient=True) for image in blurred]) / 255


def _blur(images: np.ndarray, sigma: float) -> np.ndarray:
    """Blur by a Gaussian along rows and columns."""
    kernel = _gaussian(sigma)
    return kernel @ images @ kernel.T


def _gaussian(sigma: float) -> np.ndarray:
    """Return the matrix that blurs columns by a Gaussian, float32 [28, 28]; each row sums to 1."""
    places = np.arange(SIZE, dtype=np.float32)
    kernel = np.exp(-(((places[:, None] - places) / sigma) ** 2) / 2)
    return kernel / kernel.sum(axis=1, keepdims=True)


def _move(images: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
    """Map every point x of an image, relative to its centre, to matrix @ x."""
    moved = []
    for image, matrix in zip(images, matrices, strict=True):
        offset = _CENTRE - matrix @ np.full((2, 1), _CENTRE)
        moved.append(cv2.warpAffine(image, np.hstack([matrix, offset]), (SIZE, SIZE), flags=cv2.INTER_LINEAR))
    return np.stack(moved)


def _signs(random: np.random.Generator, count: int) -> np.ndarray:
    return random.choice((-1.0, 1.0), count)


_BY_NAME: Mapping[str, _Corruption] = MappingProxyType(
    {
        "shot noise": _shot_noise,
        "impulse noise": _impulse_noise,
        "glass blur": _glass_blur,
        "motion blur": _motion_blur,
        "shear": _shear,
        "scale": _scale,
        "rotate": _rotate,
        "brightness": _brightness,
        "translate": _translate,
        "stripe": _stripe,
        "fog": _fog,
        "spatter": _spatter,
        "dotted line": _dotted_line,
        "zigzag": _zigzag,
        "Canny edges": _canny_edges,
    }
)

CORRUPTIONS: tuple[str, ...] = tuple(_BY_NAME)
"""Names of the corruptions, in the order of the publication."""

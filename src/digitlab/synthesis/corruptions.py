"""Fifteen corruptions of digits that a person can still read, to test networks off their training data.

Source:
    Mu and Gilmer 2019, MNIST-C: A Robustness Benchmark for Computer Vision. The code is ours; the severities
    and the layouts of stripe, dotted line, zigzag and spatter follow the authors' published code
    (google-research/mnist-c, Apache-2.0). The images differ, so figures do not compare with published ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise, product
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
    is_struck = random.random(images.shape) < 0.17
    return np.where(is_struck, random.integers(0, 2, images.shape), images)


def _glass_blur(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Blur along the columns, twice exchange pixels with others above or to the left, and blur again.

    The published code declares channels that its images do not have, so that the blur, of 0.7 pixels, is
    along the columns alone.
    """
    blurred = _gaussian(0.7) @ images
    every_image = np.arange(len(images))
    # From the last pixel to the first, so that one is carried on and on: the published order.
    inner = range(SIZE - 1, 1, -1)
    one_pass = list(product(inner, inner))
    for row, column in 2 * one_pass:
        is_struck = random.random(len(images)) < 0.5
        down, right = random.integers(-1, 1, (2, len(images))) * is_struck
        other = (every_image, row + down, column + right)
        here = blurred[:, row, column].copy()
        blurred[:, row, column] = blurred[other]
        blurred[other] = here
    return _gaussian(0.7) @ blurred


def _motion_blur(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Blur along a trail to one side, of 3 pixels' spread, within 45 degrees of the horizontal."""
    kernels = [_trail(angle) for angle in np.deg2rad(np.arange(-45, 46))]
    chosen = random.integers(0, len(kernels), len(images))
    blurred = [cv2.filter2D(image, -1, kernels[i]) for image, i in zip(images, chosen, strict=True)]
    return np.stack(blurred)


def _trail(angle: float) -> np.ndarray:
    """Return the kernel of a blur to one side, float32 [21, 21]: half of a Gaussian along a line."""
    reach = 10  # pixels
    distances = np.arange(0, reach, 0.25)
    direction = (np.sin(angle), np.cos(angle))
    rows, columns = np.rint(reach + distances[:, None] * direction).astype(int).T
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    # Several points of the line are in one pixel, where `+=` would count only one of them.
    np.add.at(kernel, (rows, columns), np.exp(-((distances / 3) ** 2) / 2))
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
    matrices = []
    for angle in 0.4 * _signs(random, len(images)):
        cos, sin = np.cos(angle), np.sin(angle)
        matrices.append(np.array([[cos, -sin], [sin, cos]]))
    return _move(images, matrices)


def _brightness(images: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Add half of full white everywhere."""
    return images + 0.5


def _translate(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Shift by 3 pixels up or down and to the left or right."""
    padded = np.pad(images, ((0, 0), (3, 3), (3, 3)))
    starts = random.choice((0, 6), (len(images), 2))
    moved = []
    for image, (top, left) in zip(padded, starts, strict=True):
        moved.append(image[top : top + SIZE, left : left + SIZE])
    return np.stack(moved)


def _stripe(images: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Invert the outer quarters at the left and right, so that the digit is in a stripe."""
    corrupted = 1 - images
    corrupted[:, :, 7:21] = images[:, :, 7:21]
    return corrupted


def _fog(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Add a cloud of up to three times the full ink, and dim the sum to the brightness of the ink."""
    # Fractal noise: each octave has half the cells of the one before it, and half its strength.
    cloud = sum(0.51**octave * _octave(random, len(images), 256 >> octave) for octave in range(8))
    cloud = np.clip(0.5 + cloud / 2.8, 0, 1)
    brightest = images.max(axis=(1, 2), keepdims=True)
    return (images + 3 * cloud) * brightest / (brightest + 3)


def _octave(random: np.random.Generator, count: int, cell: int) -> np.ndarray:
    """Draw noise, [count, 28, 28] in -1..1: random values `cell` pixels apart, interpolated linearly."""
    knots = np.arange(SIZE // cell + 3, dtype=np.float32)
    # Rows and columns in cells from the first knot, which lies at random beyond the edge.
    positions = np.arange(SIZE, dtype=np.float32) / cell + random.random((2, count, 1), np.float32)
    # Weight of each knot at each row and column: a matrix product then interpolates.
    row_weights, column_weights = np.maximum(0, 1 - np.abs(positions[..., None] - knots))
    values = random.uniform(-1, 1, (count, len(knots), len(knots))).astype(np.float32)
    return row_weights @ values @ column_weights.transpose(0, 2, 1)


def _spatter(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Lay dark drops over the digit, where smoothed noise is above its mean."""
    noise = random.normal(0.65, 0.3, images.shape).astype(np.float32)
    wet = _blur(noise, 1) > 0.65
    drops = _blur(wet.astype(np.float32), 1.5)
    drops[drops < 0.8] = 0
    return images * (1 - drops) + drops * 63 / 255


def _dotted_line(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw a line from edge to edge, 2 columns drawn and 2 left out in turn."""
    start, end = random.integers(0, 27, (2, len(images)))
    left, right = np.zeros(len(images)), np.full(len(images), 27.0)
    is_drawn = np.arange(SIZE) // 2 % 2
    return images + _line(left, start, right, end) * is_drawn


def _zigzag(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw a line from left to right with teeth of 2 pixels up and down, each 4 pixels from the next."""
    left, right = 2, 25
    start = random.integers(0, 27, len(images))
    angle = np.arctan(random.integers(-5, 5, len(images)) / (right - left))
    length = (right - left) / np.cos(angle)  # 23 to 23.6 pixels: room for six teeth
    # Points along the line and aside of it: its beginning, the tips of the teeth, and its end.
    points = [(np.zeros(len(images)), 0.0)]
    points += [(np.full(len(images), 4.0 * i + 2), 2.0 * (-1) ** i) for i in range(6)]
    points += [(length, -1 / (length - 20))]
    rotated = []
    for along, aside in points:
        x = left + along * np.cos(angle) - aside * np.sin(angle)
        y = start + along * np.sin(angle) + aside * np.cos(angle)
        rotated.append((x, y))
    # Two strokes share the column that they meet in, where they add up.
    strokes = [_line(x, y, next_x, next_y) for (x, y), (next_x, next_y) in pairwise(rotated)]
    return images + sum(strokes)


def _line(left: np.ndarray, top: np.ndarray, right: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Draw white strokes between two points, each float [n], which fade out within 1.45 pixels.

    Returns:
        Strokes, float [n, 28, 28], 0 in the columns beyond the points.
    """
    columns = rows = np.arange(SIZE)
    slope = (bottom - top) / (right - left)
    y = top[:, None] + slope[:, None] * (columns - left[:, None])  # [n, 28]
    distance = np.abs(rows[:, None] - y[:, None, :])
    # The minimum keeps the logarithm finite; from 1.45 pixels on the strength is 0 anyway.
    strength = np.clip(1 + np.log(1 - np.minimum(distance, 2.29) / 2.3), 0, 1)
    is_drawn = (columns >= np.floor(left)[:, None]) & (columns < np.ceil(right)[:, None])
    return strength * is_drawn[:, None]


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
    pixels = np.arange(SIZE, dtype=np.float32)
    distances = pixels[:, None] - pixels
    kernel = np.exp(-((distances / sigma) ** 2) / 2)
    return kernel / kernel.sum(axis=1, keepdims=True)


def _move(images: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
    """Map every point x of an image, relative to its centre, to matrix @ x."""
    moved = []
    for image, matrix in zip(images, matrices, strict=True):
        offset = _CENTRE - matrix @ np.full((2, 1), _CENTRE)  # the centre stays where it is
        affine = np.hstack([matrix, offset])
        moved.append(cv2.warpAffine(image, affine, (SIZE, SIZE), flags=cv2.INTER_LINEAR))
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

"""Ink in MNIST form that is no digit: letters, scribbles, turned digits, pairs and parts of them, blots."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np

from digitlab.synthesis.glyphs import Glyph
from digitlab.synthesis.letter_skeletons import DRAWINGS, LETTERS
from digitlab.synthesis.signs import SIGNS
from digitlab.synthesis.stroke_sampler import StrokeSampler
from digitlab.synthesis.strokes import draw_glyph

SIDE = 28
BOX = 20

_ONE_WAY_UP = (3, 4, 6, 9)
"""Digits that are none when mirrored or turned by 90 degrees, unlike a 2, mirrored like a 5, or a 7."""
_UNUSUAL_AS_DIGITS = "JPTp"
"""Letters that resemble a digit, but few people write that digit so."""
_INK = 60
"""Grey level above which a pixel is ink."""


def draw_non_digits(
    digits: np.ndarray, labels: np.ndarray, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw images of ink that is no digit.

    Args:
        digits: images that some are made from, in MNIST form, uint8 [n, 28, 28], 1 or more.
        labels: classes of the digits, [n].
        count: approximate number of images to draw, 1,000 or more.
        seed: random seed, 0 or more; the same arguments give the same images.

    Returns:
        Images, uint8 [m, 28, 28], and the weight of each, float64 [m], 1 in all; letters weigh as much as
        scribbles, turned digits and pairs together.
    """
    random = np.random.default_rng(np.random.SeedSequence(seed))
    one_way_up = digits[np.isin(labels, _ONE_WAY_UP)]
    # The weight of each kind, and its images.
    kinds = (
        (3.0, _letters(random, int(0.5 * count))),
        (1.0, _scribbles(random, int(0.1 * count))),
        (1.0, _turned(random, one_way_up, int(0.12 * count))),
        (1.0, _pairs(random, digits, int(0.14 * count))),
        (0.3, _parts(random, digits, int(0.09 * count))),
        (1.0, _blots(random, int(0.05 * count))),
    )
    images = np.concatenate([part for _, part in kinds])
    weights = np.concatenate([_equal_weights(weight, len(part)) for weight, part in kinds])
    return images, weights / weights.sum()


def _equal_weights(total: float, count: int) -> np.ndarray:
    return np.full(count, total / max(count, 1))


def draw_lookalikes(count: int, seed: int) -> np.ndarray:
    """Draw letters that resemble a digit, but few people write that digit so: J, P, T and p.

    Args:
        count: number of images, 100 or more.
        seed: random seed, 0 or more; the same count and seed give the same images.

    Returns:
        Images in MNIST form, uint8 [m, 28, 28]; m is about `count`.
    """
    random = np.random.default_rng(np.random.SeedSequence(seed))
    glyphs = [glyph for glyph in LETTERS if glyph.name in _UNUSUAL_AS_DIGITS]
    per_glyph = count // len(glyphs)
    return np.concatenate([draw_glyph(glyph, per_glyph, random) for glyph in glyphs])


def _letters(random: np.random.Generator, count: int) -> np.ndarray:
    """Draw letters, signs and other drawings, but none that alone may be taken for a digit."""
    glyphs = [glyph for glyph in (*LETTERS, *SIGNS.values(), *DRAWINGS) if not glyph.lookalike]
    per_glyph = max(1, count // len(glyphs))
    return np.concatenate([draw_glyph(glyph, per_glyph, random) for glyph in glyphs])


def _scribbles(random: np.random.Generator, count: int) -> np.ndarray:
    """Draw sixty shapes of one or two strokes through random points, each by many hands."""
    shapes = 60
    per_shape = max(1, count // shapes)
    scribbles = []
    for _ in range(shapes):
        stroke_count = random.integers(1, 3)
        # The number of points of each smooth piece of each stroke.
        shape = [random.integers(2, 4, random.integers(1, 3)).tolist() for _ in range(stroke_count)]
        glyph = Glyph(-1, "scribble", 1.0, partial(_scribble, shape))
        scribbles.append(draw_glyph(glyph, per_shape, random))
    return np.concatenate(scribbles)


def _scribble(shape: list[list[int]], hand: StrokeSampler) -> list[np.ndarray]:
    strokes = []
    for point_counts in shape:
        pieces = []
        for point_count in point_counts:
            pieces.append([(hand.uniform(0, 0.8), hand.uniform(0, 1)) for _ in range(point_count)])
        strokes.append(hand.stroke(*pieces))
    return strokes


def _turned(random: np.random.Generator, digits: np.ndarray, count: int) -> np.ndarray:
    """Mirror digits, or rotate them by 90 degrees to the left or to the right, a third each."""
    if not len(digits):
        return digits
    chosen = digits[random.integers(0, len(digits), count)]
    third = count // 3
    mirrored = chosen[:third, :, ::-1]
    to_the_left = np.rot90(chosen[third : 2 * third], 1, (1, 2))
    to_the_right = np.rot90(chosen[2 * third :], 3, (1, 2))
    return np.concatenate([mirrored, to_the_left, to_the_right])


def _pairs(random: np.random.Generator, digits: np.ndarray, count: int) -> np.ndarray:
    """Join two digits that touch, or nearly."""
    pairs = np.empty((count, SIDE, SIDE), np.uint8)
    for i in range(count):
        left = _cropped(digits[random.integers(len(digits))])
        right = _cropped(digits[random.integers(len(digits))])
        right = np.roll(right, random.integers(-4, 5), axis=0)
        left_width, right_width = left.shape[1], right.shape[1]
        overlap = min(random.integers(-2, 4), left_width - 1, right_width - 1)
        start = left_width - overlap
        both = np.zeros((SIDE, start + right_width), np.uint8)
        both[:, :left_width] = left
        both[:, start:] = np.maximum(both[:, start:], right)
        pairs[i] = _boxed(both)
    return pairs


def _parts(random: np.random.Generator, digits: np.ndarray, count: int) -> np.ndarray:
    """Cut digits across or along; narrow ones are left out, since half of a 1 is a 1."""
    cropped = [_cropped(digit) for digit in digits]
    wide = [digit for digit in cropped if digit.shape[1] > 8 and _ink_area(digit) > 50]
    parts = np.zeros((count if wide else 0, SIDE, SIDE), np.uint8)
    for i in range(len(parts)):
        digit = wide[random.integers(len(wide))]
        digit = digit if random.random() < 0.5 else digit.T
        cut = round(digit.shape[1] * random.uniform(0.35, 0.65))
        kept, rest = digit[:, :cut], digit[:, cut:]
        if random.random() < 0.5:
            kept, rest = rest, kept
        if _ink_area(kept) <= 20:  # hardly more than a speck
            kept = rest
        parts[i] = _boxed(np.ascontiguousarray(kept))
    return parts


def _blots(random: np.random.Generator, count: int) -> np.ndarray:
    """Draw texture, whole or in the shape of an ellipse, and filled ellipses."""
    blots = np.empty((count, SIDE, SIDE), np.uint8)
    fine_side = 3 * SIDE
    for i in range(count):
        noise = random.normal(size=(fine_side, fine_side)).astype(np.float32)
        grain = cv2.GaussianBlur(noise, (0, 0), random.uniform(0.6, 5))
        threshold = np.quantile(grain, random.uniform(0.5, 0.95))
        texture = (grain > threshold).astype(np.uint8) * 255
        ellipse = np.zeros_like(texture)
        axes = tuple(random.integers(12, 40, 2).tolist())
        centre = (fine_side // 2, fine_side // 2)
        cv2.ellipse(ellipse, centre, axes, random.uniform(0, 180), 0, 360, 255, -1)
        shapes = (texture, texture & ellipse, ellipse)
        blots[i] = _boxed(shapes[i % 3])
    return blots


def _ink_area(digit: np.ndarray) -> int:
    return int((digit > _INK).sum())


def _cropped(digit: np.ndarray) -> np.ndarray:
    """Crop a digit to its columns with ink; one without ink stays as it is."""
    columns = np.flatnonzero((digit > _INK).any(axis=0))
    return digit[:, columns[0] : columns[-1] + 1] if len(columns) else digit


def _boxed(ink: np.ndarray) -> np.ndarray:
    """Fit ink into 20x20 pixels, its centre of mass in the middle of 28x28."""
    left, top, width, height = cv2.boundingRect((ink > _INK).view(np.uint8))
    if not width:
        return np.zeros((SIDE, SIDE), np.uint8)
    ink = ink[top : top + height, left : left + width]
    scale = BOX / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    scaled = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    moments = cv2.moments(scaled)
    mass = moments["m00"]
    middle = (SIDE - 1) / 2
    right, down = middle - moments["m10"] / mass, middle - moments["m01"] / mass
    translation = np.array([[1, 0, right], [0, 1, down]], np.float32)
    return cv2.warpAffine(scaled, translation, (SIDE, SIDE))

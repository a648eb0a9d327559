"""Ink in MNIST form that is no digit: letters, scribbles, turned digits, pairs and parts of them, blots."""

from __future__ import annotations

import cv2
import numpy as np

from digitlab.synthesis.glyphs import Glyph
from digitlab.synthesis.hand import Hand
from digitlab.synthesis.letters import DRAWINGS, LETTERS
from digitlab.synthesis.signs import SIGNS
from digitlab.synthesis.strokes import draw_glyph

SIDE, BOX = 28, 20

_ONE_WAY_UP = (3, 4, 6, 9)
"""Digits that are none when mirrored or turned by 90 degrees, unlike a 2, mirrored like a 5, or a 7."""
_UNUSUAL_AS_DIGITS = "JPTp"
"""Letters that resemble a digit, but few people write that digit so."""
_INK = 60
"""Grey level above which a pixel is ink."""


def draw_other_ink(
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
    kinds = (
        (3.0, _letters(random, int(0.5 * count))),
        (1.0, _scribbles(random, int(0.1 * count))),
        (1.0, _turned(random, digits[np.isin(labels, _ONE_WAY_UP)], int(0.12 * count))),
        (1.0, _pairs(random, digits, int(0.14 * count))),
        (0.3, _parts(random, digits, int(0.09 * count))),
        (1.0, _blots(random, int(0.05 * count))),
    )
    weights = [np.full(len(images), weight / max(len(images), 1)) for weight, images in kinds]
    everything = np.concatenate(weights)
    return np.concatenate([images for _, images in kinds]), everything / everything.sum()


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
    each = count // len(glyphs)
    return np.concatenate([draw_glyph(glyph, each, random) for glyph in glyphs])


def _letters(random: np.random.Generator, count: int) -> np.ndarray:
    """Draw letters, signs and other drawings, but none that alone may be taken for a digit."""
    glyphs = [glyph for glyph in (*LETTERS, *SIGNS.values(), *DRAWINGS) if not glyph.lookalike]
    each = max(1, count // len(glyphs))
    return np.concatenate([draw_glyph(glyph, each, random) for glyph in glyphs])


def _scribbles(random: np.random.Generator, count: int) -> np.ndarray:
    """Draw sixty shapes of one or two strokes through random points, each by many hands."""
    shapes = 60
    scribbles = []
    for _ in range(shapes):
        corners = [random.integers(2, 4, random.integers(1, 3)) for _ in range(random.integers(1, 3))]

        def draw(hand: Hand, corners: list[np.ndarray] = corners) -> list[np.ndarray]:
            return [
                hand.stroke(*[[(hand.between(0, 0.8), hand.between(0, 1)) for _ in range(n)] for n in pieces])
                for pieces in corners
            ]

        scribbles.append(draw_glyph(Glyph(-1, "scribble", 1.0, draw), max(1, count // shapes), random))
    return np.concatenate(scribbles)


def _turned(random: np.random.Generator, digits: np.ndarray, count: int) -> np.ndarray:
    if not len(digits):
        return digits
    chosen = digits[random.integers(0, len(digits), count)]
    third = count // 3
    return np.concatenate(
        [
            chosen[:third, :, ::-1],
            np.rot90(chosen[third : 2 * third], 1, (1, 2)),
            np.rot90(chosen[2 * third :], 3, (1, 2)),
        ]
    )


def _pairs(random: np.random.Generator, digits: np.ndarray, count: int) -> np.ndarray:
    """Join two digits that touch, or nearly."""
    pairs = np.empty((count, SIDE, SIDE), np.uint8)
    for number in range(count):
        left, right = (_cropped(digits[random.integers(len(digits))]) for _ in range(2))
        right = np.roll(right, random.integers(-4, 5), axis=0)
        overlap = min(random.integers(-2, 4), left.shape[1] - 1, right.shape[1] - 1)
        start = left.shape[1] - overlap
        both = np.zeros((SIDE, start + right.shape[1]), np.uint8)
        both[:, : left.shape[1]] = left
        both[:, start:] = np.maximum(both[:, start:], right)
        pairs[number] = _boxed(both)
    return pairs


def _parts(random: np.random.Generator, digits: np.ndarray, count: int) -> np.ndarray:
    """Cut digits across or along; narrow ones are left out, since half of a 1 is a 1."""
    whole = [digit for digit in map(_cropped, digits) if digit.shape[1] > 8 and (digit > _INK).sum() > 50]
    parts = np.zeros((count if whole else 0, SIDE, SIDE), np.uint8)
    for number in range(len(parts)):
        digit = whole[random.integers(len(whole))]
        digit = digit if random.random() < 0.5 else digit.T
        at = round(digit.shape[1] * random.uniform(0.35, 0.65))
        one, other = digit[:, :at], digit[:, at:]
        if random.random() < 0.5:
            one, other = other, one
        parts[number] = _boxed(np.ascontiguousarray(one if (one > _INK).sum() > 20 else other))
    return parts


def _blots(random: np.random.Generator, count: int) -> np.ndarray:
    """Draw texture, whole or in the shape of an ellipse, and filled ellipses."""
    blots = np.empty((count, SIDE, SIDE), np.uint8)
    for number in range(count):
        grain = cv2.GaussianBlur(
            random.normal(size=(84, 84)).astype(np.float32), (0, 0), random.uniform(0.6, 5)
        )
        texture = (grain > np.quantile(grain, random.uniform(0.5, 0.95))).astype(np.uint8) * 255
        ellipse = np.zeros_like(texture)
        axes = tuple(int(axis) for axis in random.integers(12, 40, 2))
        cv2.ellipse(ellipse, (42, 42), axes, random.uniform(0, 180), 0, 360, 255, -1)
        blots[number] = _boxed((texture, texture & ellipse, ellipse)[number % 3])
    return blots


def _cropped(digit: np.ndarray) -> np.ndarray:
    columns = np.flatnonzero((digit > _INK).any(axis=0))
    return digit[:, columns[0] : columns[-1] + 1] if len(columns) else digit


def _boxed(ink: np.ndarray) -> np.ndarray:
    """Fit ink into 20x20 pixels, its centre of mass in the middle of 28x28."""
    left, top, width, height = cv2.boundingRect((ink > _INK).view(np.uint8))
    if not width:
        return np.zeros((SIDE, SIDE), np.uint8)
    ink = ink[top : top + height, left : left + width]
    fit = BOX / max(width, height)
    size = max(1, round(width * fit)), max(1, round(height * fit))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if fit < 1 else cv2.INTER_LINEAR)
    mass = cv2.moments(small)
    middle = (SIDE - 1) / 2
    move = (middle - mass["m10"] / mass["m00"], middle - mass["m01"] / mass["m00"])
    return cv2.warpAffine(small, np.array([[1, 0, move[0]], [0, 1, move[1]]], np.float32), (SIDE, SIDE))

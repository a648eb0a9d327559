"""Digits in MNIST form drawn from our own skeletons: handwriting that is rare in MNIST, which is American."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from digitlab.synthesis.glyphs import Glyph, glyphs_of
from digitlab.synthesis.hand import Hand

SIZE = 28
BOX = 20
FINE = 4
"""Factor of MNIST's resolution at which digits are drawn, before they are averaged down."""
_SHIFT = 6
"""Fractional bits of OpenCV's coordinates."""


def draw_digits(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw digits as people in Swiss, German, French and other schools learn to write them.

    Variants that are held back for measuring are left out.

    Args:
        count: number of digits, 0 or more; the ten classes are equally frequent, in random order.
        seed: random seed, 0 or more; the same count and seed give the same digits.

    Returns:
        Images in MNIST form, uint8 [count, 28, 28], and their classes, uint8 [count], 0..9.
    """
    random = np.random.default_rng(np.random.SeedSequence(seed))
    labels = random.permutation((np.arange(count) % 10).astype(np.uint8))
    images = np.zeros((count, SIZE, SIZE), np.uint8)
    for digit in range(10):
        places = np.flatnonzero(labels == digit)
        for glyph, chosen in _by_glyph(random, digit, places):
            images[chosen] = draw_glyph(glyph, len(chosen), random)
    return images, labels


def draw_glyph(glyph: Glyph, count: int, random: np.random.Generator) -> np.ndarray:
    """Draw one variant of a digit.

    Args:
        glyph: variant of `GLYPHS`, or a letter or sign.
        count: number of images, 1 or more.
        random: random generator.

    Returns:
        Images in MNIST form, uint8 [count, 28, 28].
    """
    strokes = glyph.draw(Hand(random, count))
    lengths = [stroke.shape[1] for stroke in strokes]
    points = _deform(random, np.concatenate(_loosen(random, strokes, glyph.haste), axis=1))
    widths = _pen_widths(random, points, glyph.widest)
    points = _fit(points, widths)
    taper, skips = _tapers(random, count), _skips(random, points.shape[:2])
    drawn = np.empty((count, BOX, BOX), np.uint8)
    for number in range(count):
        drawn[number] = _draw(points[number], widths[number], _runs(lengths, taper[number], skips[number]))
    return _centre(_soften(random, drawn))


def write_glyph(glyph: Glyph, count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw the pen's paths of one variant of a digit, letter or sign, without size, slant and width.

    Args:
        glyph: variant of `GLYPHS`, or a letter or sign.
        count: number of paths, 1 or more.
        random: random generator.

    Returns:
        Points, float32 [count, k, 2] of (x, y), y from 0 at the head to 1 at the foot; and the pairs of
        points joined by a line, int32 [m, 2].
    """
    strokes = glyph.draw(Hand(random, count))
    points = np.concatenate(_loosen(random, strokes, glyph.haste), axis=1)
    points = _wobble(random, _warp(random, points))
    ends = np.cumsum([stroke.shape[1] for stroke in strokes])
    first = np.setdiff1d(np.arange(ends[-1] - 1), ends - 1)
    return points.astype(np.float32), np.stack([first, first + 1], axis=1).astype(np.int32)


def _by_glyph(
    random: np.random.Generator, digit: int, places: np.ndarray
) -> Iterator[tuple[Glyph, np.ndarray]]:
    glyphs, shares = glyphs_of(digit)
    which = random.choice(len(glyphs), len(places), p=shares)
    for number, glyph in enumerate(glyphs):
        if (which == number).any():
            yield glyph, places[which == number]


def _loosen(random: np.random.Generator, strokes: list[np.ndarray], haste: float) -> list[np.ndarray]:
    """Move each stroke a little off its place, which makes gaps and overshoots, and round its corners."""
    count = len(strokes[0])
    sway = 0.02 * random.gamma(1.5, 0.67, (count, 1, 1))
    loose = []
    for stroke in strokes:
        moved = stroke + (sway * random.standard_normal((count, 1, 2)) if len(strokes) > 1 else 0)
        loose.append(_round_corners(random, moved, haste))
    return loose


def _round_corners(random: np.random.Generator, stroke: np.ndarray, share: float) -> np.ndarray:
    """Round corners, as a fast pen does."""
    count = len(stroke)
    haste = np.where(random.random(count) < share, random.uniform(0, 0.5, count), 0)[:, None, None]
    for _ in range(6):
        stroke[:, 1:-1] += haste * ((stroke[:, :-2] + stroke[:, 2:]) / 2 - stroke[:, 1:-1])
    return stroke


def _deform(random: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """Bend, wobble, stretch, slant and rotate points [n, k, 2] in the frame of a glyph."""
    points = points - np.array([0.3, 0.5])
    points = _wobble(random, _warp(random, points))
    points = _coarsen(random, points)
    count = len(points)

    def about(mean: float, spread: float) -> np.ndarray:
        return mean + spread * np.clip(random.standard_normal(count), -2, 2)

    stretch, slant, angle = np.exp(about(0, 0.16)), about(0.1, 0.17), np.deg2rad(about(0, 6))
    x = points[..., 0] * stretch[:, None] - slant[:, None] * points[..., 1]
    y = points[..., 1]
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)


def _warp(random: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """Displace the plane by three slow waves in random directions."""
    count = len(points)
    strength = np.minimum(0.024 * random.gamma(2.0, 0.5, (count, 1, 1)), 0.05)
    for _ in range(3):
        waves = random.normal(0, 3.0, (count, 1, 2))
        phase = random.uniform(0, 2 * np.pi, (count, 1))
        push = strength * np.clip(random.standard_normal((count, 1, 2)), -2, 2)
        points = points + push * np.sin((points * waves).sum(axis=2) + phase)[..., None]
    return points


def _wobble(random: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """Add the tremor of a mouse or a finger along the pen's path; one hand in four has it."""
    count, steps, _ = points.shape
    strength = np.where(random.random(count) < 0.25, random.uniform(0, 0.016, count), 0)[:, None, None]
    noise = random.standard_normal((count, steps + 2, 2))
    return points + strength * (noise[:, :-2] + noise[:, 1:-1] + noise[:, 2:])


def _coarsen(random: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """Round one digit in four to a grid, as a coarse drawing surface does."""
    count = len(points)
    step = (1 / random.uniform(14, 50, count))[:, None, None]
    coarse = np.round(points / step) * step
    return np.where(random.random((count, 1, 1)) < 0.25, coarse, points)


def _pen_widths(random: np.random.Generator, points: np.ndarray, widest: float) -> np.ndarray:
    """Draw widths in pixels of the finished image: from a ball-point to a felt pen, MNIST's in the middle.

    A pen that would fill the bowls of a small or narrow digit is made narrower.
    """
    extent = np.ptp(points, axis=1)
    longest = np.maximum(extent.max(axis=1), 1e-6)  # a point on a coarse surface has no length
    narrow = BOX * extent.min(axis=1) / longest
    chosen = np.clip(np.exp(random.normal(np.log(2.1), 0.35, len(points))), 1.0, 4.8)
    return np.minimum(chosen, np.maximum(widest * narrow, 1.2))


def _tapers(random: np.random.Generator, count: int) -> np.ndarray:
    """Draw the share of its width that the pen has at a stroke's beginning and end: [n, 2], 0.35..1."""
    return np.where(random.random((count, 2)) < 0.35, random.uniform(0.35, 1.0, (count, 2)), 1.0)


def _fit(points: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Scale points, with their ink, to the box of 20x20, the aspect kept, in fine pixels."""
    low, high = points.min(axis=1), points.max(axis=1)
    room = BOX - widths
    scale = room / np.maximum((high - low).max(axis=1), 1e-6)
    centred = points - ((low + high) / 2)[:, None]
    return (centred * scale[:, None, None] + BOX / 2) * FINE - 0.5


def _skips(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Draw where a dry ball-point leaves no ink, [n, 2]: first and last point, equal where it leaves ink."""
    count, points = shape
    length = np.where(random.random(count) < 0.12, random.integers(1, 2 + points // 16, count), 0)
    begin = random.integers(0, points, count)
    return np.stack([begin, begin + length], axis=1)


def _draw(points: np.ndarray, width: float, runs: Iterator[tuple[int, int, float]]) -> np.ndarray:
    canvas = np.zeros((BOX * FINE, BOX * FINE), np.uint8)
    fixed = np.round(points * (1 << _SHIFT)).astype(np.int32)
    for begin, end, share in runs:
        run = fixed[begin:end].reshape(-1, 1, 2)
        cv2.polylines(canvas, [run], False, 255, max(round(width * FINE * share), 1), cv2.LINE_8, _SHIFT)
    return cv2.resize(canvas, (BOX, BOX), interpolation=cv2.INTER_AREA)


def _runs(lengths: Sequence[int], taper: np.ndarray, skip: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Yield parts of strokes with one width each, as first point, end and share of the pen's width."""
    begin = 0
    for length in lengths:
        for first, end, share in _tapered(begin, begin + length, taper):
            if first >= skip[1] or end <= skip[0] + 1 or skip[0] == skip[1]:
                yield first, end, share
            else:
                yield from ((a, b, share) for a, b in ((first, skip[0] + 1), (skip[1], end)) if b - a > 1)
        begin += length


def _tapered(begin: int, end: int, taper: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Yield parts of a stroke of which the first and the last third grow and shrink in width."""
    third = (end - begin) // 3
    if taper[0] < 1:
        for step in range(third):
            yield begin + step, begin + step + 2, taper[0] + (1 - taper[0]) * step / third
        begin += third
    if taper[1] < 1:
        for step in range(third):
            yield end - step - 2, end - step, taper[1] + (1 - taper[1]) * step / third
        end -= third
    yield begin, end, 1.0


def _soften(random: np.random.Generator, drawn: np.ndarray) -> np.ndarray:
    """Vary the sharpness and the strength of ink within the box, as scanners do: uint8 [n, 20, 20]."""
    count = len(drawn)
    soft = np.maximum(random.uniform(-0.12, 0.12, (count, 1, 1)), 0).astype(np.float32)
    next_to = np.eye(BOX, k=1, dtype=np.float32) + np.eye(BOX, k=-1, dtype=np.float32)
    spread = (1 - 2 * soft) * np.eye(BOX, dtype=np.float32) + soft * next_to
    gain = random.uniform(1.0, 1.4, (count, 1, 1)).astype(np.float32)
    return np.clip(np.round(spread @ drawn.astype(np.float32) @ spread * gain), 0, 255).astype(np.uint8)


def _centre(drawn: np.ndarray) -> np.ndarray:
    """Place boxes of 20x20 with their centre of mass at pixel 14, the middle, as in MNIST: [n, 28, 28]."""
    places = np.arange(BOX)
    total = np.maximum(drawn.sum(axis=(1, 2)), 1)
    middles = (drawn.sum(axis=axis) @ places / total for axis in (2, 1))
    shifts = (np.clip(np.rint(SIZE / 2 - middle), 0, SIZE - BOX).astype(int) for middle in middles)
    rows, columns = (shift[:, None] + places for shift in shifts)
    images = np.zeros((len(drawn), SIZE, SIZE), np.uint8)
    images[np.arange(len(drawn))[:, None, None], rows[:, :, None], columns[:, None, :]] = drawn
    return images

"""Digits in MNIST form drawn from our own skeletons: handwriting that is rare in MNIST, which is American."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from digitlab.synthesis.glyphs import Glyph, glyphs_of
from digitlab.synthesis.stroke_sampler import StrokeSampler

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
        indices = np.flatnonzero(labels == digit)
        for glyph, chosen in _by_glyph(random, digit, indices):
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
    strokes = glyph.draw(StrokeSampler(random, count))
    lengths = [stroke.shape[1] for stroke in strokes]
    strokes = _loosen(random, strokes, glyph.corner_rounding)
    points = _deform(random, np.concatenate(strokes, axis=1))
    widths = _pen_widths(random, points, glyph.widest)
    points = _fit(points, widths)
    tapers = _tapers(random, count)
    skips = _skips(random, points.shape[:2])
    boxes = np.empty((count, BOX, BOX), np.uint8)
    for i in range(count):
        runs = _runs(lengths, tapers[i], skips[i])
        boxes[i] = _draw(points[i], widths[i], runs)
    return _centre(_soften(random, boxes))


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
    strokes = glyph.draw(StrokeSampler(random, count))
    points = np.concatenate(_loosen(random, strokes, glyph.corner_rounding), axis=1)
    points = _wobble(random, _warp(random, points))
    # A line leads from each point to the next, but not from the last point of a stroke.
    ends = np.cumsum([stroke.shape[1] for stroke in strokes])
    first = np.setdiff1d(np.arange(ends[-1] - 1), ends - 1)
    lines = np.stack([first, first + 1], axis=1)
    return points.astype(np.float32), lines.astype(np.int32)


def _by_glyph(
    random: np.random.Generator, digit: int, indices: np.ndarray
) -> Iterator[tuple[Glyph, np.ndarray]]:
    """Draw a variant for each image of a digit; yield each variant with the indices of its images."""
    glyphs, shares = glyphs_of(digit)
    variants = random.choice(len(glyphs), len(indices), p=shares)
    for i, glyph in enumerate(glyphs):
        chosen = indices[variants == i]
        if len(chosen):
            yield glyph, chosen


def _loosen(
    random: np.random.Generator, strokes: list[np.ndarray], corner_rounding: float
) -> list[np.ndarray]:
    """Move each stroke a little off its place, which makes gaps and overshoots, and round its corners."""
    count = len(strokes[0])
    sway = 0.02 * random.gamma(1.5, 0.67, (count, 1, 1))
    loose = []
    for stroke in strokes:
        moved = stroke.copy()
        if len(strokes) > 1:
            moved += sway * random.standard_normal((count, 1, 2))
        loose.append(_round_corners(random, moved, corner_rounding))
    return loose


def _round_corners(random: np.random.Generator, stroke: np.ndarray, share: float) -> np.ndarray:
    """Round corners in place, as a fast pen does, for a share of the digits."""
    count = len(stroke)
    is_fast = random.random(count) < share
    strength = np.where(is_fast, random.uniform(0, 0.5, count), 0)[:, None, None]
    for _ in range(6):
        mean_of_neighbours = (stroke[:, :-2] + stroke[:, 2:]) / 2
        stroke[:, 1:-1] += strength * (mean_of_neighbours - stroke[:, 1:-1])
    return stroke


def _deform(random: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """Bend, wobble, stretch, slant and rotate points [n, k, 2] in the frame of a glyph."""
    points = points - np.array([0.3, 0.5])
    points = _wobble(random, _warp(random, points))
    points = _coarsen(random, points)
    count = len(points)

    def normal(mean: float, spread: float) -> np.ndarray:
        values = mean + spread * np.clip(random.standard_normal(count), -2, 2)
        return values[:, None]

    stretch = np.exp(normal(0, 0.16))
    slant = normal(0.1, 0.17)
    angle = np.deg2rad(normal(0, 6))
    y = points[..., 1]
    x = points[..., 0] * stretch - slant * y
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)


def _warp(random: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """Displace the plane by three slow waves in random directions."""
    count = len(points)
    strength = np.minimum(0.024 * random.gamma(2.0, 0.5, (count, 1, 1)), 0.05)
    for _ in range(3):
        frequency = random.normal(0, 3.0, (count, 1, 2))
        phase = random.uniform(0, 2 * np.pi, (count, 1))
        push = strength * np.clip(random.standard_normal((count, 1, 2)), -2, 2)
        wave = np.sin((points * frequency).sum(axis=2) + phase)
        points = points + push * wave[..., None]
    return points


def _wobble(random: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """Add the tremor of a mouse or a finger along the pen's path; one hand in four has it."""
    count, steps, _ = points.shape
    has_tremor = random.random(count) < 0.25
    strength = np.where(has_tremor, random.uniform(0, 0.016, count), 0)[:, None, None]
    noise = random.standard_normal((count, steps + 2, 2))
    # Sums of three neighbours, so that the path wavers instead of jumping from point to point.
    smooth = noise[:, :-2] + noise[:, 1:-1] + noise[:, 2:]
    return points + strength * smooth


def _coarsen(random: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """Round one digit in four to a grid, as a coarse drawing surface does."""
    count = len(points)
    step = (1 / random.uniform(14, 50, count))[:, None, None]
    coarse = np.round(points / step) * step
    is_coarse = random.random((count, 1, 1)) < 0.25
    return np.where(is_coarse, coarse, points)


def _pen_widths(random: np.random.Generator, points: np.ndarray, widest: float) -> np.ndarray:
    """Draw widths in pixels of the finished image: from a ball-point to a felt pen, MNIST's in the middle.

    A pen that would fill the bowls of a small or narrow digit is made narrower.
    """
    extent = np.ptp(points, axis=1)
    longest = np.maximum(extent.max(axis=1), 1e-6)  # a point on a coarse surface has no length
    narrower_side = BOX * extent.min(axis=1) / longest
    chosen = np.exp(random.normal(np.log(2.1), 0.35, len(points)))
    chosen = np.clip(chosen, 1.0, 4.8)
    return np.minimum(chosen, np.maximum(widest * narrower_side, 1.2))


def _tapers(random: np.random.Generator, count: int) -> np.ndarray:
    """Draw the share of its width that the pen has at a stroke's beginning and end: [n, 2], 0.35..1."""
    is_tapered = random.random((count, 2)) < 0.35
    return np.where(is_tapered, random.uniform(0.35, 1.0, (count, 2)), 1.0)


def _fit(points: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Scale points, with their ink, to the box of 20x20, the aspect kept, in fine pixels."""
    low, high = points.min(axis=1), points.max(axis=1)
    longest = np.maximum((high - low).max(axis=1), 1e-6)
    scale = (BOX - widths) / longest
    centred = points - ((low + high) / 2)[:, None]
    # OpenCV's coordinates are of the pixels' middles.
    return (centred * scale[:, None, None] + BOX / 2) * FINE - 0.5


def _skips(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Draw where a dry ball-point leaves no ink, [n, 2]: first and last point, equal where it leaves ink."""
    count, points = shape
    is_dry = random.random(count) < 0.12
    length = np.where(is_dry, random.integers(1, 2 + points // 16, count), 0)
    begin = random.integers(0, points, count)
    return np.stack([begin, begin + length], axis=1)


def _draw(points: np.ndarray, width: float, runs: Iterator[tuple[int, int, float]]) -> np.ndarray:
    canvas = np.zeros((BOX * FINE, BOX * FINE), np.uint8)
    fixed_point = np.round(points * (1 << _SHIFT)).astype(np.int32)
    for begin, end, share in runs:
        run = fixed_point[begin:end].reshape(-1, 1, 2)
        thickness = max(round(width * FINE * share), 1)
        cv2.polylines(canvas, [run], False, 255, thickness, cv2.LINE_8, _SHIFT)
    return cv2.resize(canvas, (BOX, BOX), interpolation=cv2.INTER_AREA)


def _runs(lengths: Sequence[int], taper: np.ndarray, skip: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Yield parts of strokes with one width each, as first point, end and share of the pen's width."""
    begin = 0
    skip_begin, skip_end = skip
    for length in lengths:
        for first, end, share in _tapered(begin, begin + length, taper):
            if first >= skip_end or end <= skip_begin + 1 or skip_begin == skip_end:
                yield first, end, share
                continue
            # What is left before and after the gap is drawn if it is a line, of two points or more.
            if skip_begin + 1 - first > 1:
                yield first, skip_begin + 1, share
            if end - skip_end > 1:
                yield skip_end, end, share
        begin += length


def _tapered(begin: int, end: int, taper: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Yield parts of a stroke of which the first and the last third grow and shrink in width."""
    third = (end - begin) // 3
    first_share, last_share = taper
    if first_share < 1:
        for step in range(third):
            yield begin + step, begin + step + 2, first_share + (1 - first_share) * step / third
        begin += third
    if last_share < 1:
        for step in range(third):
            yield end - step - 2, end - step, last_share + (1 - last_share) * step / third
        end -= third
    yield begin, end, 1.0


def _soften(random: np.random.Generator, boxes: np.ndarray) -> np.ndarray:
    """Vary the sharpness and the strength of ink within the box, as scanners do: uint8 [n, 20, 20]."""
    count = len(boxes)
    # Half of the digits stay sharp.
    soft = np.maximum(random.uniform(-0.12, 0.12, (count, 1, 1)), 0).astype(np.float32)
    next_to = np.eye(BOX, k=1, dtype=np.float32) + np.eye(BOX, k=-1, dtype=np.float32)
    # The kernel [soft, 1 - 2 soft, soft] as a matrix, applied along columns and along rows.
    blur = (1 - 2 * soft) * np.eye(BOX, dtype=np.float32) + soft * next_to
    gain = random.uniform(1.0, 1.4, (count, 1, 1)).astype(np.float32)
    softened = blur @ boxes.astype(np.float32) @ blur * gain
    return np.clip(np.round(softened), 0, 255).astype(np.uint8)


def _centre(boxes: np.ndarray) -> np.ndarray:
    """Place boxes of 20x20 with their centre of mass at pixel 14, the middle, as in MNIST: [n, 28, 28]."""
    count = len(boxes)
    total = np.maximum(boxes.sum(axis=(1, 2)), 1)
    rows = _centred_indices(boxes.sum(axis=2), total)
    columns = _centred_indices(boxes.sum(axis=1), total)
    images = np.zeros((count, SIZE, SIZE), np.uint8)
    images[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]] = boxes
    return images


def _centred_indices(sums: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Return the rows (or columns) of its image that each box goes to, by their sums of ink: int [n, 20]."""
    indices = np.arange(BOX)
    centre_of_mass = sums @ indices / total
    shift = np.rint(SIZE / 2 - centre_of_mass)
    shift = np.clip(shift, 0, SIZE - BOX).astype(int)
    return shift[:, None] + indices

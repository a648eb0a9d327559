"""The handwriting of a row: sizes, slant, spacing and joins of one hand, as points joined by lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Way = tuple[np.ndarray, np.ndarray]
"""A path of the pen: points float32 [k, 2] of (x, y), and pairs joined by a line, int32 [m, 2]."""

SMALL = 0.6
"""Height of raised cents as a share of a digit's height, roughly."""


@dataclass(frozen=True)
class Habits:
    """Properties of a hand that are the same all over a row; lengths are shares of a digit's height.

    Attributes:
        slant: shift of the head to the right.
        aspect: factor of the width, 1 as drawn.
        gap: gap between the boxes of two digits; below 0 they overlap.
        gap_jitter: standard deviation of the gap.
        size_jitter: standard deviation of the logarithm of a digit's size.
        turn_jitter: standard deviation of a digit's rotation, in radians.
        rise_jitter: standard deviation of a digit's height above the baseline.
        climb: slope of the baseline.
        swing: amplitude of the wave of the baseline.
        swing_length: wavelength of the baseline.
        zero_size: size of zeros, 1 as large as other digits.
        joins: share of neighbouring zeros that a stroke joins; 0.3 of it for other digits.
        joins_at: height at which zeros are joined, 0 at the head and 1 at the foot.
        descends: depth of 4, 7 and 9 below the baseline.
    """

    slant: float
    aspect: float
    gap: float
    gap_jitter: float
    size_jitter: float
    turn_jitter: float
    rise_jitter: float
    climb: float
    swing: float
    swing_length: float
    zero_size: float
    joins: float
    joins_at: float
    descends: float


def draw_habits(random: np.random.Generator) -> Habits:
    """Draw the habits of a hand, from neat to hasty."""
    haste = random.beta(1.2, 2.5)  # 0 neat .. 1 hasty
    is_tight = random.random() < 0.16
    return Habits(
        slant=float(np.clip(random.normal(0.12, 0.2), -0.35, 0.6)),
        aspect=float(np.exp(np.clip(random.normal(0, 0.2), -0.45, 0.45))),
        gap=random.uniform(-0.1, 0.06) if is_tight else float(np.exp(random.normal(np.log(0.17), 0.6))),
        gap_jitter=random.uniform(0.02, 0.12),
        size_jitter=0.03 + 0.13 * haste,
        turn_jitter=0.02 + 0.1 * haste,
        rise_jitter=0.01 + 0.07 * haste,
        climb=float(np.clip(random.normal(0, 0.035), -0.12, 0.12)),
        swing=random.exponential(0.04),
        swing_length=random.uniform(2, 9),
        zero_size=random.uniform(0.45, 0.95) if random.random() < 0.25 else 1.0,
        joins=random.uniform(0.2, 0.9) if random.random() < 0.14 else 0.0,
        joins_at=random.uniform(-0.02, 0.5),
        descends=random.uniform(0.1, 0.4) if random.random() < 0.15 else 0.0,
    )


def move(way: Way, habits: Habits, random: np.random.Generator, scale: float) -> Way:
    """Scale and rotate a token as this hand writes it, with its irregularity."""
    points, lines = way
    height = scale * np.exp(habits.size_jitter * np.clip(random.standard_normal(), -2.5, 2.5))
    width = height * habits.aspect * np.exp(0.07 * random.standard_normal())
    angle = habits.turn_jitter * random.standard_normal()
    cos, sin = np.cos(angle), np.sin(angle)
    scaled = (points - (0.3, 0.5)) * (width, height)  # from the middle of the digit
    rotated = scaled @ np.array([[cos, sin], [-sin, cos]])
    # Digits stand on the baseline, also those that are smaller.
    rotated[:, 1] += 1 - 0.5 * height + habits.rise_jitter * random.standard_normal()
    return rotated.astype(np.float32), lines


def coil(count: int, habits: Habits, random: np.random.Generator) -> Way:
    """Draw `count` zeros without lifting the pen: one path of the pen for all."""
    radius = random.uniform(0.2, 0.34)
    height = habits.zero_size * random.uniform(0.8, 1.05)
    pitch = 2 * radius * random.uniform(0.95, 1.6)
    direction = -1 if random.random() < 0.85 else 1  # most turn counterclockwise
    zeros = []
    for i in range(count):
        # Each begins at the head, goes round, and a little further: from there the pen moves on to the next.
        start = -np.pi / 2 + random.normal(0, 0.35)
        turn = 2 * np.pi + random.normal(0.25, 0.3)
        angle = start + direction * np.linspace(0, turn, 22)
        width_factor = np.exp(0.08 * random.standard_normal())
        height_factor = np.exp(0.08 * random.standard_normal())
        x = pitch * i + radius * width_factor * np.cos(angle)
        y = 1 - height / 2 + height / 2 * height_factor * np.sin(angle) + 0.03 * random.standard_normal()
        zeros.append(np.stack([x, y], axis=1))
    points = np.concatenate(zeros).astype(np.float32)
    points[:, 0] -= points[:, 0].min()
    return points, _consecutive(len(points))


def join(one: np.ndarray, other: np.ndarray, height: float, random: np.random.Generator) -> Way:
    """Draw a stroke from the right of one digit to the left of the next.

    Args:
        one: points of the left digit, [k, 2].
        other: points of the right digit, [k, 2].
        height: y at which the stroke leaves the left digit, in the frame of the row.
        random: random generator.
    """
    # The point of each digit that is near the height and far out on the other digit's side.
    begin_cost = np.abs(one[:, 1] - height) * 1.5 - one[:, 0]
    end_cost = np.abs(other[:, 1] - height + random.normal(0, 0.08)) * 1.5 + other[:, 0]
    begin, end = one[np.argmin(begin_cost)], other[np.argmin(end_cost)]
    share = np.linspace(0, 1, 7)[:, None]
    sag = random.normal(0.05, 0.08) * 4 * share * (1 - share)
    points = begin + share * (end - begin) + sag * np.array([0, 1])
    return points.astype(np.float32), _consecutive(len(points))


def _consecutive(count: int) -> np.ndarray:
    """Return the lines from each of `count` points to the next, int32 [count - 1, 2]."""
    first = np.arange(count - 1, dtype=np.int32)
    return np.stack([first, first + 1], axis=1)


def bend(points: np.ndarray, habits: Habits, random: np.random.Generator) -> np.ndarray:
    """Slant a row, bend its baseline, and add a slow tremor of the hand."""
    x, y = points[:, 0], points[:, 1]
    phase = random.uniform(0, 2 * np.pi)
    drift = habits.climb * x - habits.swing * np.sin(2 * np.pi * x / habits.swing_length + phase)
    slanted = x + habits.slant * (1 - y)
    frequency = random.uniform(3, 9)
    tremor_phase = random.uniform(0, 2 * np.pi)
    tremor = random.exponential(0.01)
    bent_x = slanted + tremor * np.sin(frequency * y + 1.7 * x + tremor_phase)
    bent_y = y + drift + tremor * np.cos(frequency * slanted + tremor_phase)
    return np.stack([bent_x, bent_y], axis=1)


def merge(ways: Sequence[Way]) -> Way:
    """Concatenate paths of the pen."""
    all_lines = []
    start = 0
    for points, lines in ways:
        all_lines.append(lines + start)
        start += len(points)
    return np.concatenate([points for points, _ in ways]), np.concatenate(all_lines)

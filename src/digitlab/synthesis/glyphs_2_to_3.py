"""Variants of 2 and 3: each function draws the strokes of one, in the frame of `StrokeSampler`."""

from __future__ import annotations

import numpy as np

from digitlab.synthesis.stroke_sampler import Point, Strokes, StrokeSampler, arc


def _two_head(hand: StrokeSampler) -> list[Point]:
    return arc((0.3, 0.27), (hand.normal(0.28, 0.04), 0.27), hand.uniform(-190, -150), hand.uniform(5, 35), 5)


def two(hand: StrokeSampler) -> Strokes:
    """A sharp corner at the foot, and a base that is flat, tilted or a wave."""
    wave = hand.bernoulli(0.5, hand.uniform(-0.09, 0.02))
    base = hand.normal(0.97, 0.03)
    corner = (hand.normal(0, 0.04), base)
    end = (hand.normal(0.66, 0.08), base + hand.normal(0, 0.05))
    neck = [*_two_head(hand), (0.3, 0.7), corner]
    foot = [(0.22, base + wave), (0.44, base - wave * 0.6), end]
    return [hand.stroke(neck, foot)]


def two_with_loop(hand: StrokeSampler) -> Strokes:
    """A loop at the foot."""
    size = hand.uniform(0.05, 0.14)
    base = hand.normal(0.93, 0.03)
    loop = arc((size, base), (size * 1.3, size), hand.uniform(20, 70), 290, 6)
    end = (hand.normal(0.72, 0.06), hand.normal(0.93, 0.06))
    return [hand.stroke([*_two_head(hand), (0.34, 0.68), *loop, (0.42, 0.95), end])]


def two_round(hand: StrokeSampler) -> Strokes:
    """The foot is round."""
    base = (hand.normal(0.05, 0.03), 0.93)
    head = _two_head(hand)
    end = (hand.normal(0.62, 0.06), 0.98)
    return [hand.stroke([*head, (0.3, 0.66), (0.1, 0.84), base, (0.25, 1.0), end])]


def two_angular(hand: StrokeSampler) -> Strokes:
    """A short straight beginning instead of a curved one."""
    start = (hand.normal(0.02, 0.04), hand.uniform(0.06, 0.22))
    corner = (hand.normal(0, 0.03), 0.98)
    head = [start, (0.24, 0.0), (0.52, 0.08), (0.54, 0.28), (0.34, 0.62), corner]
    end = (hand.normal(0.62, 0.08), 0.98 + hand.normal(0, 0.04))
    return [hand.stroke(head, [end])]


def _lower_three(hand: StrokeSampler, middle: Point) -> list[Point]:
    _, waist = middle
    depth = hand.uniform(0.24, 0.34)
    across = hand.normal(0.34, 0.05)
    bottom = arc((0.24, waist + depth), (across, 1 - waist - depth), -40, 90, 4)
    return [
        *bottom,
        (hand.normal(0.08, 0.04), hand.normal(0.97, 0.03)),
        (hand.normal(-0.04, 0.04), hand.normal(0.86, 0.05)),
    ]


def _upper_bow(hand: StrokeSampler, waist: np.ndarray, end: float) -> list[Point]:
    across = hand.normal(0.27, 0.04)
    return arc((0.25, waist / 2), (across, waist / 2), hand.uniform(-185, -145), end, 5)


def three(hand: StrokeSampler) -> Strokes:
    """Two bows that meet in a point."""
    waist = hand.normal(0.45, 0.04)
    middle = (hand.uniform(0.1, 0.32), waist)
    head = _upper_bow(hand, waist, 60)
    return [hand.stroke([*head, middle], _lower_three(hand, middle))]


def three_round(hand: StrokeSampler) -> Strokes:
    """The middle is a soft turn or a small loop."""
    waist = hand.normal(0.47, 0.03)
    size = hand.uniform(0.01, 0.05)
    head = _upper_bow(hand, waist, 50)
    loop = [(0.2, waist), (0.13 - size, waist + size * 0.3), (0.2, waist - size)]
    return [hand.stroke([*head, *loop, *_lower_three(hand, (0.2, waist))])]


def three_flat(hand: StrokeSampler) -> Strokes:
    """A bar and a slope instead of the upper bow."""
    top = hand.normal(0, 0.03)
    waist = hand.normal(0.4, 0.04)
    right = (hand.normal(0.53, 0.06), top + hand.normal(0, 0.03))
    middle = (hand.uniform(0.12, 0.28), waist)
    left = (hand.normal(0.02, 0.04), top)
    return [hand.stroke([left, right], [middle], _lower_three(hand, middle))]


def two_begun_with_loop(hand: StrokeSampler, foot_loop: bool = False) -> Strokes:
    """The head begins with a loop or a curl; the foot has a corner, or a loop as well."""
    size = hand.uniform(0.05, 0.13)
    loop = arc((0.06 + size, hand.uniform(0.2, 0.3)), (size, size * 1.2), hand.uniform(-150, -20), 180, 6)
    head = arc((0.31, 0.28), (hand.normal(0.27, 0.03), 0.28), -150, hand.uniform(5, 35), 5)
    base = hand.normal(0.96, 0.03)
    end = (hand.normal(0.68, 0.07), base + hand.normal(0, 0.05))
    if foot_loop:
        turn = hand.uniform(0.05, 0.12)
        foot = arc((turn, base - 0.03), (turn * 1.3, turn), hand.uniform(20, 70), 290, 6)
        return [hand.stroke([*loop, *head, (0.34, 0.68), *foot, (0.42, base + 0.01), end])]
    wave = hand.bernoulli(0.5, hand.uniform(-0.08, 0.02))
    curve = [(0.22, base + wave), (0.44, base - wave * 0.6), end]
    corner = (hand.normal(0.02, 0.04), base)
    return [hand.stroke([*loop, *head, (0.3, 0.7), corner], curve)]


def three_nearly_straight(hand: StrokeSampler) -> Strokes:
    """Both bows are shallow; it is recognized by the notch between them."""
    bulge = hand.uniform(0.14, 0.24)
    waist = hand.normal(0.46, 0.05)
    notch = bulge - hand.uniform(0.1, 0.14)
    start = (hand.uniform(-0.06, 0.02), hand.uniform(0.03, 0.14))
    head = [start, (bulge * 0.6, 0.0), (bulge, waist * 0.4), (notch, waist)]
    belly = bulge * hand.uniform(0.9, 1.3)
    foot = [
        (belly, (1 + waist) * 0.5),
        (belly * 0.5, 0.95),
        (hand.uniform(-0.14, 0.0), hand.uniform(0.93, 1.0)),
    ]
    return [hand.stroke(head, foot)]


def three_zigzag(hand: StrokeSampler) -> Strokes:
    """Four straight pieces with corners."""
    waist = hand.normal(0.42, 0.04)
    right = (hand.uniform(0.32, 0.52), hand.normal(0.04, 0.06))
    notch = (hand.uniform(0.08, 0.22), waist)
    belly = (hand.uniform(0.36, 0.56), hand.uniform(0.58, 0.74))
    start = (hand.normal(0.02, 0.04), hand.normal(0.03, 0.04))
    end = (hand.normal(0.02, 0.06), hand.uniform(0.94, 1.02))
    return [hand.stroke([start, right], [notch], [belly], [end])]


def _tiny_belly(hand: StrokeSampler, waist: np.ndarray) -> list[Point]:
    across = hand.uniform(0.15, 0.24)
    bow = arc((0.22, (1 + waist) / 2), (across, (1 - waist) / 2), -60, 100, 5)
    return [*bow, (hand.uniform(-0.06, 0.1), 1 - hand.uniform(0.02, 0.12))]


def three_with_tiny_belly(hand: StrokeSampler, flat: bool = False) -> Strokes:
    """The upper bow takes most of the height; flat, it is a bar and a slope."""
    waist = hand.uniform(0.54, 0.66)
    middle = (hand.uniform(0.08, 0.2), waist)
    if flat:
        top = hand.normal(0, 0.03)
        bar = [(hand.normal(0.02, 0.04), top), (hand.normal(0.5, 0.05), top + hand.normal(0, 0.03))]
        return [hand.stroke(bar, [middle], _tiny_belly(hand, waist))]
    head = arc((0.22, waist / 2), (hand.normal(0.28, 0.03), waist / 2), hand.uniform(-180, -140), 60, 6)
    return [hand.stroke([*head, middle], _tiny_belly(hand, waist))]

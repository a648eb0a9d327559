"""Variants of 2 and 3: each function draws the strokes of one, in the frame of `Hand`."""

from __future__ import annotations

import numpy as np

from digitlab.synthesis.hand import Hand, Point, Strokes, arc


def _two_head(hand: Hand) -> list[Point]:
    return arc((0.3, 0.27), (hand.about(0.28, 0.04), 0.27), hand.between(-190, -150), hand.between(5, 35), 5)


def two(hand: Hand) -> Strokes:
    """A sharp corner at the foot, and a base that is flat, tilted or a wave."""
    wave, base = hand.sometimes(0.5, hand.between(-0.09, 0.02)), hand.about(0.97, 0.03)
    corner = (hand.about(0, 0.04), base)
    end = (hand.about(0.66, 0.08), base + hand.about(0, 0.05))
    return [
        hand.stroke(
            [*_two_head(hand), (0.3, 0.7), corner], [(0.22, base + wave), (0.44, base - wave * 0.6), end]
        )
    ]


def two_with_loop(hand: Hand) -> Strokes:
    """A loop at the foot."""
    size, base = hand.between(0.05, 0.14), hand.about(0.93, 0.03)
    loop = arc((size, base), (size * 1.3, size), hand.between(20, 70), 290, 6)
    end = (hand.about(0.72, 0.06), hand.about(0.93, 0.06))
    return [hand.stroke([*_two_head(hand), (0.34, 0.68), *loop, (0.42, 0.95), end])]


def two_round(hand: Hand) -> Strokes:
    """The foot is round."""
    base = (hand.about(0.05, 0.03), 0.93)
    return [
        hand.stroke(
            [*_two_head(hand), (0.3, 0.66), (0.1, 0.84), base, (0.25, 1.0), (hand.about(0.62, 0.06), 0.98)]
        )
    ]


def two_angular(hand: Hand) -> Strokes:
    """A short straight beginning instead of a curved one."""
    start = (hand.about(0.02, 0.04), hand.between(0.06, 0.22))
    head = [start, (0.24, 0.0), (0.52, 0.08), (0.54, 0.28), (0.34, 0.62), (hand.about(0, 0.03), 0.98)]
    return [hand.stroke(head, [(hand.about(0.62, 0.08), 0.98 + hand.about(0, 0.04))])]


def _lower_three(hand: Hand, middle: Point) -> list[Point]:
    depth = hand.between(0.24, 0.34)
    bottom = arc((0.24, middle[1] + depth), (hand.about(0.34, 0.05), 1 - middle[1] - depth), -40, 90, 4)
    return [
        *bottom,
        (hand.about(0.08, 0.04), hand.about(0.97, 0.03)),
        (hand.about(-0.04, 0.04), hand.about(0.86, 0.05)),
    ]


def three(hand: Hand) -> Strokes:
    """Two bows that meet in a point."""
    waist = hand.about(0.45, 0.04)
    middle = (hand.between(0.1, 0.32), waist)
    head = arc((0.25, waist / 2), (hand.about(0.27, 0.04), waist / 2), hand.between(-185, -145), 60, 5)
    return [hand.stroke([*head, middle], _lower_three(hand, middle))]


def three_round(hand: Hand) -> Strokes:
    """The middle is a soft turn or a small loop."""
    waist, size = hand.about(0.47, 0.03), hand.between(0.01, 0.05)
    head = arc((0.25, waist / 2), (hand.about(0.27, 0.04), waist / 2), hand.between(-185, -145), 50, 5)
    loop = [(0.2, waist), (0.13 - size, waist + size * 0.3), (0.2, waist - size)]
    return [hand.stroke([*head, *loop, *_lower_three(hand, (0.2, waist))])]


def three_flat(hand: Hand) -> Strokes:
    """A bar and a slope instead of the upper bow."""
    top, waist = hand.about(0, 0.03), hand.about(0.4, 0.04)
    right = (hand.about(0.53, 0.06), top + hand.about(0, 0.03))
    middle = (hand.between(0.12, 0.28), waist)
    return [hand.stroke([(hand.about(0.02, 0.04), top), right], [middle], _lower_three(hand, middle))]


def two_begun_with_loop(hand: Hand, foot_loop: bool = False) -> Strokes:
    """The head begins with a loop or a curl; the foot has a corner, or a loop as well."""
    size = hand.between(0.05, 0.13)
    loop = arc((0.06 + size, hand.between(0.2, 0.3)), (size, size * 1.2), hand.between(-150, -20), 180, 6)
    head = arc((0.31, 0.28), (hand.about(0.27, 0.03), 0.28), -150, hand.between(5, 35), 5)
    base = hand.about(0.96, 0.03)
    end = (hand.about(0.68, 0.07), base + hand.about(0, 0.05))
    if foot_loop:
        turn = hand.between(0.05, 0.12)
        foot = arc((turn, base - 0.03), (turn * 1.3, turn), hand.between(20, 70), 290, 6)
        return [hand.stroke([*loop, *head, (0.34, 0.68), *foot, (0.42, base + 0.01), end])]
    wave = hand.sometimes(0.5, hand.between(-0.08, 0.02))
    curve = [(0.22, base + wave), (0.44, base - wave * 0.6), end]
    return [hand.stroke([*loop, *head, (0.3, 0.7), (hand.about(0.02, 0.04), base)], curve)]


def three_nearly_straight(hand: Hand) -> Strokes:
    """Both bows are shallow; it is recognized by the notch between them."""
    bulge, waist = hand.between(0.14, 0.24), hand.about(0.46, 0.05)
    notch = bulge - hand.between(0.1, 0.14)
    start = (hand.between(-0.06, 0.02), hand.between(0.03, 0.14))
    head = [start, (bulge * 0.6, 0.0), (bulge, waist * 0.4), (notch, waist)]
    belly = bulge * hand.between(0.9, 1.3)
    foot = [
        (belly, (1 + waist) * 0.5),
        (belly * 0.5, 0.95),
        (hand.between(-0.14, 0.0), hand.between(0.93, 1.0)),
    ]
    return [hand.stroke(head, foot)]


def three_zigzag(hand: Hand) -> Strokes:
    """Four straight pieces with corners."""
    waist = hand.about(0.42, 0.04)
    right = (hand.between(0.32, 0.52), hand.about(0.04, 0.06))
    notch = (hand.between(0.08, 0.22), waist)
    belly = (hand.between(0.36, 0.56), hand.between(0.58, 0.74))
    start = (hand.about(0.02, 0.04), hand.about(0.03, 0.04))
    end = (hand.about(0.02, 0.06), hand.between(0.94, 1.02))
    return [hand.stroke([start, right], [notch], [belly], [end])]


def _tiny_belly(hand: Hand, waist: np.ndarray) -> list[Point]:
    across = hand.between(0.15, 0.24)
    bow = arc((0.22, (1 + waist) / 2), (across, (1 - waist) / 2), -60, 100, 5)
    return [*bow, (hand.between(-0.06, 0.1), 1 - hand.between(0.02, 0.12))]


def three_with_tiny_belly(hand: Hand, flat: bool = False) -> Strokes:
    """The upper bow takes most of the height; flat, it is a bar and a slope."""
    waist = hand.between(0.54, 0.66)
    middle = (hand.between(0.08, 0.2), waist)
    if flat:
        top = hand.about(0, 0.03)
        bar = [(hand.about(0.02, 0.04), top), (hand.about(0.5, 0.05), top + hand.about(0, 0.03))]
        return [hand.stroke(bar, [middle], _tiny_belly(hand, waist))]
    head = arc((0.22, waist / 2), (hand.about(0.28, 0.03), waist / 2), hand.between(-180, -140), 60, 6)
    return [hand.stroke([*head, middle], _tiny_belly(hand, waist))]

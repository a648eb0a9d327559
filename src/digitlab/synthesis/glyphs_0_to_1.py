"""Variants of 0 and 1: each function draws the strokes of one, in the frame of `StrokeSampler`."""

from __future__ import annotations

import numpy as np

from digitlab.synthesis.stroke_sampler import Point, Strokes, StrokeSampler, arc, between

_CENTRE = (0.32, 0.5)
"""Middle of a 0."""
_HEAD = -90
"""Angle of the head of an oval, in degrees."""


def _oval(hand: StrokeSampler) -> np.ndarray:
    start = hand.uniform(-120, -50)
    direction = hand.backwards(0.8)  # counterclockwise for most hands
    turn = hand.normal(362, 22) + hand.bernoulli(0.12, hand.uniform(30, 250))
    across = hand.normal(0.31, 0.06)
    return hand.stroke(arc(_CENTRE, (across, 0.5), start, start + direction * turn, 13))


def zero(hand: StrokeSampler) -> Strokes:
    """An oval: closed, a little open, or more than one turn."""
    return [_oval(hand)]


def zero_with_overshoot(hand: StrokeSampler) -> Strokes:
    """The pen comes from within or from the side, and runs on over the head."""
    start = hand.uniform(-110, -30)
    across = hand.normal(0.31, 0.05)
    turn = hand.backwards(0.8) * hand.uniform(335, 375)
    loop = arc(_CENTRE, (across, 0.5), start, start + turn, 11)
    tail = (0.32 + hand.uniform(-0.1, 0.38), hand.uniform(-0.15, 0.14))
    x, y = between(_CENTRE, loop[0], hand.uniform(0.45, 1.2))
    entry = (x + hand.bernoulli(0.3, hand.uniform(-0.4, 0.2)), y)
    return [hand.stroke([entry, *loop, tail])]


def zero_slashed(hand: StrokeSampler) -> Strokes:
    """An oval with a slash that may run over it, in either direction."""
    reach = hand.uniform(0.6, 1.25)
    direction = -hand.backwards(0.85)  # from the upper right to the lower left for most hands
    x = direction * hand.uniform(0.2, 0.3) * reach
    y = hand.uniform(0.25, 0.42) * reach
    oval = _oval(hand)
    slash = hand.stroke([(0.32 + x, 0.5 - y), (0.32 - x, 0.5 + y)])
    return [oval, slash]


def zero_pulled_in(hand: StrokeSampler) -> Strokes:
    """The right side is pulled in or apart; unlike the bowl of a 6, it reaches the head."""
    start = hand.uniform(-80, -40)
    across = hand.normal(0.31, 0.04)
    bowl = arc(_CENTRE, (across, 0.5), start, hand.uniform(-320, -290), 8)
    end = (0.32 + hand.uniform(0.04, 0.24), hand.uniform(0.02, 0.3))
    side = (0.32 + across * hand.uniform(0.6, 1.0), 0.6)
    return [hand.stroke([*bowl, side, end])]


def one(hand: StrokeSampler) -> Strokes:
    """A plain stroke."""
    lean = hand.normal(0.05, 0.14)
    bend = hand.normal(0, 0.03)
    return [hand.stroke([(0.3 + lean, 0), (0.3 + bend, 0.5), (0.3 - lean, 1)])]


def one_with_upstroke(
    hand: StrokeSampler, foot: bool = False, curved: bool = False, wide: bool = False
) -> Strokes:
    """The upstroke rises by 40 degrees or more, unlike the bar of a 7."""
    lean = hand.normal(0.03, 0.06)
    drop = hand.uniform(0.5 if wide else 0.1, 0.42 if foot else 0.98)
    reach = drop * hand.uniform(0.7 if wide else 0.25, 1.15)
    widest = 1.0 if wide else hand.uniform(0.3, 0.4 if foot else 0.7)
    reach = np.minimum(reach, widest)
    head = (0.5 + lean, 0.0)
    start = (head[0] - reach, drop)
    shorter = np.minimum(reach, drop)
    sag = hand.uniform(0.2, 0.9) * shorter * 0.25 if curved else hand.normal(0, 0.012)
    middle = (head[0] - reach * 0.5 + sag * 0.7, drop * 0.5 + sag)
    base = (0.5 - lean, 1.0)
    upstroke = [start, middle, head]
    stem = [between(head, base, 0.5), base]
    strokes = [hand.stroke(upstroke, stem)]
    if foot:
        strokes.append(_foot(hand, base))
    return strokes


def _foot(hand: StrokeSampler, base: Point) -> np.ndarray:
    x, y = base
    left = hand.uniform(0.1, 0.42)
    right = hand.uniform(0.1, 0.42)
    tilt = hand.normal(0.01, 0.04)
    y = y + hand.normal(0, 0.02)
    return hand.stroke([(x - left, y + tilt), (x + right, y - tilt)])


def one_on_foot(hand: StrokeSampler) -> Strokes:
    """A plain stroke on a foot."""
    lean = hand.normal(0.03, 0.06)
    base = (0.3 - lean, 1.0)
    stem = hand.stroke([(0.3 + lean, 0), base])
    return [stem, _foot(hand, base)]


def zero_hooked(hand: StrokeSampler) -> Strokes:
    """After the oval is closed, the pen runs out to the right and turns, or curls into the oval."""
    start = hand.uniform(-115, -75)
    across = hand.normal(0.3, 0.04)
    loop = arc(_CENTRE, (across, 0.5), start, start - hand.uniform(350, 380), 11)
    side = hand.backwards(0.3)
    bend = (0.32 + side * hand.uniform(0.1, 0.2), hand.uniform(-0.04, 0.06))
    out = hand.uniform(0.12, 0.3)
    inwards = hand.uniform(0, 0.1)
    end = (bend[0] + np.where(side > 0, out, inwards), hand.uniform(0.06, 0.22))
    return [hand.stroke([*loop, bend, end])]


def zero_with_crossing_ends(hand: StrokeSampler) -> Strokes:
    """Both ends extend over the head and cross there, like those of a ribbon."""
    across = hand.normal(0.29, 0.05)
    rise = hand.uniform(0.04, 0.18)
    loop = arc((0.32, 0.55), (across, 0.45), hand.uniform(-125, -105), hand.uniform(-435, -415), 10)
    begin = (0.32 + hand.uniform(0.05, 0.22), -rise)
    end = (0.32 - hand.uniform(0.05, 0.22), -hand.uniform(0.04, 0.18))
    return [hand.stroke([begin, *loop, end])]


def zero_open(hand: StrokeSampler, hooked: bool = False) -> Strokes:
    """The head is open by up to two thirds of the width; hooked, its ends bend outwards."""
    across = hand.normal(0.3, 0.05)
    left = hand.uniform(12, 38)
    right = hand.uniform(12, 38)
    loop = arc(_CENTRE, (across, 0.5), _HEAD - left, _HEAD - 360 + right, 10)
    if not hooked:
        return [hand.stroke(loop)]
    left_end, right_end = loop[0], loop[-1]
    begin = (left_end[0] - hand.uniform(0.1, 0.2), left_end[1] - hand.uniform(0.02, 0.1))
    end = (right_end[0] + hand.uniform(0.1, 0.2), right_end[1] - hand.uniform(0.02, 0.1))
    return [hand.stroke([begin, *loop, end])]


def one_with_long_upstroke(hand: StrokeSampler) -> Strokes:
    """The upstroke is nearly as long as the stem and rises steeply."""
    head = (0.5 + hand.normal(0.04, 0.05), 0.0)
    drop = hand.uniform(0.68, 1.0)
    start = (head[0] - drop * hand.uniform(0.22, 0.6), drop)
    sag = hand.bernoulli(0.5, hand.uniform(0.02, 0.1))
    half = (start[0] - head[0]) * 0.5
    middle = (head[0] + half + sag * 0.5, drop * 0.5 + sag)
    base = (head[0] - hand.normal(0.04, 0.06), hand.uniform(0.95, 1.05))
    stem = [between(head, base, 0.5), base]
    return [hand.stroke([start, middle, head], stem)]


def one_like_a_roof(hand: StrokeSampler, foot: bool = False) -> Strokes:
    """Two legs of about the same length and slope."""
    head = (0.4, 0.0)
    drop = hand.uniform(0.5, 0.8) if foot else hand.uniform(0.75, 1.02)
    left = (head[0] - hand.uniform(0.25, 0.5), drop)
    right = (head[0] + hand.uniform(0.06, 0.3), 1.0)
    strokes = [hand.stroke([left, head], [between(head, right, 0.5), right])]
    if foot:
        strokes.append(_foot(hand, right))
    return strokes

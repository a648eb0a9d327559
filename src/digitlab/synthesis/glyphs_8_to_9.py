"""Variants of 8 and 9: each function draws the strokes of one, in the frame of `StrokeSampler`."""

from __future__ import annotations

import numpy as np

from digitlab.synthesis.stroke_sampler import Number, Point, Strokes, StrokeSampler, arc

_X = 0.3
"""Middle of an 8 from left to right."""


def _upper_bow(
    waist: Number, across: Number, start: Number, end: Number, points: int, x: Number = _X
) -> list[Point]:
    """The upper bow of an 8, from the head to the waist."""
    return arc((x, waist / 2), (across, waist / 2), start, end, points)


def _lower_bow(waist: Number, across: Number, start: Number, end: Number, points: int) -> list[Point]:
    """The lower bow of an 8, from the waist to the foot."""
    return arc((_X, (1 + waist) / 2), (across, (1 - waist) / 2), start, end, points)


def eight_of_circles(hand: StrokeSampler) -> Strokes:
    """Two circles, one on the other."""
    waist = hand.uniform(0.38, 0.52)
    upper = hand.uniform(0.17, 0.26)
    lower = hand.uniform(0.21, 0.31)
    gap = hand.normal(0.0, 0.02)
    shift = hand.normal(0, 0.03)
    upper_start = hand.uniform(0, 360)
    lower_start = hand.uniform(-150, -30)
    upper_end = upper_start - hand.normal(370, 14)
    head = hand.stroke(_upper_bow(waist, upper, upper_start, upper_end, 9, _X + shift))
    lower_end = lower_start - hand.normal(370, 14)
    centre = (_X, (1 + waist + gap) / 2)
    foot = hand.stroke(arc(centre, (lower, (1 - waist - gap) / 2), lower_start, lower_end, 9))
    return [head, foot]


def eight(hand: StrokeSampler) -> Strokes:
    """One stroke: an S from the top right and back, closed or open at the top."""
    waist = hand.uniform(0.4, 0.52)
    upper = hand.uniform(0.17, 0.26)
    lower = hand.uniform(0.2, 0.3)
    down = _upper_bow(waist, upper, hand.uniform(-80, -25), -250, 5)
    bottom = _lower_bow(waist, lower, -40, 220, 7)
    end = (_X + hand.uniform(0.02, 0.24), hand.uniform(-0.06, 0.12))
    up = [(_X, waist), (_X + upper * 0.85, waist * 0.6), end]
    return [hand.stroke([*down, *bottom, *up])]


def eight_crossing(hand: StrokeSampler) -> Strokes:
    """Two nearly straight diagonals, their turns narrow; the head closed, open or overshot."""
    waist = hand.normal(0.47, 0.05)
    upper = hand.uniform(0.14, 0.26)
    lower = hand.uniform(0.14, 0.28)
    aside = hand.uniform(0.5, 0.9)
    head = arc((_X, waist * 0.36), (upper, waist * 0.36), hand.uniform(-60, 10), -200, 4)
    foot = arc((_X, 1 - (1 - waist) * 0.32), (lower, (1 - waist) * 0.32), -25, 205, 5)
    end = (_X + hand.uniform(0.1, 0.34), hand.uniform(-0.1, 0.22))
    way_down = (_X + (aside - 0.7) * 0.1, waist)
    way_up = (_X, waist + hand.normal(0.02, 0.02))
    return [hand.stroke([*head, way_down, *foot, way_up, end])]


def _nine_bowl(high: np.ndarray, across: np.ndarray, start: np.ndarray, turn: np.ndarray) -> list[Point]:
    return arc((0.54 - across, high / 2), (across, high / 2), start, start - turn, 9)


def nine(hand: StrokeSampler, tail: str) -> Strokes:
    """A closed bowl, and a stem that is straight, hooked or swings to the left like a g's."""
    high = hand.uniform(0.3, 0.6)
    across = hand.uniform(0.18, 0.29)
    start = hand.uniform(-70, -5)
    bowl = _nine_bowl(high, across, start, start + hand.uniform(345, 375))
    head = (0.54 + hand.normal(0.0, 0.02), high * hand.uniform(0.2, 0.5))
    return [hand.stroke(bowl, [head], _nine_tail(hand, tail, 0.53))]


def nine_open(hand: StrokeSampler, tail: str) -> Strokes:
    """The bowl begins short of the stem and leaves a gap at the top right."""
    high = hand.uniform(0.36, 0.6)
    across = hand.uniform(0.2, 0.29)
    bowl = _nine_bowl(high, across, hand.uniform(-90, -45), hand.uniform(255, 300))
    head = (0.55 + hand.normal(0.0, 0.02), hand.uniform(0.04, 0.16))
    return [hand.stroke(bowl), hand.stroke([head, *_nine_tail(hand, tail, 0.54)])]


def nine_looped(hand: StrokeSampler, tail: str) -> Strokes:
    """A small loop, once or twice round, that runs into the stem without a corner."""
    high = hand.uniform(0.24, 0.48)
    across = hand.uniform(0.13, 0.26)
    start = hand.uniform(-70, 10)
    # Three hands in ten go further round.
    further = np.where(hand.uniform(0, 1) < 0.7, 0, hand.uniform(120, 360))
    start = start + further
    bowl = _nine_bowl(high, across, start, start + hand.uniform(335, 372) + further)
    swell = hand.bernoulli(0.5, hand.uniform(0, 0.16))
    return [hand.stroke([*bowl, *_nine_tail(hand, tail, 0.53 + swell)])]


def nine_curled(hand: StrokeSampler) -> Strokes:
    """The bowl ends in a curl at its right, from which the hooked stem goes down."""
    high = hand.uniform(0.36, 0.55)
    across = hand.uniform(0.2, 0.28)
    size = hand.uniform(0.06, 0.14)
    bowl = _nine_bowl(high, across, hand.uniform(-60, 0), hand.uniform(290, 330))
    curl = arc((0.52 - size * 0.4, high * hand.uniform(0.5, 0.8)), (size, size), 80, -170, 5)
    return [hand.stroke([*bowl, *reversed(curl), *_nine_tail(hand, "hooked", 0.55)])]


def _nine_tail(hand: StrokeSampler, tail: str, x: Number) -> list[Point]:
    """The lower part of a 9's stem at `x`: straight, swung, or else hooked."""
    if tail == "straight":
        lean = hand.normal(0.02, 0.06)
        return [(x - lean / 2, 0.65), (x - lean, 1.0)]
    if tail == "swung":
        return [(x - 0.02, 0.62), (x - hand.uniform(0.08, 0.2), 0.85), (hand.uniform(-0.1, 0.3), 1.0)]
    rise = hand.bernoulli(0.7, hand.uniform(0.03, 0.18))
    reach = hand.uniform(0.1, 0.45)
    bottom = (x - 0.12 - reach * 0.5, 1.0)
    return [
        (x, 0.66),
        (x - 0.03, 0.88),
        bottom,
        (x - 0.12 - reach, 0.99 - rise * 0.35),
        (x - 0.2 - reach, 0.98 - rise),
    ]


def eight_like_b(hand: StrokeSampler) -> Strokes:
    """A stem that is hardly bent, and two bows at its right, as in a B."""
    waist = hand.uniform(0.4, 0.52)
    bend = hand.uniform(-0.04, 0.1)
    stem = [(0.06 + hand.normal(0.03, 0.03), 0.02), (0.04 + bend, waist), (hand.normal(0.04, 0.03), 0.98)]
    upper = hand.uniform(0.3, 0.42)
    lower = hand.uniform(0.36, 0.48)
    notch = hand.uniform(0.1, 0.24)
    head = arc((0.1, waist / 2), (upper, waist / 2), -95, 60, 5)
    foot = arc((0.08, (1 + waist) / 2), (lower, (1 - waist) / 2), -60, 100, 5)
    return [hand.stroke(stem), hand.stroke([*head, (notch, waist)], foot)]


def eight_open(hand: StrokeSampler) -> Strokes:
    """One stroke from the head's left; it ends at the right, and the head stays open."""
    waist = hand.uniform(0.42, 0.54)
    upper = hand.uniform(0.2, 0.28)
    lower = hand.uniform(0.2, 0.29)
    down = _upper_bow(waist, upper, hand.uniform(-150, -110), -245, 4)
    bottom = _lower_bow(waist, lower, -40, 220, 7)
    end = (_X + upper * hand.uniform(0.75, 1.3), hand.uniform(-0.06, 0.12))
    up = [(_X, waist), (_X + upper * 0.8, waist * 0.6), end]
    return [hand.stroke([*down, *bottom, *up])]


def eight_with_cup(hand: StrokeSampler) -> Strokes:
    """A circle, and on it a cup that is open at the top."""
    waist = hand.uniform(0.4, 0.5)
    upper = hand.uniform(0.18, 0.26)
    lower = hand.uniform(0.2, 0.3)
    cup_start = hand.uniform(-160, -125)
    cup_end = hand.uniform(-415, -385)
    cup = arc((_X, waist * 0.45), (upper, waist * 0.55), cup_start, cup_end, 8)
    start = hand.uniform(-150, -30)
    circle = _lower_bow(waist, lower, start, start - hand.normal(368, 10), 9)
    return [hand.stroke(cup), hand.stroke(circle)]


def eight_of_separate_circles(hand: StrokeSampler) -> Strokes:
    """Two circles that do not touch; one may stand a little to the side."""
    waist = hand.uniform(0.4, 0.5)
    gap = hand.uniform(0.05, 0.12)
    upper = hand.uniform(0.15, 0.24)
    lower = hand.uniform(0.17, 0.27)
    shift = hand.normal(0, 0.05)
    first = hand.uniform(0, 360)
    second = hand.uniform(0, 360)
    upper_radius = (waist - gap / 2) / 2
    head = arc((_X + shift, upper_radius), (upper, upper_radius), first, first - 365, 9)
    centre = (_X, (1 + waist + gap / 2) / 2)
    foot = arc(centre, (lower, (1 - waist - gap / 2) / 2), second, second - 365, 9)
    return [hand.stroke(head), hand.stroke(foot)]


def eight_from_the_middle(hand: StrokeSampler) -> Strokes:
    """Begun at the waist: round the head, through the waist, round the foot, and back to it."""
    waist = hand.uniform(0.42, 0.52)
    upper = hand.uniform(0.17, 0.25)
    lower = hand.uniform(0.19, 0.28)
    begin = (_X - hand.uniform(-0.05, 0.12), waist + hand.normal(0.02, 0.04))
    head = _upper_bow(waist, upper, 40, -220, 7)
    foot = _lower_bow(waist, lower, -40, 220, 7)
    end = (_X + hand.uniform(-0.06, 0.1), waist + hand.normal(0, 0.04))
    return [hand.stroke([begin, *head, (_X, waist), *foot, end])]


def nine_like_p(hand: StrokeSampler) -> Strokes:
    """The stem stands at the bowl's left, as in a P."""
    high = hand.uniform(0.36, 0.56)
    across = hand.uniform(0.32, 0.5)
    lean = hand.normal(0.03, 0.05)
    stem = [(0.12 + lean, hand.uniform(-0.04, 0.08)), (0.12, 0.5), (0.12 - lean, 1.0)]
    begin = (0.12 + lean - hand.uniform(0.0, 0.14), hand.uniform(0.0, 0.1))
    bowl = arc((0.14, high / 2), (across, high / 2), -85, 85, 6)
    left = hand.stroke(stem)
    end = (0.12 + hand.normal(0, 0.03), high + 0.01)
    return [left, hand.stroke([begin, *bowl, end])]


def nine_like_rho(hand: StrokeSampler, hooked: bool = False) -> Strokes:
    """One stroke round a bowl, whose tail falls from its left or its middle."""
    high = hand.uniform(0.34, 0.54)
    across = hand.uniform(0.19, 0.28)
    tail = 0.3 - across * hand.uniform(0.35, 1.0)
    start = hand.uniform(105, 165)
    bowl = arc((0.3, high / 2), (across, high / 2), start, hand.uniform(-190, -170), 9)
    lean = hand.normal(0.04, 0.05)
    fall = [(tail, high * 0.8), (tail - lean * 0.5, (high + 1) / 2)]
    if not hooked:
        return [hand.stroke([*bowl, *fall, (tail - lean, 1.0)])]
    reach = hand.uniform(0.14, 0.3)
    base = tail - lean
    hook = [(base - 0.04, 0.95), (base - reach * 0.6, 1.0), (base - reach, 0.92)]
    return [hand.stroke([*bowl, *fall, *hook])]


def nine_with_long_tail(hand: StrokeSampler, tail: str) -> Strokes:
    """A small bowl over a stem three times as long: straight, far to the left, or hooked."""
    high = hand.uniform(0.22, 0.34)
    across = hand.uniform(0.12, 0.2)
    start = hand.uniform(-60, 0)
    bowl = _nine_bowl(high, across, start, start + hand.uniform(345, 372))
    head = (0.54 + hand.normal(0, 0.01), high * hand.uniform(0.3, 0.6))
    if tail != "left":
        return [hand.stroke(bowl, [head], _nine_tail(hand, tail, 0.53))]
    end = (hand.uniform(-0.35, 0.05), hand.uniform(0.92, 1.02))
    swing = [(0.52, 0.5), (0.4, 0.76), end]
    return [hand.stroke(bowl, [head], swing)]


def nine_with_open_head(hand: StrokeSampler, tail: str) -> Strokes:
    """A round bowl that ends at the stem and turns in at its head, but does not touch it."""
    high = hand.uniform(0.4, 0.58)
    across = hand.uniform(0.2, 0.27)
    cup = _nine_bowl(high, across, hand.uniform(-100, -72), hand.uniform(250, 275))
    head = (0.55 + hand.normal(0, 0.02), hand.uniform(-0.04, 0.1))
    return [hand.stroke(cup), hand.stroke([head, *_nine_tail(hand, tail, 0.54)])]


def nine_open_at_the_right(hand: StrokeSampler, tail: str) -> Strokes:
    """One stroke: a cup that is open at its right, and from its lower end the tail."""
    high = hand.uniform(0.4, 0.54)
    across = hand.uniform(0.16, 0.24)
    cup = arc((0.26, high / 2), (across, high / 2), hand.uniform(-70, -35), hand.uniform(-305, -285), 7)
    end = (0.26 + across * hand.uniform(0.75, 1.1), high * hand.uniform(0.8, 0.98))
    if tail == "straight":
        base = (end[0] + hand.normal(0, 0.04), 1.0)
        return [hand.stroke([*cup, end], [base])]
    reach = hand.uniform(0.2, 0.4)
    fall = [(end[0] - 0.03, 0.82), (end[0] - reach * 0.5, 1.0), (end[0] - reach, hand.uniform(0.86, 0.98))]
    return [hand.stroke([*cup, end], fall)]


def nine_with_swept_tail(hand: StrokeSampler) -> Strokes:
    """The stem leaves the bowl to the right, and at the foot a long stroke sweeps back to the left."""
    high = hand.uniform(0.26, 0.36)
    across = hand.uniform(0.14, 0.2)
    start = hand.uniform(-70, -20)
    bowl = _nine_bowl(high, across, start, start + hand.uniform(320, 365))
    out = hand.uniform(0.06, 0.26)
    stem = [(0.5 + out * 0.4, 0.56), (0.5 + out, hand.uniform(0.82, 0.9))]
    end = (0.5 - hand.uniform(0.5, 0.75), hand.uniform(0.86, 0.98))
    return [hand.stroke(bowl, [*stem, (0.5 + out * 0.6, 0.97), (0.5 + out * 0.2, 0.98), end])]

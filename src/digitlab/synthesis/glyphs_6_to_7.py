"""Variants of 6 and 7: each function draws the strokes of one, in the frame of `StrokeSampler`."""

from __future__ import annotations

import numpy as np

from digitlab.synthesis.stroke_sampler import Number, Point, Strokes, StrokeSampler, arc, between


def _bowl(
    high: np.ndarray,
    across: np.ndarray,
    end: np.ndarray,
    start: float = 165,
    left: float = 0.02,
    points: int = 8,
) -> list[Point]:
    """The bowl of a 6, on the baseline, from the stem round to the angle `end`."""
    return arc((left + across, 1 - high / 2), (across, high / 2), start, end, points)


def six(hand: StrokeSampler) -> Strokes:
    """One stroke down into a bowl that is high or low, wide or small, closed or not quite."""
    high = hand.uniform(0.34, 0.66)
    across = hand.uniform(0.2, 0.32)
    bowl = _bowl(high, across, end=hand.uniform(-215, -150))
    start = (hand.uniform(0.22, 0.62), hand.normal(0, 0.02))
    shoulder = (hand.uniform(0.08, 0.2), hand.uniform(0.2, 0.32))
    return [hand.stroke([start, shoulder, (0.0, 1 - high * 0.62), *bowl])]


def six_straight(hand: StrokeSampler) -> Strokes:
    """The stem is straight."""
    high = hand.uniform(0.34, 0.55)
    across = hand.uniform(0.18, 0.28)
    bowl = _bowl(high, across, end=hand.uniform(-220, -170), start=160, left=0.03)
    start = (hand.uniform(0.06, 0.42), 0.0)
    return [hand.stroke([start, (0.04, 1 - high * 0.75), *bowl])]


def seven(hand: StrokeSampler, hook: bool, crossed: bool) -> Strokes:
    """A bar and a stem, with or without a hook at the beginning and a bar across the stem."""
    width = hand.uniform(0.46, 0.7)
    tilt = hand.normal(-0.01, 0.05)
    corner = (width, tilt)
    bottom = (hand.uniform(-0.02, 0.34), 1.0)
    bend = hand.normal(-0.03, 0.04)
    x, y = between(corner, bottom, 0.5)
    stem = [(x + bend, y), bottom]
    start = (0.0, hand.normal(0.02, 0.03))
    bar = [start, (width * 0.5, tilt * 0.5 + hand.normal(0.01, 0.03)), corner]
    pieces = [bar, stem]
    if hook:
        hook_start = (hand.normal(-0.01, 0.04), hand.uniform(0.1, 0.26))
        pieces = [[hook_start], *pieces]
    strokes = [hand.stroke(*pieces)]
    if crossed:
        share = hand.uniform(0.36, 0.66)
        reach = hand.uniform(0.12, 0.38)
        slope = hand.normal(0.03, 0.06)
        x, y = between(corner, bottom, share)
        x = x + bend * 0.8 + hand.normal(0, 0.05)
        strokes.append(hand.stroke([(x - reach, y + slope), (x + reach, y - slope)]))
    return strokes


def six_with_small_bowl(hand: StrokeSampler) -> Strokes:
    """The bowl is small and low, the stem long."""
    high = hand.uniform(0.22, 0.34)
    across = hand.uniform(0.11, 0.2)
    bowl = _bowl(high, across, end=hand.uniform(-215, -160))
    start = (hand.uniform(0.08, 0.5), 0.0)
    shoulder = (start[0] * hand.uniform(0.25, 0.6), hand.uniform(0.3, 0.45))
    return [hand.stroke([start, shoulder, (0.0, 1 - high * 0.7), *bowl])]


def six_like_b(hand: StrokeSampler, apart: bool = False) -> Strokes:
    """A straight stem down to the foot and a bowl at its right, in one stroke or in two."""
    high = hand.uniform(0.38, 0.56)
    across = hand.uniform(0.18, 0.28)
    lean = hand.normal(0.05, 0.05)
    centre = (across, 1 - high / 2)
    radii = (across * 1.1, high / 2)
    stem = [(lean, 0.0), (0.0, hand.uniform(0.92, 1.0))]
    if apart:
        bowl = arc(centre, radii, hand.uniform(-175, -150), hand.uniform(110, 150), 8)
        return [hand.stroke(stem), hand.stroke(bowl)]
    # The pen comes from the stem's foot, and so goes the other way round.
    bowl = arc(centre, radii, 70, hand.uniform(-190, -150), 8)
    return [hand.stroke(stem, bowl)]


def six_open(hand: StrokeSampler) -> Strokes:
    """The bowl ends before it comes back to the stem."""
    high = hand.uniform(0.36, 0.56)
    across = hand.uniform(0.2, 0.3)
    bowl = _bowl(high, across, end=hand.uniform(-125, -65), points=7)
    start = (hand.uniform(0.18, 0.52), 0.0)
    shoulder = (hand.uniform(0.06, 0.16), 0.28)
    return [hand.stroke([start, shoulder, (0.0, 1 - high * 0.62), *bowl])]


def _bar(hand: StrokeSampler, middle: Point, reach: Number) -> np.ndarray:
    """A bar across the stem of a 7."""
    x, y = middle
    slope = hand.normal(0.03, 0.05)
    x = x + hand.normal(0, 0.04)
    return hand.stroke([(x - reach, y + slope), (x + reach, y - slope)])


def seven_like_t(hand: StrokeSampler) -> Strokes:
    """A steep stem, a short head to its left and a long bar across it."""
    stem, lean = 0.36, hand.uniform(-0.02, 0.1)
    corner = (stem + lean, hand.normal(0, 0.02))
    base = (stem - lean, 1.0)
    start = (corner[0] - hand.uniform(0.16, 0.3), hand.normal(0.04, 0.03))
    crossing = between(corner, base, hand.uniform(0.4, 0.6))
    body = hand.stroke([start, corner], [base])
    return [body, _bar(hand, crossing, reach=hand.uniform(0.22, 0.4))]


def seven_with_low_bar(hand: StrokeSampler, serif: bool = False) -> Strokes:
    """The bar crosses the stem in its lower half; with a serif the head begins with a downstroke."""
    width = hand.uniform(0.42, 0.64)
    tilt = hand.normal(-0.01, 0.04)
    corner = (width, tilt)
    base = (hand.uniform(0.06, 0.32), 1.0)
    start = (0.0, hand.normal(0.02, 0.03))
    pieces = [[start, corner], [between(corner, base, 0.5), base]]
    if serif:
        serif_start = (hand.normal(-0.01, 0.03), hand.uniform(0.14, 0.28))
        pieces = [[serif_start], *pieces]
    crossing = between(corner, base, hand.uniform(0.56, 0.84))
    body = hand.stroke(*pieces)
    return [body, _bar(hand, crossing, reach=hand.uniform(0.12, 0.26))]


def seven_on_a_bar(hand: StrokeSampler) -> Strokes:
    """The pen is not lifted: from the foot it turns back up, and draws the bar to the right, low down."""
    corner = (hand.uniform(0.34, 0.5), hand.normal(0.0, 0.03))
    foot = (hand.uniform(0.1, 0.22), 1.0)
    bar = hand.uniform(0.7, 0.86)
    back = (foot[0] - hand.uniform(0.05, 0.14), bar)
    end = (foot[0] + hand.uniform(0.24, 0.42), bar + hand.normal(-0.04, 0.03))
    start = (0.0, hand.normal(0.04, 0.03))
    return [hand.stroke([start, corner], [foot, back], [end])]


def seven_with_serif(hand: StrokeSampler) -> Strokes:
    """A stroke of its own hangs from the bar's left end, or stands across it."""
    width = hand.uniform(0.44, 0.66)
    over = hand.bernoulli(0.5, hand.uniform(0.04, 0.12))
    corner = (width, hand.normal(0, 0.04))
    base = (hand.uniform(0.04, 0.34), 1.0)
    middle_x, _ = between(corner, base, 0.5)
    bend = (middle_x + hand.normal(-0.03, 0.03), 0.5)
    serif = hand.stroke([(0.02, -over), (hand.normal(-0.02, 0.04), hand.uniform(0.16, 0.32))])
    start = (0.0, hand.normal(0.02, 0.03))
    return [serif, hand.stroke([start, corner], [bend, base])]

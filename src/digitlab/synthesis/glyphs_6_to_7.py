"""Variants of 6 and 7: each function draws the strokes of one, in the frame of `Hand`."""

from __future__ import annotations

import numpy as np

from digitlab.synthesis.hand import Hand, Number, Point, Strokes, arc, between


def six(hand: Hand) -> Strokes:
    """One stroke down into a bowl that is high or low, wide or small, closed or not quite."""
    high = hand.between(0.34, 0.66)
    across = hand.between(0.2, 0.32)
    centre = (0.02 + across, 1 - high / 2)
    bowl = arc(centre, (across, high / 2), 165, hand.between(-215, -150), 8)
    start = (hand.between(0.22, 0.62), hand.about(0, 0.02))
    shoulder = (hand.between(0.08, 0.2), hand.between(0.2, 0.32))
    return [hand.stroke([start, shoulder, (0.0, 1 - high * 0.62), *bowl])]


def six_straight(hand: Hand) -> Strokes:
    """The stem is straight."""
    high, across = hand.between(0.34, 0.55), hand.between(0.18, 0.28)
    bowl = arc((0.03 + across, 1 - high / 2), (across, high / 2), 160, hand.between(-220, -170), 8)
    return [hand.stroke([(hand.between(0.06, 0.42), 0.0), (0.04, 1 - high * 0.75), *bowl])]


def seven(hand: Hand, hook: bool, crossed: bool) -> Strokes:
    """A bar and a stem, with or without a hook at the beginning and a bar across the stem."""
    width, tilt = hand.between(0.46, 0.7), hand.about(-0.01, 0.05)
    corner = (width, tilt)
    bottom = (hand.between(-0.02, 0.34), 1.0)
    bend = hand.about(-0.03, 0.04)
    middle = between(corner, bottom, 0.5)
    middle = (middle[0] + bend, middle[1])
    start = (0.0, hand.about(0.02, 0.03))
    head = [[start, ((width) * 0.5, tilt * 0.5 + hand.about(0.01, 0.03)), corner], [middle, bottom]]
    if hook:
        head.insert(0, [(hand.about(-0.01, 0.04), hand.between(0.1, 0.26))])
    strokes = [hand.stroke(*head)]
    if crossed:
        share, reach, slope = hand.between(0.36, 0.66), hand.between(0.12, 0.38), hand.about(0.03, 0.06)
        x, y = between(corner, bottom, share)
        x = x + bend * 0.8 + hand.about(0, 0.05)
        strokes.append(hand.stroke([(x - reach, y + slope), (x + reach, y - slope)]))
    return strokes


def six_with_small_bowl(hand: Hand) -> Strokes:
    """The bowl is small and low, the stem long."""
    high, across = hand.between(0.22, 0.34), hand.between(0.11, 0.2)
    bowl = arc((0.02 + across, 1 - high / 2), (across, high / 2), 165, hand.between(-215, -160), 8)
    start = (hand.between(0.08, 0.5), 0.0)
    shoulder = (start[0] * hand.between(0.25, 0.6), hand.between(0.3, 0.45))
    return [hand.stroke([start, shoulder, (0.0, 1 - high * 0.7), *bowl])]


def six_like_b(hand: Hand, apart: bool = False) -> Strokes:
    """A straight stem down to the foot and a bowl at its right, in one stroke or in two."""
    high, across, lean = hand.between(0.38, 0.56), hand.between(0.18, 0.28), hand.about(0.05, 0.05)
    centre = (across, 1 - high / 2)
    stem = [(lean, 0.0), (0.0, hand.between(0.92, 1.0))]
    if apart:
        bowl = arc(centre, (across * 1.1, high / 2), hand.between(-175, -150), hand.between(110, 150), 8)
        return [hand.stroke(stem), hand.stroke(bowl)]
    return [hand.stroke(stem, arc(centre, (across * 1.1, high / 2), 70, hand.between(-190, -150), 8))]


def six_open(hand: Hand) -> Strokes:
    """The bowl ends before it comes back to the stem."""
    high, across = hand.between(0.36, 0.56), hand.between(0.2, 0.3)
    bowl = arc((0.02 + across, 1 - high / 2), (across, high / 2), 165, hand.between(-125, -65), 7)
    start = (hand.between(0.18, 0.52), 0.0)
    return [hand.stroke([start, (hand.between(0.06, 0.16), 0.28), (0.0, 1 - high * 0.62), *bowl])]


def _cross(hand: Hand, place: Point, reach: Number) -> np.ndarray:
    slope = hand.about(0.03, 0.05)
    x = place[0] + hand.about(0, 0.04)
    return hand.stroke([(x - reach, place[1] + slope), (x + reach, place[1] - slope)])


def seven_like_t(hand: Hand) -> Strokes:
    """A steep stem, a short head to its left and a long bar across it."""
    stem, lean = 0.36, hand.between(-0.02, 0.1)
    corner = (stem + lean, hand.about(0, 0.02))
    base = (stem - lean, 1.0)
    start = (corner[0] - hand.between(0.16, 0.3), hand.about(0.04, 0.03))
    bar = between(corner, base, hand.between(0.4, 0.6))
    return [hand.stroke([start, corner], [base]), _cross(hand, bar, hand.between(0.22, 0.4))]


def seven_with_low_bar(hand: Hand, serif: bool = False) -> Strokes:
    """The bar crosses the stem in its lower half; with a serif the head begins with a downstroke."""
    width, tilt = hand.between(0.42, 0.64), hand.about(-0.01, 0.04)
    corner, base = (width, tilt), (hand.between(0.06, 0.32), 1.0)
    start = (0.0, hand.about(0.02, 0.03))
    head = [[start, corner], [between(corner, base, 0.5), base]]
    if serif:
        head.insert(0, [(hand.about(-0.01, 0.03), hand.between(0.14, 0.28))])
    bar = between(corner, base, hand.between(0.56, 0.84))
    return [hand.stroke(*head), _cross(hand, bar, hand.between(0.12, 0.26))]


def seven_on_a_bar(hand: Hand) -> Strokes:
    """The pen is not lifted: from the foot it turns back up, and draws the bar to the right, low down."""
    corner = (hand.between(0.34, 0.5), hand.about(0.0, 0.03))
    foot = (hand.between(0.1, 0.22), 1.0)
    bar = hand.between(0.7, 0.86)
    back = (foot[0] - hand.between(0.05, 0.14), bar)
    end = (foot[0] + hand.between(0.24, 0.42), bar + hand.about(-0.04, 0.03))
    return [hand.stroke([(0.0, hand.about(0.04, 0.03)), corner], [foot, back], [end])]


def seven_with_serif(hand: Hand) -> Strokes:
    """A stroke of its own hangs from the bar's left end, or stands across it."""
    width, over = hand.between(0.44, 0.66), hand.sometimes(0.5, hand.between(0.04, 0.12))
    corner, base = (width, hand.about(0, 0.04)), (hand.between(0.04, 0.34), 1.0)
    bend = (between(corner, base, 0.5)[0] + hand.about(-0.03, 0.03), 0.5)
    serif = hand.stroke([(0.02, -over), (hand.about(-0.02, 0.04), hand.between(0.16, 0.32))])
    return [serif, hand.stroke([(0.0, hand.about(0.02, 0.03)), corner], [bend, base])]

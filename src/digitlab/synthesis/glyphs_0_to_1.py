"""Variants of 0 and 1: each function draws the strokes of one, in the frame of `Hand`."""

from __future__ import annotations

import numpy as np

from digitlab.synthesis.hand import Hand, Point, Strokes, arc, between


def _oval(hand: Hand) -> np.ndarray:
    start = hand.between(-120, -50)
    turn = hand.backwards(0.8) * (hand.about(362, 22) + hand.sometimes(0.12, hand.between(30, 250)))
    return hand.stroke(arc((0.32, 0.5), (hand.about(0.31, 0.06), 0.5), start, start + turn, 13))


def zero(hand: Hand) -> Strokes:
    """An oval: closed, a little open, or more than one turn."""
    return [_oval(hand)]


def zero_with_overshoot(hand: Hand) -> Strokes:
    """The pen comes from within or from the side, and runs on over the head."""
    start, across = hand.between(-110, -30), hand.about(0.31, 0.05)
    loop = arc((0.32, 0.5), (across, 0.5), start, start + hand.backwards(0.8) * hand.between(335, 375), 11)
    tail = (0.32 + hand.between(-0.1, 0.38), hand.between(-0.15, 0.14))
    entry = between((0.32, 0.5), loop[0], hand.between(0.45, 1.2))
    entry = (entry[0] + hand.sometimes(0.3, hand.between(-0.4, 0.2)), entry[1])
    return [hand.stroke([entry, *loop, tail])]


def zero_slashed(hand: Hand) -> Strokes:
    """An oval with a slash that may run over it, in either direction."""
    reach, way = hand.between(0.6, 1.25), -hand.backwards(0.85)
    x, y = way * hand.between(0.2, 0.3) * reach, hand.between(0.25, 0.42) * reach
    return [_oval(hand), hand.stroke([(0.32 + x, 0.5 - y), (0.32 - x, 0.5 + y)])]


def zero_pulled_in(hand: Hand) -> Strokes:
    """The right side is pulled in or apart; unlike the bowl of a 6, it reaches the head."""
    start, across = hand.between(-80, -40), hand.about(0.31, 0.04)
    bowl = arc((0.32, 0.5), (across, 0.5), start, hand.between(-320, -290), 8)
    end = (0.32 + hand.between(0.04, 0.24), hand.between(0.02, 0.3))
    return [hand.stroke([*bowl, (0.32 + across * hand.between(0.6, 1.0), 0.6), end])]


def one(hand: Hand) -> Strokes:
    """A plain stroke."""
    lean, bend = hand.about(0.05, 0.14), hand.about(0, 0.03)
    return [hand.stroke([(0.3 + lean, 0), (0.3 + bend, 0.5), (0.3 - lean, 1)])]


def one_with_upstroke(hand: Hand, foot: bool = False, curved: bool = False, wide: bool = False) -> Strokes:
    """The upstroke rises by 40 degrees or more, unlike the bar of a 7."""
    lean = hand.about(0.03, 0.06)
    drop = hand.between(0.5 if wide else 0.1, 0.42 if foot else 0.98)
    out = drop * hand.between(0.7 if wide else 0.25, 1.15)
    out = np.minimum(out, 1.0 if wide else hand.between(0.3, 0.4 if foot else 0.7))
    head = (0.5 + lean, 0.0)
    start = (head[0] - out, drop)
    sag = hand.between(0.2, 0.9) * np.minimum(out, drop) * 0.25 if curved else hand.about(0, 0.012)
    middle = (head[0] - out * 0.5 + sag * 0.7, drop * 0.5 + sag)
    base = (0.5 - lean, 1.0)
    strokes = [hand.stroke([start, middle, head], [between(head, base, 0.5), base])]
    if foot:
        strokes.append(_foot(hand, base))
    return strokes


def _foot(hand: Hand, base: Point) -> np.ndarray:
    left, right, tilt = hand.between(0.1, 0.42), hand.between(0.1, 0.42), hand.about(0.01, 0.04)
    height = base[1] + hand.about(0, 0.02)
    return hand.stroke([(base[0] - left, height + tilt), (base[0] + right, height - tilt)])


def one_on_foot(hand: Hand) -> Strokes:
    """A plain stroke on a foot."""
    lean = hand.about(0.03, 0.06)
    base = (0.3 - lean, 1.0)
    return [hand.stroke([(0.3 + lean, 0), base]), _foot(hand, base)]


def zero_hooked(hand: Hand) -> Strokes:
    """After the oval is closed, the pen runs out to the right and turns, or curls into the oval."""
    start, across = hand.between(-115, -75), hand.about(0.3, 0.04)
    loop = arc((0.32, 0.5), (across, 0.5), start, start - hand.between(350, 380), 11)
    side = hand.backwards(0.3)
    bend = (0.32 + side * hand.between(0.1, 0.2), hand.between(-0.04, 0.06))
    end = (
        bend[0] + np.where(side > 0, hand.between(0.12, 0.3), hand.between(0, 0.1)),
        hand.between(0.06, 0.22),
    )
    return [hand.stroke([*loop, bend, end])]


def zero_with_crossing_ends(hand: Hand) -> Strokes:
    """Both ends extend over the head and cross there, like those of a ribbon."""
    across, rise = hand.about(0.29, 0.05), hand.between(0.04, 0.18)
    loop = arc((0.32, 0.55), (across, 0.45), hand.between(-125, -105), hand.between(-435, -415), 10)
    begin = (0.32 + hand.between(0.05, 0.22), -rise)
    end = (0.32 - hand.between(0.05, 0.22), -hand.between(0.04, 0.18))
    return [hand.stroke([begin, *loop, end])]


def zero_open(hand: Hand, hooked: bool = False) -> Strokes:
    """The head is open by up to two thirds of the width; hooked, its ends bend outwards."""
    across = hand.about(0.3, 0.05)
    left, right = hand.between(12, 38), hand.between(12, 38)
    loop = arc((0.32, 0.5), (across, 0.5), -90 - left, -450 + right, 10)
    if not hooked:
        return [hand.stroke(loop)]
    begin = (loop[0][0] - hand.between(0.1, 0.2), loop[0][1] - hand.between(0.02, 0.1))
    end = (loop[-1][0] + hand.between(0.1, 0.2), loop[-1][1] - hand.between(0.02, 0.1))
    return [hand.stroke([begin, *loop, end])]


def one_with_long_upstroke(hand: Hand) -> Strokes:
    """The upstroke is nearly as long as the stem and rises steeply."""
    head = (0.5 + hand.about(0.04, 0.05), 0.0)
    drop = hand.between(0.68, 1.0)
    start = (head[0] - drop * hand.between(0.22, 0.6), drop)
    sag = hand.sometimes(0.5, hand.between(0.02, 0.1))
    middle = (head[0] + (start[0] - head[0]) * 0.5 + sag * 0.5, drop * 0.5 + sag)
    base = (head[0] - hand.about(0.04, 0.06), hand.between(0.95, 1.05))
    return [hand.stroke([start, middle, head], [between(head, base, 0.5), base])]


def one_like_a_roof(hand: Hand, foot: bool = False) -> Strokes:
    """Two legs of about the same length and slope."""
    head = (0.4, 0.0)
    drop = hand.between(0.5, 0.8) if foot else hand.between(0.75, 1.02)
    left = (head[0] - hand.between(0.25, 0.5), drop)
    right = (head[0] + hand.between(0.06, 0.3), 1.0)
    strokes = [hand.stroke([left, head], [between(head, right, 0.5), right])]
    if foot:
        strokes.append(_foot(hand, right))
    return strokes

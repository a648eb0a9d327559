"""Variants of 8 and 9: each function draws the strokes of one, in the frame of `Hand`."""

from __future__ import annotations

import numpy as np

from digitlab.synthesis.hand import Hand, Number, Point, Strokes, arc


def eight_of_circles(hand: Hand) -> Strokes:
    """Two circles, one on the other."""
    waist = hand.between(0.38, 0.52)
    upper, lower = hand.between(0.17, 0.26), hand.between(0.21, 0.31)
    gap = hand.about(0.0, 0.02)
    shift, first, second = hand.about(0, 0.03), hand.between(0, 360), hand.between(-150, -30)
    return [
        hand.stroke(arc((0.3 + shift, waist / 2), (upper, waist / 2), first, first - hand.about(370, 14), 9)),
        hand.stroke(
            arc(
                (0.3, (1 + waist + gap) / 2),
                (lower, (1 - waist - gap) / 2),
                second,
                second - hand.about(370, 14),
                9,
            )
        ),
    ]


def eight(hand: Hand) -> Strokes:
    """One stroke: an S from the top right and back, closed or open at the top."""
    waist, upper, lower = hand.between(0.4, 0.52), hand.between(0.17, 0.26), hand.between(0.2, 0.3)
    down = arc((0.3, waist / 2), (upper, waist / 2), hand.between(-80, -25), -250, 5)
    bottom = arc((0.3, (1 + waist) / 2), (lower, (1 - waist) / 2), -40, 220, 7)
    end = (0.3 + hand.between(0.02, 0.24), hand.between(-0.06, 0.12))
    up = [(0.3, waist), (0.3 + upper * 0.85, waist * 0.6), end]
    return [hand.stroke([*down, *bottom, *up])]


def eight_crossing(hand: Hand) -> Strokes:
    """Two nearly straight diagonals, their turns narrow; the head closed, open or overshot."""
    waist, upper, lower = hand.about(0.47, 0.05), hand.between(0.14, 0.26), hand.between(0.14, 0.28)
    round_ = hand.between(0.5, 0.9)
    head = arc((0.3, waist * 0.36), (upper, waist * 0.36), hand.between(-60, 10), -200, 4)
    foot = arc((0.3, 1 - (1 - waist) * 0.32), (lower, (1 - waist) * 0.32), -25, 205, 5)
    end = (0.3 + hand.between(0.1, 0.34), hand.between(-0.1, 0.22))
    return [
        hand.stroke(
            [*head, (0.3 + (round_ - 0.7) * 0.1, waist), *foot, (0.3, waist + hand.about(0.02, 0.02)), end]
        )
    ]


def _nine_bowl(high: np.ndarray, across: np.ndarray, start: np.ndarray, turn: np.ndarray) -> list[Point]:
    return arc((0.54 - across, high / 2), (across, high / 2), start, start - turn, 9)


def nine(hand: Hand, tail: str) -> Strokes:
    """A closed bowl, and a stem that is straight, hooked or swings to the left like a g's."""
    high, across = hand.between(0.3, 0.6), hand.between(0.18, 0.29)
    start = hand.between(-70, -5)
    bowl = _nine_bowl(high, across, start, start + hand.between(345, 375))
    head = (0.54 + hand.about(0.0, 0.02), high * hand.between(0.2, 0.5))
    return [hand.stroke(bowl, [head], _nine_tail(hand, tail, 0.53))]


def nine_open(hand: Hand, tail: str) -> Strokes:
    """The bowl begins short of the stem and leaves a gap at the top right."""
    high, across = hand.between(0.36, 0.6), hand.between(0.2, 0.29)
    bowl = _nine_bowl(high, across, hand.between(-90, -45), hand.between(255, 300))
    head = (0.55 + hand.about(0.0, 0.02), hand.between(0.04, 0.16))
    return [hand.stroke(bowl), hand.stroke([head, *_nine_tail(hand, tail, 0.54)])]


def nine_looped(hand: Hand, tail: str) -> Strokes:
    """A small loop, once or twice round, that runs into the stem without a corner."""
    high, across = hand.between(0.24, 0.48), hand.between(0.13, 0.26)
    start = hand.between(-70, 10)
    turn = np.where(hand.between(0, 1) < 0.7, 0, hand.between(120, 360))
    bowl = _nine_bowl(high, across, start + turn, start + turn + hand.between(335, 372) + turn)
    swell = hand.sometimes(0.5, hand.between(0, 0.16))
    return [hand.stroke([*bowl, *_nine_tail(hand, tail, 0.53 + swell)])]


def nine_curled(hand: Hand) -> Strokes:
    """The bowl ends in a curl at its right, from which the hooked stem goes down."""
    high, across, size = hand.between(0.36, 0.55), hand.between(0.2, 0.28), hand.between(0.06, 0.14)
    bowl = _nine_bowl(high, across, hand.between(-60, 0), hand.between(290, 330))
    curl = arc((0.52 - size * 0.4, high * hand.between(0.5, 0.8)), (size, size), 80, -170, 5)
    return [hand.stroke([*bowl, *reversed(curl), *_nine_tail(hand, "hooked", 0.55)])]


def _nine_tail(hand: Hand, tail: str, x: Number) -> list[Point]:
    if tail == "straight":
        lean = hand.about(0.02, 0.06)
        return [(x - lean / 2, 0.65), (x - lean, 1.0)]
    if tail == "swung":
        return [(x - 0.02, 0.62), (x - hand.between(0.08, 0.2), 0.85), (hand.between(-0.1, 0.3), 1.0)]
    rise, reach = hand.sometimes(0.7, hand.between(0.03, 0.18)), hand.between(0.1, 0.45)
    bottom = (x - 0.12 - reach * 0.5, 1.0)
    return [
        (x, 0.66),
        (x - 0.03, 0.88),
        bottom,
        (x - 0.12 - reach, 0.99 - rise * 0.35),
        (x - 0.2 - reach, 0.98 - rise),
    ]


def eight_like_b(hand: Hand) -> Strokes:
    """A stem that is hardly bent, and two bows at its right, as in a B."""
    waist, bend = hand.between(0.4, 0.52), hand.between(-0.04, 0.1)
    stem = [(0.06 + hand.about(0.03, 0.03), 0.02), (0.04 + bend, waist), (hand.about(0.04, 0.03), 0.98)]
    upper, lower = hand.between(0.3, 0.42), hand.between(0.36, 0.48)
    notch = hand.between(0.1, 0.24)
    head = arc((0.1, waist / 2), (upper, waist / 2), -95, 60, 5)
    foot = arc((0.08, (1 + waist) / 2), (lower, (1 - waist) / 2), -60, 100, 5)
    return [hand.stroke(stem), hand.stroke([*head, (notch, waist)], foot)]


def eight_open(hand: Hand) -> Strokes:
    """One stroke from the head's left; it ends at the right, and the head stays open."""
    waist, upper, lower = hand.between(0.42, 0.54), hand.between(0.2, 0.28), hand.between(0.2, 0.29)
    down = arc((0.3, waist / 2), (upper, waist / 2), hand.between(-150, -110), -245, 4)
    bottom = arc((0.3, (1 + waist) / 2), (lower, (1 - waist) / 2), -40, 220, 7)
    end = (0.3 + upper * hand.between(0.75, 1.3), hand.between(-0.06, 0.12))
    return [hand.stroke([*down, *bottom, (0.3, waist), (0.3 + upper * 0.8, waist * 0.6), end])]


def eight_with_cup(hand: Hand) -> Strokes:
    """A circle, and on it a cup that is open at the top."""
    waist = hand.between(0.4, 0.5)
    upper, lower = hand.between(0.18, 0.26), hand.between(0.2, 0.3)
    cup = arc(
        (0.3, waist * 0.45), (upper, waist * 0.55), hand.between(-160, -125), hand.between(-415, -385), 8
    )
    start = hand.between(-150, -30)
    circle = arc((0.3, (1 + waist) / 2), (lower, (1 - waist) / 2), start, start - hand.about(368, 10), 9)
    return [hand.stroke(cup), hand.stroke(circle)]


def eight_of_separate_circles(hand: Hand) -> Strokes:
    """Two circles that do not touch; one may stand a little to the side."""
    waist, gap = hand.between(0.4, 0.5), hand.between(0.05, 0.12)
    upper, lower = hand.between(0.15, 0.24), hand.between(0.17, 0.27)
    shift, first, second = hand.about(0, 0.05), hand.between(0, 360), hand.between(0, 360)
    head = arc((0.3 + shift, (waist - gap / 2) / 2), (upper, (waist - gap / 2) / 2), first, first - 365, 9)
    foot = arc((0.3, (1 + waist + gap / 2) / 2), (lower, (1 - waist - gap / 2) / 2), second, second - 365, 9)
    return [hand.stroke(head), hand.stroke(foot)]


def eight_from_the_middle(hand: Hand) -> Strokes:
    """Begun at the waist: round the head, through the waist, round the foot, and back to it."""
    waist, upper, lower = hand.between(0.42, 0.52), hand.between(0.17, 0.25), hand.between(0.19, 0.28)
    begin = (0.3 - hand.between(-0.05, 0.12), waist + hand.about(0.02, 0.04))
    head = arc((0.3, waist / 2), (upper, waist / 2), 40, -220, 7)
    foot = arc((0.3, (1 + waist) / 2), (lower, (1 - waist) / 2), -40, 220, 7)
    end = (0.3 + hand.between(-0.06, 0.1), waist + hand.about(0, 0.04))
    return [hand.stroke([begin, *head, (0.3, waist), *foot, end])]


def nine_like_p(hand: Hand) -> Strokes:
    """The stem stands at the bowl's left, as in a P."""
    high, across, lean = hand.between(0.36, 0.56), hand.between(0.32, 0.5), hand.about(0.03, 0.05)
    stem = [(0.12 + lean, hand.between(-0.04, 0.08)), (0.12, 0.5), (0.12 - lean, 1.0)]
    begin = (0.12 + lean - hand.between(0.0, 0.14), hand.between(0.0, 0.1))
    bowl = arc((0.14, high / 2), (across, high / 2), -85, 85, 6)
    return [hand.stroke(stem), hand.stroke([begin, *bowl, (0.12 + hand.about(0, 0.03), high + 0.01)])]


def nine_like_rho(hand: Hand, hooked: bool = False) -> Strokes:
    """One stroke round a bowl, whose tail falls from its left or its middle."""
    high, across = hand.between(0.34, 0.54), hand.between(0.19, 0.28)
    tail = 0.3 - across * hand.between(0.35, 1.0)
    start = hand.between(105, 165)
    bowl = arc((0.3, high / 2), (across, high / 2), start, hand.between(-190, -170), 9)
    lean = hand.about(0.04, 0.05)
    fall = [(tail, high * 0.8), (tail - lean * 0.5, (high + 1) / 2)]
    if not hooked:
        return [hand.stroke([*bowl, *fall, (tail - lean, 1.0)])]
    reach = hand.between(0.14, 0.3)
    hook = [(tail - lean - 0.04, 0.95), (tail - lean - reach * 0.6, 1.0), (tail - lean - reach, 0.92)]
    return [hand.stroke([*bowl, *fall, *hook])]


def nine_with_long_tail(hand: Hand, tail: str) -> Strokes:
    """A small bowl over a stem three times as long: straight, far to the left, or hooked."""
    high, across = hand.between(0.22, 0.34), hand.between(0.12, 0.2)
    start = hand.between(-60, 0)
    bowl = _nine_bowl(high, across, start, start + hand.between(345, 372))
    head = (0.54 + hand.about(0, 0.01), high * hand.between(0.3, 0.6))
    if tail != "left":
        return [hand.stroke(bowl, [head], _nine_tail(hand, tail, 0.53))]
    end = (hand.between(-0.35, 0.05), hand.between(0.92, 1.02))
    swing = [(0.52, 0.5), (0.4, 0.76), end]
    return [hand.stroke(bowl, [head], swing)]


def nine_with_open_head(hand: Hand, tail: str) -> Strokes:
    """A round bowl that ends at the stem and turns in at its head, but does not touch it."""
    high, across = hand.between(0.4, 0.58), hand.between(0.2, 0.27)
    cup = _nine_bowl(high, across, hand.between(-100, -72), hand.between(250, 275))
    head = (0.55 + hand.about(0, 0.02), hand.between(-0.04, 0.1))
    return [hand.stroke(cup), hand.stroke([head, *_nine_tail(hand, tail, 0.54)])]


def nine_open_at_the_right(hand: Hand, tail: str) -> Strokes:
    """One stroke: a cup that is open at its right, and from its lower end the tail."""
    high, across = hand.between(0.4, 0.54), hand.between(0.16, 0.24)
    cup = arc((0.26, high / 2), (across, high / 2), hand.between(-70, -35), hand.between(-305, -285), 7)
    end = (0.26 + across * hand.between(0.75, 1.1), high * hand.between(0.8, 0.98))
    if tail == "straight":
        return [hand.stroke([*cup, end], [(end[0] + hand.about(0, 0.04), 1.0)])]
    reach = hand.between(0.2, 0.4)
    fall = [(end[0] - 0.03, 0.82), (end[0] - reach * 0.5, 1.0), (end[0] - reach, hand.between(0.86, 0.98))]
    return [hand.stroke([*cup, end], fall)]


def nine_with_swept_tail(hand: Hand) -> Strokes:
    """The stem leaves the bowl to the right, and at the foot a long stroke sweeps back to the left."""
    high, across = hand.between(0.26, 0.36), hand.between(0.14, 0.2)
    start = hand.between(-70, -20)
    bowl = _nine_bowl(high, across, start, start + hand.between(320, 365))
    out = hand.between(0.06, 0.26)
    stem = [(0.5 + out * 0.4, 0.56), (0.5 + out, hand.between(0.82, 0.9))]
    end = (0.5 - hand.between(0.5, 0.75), hand.between(0.86, 0.98))
    return [hand.stroke(bowl, [*stem, (0.5 + out * 0.6, 0.97), (0.5 + out * 0.2, 0.98), end])]

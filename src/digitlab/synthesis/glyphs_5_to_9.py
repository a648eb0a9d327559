"""How people write 5 to 9: each function draws one variant, in the frame of `Hand`."""

from __future__ import annotations

import numpy as np

from digitlab.synthesis.hand import Hand, Number, Point, Strokes, arc, between


def _belly(hand: Hand, top: np.ndarray) -> list[Point]:
    """From the end of the stem; shallow or full, with or without a hook at its end."""
    height, across = (1 - top) / 2, hand.between(0.22, 0.4)
    shape = arc((0.22, 1 - height), (across, height), hand.between(-130, -80), 95, 6)
    hook = hand.sometimes(0.6, hand.between(0.03, 0.16))
    return [*shape, (hand.about(0.04, 0.04), 0.98 - hook * 0.3), (hand.about(-0.04, 0.04), 0.96 - hook)]


def five(hand: Hand) -> Strokes:
    """In one stroke, from the bar's right end."""
    top, left = hand.between(0.3, 0.5), (hand.about(0.08, 0.05), 0.0)
    bar = (left[0] + hand.between(0.3, 0.75), hand.between(-0.12, 0.05))
    return [hand.stroke([bar, left], [(left[0] - hand.about(0.04, 0.03), top + 0.02)], _belly(hand, top))]


def five_smooth(hand: Hand) -> Strokes:
    """Without corners, like an S."""
    top = hand.between(0.34, 0.46)
    bar = [(hand.between(0.4, 0.75), hand.between(-0.1, 0.06)), (0.26, 0.0), (0.1, 0.05), (0.03, top - 0.08)]
    return [hand.stroke([*bar, (0.09, top), *_belly(hand, top)[1:]])]


def five_with_bar(hand: Hand) -> Strokes:
    """The bar is drawn last, loose or apart."""
    top, left = hand.between(0.3, 0.5), (hand.about(0.08, 0.04), hand.sometimes(0.4, hand.between(0, 0.12)))
    start = (left[0] + hand.about(0.03, 0.07), hand.about(-0.03, 0.05))
    end = (start[0] + hand.between(0.25, 0.8), start[1] + hand.between(-0.14, 0.05))
    down = (left[0] - hand.about(0.03, 0.04), np.maximum(top, left[1] + 0.16))
    return [hand.stroke([left, down], _belly(hand, top)), hand.stroke([start, end])]


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
    """Two nearly straight diagonals, their turns narrow; the head closed, open or run over."""
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

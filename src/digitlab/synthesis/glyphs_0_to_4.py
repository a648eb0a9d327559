"""How people write 0 to 4: each function draws one variant, in the frame of `Hand`."""

from __future__ import annotations

import numpy as np

from digitlab.synthesis.hand import Hand, Point, Strokes, arc, between


def _oval(hand: Hand) -> np.ndarray:
    start = hand.between(-120, -50)
    turn = hand.backwards(0.8) * (hand.about(362, 22) + hand.sometimes(0.12, hand.between(30, 250)))
    return hand.stroke(arc((0.32, 0.5), (hand.about(0.31, 0.06), 0.5), start, start + turn, 13))


def zero(hand: Hand) -> Strokes:
    """An oval, closed, a little open, or gone round more than once."""
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
    """The right side is pulled in or apart; it reaches the head, where a 6 has its bowl."""
    start, across = hand.between(-80, -40), hand.about(0.31, 0.04)
    bowl = arc((0.32, 0.5), (across, 0.5), start, hand.between(-320, -290), 8)
    end = (0.32 + hand.between(0.04, 0.24), hand.between(0.02, 0.3))
    return [hand.stroke([*bowl, (0.32 + across * hand.between(0.6, 1.0), 0.6), end])]


def one(hand: Hand) -> Strokes:
    """A plain stroke."""
    lean, bend = hand.about(0.05, 0.14), hand.about(0, 0.03)
    return [hand.stroke([(0.3 + lean, 0), (0.3 + bend, 0.5), (0.3 - lean, 1)])]


def one_with_upstroke(hand: Hand, foot: bool = False, curved: bool = False, wide: bool = False) -> Strokes:
    """The upstroke rises by 40 degrees or more: the bar of a 7 lies."""
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
    """A short straight beginning instead of the swan's neck."""
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


def four_open(hand: Hand) -> Strokes:
    """Like a lightning: a slope, a bar, and a stem that is apart from the slope's head."""
    bar = hand.between(0.52, 0.72)
    slope = [
        (hand.between(0.22, 0.46), 0.0),
        (hand.between(0.04, 0.22), bar * 0.5),
        (hand.about(0, 0.03), bar),
    ]
    end = (hand.between(0.6, 0.82), bar + hand.about(0, 0.04))
    stem = between((slope[2][0], bar), end, hand.between(0.5, 0.9))
    lean = hand.about(0.03, 0.05)
    rise = hand.between(0.08, 0.42)
    return [
        hand.stroke(slope, [end]),
        hand.stroke([(stem[0] + lean, bar - rise), (stem[0] - lean, hand.between(0.92, 1.06))]),
    ]


def four_like_u(hand: Hand) -> Strokes:
    """An open cup, round at its foot, and a long stem."""
    bar, round_ = hand.between(0.42, 0.62), hand.between(0.0, 0.12)
    left, stem, lean = hand.about(0.03, 0.03), hand.between(0.42, 0.6), hand.about(0.03, 0.05)
    end = stem + hand.sometimes(0.65, hand.between(0.04, 0.22))
    cup = [(left + hand.about(0.04, 0.04), hand.about(0, 0.05)), (left, bar - round_ - 0.05)]
    turn = [
        (left + round_ * 0.3, bar - round_ * 0.3),
        (left + round_ + 0.05, bar),
        (end, bar + hand.about(-0.02, 0.03)),
    ]
    return [
        hand.stroke([*cup, *turn]),
        hand.stroke([(stem + lean, hand.between(-0.04, 0.22)), (stem - lean, hand.between(1.0, 1.15))]),
    ]


def four_angular_u(hand: Hand) -> Strokes:
    """An open cup with a corner, and a long stem."""
    bar, left, stem = hand.between(0.45, 0.62), hand.about(0.02, 0.03), hand.between(0.42, 0.58)
    lean, end = hand.about(0.02, 0.04), hand.between(0.0, 0.22)
    return [
        hand.stroke(
            [(left + hand.between(-0.02, 0.14), 0.0), (left, bar)], [(stem + end, bar + hand.about(0, 0.03))]
        ),
        hand.stroke([(stem + lean, hand.between(-0.02, 0.28)), (stem - lean, hand.between(1.0, 1.1))]),
    ]


def four_in_one(hand: Hand) -> Strokes:
    """The pen runs from the bar up to the stem's head without being lifted."""
    bar, stem, lean = hand.between(0.42, 0.58), hand.between(0.42, 0.58), hand.about(0.03, 0.04)
    cup = [(hand.about(0.06, 0.04), 0.02), (0.02, bar - 0.12), (0.14, bar), (stem - 0.1, bar - 0.06)]
    head = (stem + lean, hand.about(0.05, 0.05))
    return [hand.stroke([*cup, head], [between(head, (stem - lean, 1.0), 0.5), (stem - lean, 1.0)])]


def four_closed(hand: Hand) -> Strokes:
    """A triangle and a stem through it."""
    bar, stem, lean = hand.between(0.52, 0.74), hand.between(0.38, 0.58), hand.about(0.02, 0.04)
    head = (stem + lean, hand.about(0, 0.02))
    end = (stem + hand.between(0.06, 0.28), bar + hand.about(0, 0.03))
    return [
        hand.stroke([head, (hand.about(0, 0.03), bar)], [end]),
        hand.stroke([(stem + lean, hand.about(0, 0.03)), (stem - lean, hand.between(0.95, 1.06))]),
    ]

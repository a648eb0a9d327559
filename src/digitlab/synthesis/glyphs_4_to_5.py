"""Variants of 4 and 5: each function draws the strokes of one, in the frame of `Hand`."""

from __future__ import annotations

import numpy as np

from digitlab.synthesis.hand import Hand, Point, Strokes, arc, between


def four_open(hand: Hand) -> Strokes:
    """Like a lightning bolt: a slope, a bar, and a stem that is apart from the slope's head."""
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


def _belly(hand: Hand, top: np.ndarray) -> list[Point]:
    """The belly, from the end of the stem: shallow or full, with or without a hook at its end."""
    height, across = (1 - top) / 2, hand.between(0.22, 0.4)
    shape = arc((0.22, 1 - height), (across, height), hand.between(-130, -80), 95, 6)
    hook = hand.sometimes(0.6, hand.between(0.03, 0.16))
    return [*shape, (hand.about(0.04, 0.04), 0.98 - hook * 0.3), (hand.about(-0.04, 0.04), 0.96 - hook)]


def five(hand: Hand) -> Strokes:
    """One stroke, from the bar's right end."""
    top, left = hand.between(0.3, 0.5), (hand.about(0.08, 0.05), 0.0)
    bar = (left[0] + hand.between(0.3, 0.75), hand.between(-0.12, 0.05))
    return [hand.stroke([bar, left], [(left[0] - hand.about(0.04, 0.03), top + 0.02)], _belly(hand, top))]


def five_smooth(hand: Hand) -> Strokes:
    """One stroke without corners, like an S."""
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


def four_like_h(hand: Hand) -> Strokes:
    """The stem begins at the bar: a tall arm, an arch or a corner, and a leg."""
    bar, right = hand.between(0.42, 0.6), hand.between(0.4, 0.58)
    arm = [(hand.about(0.06, 0.05), 0.0), (hand.about(0.0, 0.02), bar + hand.between(0.0, 0.1))]
    rise, lean = hand.between(0.0, 0.1), hand.between(0.0, 0.08)
    arch = [(right * 0.5, bar - rise * 0.8), (right - 0.03, bar - rise)]
    leg = [(right - lean * 0.5, bar + 0.2), (right - lean, hand.between(0.98, 1.1))]
    return [hand.stroke(arm, arch, leg)]


def four_like_y(hand: Hand, curved: bool = False) -> Strokes:
    """No bar: an arm that meets the slanted stem; curved, the arm is a cup and the stem swings."""
    head = (hand.between(0.54, 0.68), hand.between(-0.04, 0.12))
    base = (hand.between(0.16, 0.34), hand.between(1.0, 1.1))
    meeting = between(head, base, hand.between(0.48, 0.6))
    start = (hand.between(0.0, 0.06), hand.between(0.0, 0.1))
    if not curved:
        return [hand.stroke([start, meeting]), hand.stroke([head, between(head, base, 0.5), base])]
    cup = [(start[0] - 0.02, meeting[1] * 0.7), (start[0] + 0.1, meeting[1] + 0.02), meeting]
    swing = [(meeting[0] + 0.05, meeting[1]), (base[0] + 0.08, 0.86), base]
    return [hand.stroke([start, *cup]), hand.stroke([head, *swing])]


def four_nearly_closed(hand: Hand) -> Strokes:
    """A round cup whose head comes near the stem's; unlike in a 9, its bar crosses the stem."""
    bar, stem, lean = hand.between(0.48, 0.62), hand.between(0.44, 0.56), hand.about(0.03, 0.03)
    gap = hand.between(0.02, 0.14)
    cup = [(stem - gap - 0.02, hand.between(0.0, 0.08)), (stem * 0.35, bar * 0.4), (0.02, bar * 0.78)]
    turn = [(0.08, bar), (stem * 0.6, bar), (stem + hand.between(0.16, 0.3), bar + hand.about(-0.02, 0.03))]
    down = [(stem + lean, hand.between(-0.02, 0.1)), (stem - lean, hand.between(1.0, 1.12))]
    return [hand.stroke([*cup, *turn]), hand.stroke(down)]


def four_round(hand: Hand) -> Strokes:
    """A slope that comes near the stem's head, a corner at its foot, and a bar that rises to the stem."""
    bar, stem = hand.between(0.46, 0.58), hand.between(0.38, 0.48)
    head = (stem - hand.between(0.04, 0.16), hand.between(0.0, 0.05))
    slope = [
        head,
        (stem * hand.between(0.3, 0.5), bar * 0.26),
        (hand.about(0.01, 0.02), bar * hand.between(0.62, 0.75)),
    ]
    corner = (hand.between(0.06, 0.14), bar)
    end = (stem + hand.sometimes(0.3, hand.between(0, 0.1)), bar - hand.between(0.04, 0.14))
    lean = hand.between(0.0, 0.08)
    down = [(stem + lean, hand.between(0.02, 0.14)), (stem - lean, hand.between(0.98, 1.1))]
    return [hand.stroke([*slope, corner], [end]), hand.stroke(down)]


def five_like_a_root(hand: Hand) -> Strokes:
    """A long bar, a stem that leans, and a belly so narrow that the pen turns back up from the foot."""
    left = (hand.between(0.2, 0.34), 0.0)
    bar = (left[0] + hand.between(0.45, 0.85), hand.between(-0.1, 0.04))
    top = hand.between(0.3, 0.46)
    bulge = hand.between(0.06, 0.16)
    stem = (left[0] - hand.between(0.04, 0.12), top)
    foot = (stem[0] - hand.between(0.02, 0.12), 1.0)
    hook = (foot[0] - hand.between(0.1, 0.22), 1.0 - hand.between(0.1, 0.26))
    belly = [(stem[0] + bulge, top + 0.12), (stem[0] + bulge, (1 + top) * 0.53), foot]
    return [hand.stroke([bar, left], [stem], belly, [hook])]


def five_like_s(hand: Hand) -> Strokes:
    """An S with a bow for its bar; its head is flatter than its belly is round."""
    top, width = hand.between(0.4, 0.5), hand.between(0.42, 0.6)
    head = [(width, hand.between(0.02, 0.12)), (width * 0.6, 0.0), (0.1, 0.1), (0.04, top * 0.65)]
    belly = arc((width * 0.45, (1 + top) / 2), (width * 0.55, (1 - top) / 2), hand.between(-70, -40), 95, 5)
    end = (hand.between(-0.08, 0.06), 1.0 - hand.between(0.03, 0.16))
    return [hand.stroke([*head, (0.14, top - 0.02), *belly, end])]


def five_like_a_flag(hand: Hand, apart: bool = False) -> Strokes:
    """A stem that bends a little where the belly would be, and a bar to its right, joined or apart."""
    lean, bulge, top = hand.between(0.0, 0.1), hand.between(0.1, 0.17), hand.between(0.32, 0.46)
    left = (0.12 + lean, 0.0)
    stem = (0.1, top)
    foot = (0.1 + hand.between(-0.14, 0.04), 1.0)
    belly = [(stem[0] + bulge, top + 0.2), (stem[0] + bulge, 0.8), foot]
    reach, tilt = hand.between(0.3, 0.6), hand.between(-0.1, 0.04)
    if not apart:
        return [hand.stroke([(left[0] + reach, tilt), left], [stem], belly)]
    begin = (left[0] + hand.between(0.06, 0.16), hand.about(-0.02, 0.03))
    return [hand.stroke([left, stem], belly), hand.stroke([begin, (begin[0] + reach, begin[1] + tilt)])]


def five_like_a_hook(hand: Hand) -> Strokes:
    """A bar, a short drop or none, a step to the right, and from there a straight stem with a hook."""
    reach, step = hand.between(0.42, 0.62), hand.between(0.14, 0.24)
    drop = hand.sometimes(0.6, hand.between(0.06, 0.3)) + 0.03
    left = (hand.between(0.04, 0.12), hand.about(0.02, 0.02))
    stem = left[0] + step
    foot = [(stem + hand.about(0, 0.02), 0.78), (stem - hand.between(0.03, 0.12), 1.0)]
    hook = (stem - hand.between(0.16, 0.3), 1.0 - hand.between(0.02, 0.14))
    bar = (left[0] + reach, hand.between(-0.08, 0.05))
    turn = [(stem - 0.03, drop + 0.02), (stem, drop + 0.08)]
    return [hand.stroke([bar, left], [(left[0] + hand.about(0, 0.02), drop)], turn, [*foot, hook])]


def five_with_far_bar(hand: Hand, long: bool = False) -> Strokes:
    """The bar stands apart, above or to the right; long, it extends over the next digit."""
    top, left = hand.between(0.32, 0.48), hand.about(0.08, 0.03)
    gap = (left + hand.between(0.04, 0.3), -hand.between(0.0, 0.16))
    reach = hand.between(0.7, 1.1) if long else hand.between(0.25, 0.5)
    end = (gap[0] + reach, gap[1] + hand.between(-0.14, 0.04))
    down = (left - hand.about(0.03, 0.03), top)
    return [hand.stroke([(left, hand.between(0.0, 0.08)), down], _belly(hand, top)), hand.stroke([gap, end])]

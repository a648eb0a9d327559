"""Variants of 4 and 5: each function draws the strokes of one, in the frame of `StrokeSampler`."""

from __future__ import annotations

import numpy as np

from digitlab.synthesis.stroke_sampler import Point, Strokes, StrokeSampler, arc, between


def four_open(hand: StrokeSampler) -> Strokes:
    """Like a lightning bolt: a slope, a bar, and a stem that is apart from the slope's head."""
    bar = hand.uniform(0.52, 0.72)
    slope = [
        (hand.uniform(0.22, 0.46), 0.0),
        (hand.uniform(0.04, 0.22), bar * 0.5),
        (hand.normal(0, 0.03), bar),
    ]
    end = (hand.uniform(0.6, 0.82), bar + hand.normal(0, 0.04))
    x, _ = between(slope[-1], end, hand.uniform(0.5, 0.9))
    lean = hand.normal(0.03, 0.05)
    rise = hand.uniform(0.08, 0.42)
    bolt = hand.stroke(slope, [end])
    stem = hand.stroke([(x + lean, bar - rise), (x - lean, hand.uniform(0.92, 1.06))])
    return [bolt, stem]


def four_like_u(hand: StrokeSampler) -> Strokes:
    """An open cup, round at its foot, and a long stem."""
    bar = hand.uniform(0.42, 0.62)
    radius = hand.uniform(0.0, 0.12)
    left = hand.normal(0.03, 0.03)
    x = hand.uniform(0.42, 0.6)
    lean = hand.normal(0.03, 0.05)
    end = x + hand.bernoulli(0.65, hand.uniform(0.04, 0.22))
    arm = [(left + hand.normal(0.04, 0.04), hand.normal(0, 0.05)), (left, bar - radius - 0.05)]
    turn = [
        (left + radius * 0.3, bar - radius * 0.3),
        (left + radius + 0.05, bar),
        (end, bar + hand.normal(-0.02, 0.03)),
    ]
    cup = hand.stroke([*arm, *turn])
    stem = hand.stroke([(x + lean, hand.uniform(-0.04, 0.22)), (x - lean, hand.uniform(1.0, 1.15))])
    return [cup, stem]


def four_angular_u(hand: StrokeSampler) -> Strokes:
    """An open cup with a corner, and a long stem."""
    bar = hand.uniform(0.45, 0.62)
    left = hand.normal(0.02, 0.03)
    x = hand.uniform(0.42, 0.58)
    lean = hand.normal(0.02, 0.04)
    reach = hand.uniform(0.0, 0.22)
    arm = [(left + hand.uniform(-0.02, 0.14), 0.0), (left, bar)]
    end = (x + reach, bar + hand.normal(0, 0.03))
    cup = hand.stroke(arm, [end])
    stem = hand.stroke([(x + lean, hand.uniform(-0.02, 0.28)), (x - lean, hand.uniform(1.0, 1.1))])
    return [cup, stem]


def four_in_one(hand: StrokeSampler) -> Strokes:
    """The pen runs from the bar up to the stem's head without being lifted."""
    bar = hand.uniform(0.42, 0.58)
    stem = hand.uniform(0.42, 0.58)
    lean = hand.normal(0.03, 0.04)
    cup = [(hand.normal(0.06, 0.04), 0.02), (0.02, bar - 0.12), (0.14, bar), (stem - 0.1, bar - 0.06)]
    head = (stem + lean, hand.normal(0.05, 0.05))
    base = (stem - lean, 1.0)
    return [hand.stroke([*cup, head], [between(head, base, 0.5), base])]


def four_closed(hand: StrokeSampler) -> Strokes:
    """A triangle and a stem through it."""
    bar = hand.uniform(0.52, 0.74)
    x = hand.uniform(0.38, 0.58)
    lean = hand.normal(0.02, 0.04)
    head = (x + lean, hand.normal(0, 0.02))
    end = (x + hand.uniform(0.06, 0.28), bar + hand.normal(0, 0.03))
    left = (hand.normal(0, 0.03), bar)
    triangle = hand.stroke([head, left], [end])
    stem = hand.stroke([(x + lean, hand.normal(0, 0.03)), (x - lean, hand.uniform(0.95, 1.06))])
    return [triangle, stem]


def _belly(hand: StrokeSampler, top: np.ndarray) -> list[Point]:
    """The belly, from the end of the stem: shallow or full, with or without a hook at its end."""
    radius_y = (1 - top) / 2
    radius_x = hand.uniform(0.22, 0.4)
    bow = arc((0.22, 1 - radius_y), (radius_x, radius_y), hand.uniform(-130, -80), 95, 6)
    hook = hand.bernoulli(0.6, hand.uniform(0.03, 0.16))
    return [*bow, (hand.normal(0.04, 0.04), 0.98 - hook * 0.3), (hand.normal(-0.04, 0.04), 0.96 - hook)]


def five(hand: StrokeSampler) -> Strokes:
    """One stroke, from the bar's right end."""
    top = hand.uniform(0.3, 0.5)
    left = (hand.normal(0.08, 0.05), 0.0)
    bar = (left[0] + hand.uniform(0.3, 0.75), hand.uniform(-0.12, 0.05))
    stem = (left[0] - hand.normal(0.04, 0.03), top + 0.02)
    return [hand.stroke([bar, left], [stem], _belly(hand, top))]


def five_smooth(hand: StrokeSampler) -> Strokes:
    """One stroke without corners, like an S."""
    top = hand.uniform(0.34, 0.46)
    bar = [(hand.uniform(0.4, 0.75), hand.uniform(-0.1, 0.06)), (0.26, 0.0), (0.1, 0.05), (0.03, top - 0.08)]
    # A fixed point in place of the belly's first one leads the bar over into it without a corner.
    return [hand.stroke([*bar, (0.09, top), *_belly(hand, top)[1:]])]


def five_with_bar(hand: StrokeSampler) -> Strokes:
    """The bar is drawn last, loose or apart."""
    top = hand.uniform(0.3, 0.5)
    left = (hand.normal(0.08, 0.04), hand.bernoulli(0.4, hand.uniform(0, 0.12)))
    start = (left[0] + hand.normal(0.03, 0.07), hand.normal(-0.03, 0.05))
    end = (start[0] + hand.uniform(0.25, 0.8), start[1] + hand.uniform(-0.14, 0.05))
    stem = (left[0] - hand.normal(0.03, 0.04), np.maximum(top, left[1] + 0.16))
    body = hand.stroke([left, stem], _belly(hand, top))
    return [body, hand.stroke([start, end])]


def four_like_h(hand: StrokeSampler) -> Strokes:
    """The stem begins at the bar: a tall arm, an arch or a corner, and a leg."""
    bar = hand.uniform(0.42, 0.6)
    right = hand.uniform(0.4, 0.58)
    arm = [(hand.normal(0.06, 0.05), 0.0), (hand.normal(0.0, 0.02), bar + hand.uniform(0.0, 0.1))]
    rise = hand.uniform(0.0, 0.1)
    lean = hand.uniform(0.0, 0.08)
    arch = [(right * 0.5, bar - rise * 0.8), (right - 0.03, bar - rise)]
    leg = [(right - lean * 0.5, bar + 0.2), (right - lean, hand.uniform(0.98, 1.1))]
    return [hand.stroke(arm, arch, leg)]


def four_like_y(hand: StrokeSampler, curved: bool = False) -> Strokes:
    """No bar: an arm that meets the slanted stem; curved, the arm is a cup and the stem swings."""
    head = (hand.uniform(0.54, 0.68), hand.uniform(-0.04, 0.12))
    base = (hand.uniform(0.16, 0.34), hand.uniform(1.0, 1.1))
    meeting = between(head, base, hand.uniform(0.48, 0.6))
    start = (hand.uniform(0.0, 0.06), hand.uniform(0.0, 0.1))
    if curved:
        arm = [start, (start[0] - 0.02, meeting[1] * 0.7), (start[0] + 0.1, meeting[1] + 0.02), meeting]
        stem = [head, (meeting[0] + 0.05, meeting[1]), (base[0] + 0.08, 0.86), base]
    else:
        arm = [start, meeting]
        stem = [head, between(head, base, 0.5), base]
    return [hand.stroke(arm), hand.stroke(stem)]


def four_nearly_closed(hand: StrokeSampler) -> Strokes:
    """A round cup whose head comes near the stem's; unlike in a 9, its bar crosses the stem."""
    bar = hand.uniform(0.48, 0.62)
    stem = hand.uniform(0.44, 0.56)
    lean = hand.normal(0.03, 0.03)
    gap = hand.uniform(0.02, 0.14)
    cup = [(stem - gap - 0.02, hand.uniform(0.0, 0.08)), (stem * 0.35, bar * 0.4), (0.02, bar * 0.78)]
    end = (stem + hand.uniform(0.16, 0.3), bar + hand.normal(-0.02, 0.03))
    turn = [(0.08, bar), (stem * 0.6, bar), end]
    down = [(stem + lean, hand.uniform(-0.02, 0.1)), (stem - lean, hand.uniform(1.0, 1.12))]
    return [hand.stroke([*cup, *turn]), hand.stroke(down)]


def four_round(hand: StrokeSampler) -> Strokes:
    """A slope that comes near the stem's head, a corner at its foot, and a bar that rises to the stem."""
    bar = hand.uniform(0.46, 0.58)
    stem = hand.uniform(0.38, 0.48)
    head = (stem - hand.uniform(0.04, 0.16), hand.uniform(0.0, 0.05))
    slope = [
        head,
        (stem * hand.uniform(0.3, 0.5), bar * 0.26),
        (hand.normal(0.01, 0.02), bar * hand.uniform(0.62, 0.75)),
    ]
    corner = (hand.uniform(0.06, 0.14), bar)
    end = (stem + hand.bernoulli(0.3, hand.uniform(0, 0.1)), bar - hand.uniform(0.04, 0.14))
    lean = hand.uniform(0.0, 0.08)
    down = [(stem + lean, hand.uniform(0.02, 0.14)), (stem - lean, hand.uniform(0.98, 1.1))]
    return [hand.stroke([*slope, corner], [end]), hand.stroke(down)]


def five_like_a_root(hand: StrokeSampler) -> Strokes:
    """A long bar, a stem that leans, and a belly so narrow that the pen turns back up from the foot."""
    left = (hand.uniform(0.2, 0.34), 0.0)
    bar = (left[0] + hand.uniform(0.45, 0.85), hand.uniform(-0.1, 0.04))
    top = hand.uniform(0.3, 0.46)
    bulge = hand.uniform(0.06, 0.16)
    stem = (left[0] - hand.uniform(0.04, 0.12), top)
    foot = (stem[0] - hand.uniform(0.02, 0.12), 1.0)
    hook = (foot[0] - hand.uniform(0.1, 0.22), 1.0 - hand.uniform(0.1, 0.26))
    belly = [(stem[0] + bulge, top + 0.12), (stem[0] + bulge, (1 + top) * 0.53), foot]
    return [hand.stroke([bar, left], [stem], belly, [hook])]


def five_like_s(hand: StrokeSampler) -> Strokes:
    """An S with a bow for its bar; its head is flatter than its belly is round."""
    top = hand.uniform(0.4, 0.5)
    width = hand.uniform(0.42, 0.6)
    head = [(width, hand.uniform(0.02, 0.12)), (width * 0.6, 0.0), (0.1, 0.1), (0.04, top * 0.65)]
    centre = (width * 0.45, (1 + top) / 2)
    radii = (width * 0.55, (1 - top) / 2)
    belly = arc(centre, radii, hand.uniform(-70, -40), 95, 5)
    end = (hand.uniform(-0.08, 0.06), 1.0 - hand.uniform(0.03, 0.16))
    return [hand.stroke([*head, (0.14, top - 0.02), *belly, end])]


def five_like_a_flag(hand: StrokeSampler, apart: bool = False) -> Strokes:
    """A stem that bends a little where the belly would be, and a bar to its right, joined or apart."""
    lean = hand.uniform(0.0, 0.1)
    bulge = hand.uniform(0.1, 0.17)
    top = hand.uniform(0.32, 0.46)
    left = (0.12 + lean, 0.0)
    stem = (0.1, top)
    foot = (0.1 + hand.uniform(-0.14, 0.04), 1.0)
    belly = [(stem[0] + bulge, top + 0.2), (stem[0] + bulge, 0.8), foot]
    reach = hand.uniform(0.3, 0.6)
    tilt = hand.uniform(-0.1, 0.04)
    if not apart:
        return [hand.stroke([(left[0] + reach, tilt), left], [stem], belly)]
    begin = (left[0] + hand.uniform(0.06, 0.16), hand.normal(-0.02, 0.03))
    end = (begin[0] + reach, begin[1] + tilt)
    return [hand.stroke([left, stem], belly), hand.stroke([begin, end])]


def five_like_a_hook(hand: StrokeSampler) -> Strokes:
    """A bar, a short drop or none, a step to the right, and from there a straight stem with a hook."""
    reach = hand.uniform(0.42, 0.62)
    step = hand.uniform(0.14, 0.24)
    drop = hand.bernoulli(0.6, hand.uniform(0.06, 0.3)) + 0.03
    left = (hand.uniform(0.04, 0.12), hand.normal(0.02, 0.02))
    stem = left[0] + step
    foot = [(stem + hand.normal(0, 0.02), 0.78), (stem - hand.uniform(0.03, 0.12), 1.0)]
    hook = (stem - hand.uniform(0.16, 0.3), 1.0 - hand.uniform(0.02, 0.14))
    bar = (left[0] + reach, hand.uniform(-0.08, 0.05))
    turn = [(stem - 0.03, drop + 0.02), (stem, drop + 0.08)]
    dropped = (left[0] + hand.normal(0, 0.02), drop)
    return [hand.stroke([bar, left], [dropped], turn, [*foot, hook])]


def five_with_far_bar(hand: StrokeSampler, long: bool = False) -> Strokes:
    """The bar stands apart, above or to the right; long, it extends over the next digit."""
    top = hand.uniform(0.32, 0.48)
    x = hand.normal(0.08, 0.03)
    begin = (x + hand.uniform(0.04, 0.3), -hand.uniform(0.0, 0.16))
    reach = hand.uniform(0.7, 1.1) if long else hand.uniform(0.25, 0.5)
    end = (begin[0] + reach, begin[1] + hand.uniform(-0.14, 0.04))
    stem = (x - hand.normal(0.03, 0.03), top)
    left = (x, hand.uniform(0.0, 0.08))
    body = hand.stroke([left, stem], _belly(hand, top))
    return [body, hand.stroke([begin, end])]

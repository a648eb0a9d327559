"""Variants of the ten digits as taught in several countries, and how often each is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from digitlab.synthesis import glyphs_0_to_1, glyphs_2_to_3, glyphs_4_to_5, glyphs_6_to_7, glyphs_8_to_9
from digitlab.synthesis.stroke_sampler import Strokes, StrokeSampler


@dataclass(frozen=True)
class Glyph:
    """A variant of a digit, a letter or a sign.

    Attributes:
        digit: digit, 0..9; -1 where it is no digit.
        name: name of the variant.
        share: frequency in proportion to the other variants of the digit.
        draw: function that draws its strokes, each float64 [n, points, 2].
        widest: largest width of the pen as a share of the digit's narrower side.
        corner_rounding: share of hands that round corners; small where a corner distinguishes the digit from
            another.
        held_back: whether it is never drawn for training, so that scores on unseen shapes can be measured.
        lookalike: whether it is no digit but, alone and in a digit's size, may be taken for one.
    """

    digit: int
    name: str
    share: float
    draw: Callable[[StrokeSampler], Strokes]
    widest: float = 0.27
    corner_rounding: float = 0.35
    held_back: bool = False
    lookalike: bool = False


# Values of `widest`: a wide pen would fill the bowls and loops of some variants.
ANY_PEN, FINE_PEN, BALL_PEN = 100.0, 0.21, 0.16
GLYPHS: tuple[Glyph, ...] = (
    Glyph(0, "oval", 3, glyphs_0_to_1.zero),
    Glyph(0, "overshoot", 2, glyphs_0_to_1.zero_with_overshoot),
    Glyph(0, "slashed", 1.5, glyphs_0_to_1.zero_slashed, FINE_PEN),
    Glyph(0, "pulled in", 1, glyphs_0_to_1.zero_pulled_in),
    Glyph(0, "hooked", 1, glyphs_0_to_1.zero_hooked),
    Glyph(0, "crossing ends", 0.8, glyphs_0_to_1.zero_with_crossing_ends),
    Glyph(0, "open", 0.8, glyphs_0_to_1.zero_open),
    Glyph(0, "open, hooked", 0.4, partial(glyphs_0_to_1.zero_open, hooked=True), held_back=True),
    Glyph(1, "plain", 2, glyphs_0_to_1.one, ANY_PEN, 0.1),
    Glyph(1, "upstroke", 4, glyphs_0_to_1.one_with_upstroke, ANY_PEN, 0.1),
    Glyph(1, "wide upstroke", 2, partial(glyphs_0_to_1.one_with_upstroke, wide=True), ANY_PEN, 0.1),
    Glyph(
        1,
        "wide curved upstroke",
        1,
        partial(glyphs_0_to_1.one_with_upstroke, wide=True, curved=True),
        ANY_PEN,
        0.1,
    ),
    Glyph(1, "curved upstroke", 2, partial(glyphs_0_to_1.one_with_upstroke, curved=True), ANY_PEN, 0.1),
    Glyph(1, "upstroke and foot", 2.5, partial(glyphs_0_to_1.one_with_upstroke, foot=True), ANY_PEN, 0.1),
    Glyph(1, "foot", 1.4, glyphs_0_to_1.one_on_foot, ANY_PEN, 0.1),
    Glyph(1, "long upstroke", 2.5, glyphs_0_to_1.one_with_long_upstroke, ANY_PEN, 0.1),
    Glyph(1, "roof", 1, glyphs_0_to_1.one_like_a_roof, ANY_PEN, 0.1),
    Glyph(
        1,
        "roof on a foot",
        0.5,
        partial(glyphs_0_to_1.one_like_a_roof, foot=True),
        ANY_PEN,
        0.1,
        held_back=True,
    ),
    Glyph(2, "corner", 3, glyphs_2_to_3.two),
    Glyph(2, "loop", 3, glyphs_2_to_3.two_with_loop, FINE_PEN),
    Glyph(2, "round", 1.5, glyphs_2_to_3.two_round),
    Glyph(2, "angular", 1.5, glyphs_2_to_3.two_angular),
    Glyph(2, "begun with a loop", 2.5, glyphs_2_to_3.two_begun_with_loop, BALL_PEN),
    Glyph(
        2,
        "loops at both ends",
        1,
        partial(glyphs_2_to_3.two_begun_with_loop, foot_loop=True),
        BALL_PEN,
        held_back=True,
    ),
    Glyph(3, "pointed", 3, glyphs_2_to_3.three),
    Glyph(3, "round", 3, glyphs_2_to_3.three_round, FINE_PEN),
    Glyph(3, "flat", 2.5, glyphs_2_to_3.three_flat),
    Glyph(3, "nearly straight", 1, glyphs_2_to_3.three_nearly_straight, BALL_PEN, 0.1),
    Glyph(3, "zigzag", 1, glyphs_2_to_3.three_zigzag, FINE_PEN, 0.2),
    Glyph(3, "tiny belly", 1.2, glyphs_2_to_3.three_with_tiny_belly, BALL_PEN, 0.1),
    Glyph(
        3,
        "flat, tiny belly",
        0.6,
        partial(glyphs_2_to_3.three_with_tiny_belly, flat=True),
        FINE_PEN,
        0.1,
        held_back=True,
    ),
    Glyph(4, "lightning", 3.5, glyphs_4_to_5.four_open),
    Glyph(4, "like a u", 2, glyphs_4_to_5.four_like_u),
    Glyph(4, "angular u", 2, glyphs_4_to_5.four_angular_u),
    Glyph(4, "one stroke", 1, glyphs_4_to_5.four_in_one),
    Glyph(4, "closed", 2.5, glyphs_4_to_5.four_closed, FINE_PEN),
    Glyph(4, "like an h", 1.5, glyphs_4_to_5.four_like_h),
    Glyph(4, "like a y", 1.2, glyphs_4_to_5.four_like_y),
    Glyph(4, "like a y, curved", 0.8, partial(glyphs_4_to_5.four_like_y, curved=True), held_back=True),
    Glyph(4, "nearly closed", 1.3, glyphs_4_to_5.four_nearly_closed, FINE_PEN),
    Glyph(4, "round", 1.3, glyphs_4_to_5.four_round, FINE_PEN, 0.1),
    Glyph(5, "one stroke", 2.5, glyphs_4_to_5.five, FINE_PEN),
    Glyph(5, "smooth", 1.5, glyphs_4_to_5.five_smooth, FINE_PEN),
    Glyph(5, "bar", 4, glyphs_4_to_5.five_with_bar, FINE_PEN),
    Glyph(5, "like a root", 1, glyphs_4_to_5.five_like_a_root, FINE_PEN, 0.1),
    Glyph(5, "like an S", 1, glyphs_4_to_5.five_like_s, FINE_PEN),
    Glyph(5, "like a flag", 0.8, glyphs_4_to_5.five_like_a_flag, FINE_PEN, 0.1),
    Glyph(
        5,
        "like a flag, bar apart",
        0.5,
        partial(glyphs_4_to_5.five_like_a_flag, apart=True),
        FINE_PEN,
        0.1,
        held_back=True,
    ),
    Glyph(5, "like a hook", 1.2, glyphs_4_to_5.five_like_a_hook, FINE_PEN, 0.1),
    Glyph(5, "far bar", 1, glyphs_4_to_5.five_with_far_bar, FINE_PEN),
    Glyph(5, "far long bar", 0.8, partial(glyphs_4_to_5.five_with_far_bar, long=True), FINE_PEN),
    Glyph(6, "curved", 4, glyphs_6_to_7.six, FINE_PEN),
    Glyph(6, "straight", 2, glyphs_6_to_7.six_straight, FINE_PEN),
    Glyph(6, "small bowl", 1.5, glyphs_6_to_7.six_with_small_bowl, FINE_PEN, 0.1),
    Glyph(6, "like a b", 1.2, glyphs_6_to_7.six_like_b, FINE_PEN),
    Glyph(
        6,
        "like a b, two strokes",
        0.6,
        partial(glyphs_6_to_7.six_like_b, apart=True),
        FINE_PEN,
        held_back=True,
    ),
    Glyph(6, "open", 1, glyphs_6_to_7.six_open, FINE_PEN, 0.1),
    Glyph(7, "plain", 2, partial(glyphs_6_to_7.seven, hook=False, crossed=False)),
    Glyph(7, "hook", 1.5, partial(glyphs_6_to_7.seven, hook=True, crossed=False)),
    Glyph(7, "crossed", 4, partial(glyphs_6_to_7.seven, hook=False, crossed=True), FINE_PEN),
    Glyph(7, "hook and crossed", 2, partial(glyphs_6_to_7.seven, hook=True, crossed=True), FINE_PEN),
    Glyph(7, "like a t", 1.5, glyphs_6_to_7.seven_like_t, FINE_PEN, 0.1),
    Glyph(7, "low bar", 1, glyphs_6_to_7.seven_with_low_bar, FINE_PEN),
    Glyph(7, "on a bar", 0.8, glyphs_6_to_7.seven_on_a_bar, FINE_PEN, 0.1),
    Glyph(7, "serif", 1.2, glyphs_6_to_7.seven_with_serif, FINE_PEN),
    Glyph(
        7,
        "serif, low bar",
        0.6,
        partial(glyphs_6_to_7.seven_with_low_bar, serif=True),
        FINE_PEN,
        held_back=True,
    ),
    Glyph(8, "two circles", 3, glyphs_8_to_9.eight_of_circles, FINE_PEN),
    Glyph(8, "one stroke", 3, glyphs_8_to_9.eight, FINE_PEN),
    Glyph(8, "crossing", 3, glyphs_8_to_9.eight_crossing, FINE_PEN),
    Glyph(8, "like a B", 1.2, glyphs_8_to_9.eight_like_b, FINE_PEN),
    Glyph(8, "open", 1.2, glyphs_8_to_9.eight_open, FINE_PEN, 0.1),
    Glyph(8, "circle and cup", 0.6, glyphs_8_to_9.eight_with_cup, FINE_PEN, 0.1, held_back=True),
    Glyph(8, "separate circles", 1, glyphs_8_to_9.eight_of_separate_circles, FINE_PEN),
    Glyph(8, "from the middle", 1.2, glyphs_8_to_9.eight_from_the_middle, FINE_PEN),
    Glyph(9, "straight", 2, partial(glyphs_8_to_9.nine, tail="straight"), FINE_PEN),
    Glyph(9, "swung", 1.5, partial(glyphs_8_to_9.nine, tail="swung"), FINE_PEN),
    Glyph(9, "hooked", 2.5, partial(glyphs_8_to_9.nine, tail="hooked"), FINE_PEN),
    Glyph(9, "open, straight", 1.5, partial(glyphs_8_to_9.nine_open, tail="straight"), FINE_PEN),
    Glyph(9, "open, hooked", 2, partial(glyphs_8_to_9.nine_open, tail="hooked"), FINE_PEN),
    Glyph(9, "looped, straight", 1, partial(glyphs_8_to_9.nine_looped, tail="straight"), FINE_PEN),
    Glyph(9, "looped, swung", 1, partial(glyphs_8_to_9.nine_looped, tail="swung"), FINE_PEN),
    Glyph(9, "looped, hooked", 2, partial(glyphs_8_to_9.nine_looped, tail="hooked"), FINE_PEN),
    Glyph(9, "curled", 1, glyphs_8_to_9.nine_curled, FINE_PEN),
    Glyph(9, "like a P", 1.5, glyphs_8_to_9.nine_like_p, FINE_PEN),
    Glyph(9, "like a rho", 1.2, glyphs_8_to_9.nine_like_rho, FINE_PEN),
    Glyph(
        9,
        "like a rho, hooked",
        0.8,
        partial(glyphs_8_to_9.nine_like_rho, hooked=True),
        FINE_PEN,
        held_back=True,
    ),
    Glyph(
        9,
        "long tail, straight",
        0.8,
        partial(glyphs_8_to_9.nine_with_long_tail, tail="straight"),
        FINE_PEN,
        0.1,
    ),
    Glyph(
        9,
        "long tail to the left",
        0.8,
        partial(glyphs_8_to_9.nine_with_long_tail, tail="left"),
        BALL_PEN,
        0.1,
    ),
    Glyph(
        9, "long tail, hooked", 0.8, partial(glyphs_8_to_9.nine_with_long_tail, tail="hooked"), FINE_PEN, 0.1
    ),
    Glyph(
        9,
        "open head, straight",
        0.8,
        partial(glyphs_8_to_9.nine_with_open_head, tail="straight"),
        BALL_PEN,
        0.1,
    ),
    Glyph(
        9, "open head, hooked", 0.8, partial(glyphs_8_to_9.nine_with_open_head, tail="hooked"), FINE_PEN, 0.1
    ),
    Glyph(
        9,
        "open at the right, straight",
        0.8,
        partial(glyphs_8_to_9.nine_open_at_the_right, tail="straight"),
        FINE_PEN,
        0.1,
    ),
    Glyph(
        9,
        "open at the right, hooked",
        0.8,
        partial(glyphs_8_to_9.nine_open_at_the_right, tail="hooked"),
        FINE_PEN,
        0.1,
    ),
    Glyph(9, "swept tail", 0.8, glyphs_8_to_9.nine_with_swept_tail, FINE_PEN),
)


def glyphs_of(digit: int, held_back: bool = False) -> tuple[tuple[Glyph, ...], np.ndarray]:
    """Return the variants of a digit, to choose one from.

    Args:
        digit: digit, 0..9.
        held_back: whether to return the variants for measuring instead of those for training.

    Returns:
        Variants, one or more, and the probability of each, float64 [variants].
    """
    glyphs = tuple(glyph for glyph in GLYPHS if glyph.digit == digit and glyph.held_back == held_back)
    frequencies = np.array([glyph.share for glyph in glyphs])
    return glyphs, frequencies / frequencies.sum()

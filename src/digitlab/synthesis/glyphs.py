"""How people write the ten digits: variants as taught in several countries, and how often each is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from digitlab.synthesis import glyphs_0_to_4 as low
from digitlab.synthesis import glyphs_5_to_9 as high
from digitlab.synthesis.hand import Hand, Strokes


@dataclass(frozen=True)
class Glyph:
    """A way to write a digit.

    Attributes:
        digit: 0..9.
        name: of the variant.
        share: how often it is drawn, in proportion to the other variants of the digit.
        draw: gives its strokes, each float64 [n, points, 2].
        widest: the pen's largest width as a share of the digit's narrower side.
        haste: the share of hands that cut corners; few where a corner tells the digit from another.
    """

    digit: int
    name: str
    share: float
    draw: Callable[[Hand], Strokes]
    widest: float = 0.27
    haste: float = 0.35


ANY_PEN, FINE_PEN = 100.0, 0.21
GLYPHS: tuple[Glyph, ...] = (
    Glyph(0, "oval", 3, low.zero),
    Glyph(0, "overshoot", 2, low.zero_with_overshoot),
    Glyph(0, "slashed", 1.5, low.zero_slashed, FINE_PEN),
    Glyph(0, "pulled in", 1, low.zero_pulled_in),
    Glyph(1, "plain", 2, low.one, ANY_PEN, 0.1),
    Glyph(1, "upstroke", 4, low.one_with_upstroke, ANY_PEN, 0.1),
    Glyph(1, "wide upstroke", 2, partial(low.one_with_upstroke, wide=True), ANY_PEN, 0.1),
    Glyph(1, "wide curved upstroke", 1, partial(low.one_with_upstroke, wide=True, curved=True), ANY_PEN, 0.1),
    Glyph(1, "curved upstroke", 2, partial(low.one_with_upstroke, curved=True), ANY_PEN, 0.1),
    Glyph(1, "upstroke and foot", 2.5, partial(low.one_with_upstroke, foot=True), ANY_PEN, 0.1),
    Glyph(1, "foot", 0.7, low.one_on_foot, ANY_PEN, 0.1),
    Glyph(2, "corner", 3, low.two),
    Glyph(2, "loop", 3, low.two_with_loop, FINE_PEN),
    Glyph(2, "round", 1.5, low.two_round),
    Glyph(2, "angular", 1.5, low.two_angular),
    Glyph(3, "pointed", 3, low.three),
    Glyph(3, "round", 3, low.three_round, FINE_PEN),
    Glyph(3, "flat", 2.5, low.three_flat),
    Glyph(4, "lightning", 3.5, low.four_open),
    Glyph(4, "like a u", 2, low.four_like_u),
    Glyph(4, "angular u", 2, low.four_angular_u),
    Glyph(4, "one stroke", 1, low.four_in_one),
    Glyph(4, "closed", 2.5, low.four_closed, FINE_PEN),
    Glyph(5, "one stroke", 2.5, high.five, FINE_PEN),
    Glyph(5, "smooth", 1.5, high.five_smooth, FINE_PEN),
    Glyph(5, "bar", 4, high.five_with_bar, FINE_PEN),
    Glyph(6, "curved", 4, high.six, FINE_PEN),
    Glyph(6, "straight", 2, high.six_straight, FINE_PEN),
    Glyph(7, "plain", 2, partial(high.seven, hook=False, crossed=False)),
    Glyph(7, "hook", 1.5, partial(high.seven, hook=True, crossed=False)),
    Glyph(7, "crossed", 4, partial(high.seven, hook=False, crossed=True), FINE_PEN),
    Glyph(7, "hook and crossed", 2, partial(high.seven, hook=True, crossed=True), FINE_PEN),
    Glyph(8, "two circles", 3, high.eight_of_circles, FINE_PEN),
    Glyph(8, "one stroke", 3, high.eight, FINE_PEN),
    Glyph(8, "crossing", 3, high.eight_crossing, FINE_PEN),
    Glyph(9, "straight", 2, partial(high.nine, tail="straight"), FINE_PEN),
    Glyph(9, "swung", 1.5, partial(high.nine, tail="swung"), FINE_PEN),
    Glyph(9, "hooked", 2.5, partial(high.nine, tail="hooked"), FINE_PEN),
    Glyph(9, "open, straight", 1.5, partial(high.nine_open, tail="straight"), FINE_PEN),
    Glyph(9, "open, hooked", 2, partial(high.nine_open, tail="hooked"), FINE_PEN),
    Glyph(9, "looped, straight", 1, partial(high.nine_looped, tail="straight"), FINE_PEN),
    Glyph(9, "looped, swung", 1, partial(high.nine_looped, tail="swung"), FINE_PEN),
    Glyph(9, "looped, hooked", 2, partial(high.nine_looped, tail="hooked"), FINE_PEN),
    Glyph(9, "curled", 1, high.nine_curled, FINE_PEN),
)

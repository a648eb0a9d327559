from __future__ import annotations

import string
from collections import Counter

import numpy as np
import pytest

from digitlab.synthesis import non_digits
from digitlab.synthesis.glyphs import Glyph
from digitlab.synthesis.letter_skeletons import DRAWINGS, LETTERS
from digitlab.synthesis.signs import SIGNS
from digitlab.synthesis.stroke_sampler import StrokeSampler
from digitlab.synthesis.strokes import draw_glyph

EVERYTHING = (*LETTERS, *SIGNS.values(), *DRAWINGS)
LIKE_DIGITS = frozenset("BDGIJOPQSTYZbgilopqsyz")


def vertical_extent(glyph: Glyph) -> tuple[float, float]:
    """The median top and bottom of a glyph, 0 at a digit's head and 1 at the baseline."""
    points = np.concatenate(glyph.draw(StrokeSampler(np.random.default_rng(0), 50)), axis=1)
    return float(np.median(points[..., 1].min(axis=1))), float(np.median(points[..., 1].max(axis=1)))


def test_every_letter_is_written_by_two_hands_or_more() -> None:
    hands = Counter(glyph.name for glyph in LETTERS)
    assert hands.keys() == set(string.ascii_letters)
    assert min(hands.values()) >= 2


def test_a_letter_is_marked_where_a_digit_may_look_like_it() -> None:
    assert {glyph.name for glyph in LETTERS if glyph.lookalike} == LIKE_DIGITS
    assert {glyph.name for glyph in LETTERS if not glyph.lookalike}.isdisjoint(LIKE_DIGITS)


@pytest.mark.parametrize("glyph", EVERYTHING, ids=lambda glyph: glyph.name)
def test_what_is_no_digit_is_drawn_in_mnist_form(glyph: Glyph) -> None:
    assert glyph.digit == -1
    images = draw_glyph(glyph, 20, np.random.default_rng(0))
    assert images.shape == (20, 28, 28)
    assert images.max(axis=(1, 2)).min() > 80


def test_small_letters_stand_on_the_baseline_as_high_as_in_a_word() -> None:
    for glyph in LETTERS:
        top, bottom = vertical_extent(glyph)
        small = glyph.name in "acemnorsuvwxz"
        hangs = glyph.name in "gjpqy"
        assert top == pytest.approx(0.38 if small or hangs else 0.0, abs=0.2), glyph.name
        assert bottom == pytest.approx(1.38 if hangs else 1.0, abs=0.12), glyph.name


def test_signs_stand_where_they_stand_beside_digits() -> None:
    for name in ("minus", "plus", "equals", "divided", "times"):
        assert np.mean(vertical_extent(SIGNS[name])) == pytest.approx(0.55, abs=0.1), name
    for name in ("point", "comma"):
        top, bottom = vertical_extent(SIGNS[name])
        assert 0.8 < top < bottom < 1.3, name
    for name in ("slash", "opening", "closing", "dollar", "euro", "pound", "percent", "hash"):
        top, bottom = vertical_extent(SIGNS[name])
        assert top < 0.15, name
        assert bottom > 0.9, name


def test_ink_that_is_no_digit_has_no_letter_and_no_sign_that_looks_like_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used: list[Glyph] = []

    def noting(glyph: Glyph, count: int, random: np.random.Generator) -> np.ndarray:
        used.append(glyph)
        return draw_glyph(glyph, count, random)

    monkeypatch.setattr(non_digits, "draw_glyph", noting)
    digit = np.full((1, 28, 28), 200, np.uint8)
    non_digits.draw_non_digits(digit, np.array([3]), 1000, seed=0)
    assert not [glyph.name for glyph in used if glyph.lookalike]
    assert {glyph.name for glyph in EVERYTHING if not glyph.lookalike} < {glyph.name for glyph in used}

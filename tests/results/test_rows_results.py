from __future__ import annotations

import numpy as np

from digitlab.results.rows import greedy_texts, share_right
from digitlab.spec.rows import BLANK, OTHER


def columns(*characters: int) -> np.ndarray:
    """Certain probabilities for these characters, [1, n, 12]."""
    return np.eye(12, dtype=np.float32)[list(characters)][None]


def test_repeats_are_one_character_and_a_blank_parts_two() -> None:
    assert greedy_texts(columns(1, 1, BLANK, 1, 2, 2, OTHER, BLANK)) == ["112?"]


def test_nothing_but_blanks_says_nothing() -> None:
    assert greedy_texts(columns(BLANK, BLANK)) == [""]


def test_only_rows_that_are_numbers_are_counted() -> None:
    assert share_right(["12", "", "3?", "7"], ["12", "", "3?", "1"]) == (1, 2)

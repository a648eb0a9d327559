"""A few pictures of every kind that is hard to read; `python benchmarks/kinds.py` reads a hundred of each."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hard_pictures import KINDS, kind
from outcomes import Outcome, outcome
from PIL import Image

from digitlab.recognition import Recognizer

FEW = 6
WEAK = {
    "close cut": 4,
    "pale stroke": 3,
    "shape: 3 nearly straight": 4,
    "shape: 4 round, nearly closed": 3,
    "small, in parts": 4,
}
FLOOR = dict.fromkeys(KINDS, 5) | WEAK
"""Of six pictures, how many are read at least; fewer where the row reader is known to be weak."""
UNREAD = {"200 digits in a row"}
"""Kinds that are hardly ever read whole: one digit of 200 is refused."""


@pytest.mark.parametrize("name", list(KINDS))
def test_a_kind_is_the_same_for_a_seed_and_a_picture_that_can_be_read(name: str) -> None:
    pictures, more = kind(name, 3, 2), kind(name, 3, 3)
    for (picture, truth), (again, told) in zip(pictures, more, strict=False):
        assert truth == told
        assert set(truth) <= set("0123456789\n")
        if isinstance(picture, bytes):
            assert picture == again
            assert Image.open(io.BytesIO(picture)).size[0] > 0
        else:
            assert picture.dtype == np.uint8
            np.testing.assert_array_equal(picture, again)


def outcomes(reader: Recognizer, name: str) -> list[Outcome]:
    return [outcome(truth, reader.read(picture)) for picture, truth in kind(name, 1, FEW)]


@pytest.mark.slow  # reads 240 pictures
@pytest.mark.parametrize("name", sorted(set(KINDS) - UNREAD))
def test_most_of_each_kind_are_read_and_none_is_shorter_and_ok(reader: Recognizer, name: str) -> None:
    seen = outcomes(reader, name)
    assert sum(one.right for one in seen) >= FLOOR[name], seen
    assert not any(one.shorter for one in seen), seen

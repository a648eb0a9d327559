"""The rows that a training takes: which chunks, in which order, and what is told when none come."""

from __future__ import annotations

import os
from collections import Counter
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pytest

from digitlab.errors import TrainingError
from digitlab.synthesis.rows import BATCHES
from digitlab.training.row_stream import row_stream


class Numbered(NamedTuple):
    images: np.ndarray
    texts: tuple[str, ...]


class Counting:
    """Composes batches that say which they are."""

    def chunk(self, seed: int, index: int) -> list[Any]:
        return [Numbered(np.zeros((1, 32, 32), np.uint8), (f"{seed} {index} {i}",)) for i in range(BATCHES)]


class Failing(Counting):
    def chunk(self, seed: int, index: int) -> list[Any]:
        if index == 1:
            raise ValueError("no ink\nleft")
        return super().chunk(seed, index)


class Dying(Counting):
    def chunk(self, seed: int, index: int) -> list[Any]:
        os._exit(3)


class Short(Counting):
    def chunk(self, seed: int, index: int) -> list[Any]:
        return super().chunk(seed, index)[1:]


def taken(composer: Any, count: int, uses: int, start: int = 0) -> list[tuple[str, int]]:
    """Take batches; what each says, and how often it was used before."""
    with row_stream(composer, 7, uses, start) as stream:
        return [(use.batch.texts[0], use.before) for use in islice(stream, count)]


def test_every_batch_is_used_as_often_as_is_asked() -> None:
    uses = Counter(text for text, _ in taken(Counting(), 5 * 2 * BATCHES, uses=2))
    whole = [f"7 {index} {number}" for index in range(4) for number in range(BATCHES)]
    assert all(uses[text] == 2 for text in whole)


def test_a_batch_says_how_often_it_was_used_before() -> None:
    seen: Counter[str] = Counter()
    for text, before in taken(Counting(), 100, uses=3):
        assert before == seen[text]
        seen[text] += 1


@pytest.mark.parametrize(("uses", "start"), [(1, 0), (1, 16), (1, 21), (2, 15), (2, 16), (2, 53), (3, 90)])
def test_a_stream_goes_on_where_another_ended(uses: int, start: int) -> None:
    whole = taken(Counting(), start + 40, uses)
    assert taken(Counting(), 40, uses, start) == whole[start:]


def test_why_rows_cannot_be_composed_is_told_in_one_line() -> None:
    with pytest.raises(TrainingError, match="rows could not be composed: chunk 1: ValueError: no ink left"):
        taken(Failing(), 3 * BATCHES, uses=1)


def test_a_chunk_of_another_size_is_refused() -> None:
    with pytest.raises(TrainingError, match="chunk 0: expected 16 batches, received 15"):
        taken(Short(), 1, uses=1)


def test_a_composer_that_died_is_told() -> None:
    with pytest.raises(TrainingError, match="exited with code 3"):
        taken(Dying(), 1, uses=1)

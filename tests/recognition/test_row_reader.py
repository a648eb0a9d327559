"""The reader of rows: from what a network says in each frame to a text, its places and alternatives."""

from __future__ import annotations

import numpy as np
import pytest

from digitlab.recognition.lengths import LengthRange
from digitlab.recognition.row_reader import STRETCHES, RowReader
from digitlab.spec.rows import ALPHABET, BLANK


class Marks:
    """A network for rows in which a column of one grey level stands for a symbol: 20 times its number."""

    def __init__(self, certain: float = 0.9) -> None:
        self.certain = certain
        self.batches: list[tuple[int, ...]] = []

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        self.batches.append(rows.shape)
        columns = rows[:, 16].reshape(len(rows), -1, 4).astype(int)
        # Edges of blocks, which scaling has made of all levels, are no symbols.
        flat = np.ptp(columns, axis=2) <= 1
        symbols = np.where(flat, np.rint(columns[..., 0] / 20).astype(int), BLANK)
        answers = np.full((*symbols.shape, 12), (1 - self.certain) / 11, np.float32)
        np.put_along_axis(answers, np.minimum(symbols, BLANK)[..., None], self.certain, axis=2)
        return answers


def row_of(text: str, height: int = 32) -> np.ndarray:
    """A row with blocks of grey for characters, 16 of 32 rows wide with as much between, uint8 [h, w]."""
    row = np.full((32, 32 * len(text) + 32), 20 * BLANK, np.uint8)
    for place, symbol in enumerate(text):
        row[:, 32 * place + 24 : 32 * place + 40] = 20 * ALPHABET.index(symbol)
    return np.repeat(np.repeat(row, height // 32, axis=0), height // 32, axis=1)


def test_a_row_is_read_with_its_places() -> None:
    [answer] = RowReader(Marks()).read([row_of("4071")])
    assert answer.text == "4071"
    assert answer.probability == answer.alternatives[0][1]
    middles = [32 * place + 32 for place in range(4)]
    assert np.abs(answer.spans[:, 1] - middles).max() <= 12
    assert (np.diff(answer.spans[:, 1]) > 0).all()


def test_places_are_in_columns_of_the_row_that_was_given() -> None:
    [answer] = RowReader(Marks()).read([row_of("4071", height=96)])
    assert np.abs(answer.spans[:, 1] - [3 * (32 * place + 32) for place in range(4)]).max() <= 36


def test_each_row_is_looked_at_in_three_widths_and_those_of_one_width_together() -> None:
    network = Marks()
    RowReader(network).read([row_of("4071"), row_of("2222"), row_of("12")])
    assert sum(shape[0] for shape in network.batches) == 3 * len(STRETCHES)
    assert len(network.batches) <= 2 * len(STRETCHES)


def test_a_known_length_changes_the_text() -> None:
    reader = RowReader(Marks(certain=0.6))
    assert len(reader.read([row_of("40")])[0].text) == 2
    assert len(reader.read([row_of("40")], LengthRange(3, 3))[0].text) == 3


def test_shares_say_how_probable_each_symbol_is_in_each_place() -> None:
    [answer] = RowReader(Marks(certain=0.7)).read([row_of("40")])
    assert answer.shares.shape == (2, len(ALPHABET))
    assert answer.shares.argmax(axis=1).tolist() == [4, 0]
    assert answer.shares.max() <= 1 + 1e-6


def test_an_empty_row_says_nothing() -> None:
    [answer] = RowReader(Marks()).read([np.full((40, 60), 220, np.uint8)])
    assert (answer.text, len(answer.spans)) == ("", 0)
    assert answer.heard.max() < 0.2


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (700, 4), (42, 3000)])
def test_rows_of_any_shape_are_read(shape: tuple[int, int]) -> None:
    [answer] = RowReader(Marks()).read([np.full(shape, 220, np.uint8)])
    assert answer.spans.shape == (len(answer.text), 3)


def test_no_rows_give_no_answers() -> None:
    assert RowReader(Marks()).read([]) == []


def test_each_digit_of_a_long_row_is_believed_though_no_whole_text_is() -> None:
    [answer] = RowReader(Marks(certain=0.98)).read([row_of("4071" * 20)])
    assert answer.text == "4071" * 20
    assert answer.probability < 0.5
    assert answer.shares.max(axis=1).min() > 0.8


def test_a_row_that_the_first_look_is_sure_of_is_looked_at_once() -> None:
    network = Marks(certain=0.99999)
    [answer] = RowReader(network).read([row_of("4071")])
    assert answer.text == "4071"
    assert [shape[0] for shape in network.batches] == [1]


def test_all_crops_of_a_row_count_and_places_are_told_in_the_first() -> None:
    network = Marks()
    narrow = row_of("4071")
    [answer] = RowReader(network).read_crops([[narrow, np.repeat(narrow, 2, axis=0)]])
    assert sum(shape[0] for shape in network.batches) == 2 * len(STRETCHES)
    assert len(answer.heard) <= 2 * narrow.shape[1] // 4
    assert answer.spans.max() <= narrow.shape[1]

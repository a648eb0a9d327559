"""What was read as a table of characters."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from digitlab.errors import OutputError
from digitlab.recognition.character_table import COLUMNS, character_table
from digitlab.recognition.reading import Box, Opinions, ReadDigit, Reading, ReadLine, Reason

FORM = np.zeros((28, 28), np.uint8)


def digit(value: int, line: int, left: int, reason: Reason | None = None) -> ReadDigit:
    said = Opinions(None if reason else value, 0.75, value, 0.5, 0.25)
    return ReadDigit(value, 0.75, 1, 0.2, (0.1,) * 10, Box(left, 2, 3, 4), line, FORM, reason, said)


READING = Reading(
    "ok",
    "12\n\n3?",
    (digit(1, 0, 10), digit(2, 0, 20), digit(3, 1, 10), digit(7, 1, 20, Reason.NOT_A_DIGIT)),
    lines=(
        ReadLine("12", 0.9, (("12", 0.9), ("72", 0.05)), Box(10, 2, 13, 4)),
        ReadLine("3?", 0.6, (("3", 0.2),), Box(10, 2, 13, 4), page=1),
    ),
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_character_has_a_line_with_its_place_box_and_opinions(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    with character_table(path) as add:
        add("a, b.tif", READING)
    table = rows(path)
    assert [row["character"] for row in table] == ["1", "2", "3", "?"]
    assert [(row["page"], row["line"], row["position"]) for row in table] == [
        ("1", "1", "1"), ("1", "1", "2"), ("2", "1", "1"), ("2", "1", "2"),
    ]  # fmt: skip
    assert tuple(table[0]) == COLUMNS
    assert table[1] == {
        "file": "a, b.tif", "page": "1", "line": "1", "position": "2", "character": "2",
        "confidence": "0.7500", "left": "20", "top": "2", "width": "3", "height": "4",
        "row_digit": "2", "row_probability": "0.7500", "form_digit": "2", "form_probability": "0.5000",
        "likely_digit": "0.2500", "line_text": "12", "line_confidence": "0.9000",
        "alternatives": "12:0.9000 72:0.0500", "reason": "",
    }  # fmt: skip
    assert (table[3]["row_digit"], table[3]["form_digit"], table[3]["reason"]) == ("", "7", "not a digit")


def test_pictures_without_characters_are_in_it_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    with character_table(path) as add:
        add("blank.png", Reading("rejected", "", (), Reason.NO_INK))
        add("half.png", "the PNG file is truncated; get it again")
    assert [(row["file"], row["character"], row["reason"]) for row in rows(path)] == [
        ("blank.png", "", "no ink"),
        ("half.png", "", "the PNG file is truncated; get it again"),
    ]


def test_what_somebody_may_have_corrected_by_hand_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    with character_table(path) as add:
        add("a.png", READING)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="name another or remove it"), character_table(path):
        raise AssertionError("nothing is read for a table that cannot be written")
    assert path.read_bytes() == before


def test_an_interrupted_table_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with character_table(tmp_path / "new.csv") as add:
            add("a.png", READING)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []

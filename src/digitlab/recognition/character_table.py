"""Table of all characters of the readings, for checking by hand in a spreadsheet."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from digitlab.files import new_file
from digitlab.recognition.reading import ReadDigit, Reading

COLUMNS: tuple[str, ...] = (
    "file",
    "page",
    "line",
    "position",
    "character",
    "confidence",
    "left",
    "top",
    "width",
    "height",
    "row_digit",
    "row_probability",
    "form_digit",
    "form_probability",
    "likely_digit",
    "line_text",
    "line_confidence",
    "alternatives",
    "reason",
)
"""Columns of the table: a character's position, counted from 1, and box in pixels; the outputs of the row
reader and of the classifier for it; and its line's text, confidence and alternatives."""


@contextmanager
def character_table(path: Path) -> Iterator[Callable[[str, Reading | str], None]]:
    """Open a new CSV file and return a function that adds the rows of one picture to it.

    The function's arguments are the picture's name, and its reading or the reason why it could not be read.
    The file appears at its path when the context ends without an error.

    Args:
        path: path of the file. Nothing may exist there yet, because a file may hold corrections made by hand.

    Raises:
        OutputError: the path exists already, or cannot be written.
    """
    with new_file(path) as draft, draft.open("x", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()

        def add(name: str, reading: Reading | str) -> None:
            if isinstance(reading, str):
                writer.writerow({"file": name, "reason": reading})
            else:
                writer.writerows(character_rows(name, reading))

        yield add


def character_rows(name: str, reading: Reading) -> Iterator[dict[str, Any]]:
    """Yield a row for each character of a picture, or one row with the reason if it has none.

    Args:
        name: name of the picture's file.
        reading: the picture's reading.
    """
    if not reading.digits:
        yield {"file": name, "reason": str(reading.reason or "")}
    positions: Counter[int] = Counter()
    first_of_page: dict[int, int] = {}
    for i, line in enumerate(reading.lines):
        first_of_page.setdefault(line.page, i)
    for digit in reading.digits:
        positions[digit.line] += 1
        row = {"file": name, "line": digit.line + 1, "position": positions[digit.line], **_character(digit)}
        if digit.line < len(reading.lines):
            line = reading.lines[digit.line]
            alternatives = [f"{text}:{_four_digits(share)}" for text, share in line.alternatives]
            row |= {
                "page": line.page + 1,
                "line": digit.line - first_of_page[line.page] + 1,
                "line_text": line.text,
                "line_confidence": _four_digits(line.confidence),
                "alternatives": " ".join(alternatives),
            }
        yield row


def _character(digit: ReadDigit) -> dict[str, Any]:
    box, opinions = digit.box, digit.opinions
    values = {
        "character": "?" if digit.reason else digit.digit,
        "confidence": _four_digits(digit.confidence),
        "left": box.left,
        "top": box.top,
        "width": box.width,
        "height": box.height,
        "reason": str(digit.reason or ""),
    }
    if opinions:
        values |= {
            "row_digit": "" if opinions.row_digit is None else opinions.row_digit,
            "row_probability": _four_digits(opinions.row_probability),
            "form_digit": opinions.form_digit,
            "form_probability": _four_digits(opinions.form_probability),
            "likely_digit": _four_digits(opinions.likely_digit),
        }
    return values


def _four_digits(value: float) -> str:
    return f"{value:.4f}"

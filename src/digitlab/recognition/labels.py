"""Labels of a user's own pictures, and counts of those read, misread and refused."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from digitlab.errors import DataError
from digitlab.recognition.reading import Reading
from digitlab.results.metrics import wilson_interval

COLUMNS = ("file", "label", "group")
"""Columns of a label file; the last may be missing."""

_MOST_BYTES = 64 * 2**20
_CURE = "write a header  file,label  or  file,label,group  and a line for each picture"


@dataclass(frozen=True)
class Label:
    """The label of one picture.

    Attributes:
        file: the picture's path, as it stands in the label file.
        text: the digits written on the picture, without spaces; empty if there is no number, so that the
            picture must be refused.
        group: name of the group that the picture is counted in: a writer, a form, a scanner; empty for none.
    """

    file: str
    text: str
    group: str = ""


@dataclass(frozen=True)
class Labels:
    """The contents of a label file.

    Attributes:
        entries: labels, one for each picture.
        unused: names of columns that are ignored.
    """

    entries: tuple[Label, ...]
    unused: tuple[str, ...]


class Outcome(StrEnum):
    """Outcome of reading a picture whose label is known."""

    READ = "read"
    """All digits were read correctly."""
    WRONG = "wrong"
    """Another number was read, and the reading does not mark it as doubtful."""
    REFUSED = "refused"
    """The picture was rejected, or its text has a `?`: correct if there is no number."""


@dataclass(frozen=True)
class Score:
    """Outcomes of the pictures of one group.

    Attributes:
        group: the group's name.
        numbers: whether these are the group's pictures with a number; else those that must be refused.
        outcomes: outcome of each picture.
        shorter: number of wrong pictures whose text has fewer digits than are written, which is easily
            overlooked in a list.
    """

    group: str
    numbers: bool
    outcomes: tuple[Outcome, ...]
    shorter: int

    def count(self, outcome: Outcome) -> int:
        """Count the pictures with an outcome."""
        return self.outcomes.count(outcome)

    def interval(self, outcome: Outcome) -> tuple[float, float]:
        """Compute the 95 % confidence interval of an outcome's share (Wilson): its ends, 0..1."""
        return wilson_interval(self.count(outcome), len(self.outcomes))

    def to_values(self) -> dict[str, Any]:
        """Return the score as JSON-compatible values; shares and intervals are in 0..1."""
        shares = {
            outcome.value: {
                "count": self.count(outcome),
                "share": self.count(outcome) / len(self.outcomes),
                "interval": list(self.interval(outcome)),
            }
            for outcome in Outcome
        }
        return {
            "group": self.group,
            "numbers": self.numbers,
            "n": len(self.outcomes),
            **shares,
            "shorter": self.shorter,
        }


def read_labels(path: Path | str) -> Labels:
    """Read a label file: CSV with commas, semicolons or tabs, in UTF-8, with a header.

    Raises:
        DataError: the file cannot be read, a column is missing, a label has other characters than digits, or
            a picture is named twice.
    """
    lines = _lines(path)
    header = lines[0].lower() if lines else ""
    delimiter = max(",;\t", key=header.count)
    rows = list(csv.reader(lines, delimiter=delimiter))
    names = [name.strip().lower() for name in rows[0]] if rows else []
    for name in COLUMNS[:2]:
        if names.count(name) != 1:
            found = ", ".join(names)[:80] or "nothing"
            raise DataError(f"{path}: expected one column {name!r}, found {found}; {_CURE}")
    entries: dict[str, Label] = {}
    for line_number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        where = f"{path}, line {line_number}"
        if any(cell.strip() for cell in row[len(names) :]):
            separator = "tab" if delimiter == "\t" else delimiter
            raise DataError(
                f"{where}: expected {len(names)} columns, found {len(row)}; put fields with a "
                f"{separator} between quotes"
            )
        # A row may end before the last columns.
        label = _label(where, dict(zip(names, row, strict=False)))
        if label.file in entries:
            raise DataError(f"{where}: {label.file!r} has a label already; keep one of them")
        entries[label.file] = label
    if not entries:
        raise DataError(f"{path}: expected a line for each picture, found none; {_CURE}")
    unused = tuple(name for name in names if name not in COLUMNS)
    return Labels(tuple(entries.values()), unused)


def _lines(path: Path | str) -> list[str]:
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise DataError(f"{path}: expected labels of at most {_MOST_BYTES:,} bytes, received more")
        return io.StringIO(content.decode("utf-8-sig"), newline=None).readlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: expected CSV in UTF-8, found another encoding; save it as UTF-8") from None


def _label(where: str, cells: dict[str, str]) -> Label:
    file = cells.get("file", "").strip()
    text = "".join(cells.get("label", "").split())
    if not file:
        raise DataError(f"{where}: expected the name of a picture, found none; remove the line")
    if text and not (text.isascii() and text.isdigit()):
        digits = "".join(character for character in text if character in "0123456789")
        cure = f"write {digits}" if digits else "leave it empty where there is no number"
        raise DataError(f"{where}: expected digits as the label, found {text[:40]!r}; {cure}")
    return Label(file, text, cells.get("group", "").strip())


def match_labels(
    labels: Sequence[Label], names: Sequence[str], folders: Iterable[str | Path]
) -> tuple[dict[str, Label], list[Label]]:
    """Find the label of each picture.

    Args:
        labels: labels whose files are paths relative to one of the folders, or absolute paths.
        names: paths of the pictures.
        folders: folders that paths may be relative to; the first one that has the picture counts.

    Returns:
        Labels by the picture's name; and the labels whose picture is not among the names.
    """
    names_by_path = {os.path.realpath(name): name for name in names}
    matched: dict[str, Label] = {}
    missing: list[Label] = []
    folders = list(folders)
    for label in labels:
        for folder in folders:
            path = os.path.realpath(Path(folder, label.file))
            if path in names_by_path:
                matched[names_by_path[path]] = label
                break
        else:
            missing.append(label)
    return matched, missing


def outcome(reading: Reading, label: Label) -> Outcome:
    """Determine the outcome of a picture; spaces and line breaks are ignored."""
    text = "".join(reading.text.split())
    if reading.status == "rejected" or "?" in text:
        return Outcome.REFUSED
    return Outcome.READ if text == label.text else Outcome.WRONG


def score(readings: Sequence[tuple[Label, Reading]]) -> list[Score]:
    """Count outcomes by group, separately for pictures with a number and for those that must be refused.

    Returns:
        Scores of the pictures with a number first, each kind sorted by the name of the group; if a kind has
        several groups, a score of all its pictures follows, whose group is "all".
    """
    scores: list[Score] = []
    for numbers in (True, False):
        of_kind = [(label, reading) for label, reading in readings if bool(label.text) == numbers]
        groups = sorted({label.group for label, _ in of_kind})
        for group in groups:
            of_group = [(label, reading) for label, reading in of_kind if label.group == group]
            scores.append(_score(group, numbers, of_group))
        if len(groups) > 1:
            scores.append(_score("all", numbers, of_kind))
    return scores


def _score(group: str, numbers: bool, readings: Sequence[tuple[Label, Reading]]) -> Score:
    outcomes = []
    shorter = 0
    for label, reading in readings:
        result = outcome(reading, label)
        outcomes.append(result)
        read = "".join(reading.text.split())
        if result is Outcome.WRONG and len(read) < len(label.text):
            shorter += 1
    return Score(group, numbers, tuple(outcomes), shorter)

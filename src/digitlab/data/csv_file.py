"""Images in a table of text, as Kaggle has them: a row for each image, columns for its label and pixels."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from digitlab.data.arrays import as_images
from digitlab.data.idx import MAX_BYTES
from digitlab.errors import DataError
from digitlab.pictures.file_kinds import kind_of
from digitlab.spec.recipe import IMAGE_SIDE

_PIXELS = IMAGE_SIDE**2
_LABEL_NAMES = ("label", "labels", "class", "target", "y")
_HEAD = 4096  # bytes that tell what a file is
_MAX_LINE = 65_536  # bytes; 785 fields of three digits are 3,140
_MOST_BYTES = 4 * MAX_BYTES  # a pixel takes up to four characters


class LabelledImages(NamedTuple):
    """Images with their labels, as a file has them.

    Attributes:
        images: images, uint8 [n, 28, 28].
        labels: labels, integers or text [n].
    """

    images: np.ndarray
    labels: np.ndarray


def is_csv(path: Path) -> bool:
    """Return whether a file holds a table of text, by its content."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return kind_of(head) == "CSV text"


def read_csv(path: Path) -> LabelledImages:
    """Read a table such as Kaggle's `train.csv`: `label,pixel0,...,pixel783`, with or without that header.

    Args:
        path: file of UTF-8 text, its fields separated by commas; a header names the column of labels, without
            one it is the first. Pixels are whole numbers 0..255, row by row of an image.

    Raises:
        DataError: columns are missing, or a field is no such number; the message names the row.
    """
    if not path.is_file():
        raise DataError(f"{path}: expected a CSV file, found no such file")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"{path}: expected at most {_MOST_BYTES:,} bytes, found {path.stat().st_size:,}")
        first, second = _first_lines(path)
        has_header = any(not _is_number(field) for field in first[1:])
        column = _label_column(first, path) if has_header else 0
        _check_width(first, path)
        example = second if has_header else first
        if not example:
            raise DataError(f"{path}: expected a row for each image, found a header alone")
        labels_are_text = not _is_number(example[min(column, len(example) - 1)])
        return _read_rows(path, column, int(has_header), labels_are_text=labels_are_text)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise DataError(f"{path}: expected UTF-8 text, found other bytes: save it as UTF-8") from None


def _first_lines(path: Path) -> tuple[list[str], list[str]]:
    with path.open(encoding="utf-8-sig", newline=None) as file:
        lines = [file.readline(_MAX_LINE).strip() for _ in range(2)]
    if not lines[0]:
        raise DataError(f"{path}: expected a table of {_PIXELS + 1} columns, found an empty file")
    first, second = ([field.strip().strip('"') for field in line.split(",")] for line in lines)
    return first, second if lines[1] else []


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _label_column(header: list[str], path: Path) -> int:
    names = [name.lower() for name in header]
    for name in _LABEL_NAMES:
        if name in names:
            return names.index(name)
    if len(header) == _PIXELS:
        raise DataError(
            f"{path}: expected a column of labels beside {_PIXELS} of pixels, found pixels alone: Kaggle's "
            "test.csv has no labels, import its train.csv"
        )
    raise DataError(
        f"{path}: expected a column named label, found {', '.join(header[:3])} ...: name the column of labels"
    )


def _check_width(first: list[str], path: Path) -> None:
    if len(first) == _PIXELS + 1:
        return
    hint = ""
    if len(first) == 1:
        hint = ": separate the fields by commas"
    elif len(first) == _PIXELS:
        hint = ": Kaggle's test.csv has no labels, import its train.csv"
    raise DataError(
        f"{path}: expected {_PIXELS + 1} columns, the label and {_PIXELS} pixels, found {len(first)}{hint}"
    )


def _read_rows(path: Path, column: int, skipped: int, *, labels_are_text: bool) -> LabelledImages:
    pixels = [i for i in range(_PIXELS + 1) if i != column]
    try:
        if labels_are_text:
            labels = np.loadtxt(
                path, str, delimiter=",", skiprows=skipped, usecols=column, quotechar='"', ndmin=1
            )
            table = np.loadtxt(
                path, np.int16, delimiter=",", skiprows=skipped, usecols=pixels, quotechar='"', ndmin=2
            )
            images = table
        else:
            table = np.loadtxt(path, np.int16, delimiter=",", skiprows=skipped, quotechar='"', ndmin=2)
            if table.shape[1] != _PIXELS + 1:
                raise DataError(f"{path}: expected {_PIXELS + 1} columns, found {table.shape[1]}")
            labels = table[:, column].astype(np.int64)
            images = table[:, pixels]
    except ValueError as error:
        raise DataError(
            f"{path}: expected whole numbers 0..255 in {_PIXELS + 1} columns, found others "
            f"({_cause(error, skipped)})"
        ) from None
    return LabelledImages(as_images(images, str(path)), labels)


def _cause(error: ValueError, skipped: int) -> str:
    """Return NumPy's message with the line of the file, where NumPy counts rows of numbers."""
    said = str(error).split(";")[0].rstrip(".")
    # It counts from 1 where the number of columns changes, and from 0 where a field is no number.
    first = 1 if "columns changed" in said else 0
    return re.sub(r"at row (\d+)", lambda match: f"in line {int(match[1]) - first + 1 + skipped}", said)

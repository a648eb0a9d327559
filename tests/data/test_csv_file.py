"""Tables of a label and 784 pixels a row, as Kaggle has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digitlab.data.csv_file import read_csv
from digitlab.data.dataset import Dataset, load
from digitlab.data.importer import import_csv, import_dataset
from digitlab.errors import DataError

HEADER = ",".join(["label", *(f"pixel{i}" for i in range(784))])


def rows(mnist: Dataset, count: int = 100, names: str = "") -> list[str]:
    """Rows of a table: a label, or its letter among some names, and the pixels."""
    lines = []
    for image, label in zip(mnist.x_train[:count], mnist.y_train[:count].tolist(), strict=True):
        first = names[label] if names else str(label)
        lines.append(",".join([first, *map(str, image.ravel().tolist())]))
    return lines


def write(path: Path, lines: list[str], end: str = "\n") -> Path:
    path.write_bytes(end.join([*lines, ""]).encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("header", [True, False])
def test_a_table_is_read_with_and_without_a_header(
    tmp_path: Path, mnist: Dataset, header: bool, end: str
) -> None:
    lines = [HEADER] * header + rows(mnist)
    images, labels = read_csv(write(tmp_path / "train.csv", lines, end))
    np.testing.assert_array_equal(images, mnist.x_train[:100])
    np.testing.assert_array_equal(labels, mnist.y_train[:100])


def test_labels_that_are_names_become_the_names_of_the_classes(tmp_path: Path, mnist: Dataset) -> None:
    import_csv(write(tmp_path / "a.csv", [HEADER, *rows(mnist, names="zabcdefghi")]), tmp_path / "set")
    made = load(tmp_path / "set")
    assert made.classes == tuple("abcdefghiz")


def test_labels_with_gaps_are_numbered_and_keep_their_names(tmp_path: Path, mnist: Dataset) -> None:
    lines = [line for line in rows(mnist, 300) if line[0] in "257"]
    import_dataset(write(tmp_path / "a.csv", lines), tmp_path / "set")
    made = load(tmp_path / "set")
    assert made.classes == ("2", "5", "7")
    assert set(made.y_train) == {0, 1, 2}


def test_a_table_of_the_test_part_is_taken_as_it_is(tmp_path: Path, mnist: Dataset) -> None:
    train = write(tmp_path / "train.csv", [HEADER, *rows(mnist)])
    test = write(tmp_path / "test.csv", [HEADER, *rows(mnist, 40)])
    import_dataset(train, tmp_path / "set", test=test)
    np.testing.assert_array_equal(load(tmp_path / "set").x_test, mnist.x_train[:40])


def changed(lines: list[str], row: int, line: str) -> list[str]:
    return [*lines[:row], line, *lines[row + 1 :]]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda lines: changed(lines, 3, lines[3].rsplit(",", 1)[0]),
            "785 columns, found others .*784 in line 4",
        ),
        (
            lambda lines: changed(lines, 3, lines[3].replace(",0,", ",,", 1)),
            "found others .*in line 4, column",
        ),
        (lambda lines: changed(lines, 3, lines[3].replace(",0,", ",256,", 1)), r"received int16 of 0\.\.256"),
        (
            lambda lines: changed(lines, 3, lines[3].replace(",0,", ",0.5,", 1)),
            "found others .*0.5.* in line 4",
        ),
        (lambda lines: changed(lines, 0, HEADER.replace("label", "name")), "expected a column named label"),
        (lambda lines: [line.split(",", 1)[1] for line in lines], r"Kaggle's test\.csv has no labels"),
        (lambda lines: [line.split(",", 1)[1] for line in lines[1:]], r"Kaggle's test\.csv has no labels"),
        (lambda lines: [line.replace(",", ";") for line in lines], "found 1: separate the fields by commas"),
        (lambda lines: lines[:1], "found a header alone"),
        (lambda lines: [], "found an empty file"),
    ],
)
def test_any_other_table_is_refused_in_one_line_that_names_the_row(
    tmp_path: Path, mnist: Dataset, spoil: Callable[[list[str]], list[str]], message: str
) -> None:
    path = write(tmp_path / "a.csv", spoil([HEADER, *rows(mnist, 20)]))
    with pytest.raises(DataError, match=message) as caught:
        import_csv(path, tmp_path / "set")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "set").exists()

"""Runs are kept as they end and found again, unless they were made otherwise than today."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digitlab.errors import UserError
from digitlab.speed.book import Book

HERE = {"cpu": "one of ours", "keras": "3.15.1"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results" / "training.json"


def seconds(book: Book, key: str) -> dict[int, float]:
    return {run["number"]: run["seconds"] for run in book.runs(key)}


def test_runs_are_found_again_after_the_process_has_ended(path: Path) -> None:
    book = Book(path, HERE)
    book.add("fast", "a", 1, {"seconds": 2.5})
    book.add("fast", "a", 0, {"seconds": 2.0})
    again = Book(path, HERE)
    assert seconds(again, "a") == {0: 2.0, 1: 2.5}
    assert (again.has("a", 1), again.has("a", 2), again.has("b", 1)) == (True, False, False)


def test_runs_of_another_machine_stay_in_the_file_but_do_not_count(path: Path) -> None:
    Book(path, HERE | {"cpu": "another"}).add("fast", "a", 0, {"seconds": 9.0})
    book = Book(path, HERE)
    assert not book.has("a", 0)
    book.add("fast", "a", 0, {"seconds": 2.0})
    assert seconds(Book(path, HERE | {"cpu": "another"}), "a") == {0: 9.0}
    assert seconds(Book(path, HERE), "a") == {0: 2.0}


def test_runs_of_other_settings_of_one_name_stay_apart(path: Path) -> None:
    book = Book(path, HERE)
    book.add("fast", "old", 0, {"seconds": 3.0})
    book.add("fast", "new", 0, {"seconds": 2.0})
    assert (seconds(book, "old"), seconds(book, "new")) == ({0: 3.0}, {0: 2.0})


def test_a_run_says_when_it_ended(path: Path) -> None:
    book = Book(path, HERE)
    book.add("fast", "a", 0, {"seconds": 3.0})
    (run,) = book.runs("a")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(run["ended"])) < timedelta(minutes=1)


def test_a_run_made_again_takes_the_place_of_the_first(path: Path) -> None:
    book = Book(path, HERE)
    book.add("fast", "a", 0, {"seconds": 3.0})
    book.add("fast", "a", 0, {"seconds": 2.0})
    assert len(json.loads(path.read_text())["runs"]) == 1
    assert seconds(book, "a") == {0: 2.0}


def test_the_table_stands_before_the_runs_and_as_csv_beside_them(path: Path) -> None:
    book = Book(path, HERE)
    book.add("fast", "a", 0, {"seconds": 3.0})
    book.summarize([{"contestant": "fast", "n": 1}, {"contestant": "peer", "note": "x, y"}], skipped=[])
    values = json.loads(path.read_text())
    assert list(values) == ["environment", "rows", "skipped", "runs"]
    assert values["environment"] == HERE
    with path.with_suffix(".csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[1] == {"contestant": "peer", "n": "", "note": "x, y"} | HERE


def test_a_further_run_leaves_the_table_as_it_is(path: Path) -> None:
    book = Book(path, HERE)
    book.add("fast", "a", 0, {"seconds": 3.0})
    book.summarize([{"contestant": "fast", "n": 1}])
    Book(path, HERE | {"cpu": "another"}).add("fast", "a", 1, {"seconds": 2.0})
    values = json.loads(path.read_text())
    assert (values["environment"], values["rows"]) == (HERE, [{"contestant": "fast", "n": 1}])
    assert len(values["runs"]) == 2


@pytest.mark.parametrize("text", ["", "[]", '{"runs": [1]}', '{"runs": [{"key": "a"}]}', "{"])
def test_a_file_of_something_else_is_refused_and_left_alone(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(UserError, match="expected runs that digitlab bench has kept"):
        Book(path, HERE)
    assert path.read_text() == text

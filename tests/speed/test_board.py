"""The board makes the runs that are missing, side by side, and keeps each as it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from recorded_runs import printing, run_of

from digitlab.data import load
from digitlab.errors import DigitlabError
from digitlab.speed.board import THREADS, Seeds, digits_file, run_board
from digitlab.speed.book import Book
from digitlab.speed.contestants import Contestant

SEEDS = Seeds(ours=4, quick_peers=4, slow_peers=2)


@contextmanager
def silent(name: str, parts: int) -> Iterator[Callable[[str], None]]:
    yield lambda part: None


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    path = tmp_path / "diary"
    path.touch()
    return path


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "training.json", {"cpu": "this one"})


def test_runs_take_turns_and_slow_peers_are_spread_over_the_whole(diary: Path, book: Book) -> None:
    contestants = [
        printing("ours", [(1, 100.0, 0.99)], diary),
        printing("quick", [(1, 59.0, 0.98)], diary, published=0.98),
        printing("slow", [(1, 30.0, 0.98), (2, 61.0, 0.99)], diary, published=0.99),
    ]
    run_board(contestants, book, SEEDS, silent)
    lines = [line.split() for line in diary.read_text().splitlines()]
    assert lines[:3] == [["ours", "0"], ["quick", "0"], ["slow", "0"]]
    assert [name for name, _ in lines[3:]] == ["ours", "quick", "ours", "quick", "slow", "ours", "quick"]
    assert [run["number"] for run in book.runs("key of ours")] == [0, 1, 2, 3]
    assert [run["number"] for run in book.runs("key of slow")] == [0, 1]


def test_a_board_goes_on_where_it_stopped(diary: Path, book: Book, tmp_path: Path) -> None:
    contestants = [printing(name, [(1, 1.0, 0.99)], diary) for name in ("one", "two")]
    run_board(contestants, book, Seeds(2, 2, 2), silent)
    before = diary.read_text()
    run_board(contestants, Book(book.path, book.environment), Seeds(3, 3, 3), silent)
    assert diary.read_text().removeprefix(before).splitlines() == ["one 2", "two 2"]


def test_a_run_that_fails_ends_the_board_with_its_last_line_and_loses_nothing(
    diary: Path, book: Book
) -> None:
    code = "import sys; print('warming up', file=sys.stderr); sys.exit('no such processor')"
    broken = Contestant("broken", "b", (sys.executable, "-c", code), 0.99)
    with pytest.raises(DigitlabError, match="broken, seed 0: exit code 1; it said: no such processor"):
        run_board([printing("ours", [(1, 1.0, 0.99)], diary), broken], book, SEEDS, silent)
    assert Book(book.path, book.environment).has("key of ours", 0)


def test_a_contestant_whose_python_is_gone_is_a_line(book: Book) -> None:
    gone = Contestant("gone", "g", ("/no/such/python", "script.py"))
    with pytest.raises(DigitlabError, match="gone: /no/such/python: No such file or directory"):
        run_board([gone], book, SEEDS, silent)


def test_variables_that_limit_some_libraries_threads_do_not_reach_a_contestant(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in THREADS:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    code = (
        "import json, os\n"
        f"said = {run_of([(1, 1.0, 0.99)])!r}\n"
        "print(json.dumps(said | {'versions': dict(os.environ)}))"
    )
    run_board([Contestant("ours", "o", (sys.executable, "-c", code))], book, Seeds(1, 1, 1), silent)
    (run,) = book.runs("o")
    assert not THREADS & set(run["versions"])
    assert run["versions"]["KERAS_BACKEND"] == "tensorflow"


@pytest.mark.parametrize("printed", ["", "ready", "[]", '{"epochs": []}'])
def test_a_contestant_that_prints_something_else_is_a_failure(printed: str, book: Book) -> None:
    other = Contestant("other", "o", (sys.executable, "-c", f"print({printed!r})"))
    with pytest.raises(DigitlabError, match="other, seed 0: "):
        run_board([other], book, SEEDS, silent)
    assert not book.path.exists()


def test_peers_read_the_digits_that_ours_are_trained_on() -> None:
    mnist = load("mnist")
    with digits_file() as path, np.load(path) as arrays:
        assert sorted(arrays) == ["x_test", "x_train", "y_test", "y_train"]
        assert (arrays["x_train"] == mnist.x_train).all()
        assert (arrays["y_test"] == mnist.y_test).all()
    assert not path.exists()

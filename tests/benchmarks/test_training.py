"""The benchmark makes the runs that are missing, side by side, and saves each as it ends."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from run_log import RunLog
from training import THREADS, Seeds, digits_file, make_runs
from training_cases import TrainingCase

from digitlab.errors import DigitlabError
from real_digits import read_mnist
from recorded_runs import printing, run_of

SEEDS = Seeds(ours=4, quick_peers=4, slow_peers=2)


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    path = tmp_path / "diary"
    path.touch()
    return path


@pytest.fixture
def log(tmp_path: Path) -> RunLog:
    return RunLog(tmp_path / "training.json", {"cpu": "this one"})


def test_runs_take_turns_and_slow_peers_are_spread_over_the_whole(diary: Path, log: RunLog) -> None:
    cases = [
        printing("ours", [(1, 100.0, 0.99)], diary),
        printing("quick", [(1, 59.0, 0.98)], diary, published=0.98),
        printing("slow", [(1, 30.0, 0.98), (2, 61.0, 0.99)], diary, published=0.99),
    ]
    make_runs(cases, log, SEEDS)
    lines = [line.split() for line in diary.read_text().splitlines()]
    assert lines[:3] == [["ours", "0"], ["quick", "0"], ["slow", "0"]]
    assert [name for name, _ in lines[3:]] == ["ours", "quick", "ours", "quick", "slow", "ours", "quick"]
    assert [run["number"] for run in log.runs(cases[0])] == [0, 1, 2, 3]
    assert [run["number"] for run in log.runs(cases[2])] == [0, 1]


def test_a_benchmark_goes_on_where_it_stopped(diary: Path, log: RunLog, tmp_path: Path) -> None:
    cases = [printing(name, [(1, 1.0, 0.99)], diary) for name in ("one", "two")]
    make_runs(cases, log, Seeds(2, 2, 2))
    before = diary.read_text()
    make_runs(cases, RunLog(log.path, log.environment), Seeds(3, 3, 3))
    assert diary.read_text().removeprefix(before).splitlines() == ["one 2", "two 2"]


def test_a_run_that_fails_ends_the_benchmark_with_its_last_line_and_loses_nothing(
    diary: Path, log: RunLog
) -> None:
    code = "import sys; print('warming up', file=sys.stderr); sys.exit('no such processor')"
    broken = TrainingCase("broken", "b", (sys.executable, "-c", code), 0.99)
    ours = printing("ours", [(1, 1.0, 0.99)], diary)
    with pytest.raises(DigitlabError, match="broken, seed 0: exit code 1; it printed: no such processor"):
        make_runs([ours, broken], log, SEEDS)
    assert RunLog(log.path, log.environment).has(ours, 0)


def test_a_program_whose_python_is_gone_is_a_line(log: RunLog) -> None:
    gone = TrainingCase("gone", "g", ("/no/such/python", "script.py"))
    with pytest.raises(DigitlabError, match="gone, seed 0: /no/such/python: No such file or directory"):
        make_runs([gone], log, SEEDS)


def test_variables_that_limit_some_libraries_threads_do_not_reach_a_program(
    log: RunLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in THREADS:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    code = (
        "import json, os\n"
        f"said = {run_of([(1, 1.0, 0.99)])!r}\n"
        "print(json.dumps(said | {'versions': dict(os.environ)}))"
    )
    ours = TrainingCase("ours", "o", (sys.executable, "-c", code))
    make_runs([ours], log, Seeds(1, 1, 1))
    (run,) = log.runs(ours)
    assert not THREADS & set(run["versions"])
    assert run["versions"]["KERAS_BACKEND"] == "tensorflow"


@pytest.mark.parametrize("printed", ["", "ready", "[]", '{"epochs": []}'])
def test_a_program_that_prints_something_else_is_a_failure(printed: str, log: RunLog) -> None:
    other = TrainingCase("other", "o", (sys.executable, "-c", f"print({printed!r})"))
    with pytest.raises(DigitlabError, match="other, seed 0: expected a JSON object with import_seconds, "):
        make_runs([other], log, SEEDS)
    assert not log.path.exists()


def test_peers_read_the_digits_that_ours_are_trained_on() -> None:
    mnist = read_mnist()
    with digits_file() as path, np.load(path) as arrays:
        assert sorted(arrays) == ["x_test", "x_train", "y_test", "y_train"]
        assert (arrays["x_train"] == mnist.x_train).all()
        assert (arrays["y_test"] == mnist.y_test).all()
    assert not path.exists()

"""Runs are kept as they end and found again, unless they were made otherwise than today."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from case import Case
from run_log import RunLog

from digitlab.errors import UserError

HERE = {"cpu": "one of ours", "keras": "3.15.1"}
FAST = Case("fast", "a", ())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results" / "training.json"


def seconds(log: RunLog, case: Case) -> dict[int, float]:
    return {run["number"]: run["seconds"] for run in log.runs(case)}


def test_runs_are_found_again_after_the_process_has_ended(path: Path) -> None:
    log = RunLog(path, HERE)
    log.add(FAST, 1, {"seconds": 2.5})
    log.add(FAST, 0, {"seconds": 2.0})
    again = RunLog(path, HERE)
    assert seconds(again, FAST) == {0: 2.0, 1: 2.5}
    assert (again.has(FAST, 1), again.has(FAST, 2), again.has(Case("peer", "b", ()), 1)) == (
        True,
        False,
        False,
    )


def test_runs_of_another_machine_stay_in_the_file_but_do_not_count(path: Path) -> None:
    RunLog(path, HERE | {"cpu": "another"}).add(FAST, 0, {"seconds": 9.0})
    log = RunLog(path, HERE)
    assert not log.has(FAST, 0)
    log.add(FAST, 0, {"seconds": 2.0})
    assert seconds(RunLog(path, HERE | {"cpu": "another"}), FAST) == {0: 9.0}
    assert seconds(RunLog(path, HERE), FAST) == {0: 2.0}


def test_runs_of_other_settings_of_one_name_stay_apart(path: Path) -> None:
    log = RunLog(path, HERE)
    old, new = Case("fast", "old", ()), Case("fast", "new", ())
    log.add(old, 0, {"seconds": 3.0})
    log.add(new, 0, {"seconds": 2.0})
    assert (seconds(log, old), seconds(log, new)) == ({0: 3.0}, {0: 2.0})


def test_a_run_says_when_it_ended(path: Path) -> None:
    log = RunLog(path, HERE)
    log.add(FAST, 0, {"seconds": 3.0})
    (run,) = log.runs(FAST)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(run["ended"])) < timedelta(minutes=1)


def test_a_run_made_again_takes_the_place_of_the_first(path: Path) -> None:
    log = RunLog(path, HERE)
    log.add(FAST, 0, {"seconds": 3.0})
    log.add(FAST, 0, {"seconds": 2.0})
    assert len(json.loads(path.read_text())["runs"]) == 1
    assert seconds(log, FAST) == {0: 2.0}


def test_the_table_stands_before_the_runs_and_as_csv_beside_them(path: Path) -> None:
    log = RunLog(path, HERE)
    log.add(FAST, 0, {"seconds": 3.0})
    log.summarize([{"contestant": "fast", "n": 1}, {"contestant": "peer", "note": "x, y"}], skipped=[])
    values = json.loads(path.read_text())
    assert list(values) == ["environment", "rows", "skipped", "runs"]
    assert values["environment"] == HERE
    with path.with_suffix(".csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[1] == {"contestant": "peer", "n": "", "note": "x, y"} | HERE


def test_a_further_run_leaves_the_table_as_it_is(path: Path) -> None:
    log = RunLog(path, HERE)
    log.add(FAST, 0, {"seconds": 3.0})
    log.summarize([{"contestant": "fast", "n": 1}])
    RunLog(path, HERE | {"cpu": "another"}).add(FAST, 1, {"seconds": 2.0})
    values = json.loads(path.read_text())
    assert (values["environment"], values["rows"]) == (HERE, [{"contestant": "fast", "n": 1}])
    assert len(values["runs"]) == 2


@pytest.mark.parametrize("text", ["", "[]", '{"runs": [1]}', '{"runs": [{"key": "a"}]}', "{"])
def test_a_file_of_something_else_is_refused_and_left_alone(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(UserError, match="expected runs of a benchmark"):
        RunLog(path, HERE)
    assert path.read_text() == text

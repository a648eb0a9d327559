"""Thirty kills of one study: `digitlab study run`, killed at random moments until it is done."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from digitlab.results import Store
from digitlab.spec import Axis, Plan
from digitlab.studies import plan_study, read_table, run_study
from small_study import small_study, write_digits

pytestmark = pytest.mark.slow

KILLS = 30
LONGEST = 10.0  # seconds until a kill: before, while and after TensorFlow starts, and in the trainings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "digits").mkdir()
    write_digits(tmp_path / "digits")
    widths = Axis(path="model.hidden.0", values=tuple(range(4, 24)))
    study = small_study(tmp_path / "digits", axes=(widths,), seeds=3, overrides={"training.epochs": 50})
    (tmp_path / "study.toml").write_text(study.to_toml())
    return tmp_path


def start(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "digitlab", "study", "run", "study.toml", "--no-report"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kept(store: Path) -> dict[str, tuple]:
    """When each finished trial was finished, and what it gave."""
    if not store.exists():
        return {}
    with closing(sqlite3.connect(store)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not database.execute("SELECT 1 FROM sqlite_master").fetchone():
            return {}  # killed as it made the file
        rows = database.execute("SELECT id, changed, result FROM trials WHERE status = 'done'")
        return {trial: tuple(rest) for trial, *rest in rows}


def answers(plan: Plan, store: Path) -> list:
    """The table without times, and every trial's predictions."""
    with Store(store, create=False) as opened:
        table = read_table(plan, opened)
        assert table.complete
        rows = [row.to_values() | {"train_seconds": None} for row in table.rows]
        return [rows, [classes.tolist() for classes in opened.predictions(plan.trials).values()]]


def test_thirty_kills_lose_nothing_repeat_nothing_and_change_no_figure(folder: Path) -> None:
    store = folder / "digitlab-results" / "store.sqlite"
    plan = plan_study(str(folder / "study.toml"))
    chance, before = random.Random(2026), {}
    for _ in range(KILLS):
        with start(folder) as process:
            time.sleep(chance.uniform(0, LONGEST))
            process.kill()
        now = kept(store)
        assert now.items() >= before.items()  # what was finished is there, unchanged, with its own time
        before = now
    with start(folder) as process:
        assert process.wait(timeout=300) == 0
    assert kept(store).items() >= before.items()

    run_study(str(folder / "study.toml"), store=folder / "whole.sqlite")
    assert answers(plan, store) == answers(plan, folder / "whole.sqlite")

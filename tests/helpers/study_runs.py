"""Studies that run in a process of their own, and what they leave in their store."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import study_driver
from digitlab.results.store import Store
from digitlab.spec import Plan


@contextmanager
def driver(mode: str, digits: Path, store: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that runs a study, and is killed at the end if it has not ended."""
    command = [sys.executable, study_driver.__file__, mode, digits, store]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0) as process:
        try:
            yield process
        finally:
            process.kill()


def await_line(process: subprocess.Popen[str], expected: str) -> None:
    """Wait until a driver tells of something."""
    assert process.stdout is not None
    assert any(line.split()[0] == expected for line in process.stdout)


def done_rows(store: Path) -> dict[str, tuple[Any, ...]]:
    """Everything that the store has of the trials that are done."""
    with closing(sqlite3.connect(store)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = database.execute("SELECT * FROM trials WHERE status = 'done'").fetchall()
        predictions = database.execute("SELECT * FROM predictions ORDER BY trial, epoch").fetchall()
    return {row[0]: (row, [each for each in predictions if each[0] == row[0]]) for row in rows}


def states(store: Path, plan: Plan) -> list[str]:
    """What the store knows of each trial of a plan."""
    with Store(store, create=False) as opened:
        known = opened.statuses(trial.id for trial in plan.trials)
    return [known[trial.id].state if trial.id in known else "unknown" for trial in plan.trials]

"""What a report is made of is read from the store in a few statements, however many trials there are."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from digitlab.data import load
from digitlab.report import read_material
from digitlab.results import Store
from digitlab.spec import Axis
from digitlab.spec.plan import minimal_runs
from digitlab.studies import plan_study
from small_study import pretend, small_study, write_digits


def test_twenty_trials_are_read_in_five_statements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_digits(tmp_path)
    epochs = Axis(path="training.epochs", values=(1, 2, 3, 4))
    plan = plan_study(small_study(tmp_path, axes=(epochs,), seeds=5))
    assert len(plan.trials) == 20
    with Store(tmp_path / "store.sqlite") as store:
        for trial in minimal_runs(plan.trials):
            store.finish(pretend(trial, lambda _: None))
    statements: list[str] = []

    class Traced(sqlite3.Connection):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.set_trace_callback(statements.append)

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Traced))
    with Store(tmp_path / "store.sqlite", create=False) as store:
        statements.clear()
        material = read_material(plan, store, load(tmp_path))
    assert len(material.predictions) == len(material.results) == 20
    assert len(statements) == 5, statements

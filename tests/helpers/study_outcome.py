"""What a study came to, and what was trained for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from digitlab.results.store import Store
from digitlab.spec import Plan, Trial
from digitlab.studies import read_table
from digitlab.studies.observers import Observer
from small_study import of_epochs

CLOCKED = {"seconds", "build_seconds", "train_seconds", "environment"}
"""What may differ between two runs of the same trial."""


class Counter(Observer):
    """Counts how often each trial was started."""

    def __init__(self) -> None:
        self.starts: dict[str, int] = {}

    def started(self, trial: Trial) -> None:
        self.starts[trial.id] = self.starts.get(trial.id, 0) + 1


def timeless(values: Any) -> Any:
    """Leave out of plain values what the clock and the machine put there."""
    if isinstance(values, Mapping):
        return {name: timeless(value) for name, value in values.items() if name not in CLOCKED}
    return [timeless(value) for value in values] if isinstance(values, list) else values


def outcome(store: Path, plan: Plan) -> list[Any]:
    """The table of a complete study, and each trial's history, scores and predictions, without times."""
    with Store(store, create=False) as opened:
        table = read_table(plan, opened)
        assert table.complete
        results = opened.results(plan.trials)
        trials = [timeless(results[trial.id].to_values()) for trial in plan.trials]
        at_checkpoints = [of_epochs(trial, epoch) for trial in plan.trials for epoch in trial.checkpoints]
        predictions = [classes.tolist() for classes in opened.predictions(at_checkpoints).values()]
    return [[timeless(row.to_values()) for row in table.rows], trials, predictions]

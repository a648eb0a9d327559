"""A study as the pages show it, read from the store while it may be running."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from digitlab.models.costs import epoch_work
from digitlab.results.record import Result
from digitlab.results.store import Status, Store
from digitlab.spec.plan import Cell, Plan, minimal_runs
from digitlab.spec.trial import Trial

State = Literal["new", "running", "paused", "finished"]


@dataclass(eq=False)
class StudyView:
    """A study's plan, with the results and states of its trials in the store; each result is read once.

    Attributes:
        plan: plan of the study's last run.
        results: results of the trials that are done, by trial id.
        statuses: statuses of the trials that were started and are not done, by trial id.
        taken: whether a runner works on the study.
    """

    plan: Plan
    results: dict[str, Result] = field(default_factory=dict)
    statuses: dict[str, Status] = field(default_factory=dict)
    taken: bool = False

    def refresh(self, store: Store) -> None:
        """Read what has changed in the store; other threads may be reading this view."""
        missing = [trial for trial in self.plan.trials if trial.id not in self.results]
        # Before the results: a trial that is done by now has one.
        statuses = store.statuses([trial.id for trial in missing])
        self.results = self.results | store.results(missing)
        self.statuses = {trial: status for trial, status in statuses.items() if trial not in self.results}
        self.taken = any(status.state == "running" for status in self.statuses.values()) and store.is_locked()

    def in_state(self, state: str) -> int:
        """Count the trials in a state other than done."""
        return sum(status.state == state for status in self.statuses.values())

    @property
    def state(self) -> State:
        """The state of the study; a failed trial counts as ended."""
        if self.taken:
            return "running"
        over = len(self.results) + self.in_state("failed")
        return "finished" if over == len(self.plan.trials) else "paused"

    def counts(self) -> dict[str, int]:
        """Count the trials that are done, that failed, and all."""
        done, failed = len(self.results), self.in_state("failed")
        return {"done": done, "failed": failed, "total": len(self.plan.trials)}

    def progress(self) -> dict[str, Any]:
        """Return the progress of the study, as plain values."""
        return {
            "state": self.state,
            **self.counts(),
            "best": self.best(),
            "seconds_left": self.seconds_left(),
            "curves": self.curves(),
        }

    def best(self) -> dict[str, Any] | None:
        """Return the trial that is best on validation (None: none is done); the test set does not choose."""
        places = {trial.id: (cell, trial) for cell, trial in self._cells}
        done = [(result.final_validation.accuracy, key) for key, result in self.results.items()]
        if not done:
            return None
        accuracy, key = max(done)
        cell, trial = places[key]
        test = self.results[key].final_test.accuracy
        levels = self.levels(cell)
        return {"levels": levels, "seed": trial.seed, "validation_accuracy": accuracy, "test_accuracy": test}

    def levels(self, cell: Cell) -> dict[str, Any]:
        """Return the levels of a cell, by the titles of their axes."""
        return {axis.title: level for axis, level in zip(self.plan.study.axes, cell.levels, strict=True)}

    def curves(self) -> list[dict[str, Any]]:
        """Return each cell's validation error by epoch in percent, the mean over the seeds that are done."""
        curves = []
        for cell in self.plan.cells:
            done = [self.results[trial.id].history for trial in cell.trials if trial.id in self.results]
            epochs = zip(*done, strict=False)
            means = [
                round(100 * math.fsum(1 - record.validation_accuracy for record in records) / len(records), 4)
                for records in epochs
            ]
            curves.append({"label": cell.label, "seeds": len(done), "validation_error_percent": means})
        return curves

    def seconds_left(self) -> float | None:
        """Estimate the seconds left from the trials that are done (None: none is)."""
        if not self.results:
            return None
        spent = math.fsum(result.train_seconds + result.build_seconds for result in self.results.values())
        pace = spent / math.fsum(_work(result.trial) for result in self.results.values())
        # A longer training passes through the shorter ones of its family, which take no time of their own.
        rest = minimal_runs(trial for trial in self.plan.trials if self._is_left(trial))
        return pace * math.fsum(map(_work, rest)) / max(1, self.in_state("running"))

    def _is_left(self, trial: Trial) -> bool:
        status = self.statuses.get(trial.id)
        return trial.id not in self.results and (status is None or status.state != "failed")

    @cached_property
    def _cells(self) -> Sequence[tuple[Cell, Trial]]:
        return [(cell, trial) for cell in self.plan.cells for trial in cell.trials]

    def trials(self) -> list[dict[str, Any]]:
        """Return all trials, as plain values."""
        return [self._trial(cell, trial) for cell, trial in self._cells]

    def ended(self, known: Mapping[str, str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield the trials that have ended: id, state, and plain values with their histories.

        Args:
            known: states by trial id; trials still in these states are left out.
        """
        for cell, trial in self._cells:
            values = self._trial(cell, trial)
            state = values["state"]
            if state in ("done", "failed") and known.get(trial.id) != state:
                result = self.results.get(trial.id)
                yield trial.id, state, values | ({"history": _history(result)} if result else {})

    def _trial(self, cell: Cell, trial: Trial) -> dict[str, Any]:
        result = self.results.get(trial.id)
        status = self.statuses.get(trial.id, Status("waiting", ""))
        return {
            "id": trial.id,
            "levels": self.levels(cell),
            "seed": trial.seed,
            "state": "done" if result else status.state,
            "accuracy": result.final_test.accuracy if result else None,
            "epochs": trial.training.epochs,
            "seconds": result.train_seconds if result else None,
            "reason": status.reason,
        }


def _work(trial: Trial) -> float:
    return epoch_work(trial) * trial.training.epochs


def _history(result: Result) -> dict[str, list[float]]:
    return {
        "validation_accuracy": [record.validation_accuracy for record in result.history],
        "validation_loss": [record.validation_log_loss for record in result.history],
        "loss": [record.loss for record in result.history],
    }

"""An executor that only pretends to train, and what the tests of the runner ask of it and of the store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from digitlab.errors import TrainingError
from digitlab.results.record import EpochRecord, Result
from digitlab.results.store import Store
from digitlab.spec import Plan, Trial
from digitlab.studies import InlineExecutor, run_plans
from digitlab.studies.executors.base import Event, Task, nothing
from digitlab.studies.observers import Observer, RunOptions
from small_study import pretend

REASON = "the loss became nan in epoch 1"


class Pretender:
    """Pretends to train each trial; fulfils `Executor`.

    Args:
        stop_at: position of the trial that is interrupted after its first epoch.
        stop_with: what interrupts it.
        failing: ids of trials that cannot be trained.
    """

    def __init__(
        self,
        *,
        stop_at: int | None = None,
        stop_with: type[BaseException] = KeyboardInterrupt,
        failing: Collection[str] = (),
    ) -> None:
        self.stop_at = stop_at
        self.stop_with = stop_with
        self.failing = failing
        self.begun: list[Trial] = []

    def run(
        self,
        task: Task,
        items: Sequence[Any],
        on_event: Callable[[Event], None],
        on_wait: Callable[[], None] = nothing,
    ) -> None:
        InlineExecutor().run(self._pretend, items, on_event, on_wait)

    def _pretend(self, trial: Trial, report: Callable[[EpochRecord], None]) -> Result:
        self.begun.append(trial)

        def report_or_stop(record: EpochRecord) -> None:
            report(record)
            if len(self.begun) - 1 == self.stop_at:
                raise self.stop_with

        if trial.id in self.failing:
            raise TrainingError(REASON)
        return pretend(trial, report_or_stop)


class Listener(Observer):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def planned(self, done: Sequence[Trial], failed: Sequence[Trial], todo: Sequence[Trial]) -> None:
        self.told.append(("planned", len(done), len(failed), len(todo)))

    def started(self, trial: Trial) -> None:
        self.told.append(("started", trial.id))

    def epoch(self, trial: Trial, record: EpochRecord) -> None:
        self.told.append(("epoch", trial.id, record.epoch))

    def finished(self, trial: Trial, result: Result) -> None:
        assert result.trial == trial
        self.told.append(("finished", trial.id))

    def failed(self, trial: Trial, reason: str) -> None:
        self.told.append(("failed", trial.id, reason))


def trained_by(plans: Plan | Sequence[Plan], store: Store, **settings: Any) -> tuple[Trial, ...]:
    """Run plans to their end and tell which trials were trained for them.

    Args:
        settings: `RunOptions`; `failing` are ids of trials that cannot be trained.
    """
    executor = Pretender(failing=settings.pop("failing", ()))
    run_plans(
        [plans] if isinstance(plans, Plan) else plans, store, executor, Observer(), RunOptions(**settings)
    )
    return tuple(executor.begun)


def states(trials: Iterable[Trial], store: Store) -> list[str]:
    """What the store knows of each trial."""
    asked = list(trials)
    known = store.statuses(trial.id for trial in asked)
    return [known[trial.id].state if trial.id in known else "unknown" for trial in asked]

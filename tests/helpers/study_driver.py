"""A process that runs the small study, to be killed from outside.

Usage: study_driver.py MODE DIGITS STORE, where MODE is one of
    hold       train in two processes, and wait for the end once the first result is in the store
    inline     train in this process
    pretend    run the long study in two processes that only pretend to train
    ray        run the long study on a Ray cluster of one's own, likewise
    ADDRESS    run the long study on that Ray cluster, likewise
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import study_tasks
from digitlab.results.record import Result
from digitlab.results.store import Store
from digitlab.spec import Axis, Study, Trial
from digitlab.studies import Executor, InlineExecutor, ProcessExecutor, plan_study, run_plans
from digitlab.studies.executors.base import Event, Task, nothing
from digitlab.studies.observers import Observer
from small_study import small_study


def trained_study(digits: Path) -> Study:
    """Of trials long enough to be killed in their middle."""
    return small_study(digits, overrides={"training.epochs": 20})


def long_study(digits: Path) -> Study:
    return small_study(digits, axes=(Axis(path="model.hidden.0", values=(8, 16, 32, 64)),), seeds=8)


class PretendingExecutor:
    """An executor that only pretends to train; fulfils `Executor`."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor

    def run(
        self,
        task: Task,
        items: Sequence[Any],
        on_event: Callable[[Event], None],
        on_wait: Callable[[], None] = nothing,
    ) -> None:
        self.executor.run(study_tasks.pretend_slowly, items, on_event, on_wait)


class Teller(Observer):
    """Says on stdout what it is told.

    Args:
        hold: wait for the end once a trial is finished.
    """

    def __init__(self, hold: bool) -> None:
        self.hold = hold

    def started(self, trial: Trial) -> None:
        print("started", trial.id, flush=True)

    def finished(self, trial: Trial, result: Result) -> None:
        print("finished", trial.id, flush=True)
        if self.hold:
            time.sleep(600)


def main(mode: str, digits: Path, store: Path) -> None:
    match mode:
        case "hold":
            study, executor = trained_study(digits), ProcessExecutor(2)
        case "inline":
            study, executor = trained_study(digits), InlineExecutor()
        case "pretend":
            study, executor = long_study(digits), PretendingExecutor(ProcessExecutor(2))
        case _:
            from digitlab.studies import RayExecutor

            address = None if mode == "ray" else mode
            study, executor = long_study(digits), PretendingExecutor(RayExecutor(address))
    with Store(store) as opened:
        run_plans([plan_study(study)], opened, executor, Teller(hold=mode == "hold"))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))

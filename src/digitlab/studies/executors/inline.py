"""The executor that runs tasks in this process, one item after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from digitlab.studies.executors.base import (
    Done,
    Event,
    Failed,
    Progress,
    Started,
    Task,
    nothing,
    reason_of,
)


class InlineExecutor:
    """Runs every task in the caller's process; fulfils `Executor` except for the death of a worker."""

    def run(
        self,
        task: Task,
        items: Sequence[Any],
        on_event: Callable[[Event], None],
        on_wait: Callable[[], None] = nothing,
    ) -> None:
        """Run the task on all items and wait for the end."""
        for index, item in enumerate(items):
            on_event(Started(index))
            on_wait()
            on_event(_outcome(task, index, item, on_event))
            on_wait()


def _outcome(task: Task, index: int, item: Any, on_event: Callable[[Event], None]) -> Done | Failed:
    consumer_errors: list[Exception] = []

    def report(what: Any) -> None:
        try:
            on_event(Progress(index, what))
        except Exception as error:
            consumer_errors.append(error)
            raise

    outcome: Done | Failed
    try:
        outcome = Done(index, task(item, report))
    except Exception as error:
        outcome = Failed(index, reason_of(error))
    if consumer_errors:  # the caller's own failure, and not the task's, even where the task hid it
        raise consumer_errors[0]
    return outcome

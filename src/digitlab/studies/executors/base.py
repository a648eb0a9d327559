"""The interface of executors, and how tasks and outcomes are sent between processes."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from digitlab.errors import DigitlabError

ATTEMPTS = 2
"""Number of attempts for an item whose worker dies."""

Task = Callable[[Any, Callable[[Any], None]], Any]
"""Function that is called with an item and a function that reports progress; returns the item's value.

It is sent to each worker once, and the items one by one, so data that all items need is part of the task.
"""


@dataclass(frozen=True)
class Started:
    """Work on an item has started; sent again if the item is retried."""

    index: int


@dataclass(frozen=True)
class Progress:
    """The task reported progress on an item."""

    index: int
    report: Any


@dataclass(frozen=True)
class Done:
    """An item is finished."""

    index: int
    value: Any


@dataclass(frozen=True)
class Failed:
    """An item has failed, with the reason in one line."""

    index: int
    reason: str


Event = Started | Progress | Done | Failed


def nothing() -> None:
    """Do nothing before waiting."""


class Executor(Protocol):
    """Runs a task on every item.

    Laws:
        - Each item ends in exactly one `Done` or `Failed`, with at least one `Started` before it.
        - An exception in a task makes its item `Failed`, and the other items go on. The same holds for an
          item, report or value that cannot be pickled where it has to be.
        - A worker that dies costs only its item, which is retried once and then `Failed`; items whose
          computer is lost are retried until they end. A task that ends its process (`SystemExit` and the
          like) counts as such a death; in the caller's own process it ends the run.
        - `on_event` is called in the caller's thread, one event at a time. An exception in it ends the
          run, and so does Ctrl-C. Nothing that was started for a run outlives it, however it ends.
    """

    def run(
        self,
        task: Task,
        items: Sequence[Any],
        on_event: Callable[[Event], None],
        on_wait: Callable[[], None] = nothing,
    ) -> None:
        """Run the task on all items and wait for the end.

        Args:
            task: function to run; it must be picklable, and so must its items, reports and values.
            items: items that the task is called with; events refer to them by index.
            on_event: function that is called with each event as it happens.
            on_wait: function that is called before waiting for workers: all that has come by then was passed
                on.
        """
        ...


def reason_of(error: BaseException) -> str:
    """Return in one line why a task failed."""
    text = " ".join(str(error).split())
    if isinstance(error, DigitlabError):
        return text
    return f"{type(error).__name__}: {text}".removesuffix(": ")[:500]


def fail_all(items: Sequence[Any], on_event: Callable[[Event], None], error: Exception) -> None:
    """Report all items as failed because the task cannot be sent."""
    for index in range(len(items)):
        fail_unsent(index, on_event, error)


def fail_unsent(index: int, on_event: Callable[[Event], None], error: Exception) -> None:
    """Report an item as failed because it cannot be sent."""
    on_event(Started(index))
    on_event(Failed(index, reason_of(error)))


class PickledTask:
    """A pickled task in a worker: loaded when it is first needed, and kept for all further items.

    Args:
        message: the pickled task.
        buffers: out-of-band buffers of pickle protocol 5, in their order.
    """

    def __init__(self, message: bytes, buffers: Sequence[Any] = ()) -> None:
        self._pickled: tuple[bytes, Sequence[Any]] | None = (message, buffers)
        self._task: Task | None = None

    def task(self) -> Task:
        """Return the task; if it cannot be loaded, each call raises the error."""
        if self._pickled is not None:
            message, buffers = self._pickled
            self._task = pickle.loads(message, buffers=buffers)
            self._pickled = None  # it may hold a whole data set
        assert self._task is not None
        return self._task

    def perform(self, item: bytes, report: Callable[[Any], None]) -> bytes:
        """Run the task on a pickled item.

        Returns:
            The pickled outcome, for `event_of`.
        """
        try:
            value = self.task()(pickle.loads(item), report)
            return pickle.dumps((Done, value))
        except Exception as error:  # raised by the task, or by pickling its value
            return pickle.dumps((Failed, reason_of(error)))


def event_of(index: int, message: bytes) -> Event:
    """Return the event of an item from a worker's message: a pickled event class and its content."""
    kind, content = pickle.loads(message)
    return kind(index, content)

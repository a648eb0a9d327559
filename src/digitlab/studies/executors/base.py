"""What runs tasks: the interface that every executor fulfils, and how tasks and outcomes travel."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from digitlab.errors import DigitlabError

ATTEMPTS = 2
"""How often an item is tried whose worker dies."""

Task = Callable[[Any, Callable[[Any], None]], Any]
"""Called with an item and a function that reports progress; returns the item's value.

It goes to each worker once, and its items one by one: what all of them need is a part of the task.
"""


@dataclass(frozen=True)
class Started:
    """An item is being worked on; it comes again when the item is tried again."""

    index: int


@dataclass(frozen=True)
class Progress:
    """The task of an item reported something."""

    index: int
    report: Any


@dataclass(frozen=True)
class Done:
    """An item is finished."""

    index: int
    value: Any


@dataclass(frozen=True)
class Failed:
    """An item cannot be finished, and why in one line."""

    index: int
    reason: str


Event = Started | Progress | Done | Failed


class Executor(Protocol):
    """Runs a task on every item.

    Laws:
        - Each item ends in exactly one `Done` or `Failed`, with at least one `Started` before it.
        - An exception in a task is the `Failed` of its item; the other items go on. So is what cannot be
          pickled where it has to be.
        - A worker that dies costs only its item, which is tried once more and then `Failed`; items whose
          computer is lost are tried until they end. A task that ends its process (`SystemExit` and the
          like) is such a death; in the caller's own process it ends the run.
        - `on_event` is called in the caller's thread, one event at a time. What it raises ends the
          run; so does Ctrl-C. Nothing that was started for a run survives its end, however it ends.
    """

    def run(self, task: Task, items: Sequence[Any], on_event: Callable[[Event], None]) -> None:
        """Run to the end.

        Args:
            task: picklable, and so are its items, reports and values.
            items: what it is called with; events name them by their position.
            on_event: is told what happens as it happens.
        """
        ...


def reason_of(error: BaseException) -> str:
    """Say in one line why a task failed."""
    text = " ".join(str(error).split())
    if isinstance(error, DigitlabError):
        return text
    return f"{type(error).__name__}: {text}".removesuffix(": ")[:500]


def fail_all(items: Sequence[Any], on_event: Callable[[Event], None], error: Exception) -> None:
    """Tell that no item can be worked on, because the task cannot even be sent."""
    for index in range(len(items)):
        fail_unsent(index, on_event, error)


def fail_unsent(index: int, on_event: Callable[[Event], None], error: Exception) -> None:
    """Tell that an item cannot be worked on, because it cannot even be sent."""
    on_event(Started(index))
    on_event(Failed(index, reason_of(error)))


class Parcel:
    """A task in a worker: read when it is first needed, and kept for all further items.

    Args:
        message: the pickled task.
        buffers: what protocol 5 left out of the message, in its order.
    """

    def __init__(self, message: bytes, buffers: Sequence[Any] = ()) -> None:
        self._sent: tuple[bytes, Sequence[Any]] | None = (message, buffers)
        self._task: Task | None = None

    def task(self) -> Task:
        """Give the task; where it cannot be read, each try raises why."""
        if self._sent is not None:
            message, buffers = self._sent
            self._task = pickle.loads(message, buffers=buffers)
            self._sent = None  # it may hold a whole data set
        assert self._task is not None
        return self._task

    def perform(self, item: bytes, report: Callable[[Any], None]) -> bytes:
        """Work on a pickled item.

        Returns:
            The pickled outcome, for `event_of`.
        """
        try:
            return pickle.dumps((Done, self.task()(pickle.loads(item), report)))
        except Exception as error:  # of the task, or of pickling: what is not sent whole is not sent at all
            return pickle.dumps((Failed, reason_of(error)))


def event_of(index: int, message: bytes) -> Event:
    """Read what a worker sent of an item: a pickled kind of event and its content."""
    kind, content = pickle.loads(message)
    return kind(index, content)

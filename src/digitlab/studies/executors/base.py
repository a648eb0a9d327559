"""What runs tasks: the interface that every executor fulfils."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from digitlab.errors import DigitlabError

Task = Callable[[Any, Callable[[Any], None]], Any]
"""Called with an item and a function that reports progress; returns the item's value."""


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
        - A worker that dies costs only its item, which is tried once more and then `Failed`. A task that
          ends its process (`SystemExit` and the like) is such a death; in the caller's own process it ends
          the run.
        - `on_event` is called in the caller's thread, one event at a time. What it raises ends the
          run; so does Ctrl-C. No worker survives the end of `run`, however it ends.
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

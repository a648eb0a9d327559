"""Observers of a run: what they are told, how they are found by name, and how one that fails is let go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from digitlab.errors import DigitlabError, UserError
from digitlab.results.record import EpochRecord, Result
from digitlab.spec.plan import Plan
from digitlab.spec.trial import Trial

GROUP = "digitlab.observers"
"""Group of entry points by which packages offer observers."""

_BUILT_IN = {"mlflow": "digitlab.studies.mlflow:MlflowObserver"}


class Observer:
    """Callbacks of a run, in the process that runs it; each method does nothing unless it is overridden.

    An error in a callback ends the run where `run_study` was given the observer itself; an observer that was
    named (`--observe`) is let go with a line, and the run goes on.
    """

    def began(self, plans: Sequence[Plan], options: RunOptions) -> None:
        """Called first, with the plans of the studies, before anything is trained.

        Args:
            plans: plans of the studies; a trial may be in several.
            options: options of the run.
        """

    def planned(self, done: Sequence[Trial], failed: Sequence[Trial], todo: Sequence[Trial]) -> None:
        """Called with the trainings of the run: done before, failed before, and still to be done.

        Called again if a training failed and shorter trials, which it would have included, are trained alone.
        """

    def remark(self, line: str) -> None:
        """Called with a line about something unexpected that does not stop the run."""

    def started(self, trial: Trial) -> None:
        """Called when the training of a trial starts, and again if it is retried after a worker died."""

    def epoch(self, trial: Trial, record: EpochRecord) -> None:
        """Called after each epoch of a trial."""

    def finished(self, trial: Trial, result: Result) -> None:
        """Called when a trial is done and its result is in the store."""

    def failed(self, trial: Trial, reason: str) -> None:
        """Called when a trial has failed and the reason is in the store."""


@dataclass(frozen=True)
class RunOptions:
    """Options of a run.

    Attributes:
        force: whether trials that are done are trained again.
        retry_failed: whether trials that failed are trained again.
        bundles: folder in which each trained network is saved as a bundle, RECIPE-seedS-ID, on the computer
            that trains it (None: networks are not saved).
    """

    force: bool = False
    retry_failed: bool = False
    bundles: Path | None = None

    def bundle_folder(self, trial: Trial) -> Path | None:
        """Return the folder of a trial's bundle (None: networks are not saved)."""
        if self.bundles is None:
            return None
        return self.bundles / f"{trial.recipe}-seed{trial.seed}-{trial.id[:8]}"


DEFAULT_OPTIONS = RunOptions()
"""Trains what is not done yet, and saves no networks."""


class Observers(Observer):
    """Several observers as one: the first, whose errors end the run, and others, let go at their first error.

    Args:
        first: observer that is told of what happens to the others, too.
        others: further observers, by name.
    """

    def __init__(self, first: Observer, others: Iterable[tuple[str, Observer]]) -> None:
        self.first = first
        self.others = list(others)

    def began(self, plans: Sequence[Plan], options: RunOptions) -> None:
        """Tell all of the run."""
        self._tell("began", plans, options)

    def planned(self, done: Sequence[Trial], failed: Sequence[Trial], todo: Sequence[Trial]) -> None:
        """Tell all of the trainings."""
        self._tell("planned", done, failed, todo)

    def remark(self, line: str) -> None:
        """Pass a line on to all."""
        self._tell("remark", line)

    def started(self, trial: Trial) -> None:
        """Tell all of a start."""
        self._tell("started", trial)

    def epoch(self, trial: Trial, record: EpochRecord) -> None:
        """Tell all of an epoch."""
        self._tell("epoch", trial, record)

    def finished(self, trial: Trial, result: Result) -> None:
        """Tell all of a result."""
        self._tell("finished", trial, result)

    def failed(self, trial: Trial, reason: str) -> None:
        """Tell all of a failure."""
        self._tell("failed", trial, reason)

    def _tell(self, what: str, *arguments: Any) -> None:
        getattr(self.first, what)(*arguments)
        for name, observer in list(self.others):
            try:
                getattr(observer, what)(*arguments)
            except Exception as error:
                self.others.remove((name, observer))
                self.first.remark(f"observer {name}: {_one_line(error)}; it is told nothing more")


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, DigitlabError) else f"{type(error).__name__}: {text}"


def find_observer(request: str, store: Path) -> tuple[str, Observer]:
    """Create the observer that a user names.

    Args:
        request: `NAME` or `NAME=OPTIONS`: `mlflow`, or what an installed package offers as an entry point of
            the group `digitlab.observers`: a function of OPTIONS (a text, maybe empty) and the path of the
            store, which returns an `Observer`.
        store: path of the store.

    Returns:
        The name, and the observer.

    Raises:
        UserError: there is no such observer, or it cannot be created.
    """
    name, _, options = request.partition("=")
    create = _factory(name)
    try:
        return name, create(options, store)
    except DigitlabError:
        raise
    except Exception as error:
        raise UserError(
            f"observer {name}: {_one_line(error)}; it cannot be created with {options!r}"
        ) from None


def _factory(name: str) -> Callable[[str, Path], Observer]:
    if name in _BUILT_IN:
        module, _, attribute = _BUILT_IN[name].partition(":")
        return getattr(import_module(module), attribute)
    offered = {point.name: point for point in entry_points(group=GROUP)}
    if name not in offered:
        known = ", ".join(sorted({*_BUILT_IN, *offered}))
        raise UserError(f"observer {name!r}: expected one of {known}; install the package that offers it")
    try:
        return offered[name].load()
    except Exception as error:
        raise UserError(f"observer {name}: {_one_line(error)}; install its package again") from None

"""Progress on stderr: bars if it is a terminal, else a line a minute."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from digitlab.cli.console import say, stderr
from digitlab.models.costs import epoch_work
from digitlab.results.record import EpochRecord, Result
from digitlab.spec.plan import Plan
from digitlab.spec.trial import Trial
from digitlab.studies.observers import Observer
from digitlab.training.run import OnEpoch

if TYPE_CHECKING:
    from digitlab.training.rows import OnStep, RowProgress

STEP_COST = 300_000
"""Cost of a training step beside the network, in multiply-adds per image at batch size 200; the estimate of
the time left needs it."""

LINE_EVERY = 60.0
"""Seconds between two lines of progress where there is no terminal, as in a batch job's log."""


class _Lines:
    """Prints a line of progress where there is no terminal, at most one in `LINE_EVERY` seconds."""

    def __init__(self) -> None:
        self.begin = self.last = time.monotonic()
        self.is_terminal = stderr().is_terminal

    def print(self, text: Callable[[], str]) -> None:
        """Print the text that a function returns, if a line is due."""
        now = time.monotonic()
        if not self.is_terminal and now - self.last >= LINE_EVERY:
            self.last = now
            say(text())

    def left(self, share: float) -> str:
        """Return how long the rest takes at the pace so far, as text; empty before anything is done.

        Args:
            share: share of the work that is done, 0..1.
        """
        if share <= 0:
            return ""
        minutes = (time.monotonic() - self.begin) * (1 - share) / share / 60
        return f", about {max(1, round(minutes))} min left"


def _bars() -> Progress:
    console = stderr()
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[state]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


@contextmanager
def epoch_bar(name: str, epochs: int) -> Iterator[OnEpoch]:
    """Show the progress of one training by epochs.

    Args:
        name: name of the recipe.
        epochs: number of epochs to train.
    """
    lines = _Lines()
    with _bars() as bars:
        bar = bars.add_task(name, total=epochs, state="starting")

        def on_epoch(record: EpochRecord) -> None:
            state = _state(record, epochs)
            bars.update(bar, completed=record.epoch, state=state)
            lines.print(lambda: f"{name}: {state}{lines.left(record.epoch / epochs)}")

        yield on_epoch


@contextmanager
def part_bar(name: str, parts: int) -> Iterator[Callable[[str], None]]:
    """Show the progress of work in parts; the yielded function is called before each part, with its name.

    Args:
        name: name of the work.
        parts: number of parts.
    """
    with _bars() as bars:
        # The function is called before a part: its first call must not count one as done.
        bar = bars.add_task(name, total=parts, completed=-1, state="")
        yield lambda part: bars.update(bar, advance=1, state=part)


@contextmanager
def step_bar(name: str, steps: int) -> Iterator[OnStep]:
    """Show the progress of one training by steps; print a line for each validation if there is no terminal.

    Args:
        name: name of the recipe.
        steps: number of steps to train.
    """
    with _bars() as bars:
        bar = bars.add_task(name, total=steps, state="composing the first rows")
        last = ""

        def on_step(progress: RowProgress) -> None:
            nonlocal last
            state = _step_state(progress, steps)
            validation = progress.validation
            if validation is not None:
                last = f", read {100 * validation.right / validation.rows:.1f} %"
                if not bars.console.is_terminal:
                    held_back = 100 * validation.held_back_right / validation.held_back_rows
                    say(f"{name}: {state}{last}, held back {held_back:.1f} %")
            bars.update(bar, completed=progress.step, state=state + last)

        yield on_step


def _step_state(progress: RowProgress, steps: int) -> str:
    speed = f"{progress.rows_per_second:.0f} rows/s"
    state = f"step {progress.step:,}/{steps:,}, loss {progress.loss:.2f}, {speed}"
    if progress.waited > 0.01:  # for rows that are not composed yet
        state += f", waited {100 * progress.waited:.0f} %"
    return state


def _state(record: EpochRecord, epochs: int) -> str:
    error = 100 * (1 - record.validation_accuracy)
    return f"epoch {record.epoch}/{epochs}, validation error {error:.2f} %"


class StudyProgress(Observer):
    """Progress of a study: one bar for the whole, and one for each trial that is being trained.

    Args:
        name: name of the study, or of the collection of studies.
        plans: plans of the studies.
    """

    def __init__(self, name: str, plans: Sequence[Plan]) -> None:
        self._labels = {
            trial.id: f"{plan.study.name} {cell.label}"
            for plan in reversed(plans)  # a trial that several share is named by the first
            for cell in plan.cells
            for trial in cell.trials
        }
        self._name = name
        self._bars = _bars()
        self._all = self._bars.add_task(name, state="", visible=False)
        self._trials: dict[str, TaskID] = {}
        self._todo = 0
        self._work = 0
        self._ended = 0
        self._lines = _Lines()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def planned(self, done: Sequence[Trial], failed: Sequence[Trial], todo: Sequence[Trial]) -> None:
        """Print how much there is to do; called again if a failure leaves more to do."""
        trials = len(done) + len(failed) + len(todo)
        failures = f", {len(failed)} failed (--retry-failed tries again)" if failed else ""
        say(f"{self._name}: {trials} trials, {len(done)} done already{failures}, {len(todo)} to train")
        self._todo += len(todo)
        self._work += sum(_work(trial) * trial.training.epochs for trial in todo)
        self._bars.update(self._all, total=self._work, state=self._count(), visible=bool(todo))

    def remark(self, line: str) -> None:
        """Print a line above the bars."""
        self._bars.console.print(line, soft_wrap=True)

    def started(self, trial: Trial) -> None:
        """Add the trial's bar, without the progress of a worker that died on the trial."""
        earlier = self._trials.get(trial.id)
        if earlier is not None:
            epochs = next(task.completed for task in self._bars.tasks if task.id == earlier)
            self._bars.advance(self._all, -epochs * _work(trial))
        self._remove(trial)
        label = f"  {self._labels[trial.id]}, seed {trial.seed}"
        self._trials[trial.id] = self._bars.add_task(label, total=trial.training.epochs, state="starting")

    def epoch(self, trial: Trial, record: EpochRecord) -> None:
        """Advance the trial's bar and that of the study."""
        state = _state(record, trial.training.epochs)
        self._bars.update(self._trials[trial.id], completed=record.epoch, state=state)
        self._bars.advance(self._all, _work(trial))
        self._lines.print(self._line)

    def finished(self, trial: Trial, result: Result) -> None:
        """Remove the trial's bar."""
        left = trial.training.epochs - len(result.history)  # its patience may have ended it before
        self._bars.advance(self._all, left * _work(trial))
        self._end(trial)

    def failed(self, trial: Trial, reason: str) -> None:
        """Print the reason, and remove the trial's bar."""
        line = f"failed: {self._labels[trial.id]}, seed {trial.seed}: {reason}"
        self._bars.console.print(line, soft_wrap=True)
        self._end(trial)

    def _end(self, trial: Trial) -> None:
        self._remove(trial)
        self._ended += 1
        self._bars.update(self._all, state=self._count())

    def _remove(self, trial: Trial) -> None:
        bar = self._trials.pop(trial.id, None)
        if bar is not None:
            self._bars.remove_task(bar)

    def _line(self) -> str:
        done = next(task.completed for task in self._bars.tasks if task.id == self._all)
        left = self._lines.left(done / self._work if self._work else 0.0)
        return f"{self._name}: {self._count()}, {len(self._trials)} in training{left}"

    def _count(self) -> str:
        return f"{self._ended}/{self._todo} trials"


def _work(trial: Trial) -> int:
    """Return an epoch's cost up to a factor: a bar that counted epochs would crawl at the wide levels."""
    return int(epoch_work(trial)) + STEP_COST * 200 // trial.training.batch_size

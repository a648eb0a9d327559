"""From a study to its results: plan, skip what is done, train the rest, keep each result as it comes."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Self

from digitlab.data import Dataset, load
from digitlab.errors import StoreError
from digitlab.models.costs import cost
from digitlab.results.aggregate import StudyTable, aggregate, tabulate
from digitlab.results.record import EpochRecord, Result
from digitlab.results.store import Store, reasons
from digitlab.spec.plan import Plan, cover
from digitlab.spec.study import Study
from digitlab.spec.trial import Trial, check_versions
from digitlab.studies.executors.base import Done, Event, Executor, Failed, Progress, Started
from digitlab.studies.executors.processes import ProcessExecutor
from digitlab.studies.planning import plan_study, replaced
from digitlab.training.process import available_cores, require_libraries
from digitlab.training.run import Trained, train_trial
from digitlab.workspace import DEFAULT_STORE


class Observer:
    """Is told how a study goes on; every method may be left as it is."""

    def planned(self, done: Sequence[Trial], failed: Sequence[Trial], todo: Sequence[Trial]) -> None:
        """The study takes these trainings: done before, failed before, and still to be done.

        It comes again where a training failed and shorter trials, that it was to give, are trained alone.
        """

    def remark(self, line: str) -> None:
        """Something is done otherwise than might be thought, and goes on."""

    def started(self, trial: Trial) -> None:
        """A trial is being trained; it comes again when a dead worker's trial is tried again."""

    def epoch(self, trial: Trial, record: EpochRecord) -> None:
        """A trial has finished an epoch."""

    def finished(self, trial: Trial, result: Result) -> None:
        """A trial is done and its result is in the store."""

    def failed(self, trial: Trial, reason: str) -> None:
        """A trial failed, and the store knows why."""


@dataclass(frozen=True)
class RunOptions:
    """How the trials of plans are run.

    Attributes:
        again: train what is done, too.
        retry_failed: train what failed, too.
        bundles: folder in which each network that is trained is kept as a bundle, RECIPE-seedS-ID, on the
            computer that trains it.
    """

    again: bool = False
    retry_failed: bool = False
    bundles: Path | None = None


def run_study(
    study: str | Study,
    *,
    seeds: int | None = None,
    data: str | None = None,
    store: Path | str = DEFAULT_STORE,
    workers: int | None = None,
    observer: Observer | None = None,
) -> StudyTable:
    """Run a study in worker processes and give its table.

    A script that calls this needs the `if __name__ == "__main__":` guard that spawned processes need.

    Args:
        study: a name, a file, or the study itself.
        seeds: networks per level instead of the study's own number.
        data: a name in the catalogue or a folder instead of the study's own.
        store: the file in which results are kept and found again.
        workers: processes of one thread each; as many as cores unless said.
        observer: is told how it goes on.

    Raises:
        UserError: a study, data set or store that is none.
    """
    plan = plan_study(study, seeds=seeds, data=data)
    executor = ProcessExecutor(available_cores() if workers is None else workers)
    with Store(store) as opened:
        run_plans([plan], opened, executor, observer or Observer())
        return read_table(plan, opened)


def run_plans(
    plans: Sequence[Plan],
    store: Store,
    executor: Executor,
    observer: Observer,
    options: RunOptions = RunOptions(),
) -> None:
    """Train what is not done of the trials of some plans, and keep each result as it comes.

    What several plans ask for is trained once, and a shorter trial is read off a longer one. Where the
    longer one fails, the shorter is trained for itself.

    Args:
        plans: of the studies.
        store: where results are found and kept.
        executor: what runs the trials.
        observer: is told how it goes on.
        options: what else is asked.

    Raises:
        SpecError: something is to be trained and is of another engine or synthesis than this code's.
        MissingExtraError: something is to be trained and TensorFlow or Keras is not installed.
        StoreError: the store cannot be written, or another runner works on it.
    """
    trials = _in_order(trial for plan in plans for trial in plan.trials)
    survey = _survey(trials, store, options)
    if not survey.todo:
        observer.planned(*survey)
        _keep_plans(plans, store, observer, required=False)
        return
    check_versions(survey.todo)
    require_libraries()
    with store.exclusive():
        survey = _survey(trials, store, options)  # another runner may have worked meanwhile
        observer.planned(*survey)
        _keep_plans(plans, store, observer)
        task = TrainTask.on_data_of(survey.todo, options.bundles)
        tried: set[str] = set()
        while survey.todo:
            keeper = _Keeper(survey.todo, store, observer)
            executor.run(task, survey.todo, keeper.keep)
            if not keeper.failed:
                return
            tried |= {trial.id for trial in survey.todo}
            survey = _survey(trials, store, replace(options, again=False), tried)
            if survey.todo:
                observer.planned(*survey)


def _keep_plans(plans: Iterable[Plan], store: Store, observer: Observer, required: bool = True) -> None:
    for plan in plans:
        kept = store.plan(plan.study.name, plan.fingerprint)
        try:
            store.keep_plan(plan)
        except StoreError as error:
            if required:
                raise
            if kept != plan:
                observer.remark(f"not kept how study {plan.study.name} was run: {error}")
            continue
        if kept is not None and (line := replaced(kept, plan)):
            observer.remark(line)


def failed_trials(plans: Iterable[Plan], store: Store) -> tuple[Trial, ...]:
    """List the trials that some plans ask for and that failed, now or before.

    Args:
        plans: of the studies.
        store: where their trials are looked for.
    """
    trials = {trial.id: trial for plan in plans for trial in plan.trials}
    failed = reasons(store.statuses(trials), "failed")
    given = store.sources(trials[trial] for trial in failed)  # by a longer training
    return tuple(trials[trial] for trial in failed if trial not in given)


def _in_order(trials: Iterable[Trial]) -> list[Trial]:
    """Whole seeds first, so that an interrupted study has some to compare; in a seed the longest first, so
    that workers finish together."""
    return sorted(
        trials, key=lambda trial: (trial.seed, -cost(trial.model).multiply_adds * trial.training.epochs)
    )


class _Survey(NamedTuple):
    """The trainings that some trials take."""

    done: tuple[Trial, ...]
    failed: tuple[Trial, ...]
    todo: tuple[Trial, ...]


def _survey(
    trials: Sequence[Trial], store: Store, options: RunOptions, tried: Container[str] = ()
) -> _Survey:
    """Find what is still to be trained; what this run has tried is done or failed."""
    done = {} if options.again else store.sources(trials)
    failed = {}
    if not (options.again or options.retry_failed):
        failed = reasons(store.statuses(trial.id for trial in trials if trial.id not in done), "failed")
    settled = (done, failed, tried)
    todo = cover(trial for trial in trials if not any(trial.id in each for each in settled))
    asked = {trial.id for trial in todo}
    others = [trial for trial in cover(trials) if trial.id not in asked]
    return _Survey(
        tuple(trial for trial in others if trial.id in done),
        tuple(trial for trial in others if trial.id not in done),
        todo,
    )


class _Keeper:
    """Keeps in the store what happens to trials, and tells the observer."""

    def __init__(self, trials: Sequence[Trial], store: Store, observer: Observer) -> None:
        self.trials = trials
        self.store = store
        self.observer = observer
        self.failed = False

    def keep(self, event: Event) -> None:
        trial = self.trials[event.index]
        match event:
            case Started():
                self.store.start(trial)
                self.observer.started(trial)
            case Progress(report=record):
                self.observer.epoch(trial, record)
            case Done(value=result):
                self.store.finish(result)
                self.observer.finished(trial, result)
            case Failed(reason=reason):
                self.failed = True
                self.store.fail(trial, reason)
                self.observer.failed(trial, reason)


def read_table(plan: Plan, store: Store, *, curves: bool = True) -> StudyTable:
    """Bring together what the store has of a plan's trials.

    Args:
        plan: of the study.
        store: where results are found.
        curves: read the histories and environments, too, which takes a hundred times as long.
    """
    statuses = store.statuses(trial.id for trial in plan.trials)
    failed, interrupted = reasons(statuses, "failed"), reasons(statuses, "interrupted")
    if curves:
        return aggregate(plan, store.results(plan.trials), failed, interrupted)
    figures = store.figures(plan.trials)
    first = [trial for trial in plan.trials if trial.id in figures][:1]
    images = next((result.final_test.images for result in store.results(first).values()), None)
    return replace(tabulate(plan, figures, failed, interrupted), images=images)


@dataclass(frozen=True)
class TrainTask:
    """Trains a trial in whatever process it is called in; the data came there with it.

    Attributes:
        datasets: what trials learn from, by the name that they know it by.
        bundles: folder for bundles of the trained networks; None: they are not kept.
    """

    datasets: Mapping[str, Dataset]
    bundles: Path | None = None

    @classmethod
    def on_data_of(cls, trials: Iterable[Trial], bundles: Path | None = None) -> Self:
        """Load what trials learn from.

        Raises:
            DataError: it is not there any more.
        """
        return cls({name: load(name) for name in {trial.data.dataset for trial in trials}}, bundles)

    def __call__(self, trial: Trial, report: Callable[[EpochRecord], None]) -> Result:
        """Train a trial, and report each epoch as it ends."""
        dataset = self.datasets[trial.data.dataset]
        trained = train_trial(trial, dataset, on_epoch=report)
        if self.bundles is not None:
            self._keep(trained, dataset, self.bundles)
        return trained.result

    def _keep(self, trained: Trained, dataset: Dataset, bundles: Path) -> None:
        from digitlab.bundle.writing import write_trained

        trial = trained.result.trial
        folder = bundles / f"{trial.recipe}-seed{trial.seed}-{trial.id[:8]}"
        if not folder.exists():  # else the run was stopped between the bundle and the result, or goes again
            write_trained(folder, trained.model, trained.result, dataset)

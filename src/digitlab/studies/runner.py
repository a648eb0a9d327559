"""Running of studies: plan, skip what is done, train the rest, store each result as it arrives."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Self

from digitlab.data import Dataset, load
from digitlab.data.naming import SHORT
from digitlab.errors import BundleError, StoreError, TrainingError
from digitlab.models.costs import epoch_work
from digitlab.results.aggregate import StudyTable, aggregate
from digitlab.results.record import EpochRecord, Result
from digitlab.results.store import Store, reasons
from digitlab.spec.plan import Plan, minimal_runs
from digitlab.spec.recipe import PythonModel
from digitlab.spec.study import Study
from digitlab.spec.trial import Trial, check_versions
from digitlab.studies.executors.base import Done, Event, Executor, Failed, Progress, Started
from digitlab.studies.executors.processes import ProcessExecutor
from digitlab.studies.observers import DEFAULT_OPTIONS, Observer, Observers, RunOptions, find_observer
from digitlab.studies.planning import plan_study, replaced
from digitlab.training.process import available_cores, require_libraries
from digitlab.training.run import TrainOutput, shared_tensorflow_engine, train_trial
from digitlab.workspace import DEFAULT_STORE

ENOUGH_UNBUILT = 4
"""Number of different networks of a user's function that cannot be built, after which a run is ended."""


def run_study(  # noqa: PLR0913  # all but the study have a default
    study: str | Study | Mapping[str, Any],
    *,
    seeds: int | None = None,
    data: str | Dataset | None = None,
    store: Path | str = DEFAULT_STORE,
    workers: int | None = None,
    observer: Observer | None = None,
    observe: Sequence[str] = (),
) -> StudyTable:
    """Run a study in worker processes and return its table.

    Args:
        study: name, file, the study itself, or the values of one, as in a study file; its recipe may be a
            function that builds a network.
        seeds: number of networks per level (None: the study's own number).
        data: name in the catalogue or folder of the data, or a data set in memory, which is kept in a folder
            `data` beside the store (None: the study's own data).
        store: path of the store file, in which results are kept and found again.
        workers: number of processes, each of one thread (None: the number of cores).
        observer: callbacks of the run.
        observe: names of further observers, such as `mlflow`, as for `--observe`.

    Raises:
        UserError: the study, data set or store does not exist or is not valid.
    """
    load_once = cache(load)
    if isinstance(study, Mapping):
        study = Study.from_values(dict(study), "study")
    if isinstance(data, Dataset):
        data = _keep(data, Path(store).parent / "data")
    plan = plan_study(study, seeds=seeds, data=data, load=load_once)
    executor = ProcessExecutor(available_cores() if workers is None else workers)
    with Store(store) as opened:
        others = [find_observer(request, Path(store)) for request in observe]
        run_plans([plan], opened, executor, Observers(observer or Observer(), others), load=load_once)
        return read_table(plan, opened)


def _keep(dataset: Dataset, parent: Path) -> str:
    """Write a data set into a folder named after its contents, unless it is there, and return its path."""
    name = re.sub(r"\W+", "-", dataset.name).strip("-") or "arrays"
    folder = parent / f"{name}-{dataset.fingerprint[:SHORT]}"
    if not folder.exists():
        dataset.save(folder)
    return str(folder)


def run_plans(
    plans: Sequence[Plan],
    store: Store,
    executor: Executor,
    observer: Observer,
    options: RunOptions = DEFAULT_OPTIONS,
    load: Callable[[str], Dataset] = load,
) -> None:
    """Train the trials of some plans that are not done, and store each result as it arrives.

    A trial that several plans share is trained once, and a shorter trial is read from a longer one. If the
    longer one fails, the shorter is trained alone.

    Args:
        plans: plans of the studies.
        store: store in which results are found and kept.
        executor: executor that runs the trials.
        observer: callbacks of the run.
        options: options of the run.
        load: function that loads a data set by its name or folder.

    Raises:
        SpecError: a trial to be trained has another engine or synthesis version than this code.
        MissingExtraError: a trial is to be trained, and TensorFlow or Keras is not installed.
        StoreError: the store cannot be written, or another runner is working on it.
    """
    observer.began(plans, options)
    trials = _in_order([trial for plan in plans for trial in plan.trials])
    seen = store.data_version
    work = _work_set(trials, store, options)
    if not work.todo:
        observer.planned(*work)
        _save_plans(plans, store, observer, required=False)
        return
    check_versions(work.todo)
    require_libraries()
    with store.exclusive():
        if store.data_version != seen:  # another runner has worked meanwhile
            work = _work_set(trials, store, options)
        observer.planned(*work)
        _save_plans(plans, store, observer)
        task = TrainTask.on_data_of(work.todo, options.bundles, load)
        tried: set[str] = set()
        while work.todo:
            writer = _StoreWriter(work.todo, store, observer)
            try:
                executor.run(task, work.todo, writer.write, writer.flush)
            finally:
                writer.flush()  # what has come is kept, however the run ends
            if not writer.any_failed:
                return
            # A training that failed may have been that of shorter trials, too: they are trained alone.
            tried |= {trial.id for trial in work.todo}
            work = _work_set(trials, store, replace(options, force=False), tried)
            if work.todo:
                observer.planned(*work)


def _save_plans(plans: Iterable[Plan], store: Store, observer: Observer, required: bool = True) -> None:
    for plan in plans:
        kept = store.plan(plan.study.name, plan.fingerprint)
        try:
            store.save_plan(plan)
        except StoreError as error:
            if required:
                raise
            if kept != plan:
                observer.remark(f"plan of study {plan.study.name} not saved: {error}")
            continue
        line = "" if kept is None else replaced(kept, plan)
        if line:
            observer.remark(line)


def failed_trials(plans: Iterable[Plan], store: Store) -> tuple[Trial, ...]:
    """Return the trials of some plans that failed, now or before.

    Args:
        plans: plans of the studies.
        store: store to search.
    """
    trials = {trial.id: trial for plan in plans for trial in plan.trials}
    failed = [trials[id_] for id_ in reasons(store.statuses(trials), "failed")]
    done = store.find_runs(failed)  # by a longer training
    return tuple(trial for trial in failed if trial.id not in done)


def _in_order(trials: Iterable[Trial]) -> list[Trial]:
    """Sort trials in the order in which they are trained."""

    works: dict[int, float] = {}  # by the model, which trials of one cell share

    def order(trial: Trial) -> tuple[int, float]:
        # By seed, so that an interrupted study has whole seeds to compare; within a seed the longest first,
        # so that workers finish together.
        if id(trial.model) not in works:
            works[id(trial.model)] = epoch_work(trial)
        return trial.seed, -works[id(trial.model)] * trial.training.epochs

    return sorted(trials, key=order)


class _WorkSet(NamedTuple):
    """Trainings that some trials need, by their state."""

    done: tuple[Trial, ...]
    failed: tuple[Trial, ...]
    todo: tuple[Trial, ...]


def _work_set(
    trials: Sequence[Trial], store: Store, options: RunOptions, tried: Container[str] = ()
) -> _WorkSet:
    """Find what is still to be trained; trials in `tried`, of this run, are not tried again."""
    done = {} if options.force else store.find_runs(trials)
    open_trials = [trial for trial in trials if trial.id not in done]
    failed = {}
    if not (options.force or options.retry_failed):
        failed = reasons(store.statuses(trial.id for trial in open_trials), "failed")
    to_train = [trial for trial in open_trials if trial.id not in failed and trial.id not in tried]
    todo = minimal_runs(to_train)
    if len(to_train) == len(trials):
        return _WorkSet((), (), todo)
    wanted = {trial.id for trial in todo}
    others = [trial for trial in minimal_runs(trials) if trial.id not in wanted]
    return _WorkSet(
        done=tuple(trial for trial in others if trial.id in done),
        failed=tuple(trial for trial in others if trial.id not in done),
        todo=todo,
    )


class _StoreWriter:
    """Stores the events of trials, all that have come in one transaction, and passes them to the observer."""

    def __init__(self, trials: Sequence[Trial], store: Store, observer: Observer) -> None:
        self.trials = trials
        self.store = store
        self.observer = observer
        self.any_failed = False
        self._any_built = False
        self._unbuilt: set[int] = set()  # networks that cannot be built, by the identity of the spec
        self._networks = len({id(trial.model) for trial in trials})
        self._started: list[Trial] = []
        self._finished: list[Result] = []
        self._failed: list[tuple[Trial, str]] = []

    def write(self, event: Event) -> None:
        """Take an event, which `flush` stores."""
        trial = self.trials[event.index]
        match event:
            case Started():
                self._started.append(trial)
                self.observer.started(trial)
            case Progress(report=record):
                self._any_built = True
                self.observer.epoch(trial, record)
            case Done(value=result):
                self._any_built = True
                self._finished.append(result)
            case Failed(reason=reason):
                self.any_failed = True
                self._failed.append((trial, reason))
                if isinstance(trial.model, PythonModel) and reason.startswith("model."):
                    self._unbuilt.add(id(trial.model))
                    self._stop_if_none_is_built(reason)

    def _stop_if_none_is_built(self, reason: str) -> None:
        """End the run if no network of it could be built, instead of failing trial by trial.

        Raises:
            TrainingError: all networks of the run, or the first few, could not be built.
        """
        if not self._any_built and len(self._unbuilt) >= min(self._networks, ENOUGH_UNBUILT):
            raise TrainingError(f"no network of the study can be built: {reason}")

    def flush(self) -> None:
        """Store what has come since the last time, then tell the observer of what is on disk."""
        started, self._started = self._started, []
        finished, self._finished = self._finished, []
        failed, self._failed = self._failed, []
        if not (started or finished or failed):
            return
        self.store.record(started, finished, failed)
        for result in finished:
            self.observer.finished(result.trial, result)
        for trial, reason in failed:
            self.observer.failed(trial, reason)


def read_table(plan: Plan, store: Store, *, curves: bool = True) -> StudyTable:
    """Return the table of a plan's results in a store.

    Args:
        plan: the study's plan.
        store: store to read.
        curves: whether to read histories and environments, too, which takes a hundred times as long.
    """
    statuses = store.statuses((trial.id for trial in plan.trials), done=False)
    failed = reasons(statuses, "failed")
    interrupted = reasons(statuses, "interrupted")
    if curves:
        return aggregate(plan, store.results(plan.trials), failed, interrupted)
    figures = store.figures(plan.trials)
    table = aggregate(plan, figures, failed, interrupted)
    # Key figures have no number of images, which is the same for all trials: one whole result has it.
    first = [trial for trial in plan.trials if trial.id in figures][:1]
    for result in store.results(first).values():
        table = replace(table, images=result.final_test.images)
    return table


@dataclass(frozen=True)
class TrainTask:
    """Trains a trial in the process in which it is called; the data is pickled with the task.

    Attributes:
        datasets: data sets to train on, by their names in the trials.
        bundles: folder for bundles of the trained networks (None: networks are not saved).
    """

    datasets: Mapping[str, Dataset]
    bundles: Path | None = None

    @classmethod
    def on_data_of(
        cls,
        trials: Iterable[Trial],
        bundles: Path | None = None,
        load: Callable[[str], Dataset] = load,
    ) -> Self:
        """Create the task for some trials, with their data loaded.

        Raises:
            DataError: the data is not there any more.
        """
        names = {trial.data.dataset for trial in trials}
        return cls({name: load(name) for name in names}, bundles)

    def __call__(self, trial: Trial, report: Callable[[EpochRecord], None]) -> Result:
        """Train a trial, and report each epoch when it ends."""
        dataset = self.datasets[trial.data.dataset]
        trained = train_trial(trial, dataset, on_epoch=report, engine=shared_tensorflow_engine)
        if self.bundles is not None:
            self._save(trained, dataset, self.bundles)
        return trained.result

    def _save(self, trained: TrainOutput, dataset: Dataset, bundles: Path) -> None:
        from digitlab.bundle.writing import write_trained

        trial = trained.result.trial
        folder = RunOptions(bundles=bundles).bundle_folder(trial)
        assert folder is not None
        if not folder.exists():  # else a run was stopped before the result, or the trial is repeated
            try:
                write_trained(folder, trained.model, trained.result, dataset)
            except BundleError as error:
                if not isinstance(trial.model, PythonModel):
                    raise
                # The result counts, though a layer of the user's own cannot be stored.
                folder.with_name(f"{folder.name}.txt").write_text(f"no bundle is written: {error}\n", "utf-8")

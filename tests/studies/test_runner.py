"""The runner, with trials that nobody trains; real training is in the integration tests."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlab.data import read_idx, write_idx
from digitlab.errors import DataError, MissingExtraError, SpecError, StoreError, UserError
from digitlab.results.aggregate import trial_records
from digitlab.results.record import Result
from digitlab.results.store import Store
from digitlab.spec import Axis, Plan, Study, Trial
from digitlab.studies import plan_study, read_table, run_plans, run_study
from digitlab.studies.observers import Observer, RunOptions
from digitlab.studies.planning import stored_plan
from digitlab.studies.runner import TrainTask
from pretender import REASON, Listener, Pretender, states, trained_by
from real_digits import read_mnist
from small_study import pretend, small_study, write_digits


@pytest.fixture(scope="module")
def plan(study: Study) -> Plan:
    return plan_study(study)


@pytest.fixture(scope="module")
def order(plan: Plan) -> tuple[Trial, ...]:
    """The trials as they are trained: seed by seed, the wider network first."""
    narrow, wide, other_narrow, other_wide = plan.trials
    return wide, narrow, other_wide, other_narrow


def test_a_study_trains_every_trial_of_its_plan_once_seed_by_seed_the_longest_first(
    plan: Plan, order: tuple[Trial, ...], store: Store
) -> None:
    assert trained_by(plan, store) == order
    assert states(order, store) == ["done"] * 4
    table = read_table(plan, store)
    assert table.complete
    assert [(row.label, row.seeds, row.missing) for row in table.rows] == [
        ("8", (0, 1), 0),
        ("16", (0, 1), 0),
    ]


def test_what_is_done_is_not_trained_again(plan: Plan, store: Store) -> None:
    trained_by(plan, store)
    kept = store.results(plan.trials)
    assert trained_by(plan, store) == ()
    assert store.results(plan.trials) == kept


def test_a_plan_of_another_engine_is_refused_before_anything_is_trained_and_can_still_be_read(
    plan: Plan, store: Store
) -> None:
    older = plan.with_engine(1)
    with pytest.raises(SpecError, match="expected engine version 2, as this digitlab trains it, received 1"):
        trained_by(older, store)
    assert store.counts() == {}
    for trial in older.trials:
        store.finish(pretend(trial, lambda _: None))
    assert trained_by(older, store) == ()
    assert read_table(older, store).complete
    assert [record["engine_version"] for record in trial_records(older, store.results(older.trials))] == (
        [1] * 4
    )
    assert not read_table(plan, store).rows[0].seeds, "results of an older engine are not this one's"


def test_what_an_older_engine_trained_is_shown_and_said_to_be_older_until_it_is_trained_anew(
    study: Study, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "small.toml"
    path.write_text(study.to_toml(), "utf-8")
    plan = plan_study(str(path))
    older = plan.with_engine(1)
    for trial in older.trials:
        store.finish(pretend(trial, lambda _: None))
    for kept in (plan, older):  # the first stores kept no engine in their plans
        store.save_plan(kept)
        for asked in (str(path), "small"):
            shown = stored_plan(asked, store)
            assert read_table(shown.plan, store).complete
            [remark] = shown.remarks
            assert remark.startswith("study small: trained by engine version 1, older than the present 2")
    trained_by(plan, store)
    for asked in (str(path), "small"):
        assert stored_plan(asked, store).remarks == ()


def test_a_study_of_networks_of_different_engines_is_shown_in_the_version_that_has_most_results(
    digits: Path, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "small.toml"
    both = small_study(digits, axes=(Axis(path="recipe", values=("mlp", "best")),))
    path.write_text(both.to_toml(), "utf-8")
    plan = plan_study(str(path))
    older = plan.with_engine(2)
    for trial in older.trials:
        store.finish(pretend(trial, lambda _: None))
    assert len(store.find_runs(plan.trials)) == 2, "the mlp is trained as before"
    for kept in (plan, older):
        store.save_plan(kept)
        for asked in (str(path), "small"):
            shown = stored_plan(asked, store)
            assert read_table(shown.plan, store).complete
            [remark] = shown.remarks
            assert remark.startswith("study small: trained by engine version 2, older than the present 3")
    for trial in plan.trials:
        store.finish(pretend(trial, lambda _: None))
    store.save_plan(plan)  # as a run does
    assert stored_plan(str(path), store).remarks == ()


def test_everything_is_trained_again_when_asked(plan: Plan, order: tuple[Trial, ...], store: Store) -> None:
    trained_by(plan, store)
    assert trained_by(plan, store, force=True) == order
    assert states(order, store) == ["done"] * 4


def test_more_seeds_train_only_what_is_new(study: Study, plan: Plan, store: Store) -> None:
    trained_by(plan, store)
    assert [trial.seed for trial in trained_by(plan_study(study, seeds=3), store)] == [2, 2]


def test_a_trial_that_two_studies_share_is_trained_once(study: Study, plan: Plan, store: Store) -> None:
    trained_by(plan, store)
    axis = Axis(path="model.hidden.0", values=(16, 32))
    other = plan_study(study.model_copy(update={"name": "other", "axes": (axis,)}))
    trained = trained_by(other, store)
    assert {trial.to_values()["model"]["hidden"][0] for trial in trained} == {32}
    assert read_table(other, store).complete


@pytest.mark.parametrize("stop_with", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_study_goes_on_where_it_was(
    plan: Plan, order: tuple[Trial, ...], store: Store, tmp_path: Path, stop_with: type[BaseException]
) -> None:
    executor = Pretender(stop_at=2, stop_with=stop_with)
    with pytest.raises(stop_with):
        run_plans([plan], store, executor, Observer())
    assert states(order, store) == ["done", "done", "interrupted", "unknown"]
    for curves in (True, False):
        rows = read_table(plan, store, curves=curves).rows
        assert [(row.interrupted, row.missing) for row in rows] == [(0, 1), (1, 0)]

    assert trained_by(plan, store) == order[2:]
    with Store(tmp_path / "uninterrupted.sqlite") as uninterrupted:
        trained_by(plan, uninterrupted)
        assert read_table(plan, store) == read_table(plan, uninterrupted)


def test_a_trial_that_a_killed_runner_left_running_is_trained(
    plan: Plan, order: tuple[Trial, ...], store: Store
) -> None:
    store.start(order[1])  # and then its process was killed
    assert states(order, store)[1] == "running"
    assert trained_by(plan, store) == order


def test_a_failed_trial_keeps_its_reason_and_the_study_goes_on(plan: Plan, store: Store) -> None:
    trained_by(plan, store, failing={plan.trials[1].id})
    assert states(plan.trials, store) == ["done", "failed", "done", "done"]
    rows = read_table(plan, store).rows
    short = read_table(plan, store, curves=False).rows
    assert [row.to_values() for row in rows] == [row.to_values() for row in short]
    assert [row.failed for row in rows] == [(), (REASON,)]
    assert [row.seeds for row in rows] == [(0, 1), (1,)]


def test_a_failed_trial_is_tried_again_only_when_asked(plan: Plan, store: Store) -> None:
    trained_by(plan, store, failing={plan.trials[1].id})
    assert trained_by(plan, store) == ()
    assert trained_by(plan, store, retry_failed=True) == (plan.trials[1],)
    assert states(plan.trials, store) == ["done"] * 4


def test_the_observer_is_told_everything_in_order(plan: Plan, order: tuple[Trial, ...], store: Store) -> None:
    first, second, third, fourth = (trial.id for trial in order)
    listener = Listener()
    run_plans([plan], store, Pretender(failing={second}), listener)
    done = [
        [("started", trial), ("epoch", trial, 1), ("epoch", trial, 2), ("finished", trial)]
        for trial in (first, third, fourth)
    ]
    failed = [("started", second), ("failed", second, REASON)]
    assert listener.told == [("planned", 0, 0, 4), *done[0], *failed, *done[1], *done[2]]

    listener = Listener()
    run_plans([plan], store, Pretender(), listener)
    assert listener.told == [("planned", 3, 1, 0)]

    listener = Listener()
    run_plans([plan], store, Pretender(), listener, RunOptions(retry_failed=True))
    assert listener.told[0] == ("planned", 3, 0, 1)

    listener = Listener()
    run_plans([plan], store, Pretender(), listener, RunOptions(force=True))
    assert listener.told[0] == ("planned", 0, 0, 4)


def test_the_observer_is_told_of_a_result_when_anybody_can_read_it(plan: Plan, store: Store) -> None:
    found: list[np.ndarray] = []

    class Reader(Observer):
        def finished(self, trial: Trial, result: Result) -> None:
            with Store(store.path, create=False) as another:
                assert another.results([trial])[trial.id].to_json() == result.to_json()
                found.append(another.predictions([trial])[trial.id])
                assert np.array_equal(found[-1], result.predictions[2])

        def failed(self, trial: Trial, reason: str) -> None:
            with Store(store.path, create=False) as another:
                assert another.statuses([trial.id])[trial.id] == ("failed", reason)

    run_plans([plan], store, Pretender(failing={plan.trials[0].id}), Reader())
    assert len(found) == 3


def test_an_observer_that_fails_ends_the_study_and_what_is_done_is_kept(
    plan: Plan, order: tuple[Trial, ...], store: Store
) -> None:
    class Failing(Observer):
        def finished(self, trial: Trial, result: Result) -> None:
            if trial == order[1]:
                raise LookupError("no such bar")

    with pytest.raises(LookupError, match="no such bar"):
        run_plans([plan], store, Pretender(), Failing())
    assert states(order, store) == ["done", "done", "unknown", "unknown"]


def test_a_store_remembers_how_a_study_was_last_run(study: Study, plan: Plan, store: Store) -> None:
    trained_by(plan, store)
    assert store.plan("small", plan.fingerprint) == plan
    longer = plan_study(study, seeds=3)
    trained_by(longer, store)
    trained_by(plan, store)  # with nothing left to do
    assert store.plan("small", plan.fingerprint) == plan


def test_a_second_runner_on_a_store_is_refused_before_it_trains(
    plan: Plan, order: tuple[Trial, ...], store: Store
) -> None:
    executor = Pretender()
    with (
        Store(store.path) as another,
        another.exclusive(),
        pytest.raises(StoreError, match="another digitlab is running a study on it; wait"),
    ):
        run_plans([plan], store, executor, Observer())
    assert executor.begun == []
    assert trained_by(plan, store) == order  # the lock is free again


def test_a_study_with_nothing_to_do_needs_no_lock(plan: Plan, store: Store) -> None:
    trained_by(plan, store)
    with Store(store.path) as another, another.exclusive():
        assert trained_by(plan, store) == ()


def test_a_study_with_nothing_to_do_needs_no_tensorflow(
    study: Study, plan: Plan, store: Store, tmp_path: Path
) -> None:
    trained_by(plan, store)
    (tmp_path / "study.json").write_text(study.to_json())
    program = (
        "import sys\n"
        "sys.modules['tensorflow'] = None  # as if it were not installed\n"
        "from digitlab.errors import MissingExtraError\n"
        "from digitlab.studies import run_study\n"
        "print(run_study('study.json', store='store.sqlite').complete)\n"
        "try:\n"
        "    run_study('study.json', seeds=3, store='store.sqlite')\n"
        "except MissingExtraError as error:\n"
        "    print(error)\n"
        "print('keras' in sys.modules)\n"
    )
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ended.stderr == ""
    complete, refusal, keras = ended.stdout.splitlines()
    assert (complete, keras) == ("True", "False")
    assert refusal == str(MissingExtraError("tensorflow", "train"))


def changed(study: Study, **changes: Any) -> Study:
    return study.model_copy(update=changes)


def data(study: Study, **changes: Any) -> dict[str, Any]:
    return {"data": study.data.model_copy(update=changes)}


IMPOSSIBLE: dict[str, tuple[Callable[[Study], Study], type[UserError], str]] = {
    "level out of range": (
        lambda study: changed(study, axes=(Axis(path="model.hidden.0", values=(8, 0)),)),
        SpecError,
        r"study small: model.hidden.0: expected a whole number from 1 to 16384, received 0",
    ),
    "level of another kind": (
        lambda study: changed(study, axes=(Axis(path="training.optimizer", values=("adam", "adamant")),)),
        SpecError,
        r"study small: training.optimizer: expected 'adam', .* or 'muon', received 'adamant'",
    ),
    "axis that leads nowhere": (
        lambda study: changed(study, axes=(Axis(path="model.depth", values=(1, 2)),)),
        SpecError,
        r"study small: model.depth: there is no setting 'depth'",
    ),
    "impossible override": (
        lambda study: changed(study, overrides={"training.epochs": 0}),
        SpecError,
        r"study small: overrides: training.epochs: expected a whole number from 1",
    ),
    "unknown recipe": (
        lambda study: changed(study, recipe="perceptron"),
        SpecError,
        r"recipe 'perceptron': expected one of",
    ),
    "validation part of everything": (
        lambda study: changed(study, **data(study, validation=600)),
        DataError,
        r"validation: expected 10..599 of 600 images, received 600",
    ),
    "unknown data": (
        lambda study: changed(study, **data(study, dataset="nist")),
        DataError,
        r"no data set 'nist': expected a name \(mnist",
    ),
}


@pytest.mark.parametrize(("change", "error", "message"), IMPOSSIBLE.values(), ids=list(IMPOSSIBLE))
def test_what_is_impossible_is_refused_before_anything_is_made(
    study: Study, tmp_path: Path, change: Callable[[Study], Study], error: type[UserError], message: str
) -> None:
    with pytest.raises(error, match=message):
        run_study(change(study), store=tmp_path / "store.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_seeds_and_data_may_be_asked_for_otherwise(study: Study, digits: Path) -> None:
    elsewhere = study.model_copy(update=data(study, dataset="mnist"))
    plan = plan_study(elsewhere, seeds=5, data=str(digits))
    assert len(plan.trials) == 10
    assert [trial.id for trial in plan.trials[:4]] == [trial.id for trial in plan_study(study).trials]
    with pytest.raises(SpecError, match="study small: seeds: expected a whole number from 1 to 1000"):
        plan_study(study, seeds=0)
    with pytest.raises(DataError, match="no data set 'nist'"):
        plan_study(study, data="nist")


def test_less_than_one_worker_is_refused_before_anything_is_made(study: Study, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="workers: expected 1 or more, received 0"):
        run_study(study, workers=0, store=tmp_path / "store.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_the_data_comes_with_the_task_and_not_from_files_of_the_worker(tmp_path: Path) -> None:
    write_digits(tmp_path)
    trials = plan_study(small_study(tmp_path)).trials
    task = pickle.loads(pickle.dumps(TrainTask.on_data_of(trials), pickle.HIGHEST_PROTOCOL))
    for file in tmp_path.iterdir():
        file.unlink()
    (sent,) = task.datasets.values()
    assert sent.fingerprint == trials[0].data.fingerprint
    assert np.array_equal(sent.x_train, read_mnist().x_train[:600])
    assert not sent.x_train.flags.writeable
    with pytest.raises(DataError, match="expected the four files of a data set"):
        TrainTask.on_data_of(trials)


def test_data_that_has_changed_since_a_trial_was_planned_is_refused(tmp_path: Path) -> None:
    write_digits(tmp_path)
    before = plan_study(small_study(tmp_path)).trials[0]
    labels = tmp_path / "t10k-labels-idx1-ubyte"
    write_idx(labels, read_idx(labels)[::-1])
    with pytest.raises(DataError, match="changed after planning"):
        TrainTask.on_data_of([before])(before, print)

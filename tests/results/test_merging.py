"""Stores of several people become one: nothing twice, nothing lost, nothing half."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlab.errors import StoreError
from digitlab.results.merging import merge_stores
from digitlab.results.record import Result
from digitlab.results.store import Store
from digitlab.spec.plan import Plan
from digitlab.spec.study import Axis
from digitlab.spec.trial import Trial
from digitlab.studies.planning import plan_study
from small_study import pretend, small_study, write_digits


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder)
    return folder


def planned(digits: Path, seeds: int = 2, first: int = 0, **changes: Any) -> Plan:
    return plan_study(small_study(digits, **changes), seeds=seeds, first_seed=first)


def result(trial: Trial) -> Result:
    return pretend(trial, lambda _: None)


def flipped(trial: Trial) -> Result:
    """Another result of a trial: one prediction differs."""
    whole = result(trial)
    predictions = {epoch: classes.copy() for epoch, classes in whole.predictions.items()}
    predictions[trial.training.epochs][0] ^= 1
    return whole.model_copy(update={"predictions": predictions})


def written(
    path: Path, plan: Plan, trials: Iterable[Trial], make: Callable[[Trial], Result] = result
) -> Path:
    with Store(path) as store:
        store.save_plan(plan)
        for trial in trials:
            store.finish(make(trial))
    return path


def fingerprint(path: Path) -> str:
    """SHA-256 of a store's rows."""
    with Store(path, create=False) as store:
        rows = [repr(store.stored_trial(id_)) for id_ in store.states()]
        plans = [store.plan(kept.study, kept.fingerprint) for kept in store.studies()]
    return hashlib.sha256(repr((rows, plans)).encode()).hexdigest()


def test_the_seeds_of_all_come_together(digits: Path, tmp_path: Path) -> None:
    paths = []
    for first in (0, 2, 4):
        plan = planned(digits, first=first)
        paths.append(written(tmp_path / f"{first}.sqlite", plan, plan.trials))
    before = [fingerprint(path) for path in paths]
    with Store(tmp_path / "all.sqlite") as store:
        report = merge_stores(store, paths)
        assert report == (12, 0, (), 0, ())
        plan = store.plan("small", planned(digits).fingerprint)
        assert plan is not None
        assert list(plan.study.seed_range) == [0, 1, 2, 3, 4, 5]
        whole = planned(digits, seeds=6)
        assert {trial.id for trial in plan.trials} == {trial.id for trial in whole.trials}
        results = store.results(whole.trials)
        predictions = store.predictions(whole.trials)
        assert len(store.figures(whole.trials)) == 12
        for trial in whole.trials:
            expected = result(trial)
            assert results[trial.id] == expected.model_copy(update={"predictions": {}})
            np.testing.assert_array_equal(predictions[trial.id], expected.predictions[trial.training.epochs])
        assert merge_stores(store, paths) == (0, 12, (), 0, ())
        assert store.check() == "ok"
    assert [fingerprint(path) for path in paths] == before


def test_a_trial_with_two_results_is_refused_and_nothing_is_written(digits: Path, tmp_path: Path) -> None:
    plan = planned(digits)
    ours = written(tmp_path / "ours.sqlite", plan, plan.trials[:2])
    theirs = written(tmp_path / "theirs.sqlite", plan, plan.trials, flipped)
    before = fingerprint(ours), fingerprint(theirs)
    with (
        Store(ours) as store,
        pytest.raises(StoreError, match=r"different ones of 2: .*--keep ours or") as error,
    ):
        merge_stores(store, [theirs])
    assert plan.trials[0].id in str(error.value)
    assert (fingerprint(ours), fingerprint(theirs)) == before
    with Store(ours) as store:
        report = merge_stores(store, [theirs], keep="ours")
        assert (report.added, len(report.conflicts)) == (2, 2)
        kept = store.predictions(plan.trials[:1])[plan.trials[0].id]
        np.testing.assert_array_equal(kept, result(plan.trials[0]).predictions[2])
        merge_stores(store, [theirs], keep="theirs")
        kept = store.predictions(plan.trials[:1])[plan.trials[0].id]
        np.testing.assert_array_equal(kept, flipped(plan.trials[0]).predictions[2])


def test_two_of_the_others_may_disagree_too(digits: Path, tmp_path: Path) -> None:
    plan = planned(digits)
    one = written(tmp_path / "one.sqlite", plan, plan.trials)
    other = written(tmp_path / "other.sqlite", plan, plan.trials, flipped)
    with Store(tmp_path / "all.sqlite") as store:
        with pytest.raises(StoreError, match=r"one\.sqlite and .*other\.sqlite"):
            merge_stores(store, [one, other])
        assert store.states() == {}
        assert store.studies() == []


def test_failures_are_added_and_results_go_before_them(digits: Path, tmp_path: Path) -> None:
    plan = planned(digits)
    first, second, third, _ = plan.trials
    path = written(tmp_path / "theirs.sqlite", plan, [first])
    with Store(path) as store:
        store.fail(second, "it exploded")
        store.fail(third, "it exploded")
        store.start(plan.trials[3])
    with Store(tmp_path / "ours.sqlite") as store:
        store.fail(first, "here, too")
        store.finish(result(second))
        report = merge_stores(store, [path])
        assert (report.added, report.failed) == (1, 1)
        assert store.states() == {first.id: "done", second.id: "done", third.id: "failed"}
        assert store.statuses([third.id])[third.id].reason == "it exploded"


def test_a_study_that_differs_is_kept_as_it_was(digits: Path, tmp_path: Path) -> None:
    ours = planned(digits)
    theirs = planned(digits, axes=(Axis(path="model.hidden.0", values=(4, 8)),))
    path = written(tmp_path / "theirs.sqlite", theirs, theirs.trials)
    with Store(tmp_path / "ours.sqlite") as store:
        store.save_plan(ours)
        report = merge_stores(store, [path])
        assert report.added == 4
        [remark] = report.remarks
        assert "study small: kept as it was" in remark
        assert "axes" in remark
        assert store.plan("small", ours.fingerprint) == ours


def test_a_store_is_not_merged_into_itself_nor_while_a_study_runs(digits: Path, tmp_path: Path) -> None:
    plan = planned(digits)
    path = written(tmp_path / "one.sqlite", plan, plan.trials)
    other = written(tmp_path / "other.sqlite", plan, plan.trials)
    with Store(path) as store:
        with pytest.raises(StoreError, match="expected another store than the one merged into"):
            merge_stores(store, [path])
        refused = pytest.raises(StoreError, match="another digitlab is running a study on it")
        with Store(path) as runner, runner.exclusive(), refused:
            merge_stores(store, [other])

"""The runner, where trials differ in their number of epochs alone and one training gives several of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.results.aggregate import StudyTable, aggregate
from digitlab.results.store import Store
from digitlab.spec import Axis, Plan, Study, Trial, minimal_runs
from digitlab.studies import plan_study, read_table, run_plans
from digitlab.studies.observers import Observer
from pretender import REASON, Listener, Pretender, states, trained_by
from small_study import of_epochs, pretend

PlanOver = Callable[..., Plan]


@pytest.fixture(scope="module")
def over(study: Study) -> PlanOver:
    """Plan a study over so many epochs of a network of 8 neurons, of two seeds unless said."""

    def plan(*epochs: int, **changes: Any) -> Plan:
        name = "-".join(map(str, epochs))
        axis = Axis(path="training.epochs", values=epochs)
        values = {"name": f"epochs-{name}", "axes": (axis,), "overrides": {"model.hidden": [8]}}
        return plan_study(study.model_copy(update=values | changes))

    return plan


def lengths(trials: Iterable[Trial]) -> list[tuple[int, int]]:
    """Seed and epochs of each."""
    return [(trial.seed, trial.training.epochs) for trial in trials]


def trained_alone(plan: Plan) -> StudyTable:
    """The table that a plan would have if each of its trials had a training of its own."""
    return aggregate(plan, {trial.id: pretend(trial, lambda _: None) for trial in plan.trials}, {})


def failures(plan: Plan, store: Store) -> dict[Any, tuple[str, ...]]:
    return {row.levels[0]: row.failed for row in read_table(plan, store).rows}


def test_a_study_over_epochs_trains_the_longest_once_a_seed_and_reads_the_others_off(
    over: PlanOver, store: Store
) -> None:
    plan = over(1, 2, 5, 10)
    assert lengths(trained_by(plan, store)) == [(0, 10), (1, 10)]
    assert store.counts() == {"done": 2}
    table = read_table(plan, store)
    assert table.complete
    assert [row.seeds for row in table.rows] == [(0, 1)] * 4
    assert len({row.test_errors for row in table.rows}) == 4
    assert table == trained_alone(plan)
    short = read_table(plan, store, curves=False)
    assert (short.rows, short.curves, short.environments) == (table.rows, (), ())
    assert trained_by(plan, store) == ()


def test_epochs_that_a_longer_training_does_not_keep_are_trained_for_themselves(
    over: PlanOver, store: Store
) -> None:
    plan = over(2, 3, 5)
    assert lengths(trained_by(plan, store)) == [(0, 5), (0, 3), (1, 5), (1, 3)]
    assert read_table(plan, store) == trained_alone(plan)


def test_nothing_is_trained_that_a_longer_training_of_another_study_gave(
    over: PlanOver, study: Study, store: Store
) -> None:
    long = plan_study(study.model_copy(update={"name": "long", "overrides": {"training.epochs": 10}}))
    trained_by(long, store)
    for plan in (over(1, 2, 5), over(5), over(10, 1), plan_study(study)):
        listener = Listener()
        executor = Pretender()
        run_plans([plan], store, executor, listener)
        assert executor.begun == []
        assert listener.told == [("planned", len(minimal_runs(plan.trials)), 0, 0)]
        table = read_table(plan, store)
        assert table.complete
        assert table == trained_alone(plan)
        predictions = store.predictions(plan.trials)
        for trial in plan.trials:
            alone = pretend(trial, lambda _: None)
            assert np.array_equal(predictions[trial.id], alone.predictions[trial.training.epochs])


def test_what_is_read_off_another_study_needs_no_lock(over: PlanOver, store: Store) -> None:
    trained_by(over(10), store)
    with Store(store.path) as another, another.exclusive():
        assert trained_by(over(1, 2, 5), store) == ()


def test_only_what_cannot_be_read_is_trained(over: PlanOver, store: Store) -> None:
    trained_by(over(10, seeds=1), store)
    assert lengths(trained_by(over(5, 3, 20, 2), store)) == [(0, 20), (0, 3), (1, 20), (1, 3)]
    assert read_table(over(5, 3, 20, 2), store).complete


def test_a_longer_study_after_a_shorter_one_trains_the_longer_only(over: PlanOver, store: Store) -> None:
    assert lengths(trained_by(over(1, 2), store)) == [(0, 2), (1, 2)]
    assert lengths(trained_by(over(1, 2, 5), store)) == [(0, 5), (1, 5)]
    assert read_table(over(1, 2, 5), store).complete
    assert trained_by(over(2), store) == ()


def test_a_trial_whose_training_was_interrupted_is_missing_until_the_study_goes_on(
    over: PlanOver, store: Store
) -> None:
    plan = over(1, 2, 5)
    with pytest.raises(KeyboardInterrupt):
        run_plans([plan], store, Pretender(stop_at=1), Observer())
    table = read_table(plan, store)
    left = [(row.seeds, row.missing + row.interrupted, row.failed) for row in table.rows]
    assert left == [((0,), 1, ())] * 3
    assert lengths(trained_by(plan, store)) == [(1, 5)]
    assert read_table(plan, store) == trained_alone(plan)


def test_asked_to_train_again_the_longest_is_trained_once_a_seed(over: PlanOver, store: Store) -> None:
    plan = over(1, 2, 5)
    trained_by(plan, store)
    assert lengths(trained_by(plan, store, force=True)) == [(0, 5), (1, 5)]
    assert store.counts() == {"done": 2}
    assert read_table(plan, store).complete


def longest(plan: Plan, seed: int) -> Trial:
    return max(
        (trial for trial in plan.trials if trial.seed == seed), key=lambda trial: trial.training.epochs
    )


def test_where_a_training_fails_the_shorter_trials_are_trained_for_themselves(
    over: PlanOver, store: Store
) -> None:
    plan = over(1, 2, 5)
    listener = Listener()
    executor = Pretender(failing={longest(plan, 0).id})
    run_plans([plan], store, executor, listener)
    assert lengths(executor.begun) == [(0, 5), (1, 5), (0, 2)]
    assert failures(plan, store) == {1: (), 2: (), 5: (REASON,)}
    assert [told for told in listener.told if told[0] in ("planned", "failed")] == [
        ("planned", 0, 0, 2),
        ("failed", longest(plan, 0).id, REASON),
        ("planned", 1, 1, 1),
    ]
    table = read_table(plan, store)
    assert [(row.seeds, row.missing) for row in table.rows] == [((0, 1), 0), ((0, 1), 0), ((1,), 0)]


def test_a_failure_is_that_of_one_training_in_whatever_order_the_lengths_come(
    over: PlanOver, store: Store, tmp_path: Path
) -> None:
    plan = over(1, 2, 3, 5)
    failing = {longest(plan, 0).id}
    trained_by(plan, store, failing=failing)
    with Store(tmp_path / "one-by-one.sqlite") as other:
        for epochs in (1, 2, 3, 5):
            trained_by(over(epochs), other, failing=failing)
        for each in (store, other):
            assert failures(plan, each) == {1: (), 2: (), 3: (), 5: (REASON,)}


def test_a_network_that_cannot_be_trained_at_any_length_fails_at_each(over: PlanOver, store: Store) -> None:
    plan = over(1, 2, 5)
    trained = trained_by(plan, store, failing={trial.id for trial in plan.trials})
    assert lengths(trained) == [(0, 5), (1, 5), (0, 2), (1, 2), (0, 1), (1, 1)]
    assert failures(plan, store) == dict.fromkeys((1, 2, 5), (REASON, REASON))
    assert trained_by(plan, store) == ()
    assert trained_by(plan, store, retry_failed=True, failing={longest(plan, 0).id}) == (
        longest(plan, 0),
        longest(plan, 1),
        of_epochs(longest(plan, 0), 2),
    )
    assert failures(plan, store) == {1: (), 2: (), 5: (REASON,)}


def test_a_training_that_failed_is_tried_again_only_when_asked(over: PlanOver, store: Store) -> None:
    plan = over(1, 2, 5)
    trained_by(plan, store, failing={longest(plan, 0).id})
    assert trained_by(plan, store) == ()
    assert lengths(trained_by(plan, store, retry_failed=True)) == [(0, 5)]
    assert failures(plan, store) == {1: (), 2: (), 5: ()}
    assert read_table(plan, store).complete


def test_what_fails_when_it_is_trained_again_keeps_what_it_gave(over: PlanOver, store: Store) -> None:
    plan = over(1, 2, 5)
    trained_by(plan, store)
    trained = trained_by(plan, store, force=True, failing={longest(plan, 0).id})
    assert lengths(trained) == [(0, 5), (1, 5)]
    assert failures(plan, store) == {1: (), 2: (), 5: ()}


def test_a_training_that_fails_takes_nothing_away_that_was_there_before(over: PlanOver, store: Store) -> None:
    trained_by(over(2), store)
    plan = over(1, 2, 5)
    trained_by(plan, store, failing={longest(plan, 0).id, longest(plan, 1).id})
    table = read_table(plan, store)
    assert [(row.seeds, row.failed, row.missing) for row in table.rows] == [
        ((0, 1), (), 0),
        ((0, 1), (), 0),
        ((), (REASON, REASON), 0),
    ]
    assert table.complete
    assert trained_by(plan, store) == ()


def test_a_trial_that_failed_is_done_once_a_longer_training_gave_it(over: PlanOver, store: Store) -> None:
    short = over(2)
    trained_by(short, store, failing={trial.id for trial in short.trials})
    assert failures(short, store) == {2: (REASON, REASON)}
    trained_by(over(5), store)
    assert failures(short, store) == {2: ()}
    assert read_table(short, store).complete
    assert trained_by(short, store, retry_failed=True) == ()


def test_a_shorter_trial_that_failed_before_does_not_keep_a_longer_one_from_being_trained(
    over: PlanOver, store: Store
) -> None:
    short = over(2)
    trained_by(short, store, failing={trial.id for trial in short.trials})
    assert lengths(trained_by(over(1, 2, 5), store)) == [(0, 5), (1, 5)]
    assert failures(over(1, 2, 5), store) == {1: (), 2: (), 5: ()}


def test_a_shorter_trial_is_trained_though_a_longer_one_failed_for_another_study(
    over: PlanOver, store: Store
) -> None:
    trained_by(over(5), store, failing={trial.id for trial in over(5).trials})
    assert lengths(trained_by(over(2), store)) == [(0, 2), (1, 2)]
    assert failures(over(1, 2, 5), store) == {1: (), 2: (), 5: (REASON, REASON)}


def test_the_observer_is_told_of_trainings_and_not_of_what_is_read_off_them(
    over: PlanOver, store: Store
) -> None:
    plan = over(1, 2, seeds=1)
    listener = Listener()
    run_plans([plan], store, Pretender(), listener)
    trained = longest(plan, 0).id
    assert listener.told == [
        ("planned", 0, 0, 1),
        ("started", trained),
        ("epoch", trained, 1),
        ("epoch", trained, 2),
        ("finished", trained),
    ]


def test_studies_that_are_run_as_one_train_what_they_share_once(
    over: PlanOver, study: Study, store: Store
) -> None:
    plans = [over(1, 2), over(5), plan_study(study)]
    trained = trained_by(plans, store)
    assert lengths(trained) == [(0, 5), (0, 2), (1, 5), (1, 2)]
    assert [trial.to_values()["model"]["hidden"] for trial in trained] == [[8], [16]] * 2
    for plan in plans:
        assert read_table(plan, store) == trained_alone(plan)
        assert store.plan(plan.study.name, plan.fingerprint) == plan
    assert trained_by(plans, store) == ()


def test_studies_that_are_run_as_one_agree_on_what_failed(over: PlanOver, store: Store) -> None:
    plans = [over(1, 2), over(5)]
    trained_by(plans, store, failing={longest(plans[1], 0).id})
    assert [failures(plan, store) for plan in plans] == [{1: (), 2: ()}, {5: (REASON,)}]
    assert all(read_table(plan, store).complete for plan in plans)
    assert trained_by(plans, store) == ()
    assert trained_by(plans[0], store) == ()
    assert lengths(trained_by(plans, store, retry_failed=True)) == [(0, 5)]
    assert [failures(plan, store) for plan in plans] == [{1: (), 2: ()}, {5: ()}]


LENGTHS = st.lists(st.sampled_from([1, 2, 3, 5, 7, 10, 12]), min_size=1, max_size=3, unique=True)


@settings(max_examples=25)
@given(st.lists(LENGTHS, min_size=1, max_size=4))
def test_in_whatever_order_studies_are_run_each_gets_what_its_own_trainings_would_give(
    over: PlanOver, asked: list[list[int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "store.sqlite") as store:
        trained: list[Trial] = []
        for epochs in asked:
            plan = over(*epochs)
            readable = {epoch for trial in trained for epoch in trial.checkpoints}
            now = trained_by(plan, store)
            assert {trial.training.epochs for trial in now}.isdisjoint(readable)
            assert set(now) <= set(minimal_runs(plan.trials))
            trained += now
            assert read_table(plan, store) == trained_alone(plan)
        assert states(trained, store) == ["done"] * len(trained)
        assert store.counts() == {"done": len(trained)}

"""What every result store keeps to when trials differ in their number of epochs alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlab.errors import StoreError
from digitlab.results.record import Result
from digitlab.results.store import Store
from digitlab.spec import DataSpec, Trial
from digitlab.spec.library import resolve_recipe
from small_study import of_epochs

FINGERPRINT = "0" * 64
LENGTHS = range(1, 31)


@pytest.fixture(scope="module")
def trial() -> Trial:
    """Of one epoch."""
    recipe = resolve_recipe("mlp")
    data = DataSpec(fingerprint=FINGERPRINT)
    trial = Trial(recipe="mlp", model=recipe.model, training=recipe.training, data=data)
    return of_epochs(trial, 1)


@pytest.fixture(scope="module")
def of(trial: Trial, make_result: Any) -> Callable[[int], Result]:
    """Give the result of a training of so many epochs, each of which has a building time of its own."""
    known: dict[int, Result] = {}

    def result(epochs: int) -> Result:
        if epochs not in known:
            made = make_result(of_epochs(trial, epochs))
            known[epochs] = made.model_copy(update={"build_seconds": float(epochs)})
        return known[epochs]

    return result


def of_lengths(trial: Trial, lengths: Iterable[int]) -> list[Trial]:
    return [of_epochs(trial, epochs) for epochs in lengths]


def untimed(result: Result) -> dict[str, Any]:
    """Everything but predictions and seconds."""
    values = result.to_values()
    del values["build_seconds"]
    for record in values["history"]:
        del record["seconds"]
    return values


def found(store: Store, trial: Trial, lengths: Iterable[int]) -> dict[int, int]:
    """Epochs asked for to epochs of the training in which they are found."""
    epochs = {each.id: each.training.epochs for each in of_lengths(trial, LENGTHS)}
    sources = store.find_runs(of_lengths(trial, lengths))
    return {epochs[asked]: epochs[source] for asked, source in sources.items()}


def test_a_trial_is_read_off_a_longer_one_at_its_checkpoints_only(
    store: Store, trial: Trial, of: Callable[[int], Result]
) -> None:
    store.finish(of(12))
    assert found(store, trial, LENGTHS) == dict.fromkeys((1, 2, 5, 10, 12), 12)
    assert set(store.results(of_lengths(trial, LENGTHS))) == {
        each.id for each in of_lengths(trial, (1, 2, 5, 10, 12))
    }


def test_a_trials_own_result_goes_before_a_longer_one_whichever_came_first(
    store: Store, trial: Trial, of: Callable[[int], Result]
) -> None:
    for epochs in (2, 5, 12, 10, 1):
        store.finish(of(epochs))
    assert found(store, trial, LENGTHS) == {epochs: epochs for epochs in (1, 2, 5, 10, 12)}
    for result in store.results(of_lengths(trial, LENGTHS)).values():
        assert result.build_seconds == result.trial.training.epochs


@pytest.mark.parametrize("lengths", list(itertools.permutations((3, 5, 12, 20), 3)))
def test_in_whatever_order_trainings_came_every_length_is_found_that_was_a_checkpoint_of_one(
    lengths: tuple[int, ...], store: Store, trial: Trial, of: Callable[[int], Result]
) -> None:
    for epochs in lengths:
        store.finish(of(epochs))
    sources = found(store, trial, LENGTHS)
    assert set(sources) == {epoch for length in lengths for epoch in of(length).test}
    for asked, source in sources.items():
        assert source == asked if asked in lengths else source in lengths
        assert asked in of(source).test


OTHERS: dict[str, dict[str, Any]] = {
    "seed": {"seed": 1},
    "threads": {"threads": 2},
    "engine": {"engine_version": 1_000},
    "network": {"model": resolve_recipe("cnn").model},
    "data": {"data": DataSpec(fingerprint="f" * 64)},
    "split": {"data": DataSpec(fingerprint=FINGERPRINT, split_seed=29)},
    "validation": {"data": DataSpec(fingerprint=FINGERPRINT, validation=4_999)},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=list(OTHERS))
def test_a_trial_is_never_read_off_one_of_another_family(
    changes: dict[str, Any], store: Store, trial: Trial, of: Callable[[int], Result]
) -> None:
    store.finish(of(10))
    others = [each.model_copy(update=changes) for each in of_lengths(trial, (1, 2, 5, 10))]
    assert store.find_runs(others) == store.results(others) == {}
    for other in others:
        with pytest.raises(StoreError, match=f"no predictions of trial {other.id}"):
            store.predictions([other])


@pytest.mark.parametrize(
    "changes", [{"batch_size": 100}, {"learning_rate": 0.01}, {"loss": "mse"}, {"precision": "float32"}]
)
def test_a_trial_is_never_read_off_one_that_was_trained_otherwise(
    changes: dict[str, Any], store: Store, trial: Trial, of: Callable[[int], Result]
) -> None:
    store.finish(of(10))
    others = [
        each.model_copy(update={"training": each.training.model_copy(update=changes)})
        for each in of_lengths(trial, (1, 2, 5, 10))
    ]
    assert store.find_runs(others) == store.results(others) == {}


def test_a_trial_is_never_read_off_one_that_is_not_done(
    store: Store, trial: Trial, of: Callable[[int], Result]
) -> None:
    asked, long = of_lengths(trial, (1, 2, 5, 10)), of_epochs(trial, 10)
    with store.exclusive():
        store.start(long)
        assert store.find_runs(asked) == store.results(asked) == {}
        store.fail(long, "the loss became nan in epoch 7")
        assert store.find_runs(asked) == store.results(asked) == {}
        store.start(long)
    assert store.statuses([long.id])[long.id].state == "interrupted"
    assert store.find_runs(asked) == store.results(asked) == {}
    with store.exclusive():
        store.finish(of(10))
        store.start(long)  # again, and what it gave before stays
        assert set(store.find_runs(asked)) == {each.id for each in asked}
        store.fail(long, "out of memory")
    assert set(store.results(asked)) == {each.id for each in asked}


def test_a_shorter_trial_that_failed_itself_is_read_off_a_longer_one_that_did_not(
    store: Store, trial: Trial, of: Callable[[int], Result]
) -> None:
    short = of_epochs(trial, 2)
    store.fail(short, "out of memory")
    store.finish(of(5))
    assert store.find_runs([short]) == {short.id: of(5).trial.id}
    assert store.results([short])[short.id].final_test == of(5).test[2]


def test_what_is_read_off_a_longer_training_is_what_the_shorter_would_have_given_but_for_seconds(
    store: Store, trial: Trial, of: Callable[[int], Result]
) -> None:
    store.finish(of(12))
    asked = of_lengths(trial, (10, 1, 12, 5))
    results = store.results(asked)
    assert list(results) == [each.id for each in asked]
    for each in asked:
        assert untimed(results[each.id]) == untimed(of(each.training.epochs))
        assert results[each.id].to_json() == of(12).after(each).to_json()
    predictions = store.predictions(asked)
    assert list(predictions) == [each.id for each in asked]
    for each in asked:
        epochs = each.training.epochs
        assert np.array_equal(predictions[each.id], of(epochs).predictions[epochs])


def test_figures_are_those_of_the_results_whole(
    store: Store, trial: Trial, of: Callable[[int], Result]
) -> None:
    for epochs in (12, 5):
        store.finish(of(epochs))
    asked = of_lengths(trial, LENGTHS)
    figures = store.figures(iter(asked))
    results = store.results(asked)
    assert figures == {each: result.figures(result.trial.training.epochs) for each, result in results.items()}
    assert [len(figures), len(set(figures.values()))] == [5, 5]
    assert figures[of_epochs(trial, 5).id].test_error == of(5).final_test.error_percent
    assert store.figures([]) == {}


def test_figures_follow_a_new_result(store: Store, trial: Trial, of: Callable[[int], Result]) -> None:
    store.finish(of(5))
    newer = of(5).model_copy(update={"parameters": 1})
    store.finish(newer)
    assert store.figures([trial, newer.trial]) == {
        trial.id: newer.figures(1),
        newer.trial.id: newer.figures(5),
    }


def test_predictions_of_different_lengths_are_those_of_their_own_epochs(
    store: Store, trial: Trial, of: Callable[[int], Result]
) -> None:
    store.finish(of(10))
    kept = store.predictions(of_lengths(trial, (1, 2, 5, 10)))
    for one, other in itertools.combinations(kept.values(), 2):
        assert not np.array_equal(one, other)
    own = 9 - of(5).predictions[5]
    store.finish(of(5).model_copy(update={"predictions": {5: own}}))
    short = of_epochs(trial, 5)
    assert np.array_equal(store.predictions([short])[short.id], own)


def test_a_result_has_the_names_that_it_is_asked_for_by(
    store: Store, trial: Trial, of: Callable[[int], Result]
) -> None:
    store.finish(of(5))
    data = DataSpec(fingerprint=FINGERPRINT, dataset="/home/anna/digits")
    for epochs in (2, 5):
        asked = of_epochs(trial, epochs).model_copy(update={"recipe": "mine", "data": data})
        assert store.results([asked])[asked.id].trial == asked


def test_what_a_longer_training_gave_can_be_read_by_the_next_who_opens_the_store(
    store_class: type[Store], path: Path, trial: Trial, of: Callable[[int], Result]
) -> None:
    with store_class(path) as first:
        first.finish(of(5))
    with store_class(path, create=False) as second:
        assert found(second, trial, LENGTHS) == {1: 5, 2: 5, 5: 5}
        short = of_epochs(trial, 2)
        assert np.array_equal(second.predictions([short])[short.id], of(2).predictions[2])


def test_a_training_that_its_patience_ended_is_read_like_any_other(
    store: Store, trial: Trial, make_result: Any
) -> None:
    training = trial.training.model_copy(update={"epochs": 100, "patience": 2})
    patient = trial.model_copy(update={"training": training})
    whole = make_result(patient)
    kept = (1, 2, 5, 100)  # it ended after 6 epochs; the best network counts as that of the last
    stopped = whole.model_copy(
        update={
            "history": whole.history[:6],
            "validation": {epoch: whole.validation[epoch] for epoch in kept},
            "test": {epoch: whole.test[epoch] for epoch in kept},
            "predictions": {epoch: whole.predictions[epoch] for epoch in kept},
        }
    )
    store.finish(stopped)
    [result] = store.results([patient]).values()
    assert result == stopped.model_copy(update={"predictions": {}})
    assert store.figures([patient])[patient.id] == stopped.figures(100)
    np.testing.assert_array_equal(store.predictions([patient])[patient.id], whole.predictions[100])

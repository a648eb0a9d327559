"""What a result says of itself, and how a longer one is cut to a shorter trial."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from digitlab.results.record import KernelWeights, Result
from digitlab.spec import DataSpec, Trial
from digitlab.spec.library import resolve_recipe
from small_study import of_epochs

CHECKPOINTS = [1, 2, 5, 10, 12]


@pytest.fixture(scope="module")
def trial() -> Trial:
    recipe = resolve_recipe("mlp")
    data = DataSpec(fingerprint="0" * 64)
    return of_epochs(Trial(model=recipe.model, training=recipe.training, data=data), 12)


@pytest.fixture(scope="module")
def result(trial: Trial, make_result: Any) -> Result:
    return make_result(trial)


def assert_same(one: Result, other: Result) -> None:
    assert one.to_values() == other.to_values()
    assert list(one.predictions) == list(other.predictions)
    for epoch, classes in one.predictions.items():
        assert np.array_equal(classes, other.predictions[epoch])


def test_training_took_as_long_as_its_epochs_together(result: Result) -> None:
    assert result.train_seconds == pytest.approx(sum(0.5 + 0.25 * epoch for epoch in range(1, 13)))
    assert result.after(of_epochs(result.trial, 2)).train_seconds == pytest.approx(0.75 + 1.0)


def test_the_final_scores_are_those_after_the_last_epoch(result: Result) -> None:
    assert list(result.validation) == list(result.test) == CHECKPOINTS
    assert result.final_validation == result.validation[12] != result.validation[10]
    assert result.final_test == result.test[12] != result.test[10]
    assert result.final_validation.accuracy == result.history[-1].validation_accuracy


@pytest.mark.parametrize("epochs", CHECKPOINTS)
def test_cut_at_a_checkpoint_a_result_is_that_of_the_shorter_trial(
    epochs: int, result: Result, make_result: Any
) -> None:
    shorter = make_result(of_epochs(result.trial, epochs))
    cut = result.after(shorter.trial)
    assert_same(cut, shorter)
    assert len(cut.history) == epochs
    assert cut.final_test == result.test[epochs]
    assert cut.final_validation == result.validation[epochs]


def test_cutting_leaves_the_longer_result_as_it_was(result: Result, make_result: Any) -> None:
    result.after(of_epochs(result.trial, 2))
    assert_same(result, make_result(result.trial))


def test_cutting_twice_is_cutting_once(result: Result) -> None:
    short, shorter = (of_epochs(result.trial, epochs) for epochs in (5, 2))
    assert_same(result.after(short).after(shorter), result.after(shorter))


def test_a_result_without_predictions_can_be_cut_as_well(result: Result) -> None:
    read = Result.from_json(result.to_json())
    short = of_epochs(result.trial, 5)
    assert read.after(short).predictions == {}
    assert read.after(short).to_json() == result.after(short).to_json()


def kernels(epoch: int) -> KernelWeights:
    return (((epoch / 10, 0.5), (0.25, -1.0)),)


def test_kernels_are_those_after_the_epochs_of_each_trial(result: Result) -> None:
    convolutional = result.model_copy(update={"kernels": {epoch: kernels(epoch) for epoch in CHECKPOINTS}})
    read = Result.from_json(convolutional.to_json())
    assert read.final_kernels == kernels(12)
    assert read.after(of_epochs(read.trial, 5)).final_kernels == kernels(5)
    assert list(read.after(of_epochs(read.trial, 5)).kernels) == [1, 2, 5]
    assert result.final_kernels == ()

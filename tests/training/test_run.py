"""One trial, from its data to its result, on real digits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from digitlab.data import Dataset, stratified_split
from digitlab.errors import DataError, SpecError
from digitlab.results import EpochRecord, Result, score
from digitlab.revision import revision
from digitlab.spec import DataSpec, Trial, resolve_recipe
from digitlab.spec.study import with_settings
from digitlab.training import TrainOutput, train, train_trial
from digitlab.training.run import NON_DIGIT, training_set
from real_digits import read_mnist


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return read_mnist()


def make_trial(dataset: Dataset, epochs: int = 3, seed: int = 5) -> Trial:
    recipe = resolve_recipe("mlp")
    training = recipe.training.model_copy(update={"epochs": epochs, "precision": "float32"})
    return Trial(
        model=recipe.model, training=training, data=DataSpec(fingerprint=dataset.fingerprint), seed=seed
    )


def test_a_trial_of_other_data_is_refused_before_anything_is_built(dataset: Dataset) -> None:
    other = replace(dataset, fingerprint="0" * 64)
    with pytest.raises(DataError, match="contents that the trial names"):
        train_trial(make_trial(dataset), other)


def test_a_trial_of_another_engine_is_refused_before_anything_is_built(dataset: Dataset) -> None:
    older = make_trial(dataset).model_copy(update={"engine_version": 1})
    with pytest.raises(SpecError, match=f"trial {older.id}: expected engine version 2, .* received 1"):
        train_trial(older, dataset)


def test_an_impossible_setting_is_refused_before_anything_is_built() -> None:
    with pytest.raises(SpecError, match=r"batch_size: expected a whole number from 1 to 60000, received 0"):
        train("mlp", settings={"training.batch_size": 0})


def generating(dataset: Dataset, **shares: float) -> Trial:
    settings: dict[str, Any] = {"training.augmentation": shares, "training.epochs": 1}
    recipe = with_settings(resolve_recipe("mlp"), settings | {"training.precision": "float32"}, "test")
    data = DataSpec(fingerprint=dataset.fingerprint, validation=50_000)
    return Trial(model=recipe.model, training=recipe.training, data=data, seed=5)


def test_generated_images_have_their_shares_of_a_training_set(dataset: Dataset) -> None:
    trial = generating(dataset, strokes=0.15, non_digits=0.1)
    images, labels = training_set(trial, dataset)
    chosen, _ = stratified_split(dataset.y_train, 50_000, trial.data.split_seed)
    assert np.array_equal(images[: len(chosen)], dataset.x_train[chosen])
    assert len(images) == len(labels) == pytest.approx(10_000 / 0.75, rel=0.02)
    assert np.mean(labels == NON_DIGIT) == pytest.approx(0.1, abs=0.01)
    assert np.mean(np.arange(len(labels)) >= len(chosen)) == pytest.approx(0.25, abs=0.01)
    assert labels[: len(chosen)].max() == 9
    again, _ = training_set(trial, dataset)
    assert np.array_equal(images, again)
    other, _ = training_set(trial.model_copy(update={"seed": 6}), dataset)
    assert not np.array_equal(images[len(chosen) :], other[len(chosen) :])


@pytest.mark.parametrize("count", [100, 700, 4_000])
def test_non_digits_have_their_share_of_few_images_too(dataset: Dataset, count: int) -> None:
    few = replace(dataset, x_train=dataset.x_train[: count + 10], y_train=dataset.y_train[: count + 10])
    trial = generating(few, non_digits=0.2)
    data = trial.data.model_copy(update={"validation": 10})
    _, labels = training_set(trial.model_copy(update={"data": data}), few)
    assert np.mean(labels == NON_DIGIT) == pytest.approx(0.2, abs=0.025)


@pytest.mark.parametrize("shares", [{"strokes": 0.1}, {"non_digits": 0.1}])
def test_digits_and_non_digits_are_generated_among_images_of_digits_alone(
    dataset: Dataset, shares: dict[str, float]
) -> None:
    letters = replace(dataset, classes=tuple("abcdefghij"))
    with pytest.raises(DataError, match="generated digits are none of its classes"):
        training_set(generating(letters, **shares), letters)


def test_generated_images_leave_given_ones_among_them() -> None:
    with pytest.raises(SpecError, match=r"strokes and non_digits of 0\.9 or less together, received 1\.1"):
        train("mlp", settings={"training.augmentation": {"strokes": 0.6, "non_digits": 0.5}})


@pytest.mark.slow
def test_a_network_trained_with_non_digits_answers_with_the_ten_digits(dataset: Dataset) -> None:
    trained = train_trial(generating(dataset, non_digits=0.2), dataset)
    assert trained.model.output_shape == (None, 10)
    probabilities = np.asarray(trained.model(dataset.x_test[:1000], training=False))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert trained.result.final_test.accuracy > 0.8
    assert trained.result.parameters == trained.model.count_params()


def timeless(result: Result) -> dict[str, Any]:
    """Everything but predictions and seconds."""
    values = result.to_values()
    del values["build_seconds"]
    for record in values["history"]:
        del record["seconds"]
    return values


@pytest.fixture(scope="module")
def told() -> list[EpochRecord]:
    return []


@pytest.fixture(scope="module")
def trained(dataset: Dataset, told: list[EpochRecord]) -> TrainOutput:
    return train_trial(make_trial(dataset), dataset, on_epoch=told.append)


@pytest.mark.slow
def test_the_history_has_every_epoch_and_is_told_as_it_grows(
    trained: TrainOutput, told: list[EpochRecord]
) -> None:
    assert [record.epoch for record in trained.result.history] == [1, 2, 3]
    assert tuple(told) == trained.result.history
    assert told[-1].loss < told[0].loss
    assert told[-1].validation_accuracy > 0.93


@pytest.mark.slow
def test_test_scores_are_kept_at_the_checkpoints_with_the_predictions_they_come_from(
    trained: TrainOutput, dataset: Dataset
) -> None:
    result = trained.result
    assert list(result.validation) == list(result.test) == list(result.predictions) == [1, 2, 3]
    for epoch, scores in result.test.items():
        assert scores.images == 10_000
        assert scores.correct == (result.predictions[epoch] == dataset.y_test).sum()


@pytest.mark.slow
def test_which_code_trains_is_asked_before_the_first_epoch_and_not_again(dataset: Dataset) -> None:
    """A commit that is made while a network trains did not train it."""
    revision.cache_clear()
    asked = []
    train_trial(
        make_trial(dataset, epochs=1), dataset, on_epoch=lambda _: asked.append(revision.cache_info().misses)
    )
    assert asked == [1]
    assert revision.cache_info().misses == 1


@pytest.mark.slow
def test_validation_scores_are_kept_at_the_checkpoints_as_the_history_has_them(trained: TrainOutput) -> None:
    for epoch, scores in trained.result.validation.items():
        record = trained.result.history[epoch - 1]
        assert (record.validation_accuracy, record.validation_mse) == (scores.accuracy, scores.mse)
        assert record.validation_log_loss == scores.log_loss
    assert trained.result.final_validation == trained.result.validation[3]


@pytest.mark.slow
def test_the_model_is_the_one_that_was_scored(trained: TrainOutput, dataset: Dataset) -> None:
    probabilities = np.asarray(trained.model(dataset.x_test, training=False))
    scores = score(probabilities, dataset.y_test)
    assert scores.correct == trained.result.final_test.correct
    assert scores.mse == pytest.approx(trained.result.final_test.mse, rel=1e-5)


@pytest.mark.slow
def test_a_shorter_trial_is_the_beginning_of_a_longer_one(trained: TrainOutput, dataset: Dataset) -> None:
    """What reading epochs off a longer training rests on."""
    shorter = train_trial(make_trial(dataset, epochs=2), dataset).result
    read_off = trained.result.after(shorter.trial)
    assert timeless(read_off) == timeless(shorter)
    assert list(read_off.predictions) == list(shorter.predictions) == [1, 2]
    for epoch, classes in shorter.predictions.items():
        assert np.array_equal(read_off.predictions[epoch], classes)


@pytest.mark.slow
def test_another_seed_is_another_network_on_the_same_split(trained: TrainOutput, dataset: Dataset) -> None:
    other = train_trial(make_trial(dataset, epochs=1, seed=6), dataset).result
    on_validation = [result.final_validation for result in (other, trained.result)]
    assert [scores.images for scores in on_validation] == [5_000, 5_000]
    row_sums = [tuple(map(sum, scores.confusion)) for scores in on_validation]
    assert row_sums[0] == row_sums[1]
    assert other.history[0].loss != trained.result.history[0].loss


def changed(dataset: Dataset, epochs: int, **settings: Any) -> Trial:
    trial = make_trial(dataset, epochs=epochs)
    return trial.model_copy(update={"training": trial.training.model_copy(update=settings)})


@pytest.mark.slow
def test_patience_ends_a_training_with_the_network_of_its_best_epoch(dataset: Dataset) -> None:
    told: list[EpochRecord] = []
    impatient = changed(dataset, 30, learning_rate=0.02, patience=2)
    stopped = train_trial(impatient, dataset, on_epoch=told.append)
    result = stopped.result
    losses = [record.validation_log_loss for record in result.history]
    best = int(np.argmin(losses)) + 1
    assert len(told) == len(result.history) == best + 2 < 30
    assert result.final_record.epoch == best
    whole = train_trial(changed(dataset, best, learning_rate=0.02), dataset)
    assert result.final_test == whole.result.final_test
    assert result.final_validation == whole.result.final_validation
    for ours, theirs in zip(stopped.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert result.figures(30).validation_error == 100 * (1 - result.final_record.validation_accuracy)


@pytest.mark.slow
def test_a_step_with_l2_is_that_of_keras(dataset: Dataset) -> None:
    import keras

    settings = {"optimizer": "sgd", "learning_rate": 0.1, "l2": 0.01, "batch_size": 60_000}
    trial = changed(dataset, 1, **settings)
    ours = train_trial(trial, dataset).model
    before = train_trial(changed(dataset, 1, **settings | {"learning_rate": 1e-12}), dataset).model
    images, labels = training_set(trial, dataset)
    twin: Any = keras.models.clone_model(before)
    twin.set_weights(before.get_weights())
    for layer in twin.layers:
        if hasattr(layer, "kernel"):
            layer.kernel.regularizer = keras.regularizers.L2(0.01)
    twin.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    twin.fit(images.astype(np.float32), labels, batch_size=60_000, verbose=0)
    for our_weight, its_weight in zip(ours.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(our_weight, its_weight, rtol=0, atol=2e-5)

"""The statistics of batch normalization, taken anew when training ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from digitlab.data import load, stratified_split
from digitlab.spec.library import resolve_recipe
from digitlab.spec.recipe import Recipe
from digitlab.spec.study import with_settings
from digitlab.spec.trial import fitting_validation
from digitlab.training import TrainOutput, train

pytestmark = pytest.mark.slow


def small(**settings: Any) -> Recipe:
    """The recipe best with four filters a layer, over MNIST's own digits alone."""
    narrow = {f"model.convolutions.{number}.filters": 4 for number in range(6)}
    plain = {
        "training.epochs": 1,
        "training.augmentation.strokes": 0.0,
        "training.augmentation.non_digits": None,
    }
    return with_settings(resolve_recipe("best"), narrow | plain | settings, "test")


@pytest.fixture(scope="module")
def kept_and_taken() -> tuple[TrainOutput, TrainOutput]:
    return train(small(**{"training.renormalize": False})), train(small())


def test_only_statistics_are_changed_and_only_at_the_end(
    kept_and_taken: tuple[TrainOutput, TrainOutput],
) -> None:
    kept, taken = kept_and_taken
    for weight, other in zip(kept.model.weights, taken.model.weights, strict=True):
        same = np.array_equal(weight.numpy(), other.numpy())
        assert same is not weight.path.rpartition("/")[2].startswith("moving_")


def test_they_are_those_of_the_undisturbed_training_images(
    kept_and_taken: tuple[TrainOutput, TrainOutput],
) -> None:
    import keras

    from digitlab.training.batchnorm import recalibrate_batchnorm

    kept, taken = kept_and_taken
    mnist = load("mnist")
    chosen, _ = stratified_split(mnist.y_train, fitting_validation(len(mnist.y_train)), 28)
    recalibrate_batchnorm(kept.model, mnist.x_train[chosen])
    for weight, other in zip(kept.model.weights, taken.model.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), other.numpy())
    before = keras.Model(taken.model.input, taken.model.get_layer("normalization_1").input)
    maps = before(mnist.x_train[chosen][::3], training=False).numpy().astype(np.float64)
    layer = taken.model.get_layer("normalization_1")
    np.testing.assert_allclose(layer.moving_mean.numpy(), maps.mean(axis=(0, 1, 2)), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(layer.moving_variance.numpy(), maps.var(axis=(0, 1, 2)), rtol=1e-3)

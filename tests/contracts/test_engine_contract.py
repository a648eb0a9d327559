"""The laws of `Engine`, over the engine of this process's backend.

A process has one backend of Keras: `test_engines.py` runs this file in a process on JAX too.
"""

from __future__ import annotations

import numpy as np
import pytest

from digitlab.data import stratified_split
from digitlab.spec import DataSpec, Trial, resolve_recipe
from digitlab.spec.study import with_settings
from digitlab.training.engine import Engine, EngineFactory
from digitlab.training.process import chosen_backend
from digitlab.training.run import jax_engine, tensorflow_engine
from digitlab.training.seeds import child_seeds
from real_digits import read_mnist

pytestmark = pytest.mark.slow  # TensorFlow takes seconds to import

IMAGES = 650  # with batches of 200: three whole ones and a rest
NETWORKS = {
    "mlp": ("mlp", {"model.hidden.0": 16}),
    "mlp with dropout, mse and sgd": (
        "mlp",
        {
            "model.hidden": [16, 8],
            "model.dropout": 0.3,
            "training.loss": "mse",
            "training.optimizer": "sgd",
            "training.learning_rate": 0.5,
        },
    ),
    "cnn": ("cnn", {"model.convolutions.0.filters": 2, "model.dense.0": 8}),
    "everything that a recipe can ask for": (
        "best",
        {
            "model.convolutions": [
                {"filters": 2, "kernel_size": 5, "stride": 2, "pool": 1},
                {"filters": 4, "kernel_size": 3, "padding": "same"},
            ],
            "training.batch_size": 200,
            "training.average": 0.5,
        },
    ),
    "residual blocks, average pooling, l2 and muon": (
        "resnet",
        {
            "model.convolutions": [
                {"filters": 2, "kernel_size": 5, "pooling": "average"},
                {"filters": 4, "kernel_size": 3, "padding": "same", "pool": 1, "stride": 2, "residual": 1},
                {"filters": 4, "kernel_size": 3, "padding": "same", "pool": 1, "residual": 1},
            ],
            "model.dense": [8],
            "model.activation": "leaky_relu",
            "training.optimizer": "muon",
            "training.momentum": 0.9,
            "training.l2": 0.001,
        },
    ),
    "mlp in bfloat16": ("mlp", {"model.hidden.0": 16, "training.precision": "mixed_bfloat16"}),
    "deep cnn in bfloat16": (
        "deep-cnn",
        {"model.convolutions.0.filters": 2, "training.precision": "mixed_bfloat16"},
    ),
}


@pytest.fixture(scope="module")
def factory() -> EngineFactory:
    return jax_engine(threads=1) if chosen_backend() == "jax" else tensorflow_engine(threads=1)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    dataset = read_mnist()
    _, some = stratified_split(dataset.y_train, IMAGES, 0)
    return dataset.x_train[some], dataset.y_train[some]


@pytest.fixture(scope="module", params=NETWORKS)
def trial(request: pytest.FixtureRequest) -> Trial:
    recipe, settings = NETWORKS[request.param]
    settings = {"training.precision": "float32", **settings}
    ready = with_settings(resolve_recipe(recipe), settings, "test")
    return Trial(model=ready.model, training=ready.training, data=DataSpec(), seed=7)


def train(
    factory: EngineFactory,
    trial: Trial,
    digits: tuple[np.ndarray, np.ndarray],
    epochs: int = 2,
    peek: bool = False,
) -> Engine:
    seeds = child_seeds(trial.seed)
    engine = factory(trial, *digits, seeds)
    order = np.random.default_rng(seeds.order)
    for _ in range(epochs):
        if peek:
            engine.predict(digits[0])
            engine.network()
        engine.run_epoch(order.permutation(IMAGES).astype(np.int32))
    return engine


def weights(engine: Engine) -> list[np.ndarray]:
    return [np.array(weight) for weight in engine.network().get_weights()]


def test_the_same_trial_twice_gives_identical_weights(factory, trial, digits) -> None:
    first, second = weights(train(factory, trial, digits)), weights(train(factory, trial, digits))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_another_seed_gives_other_weights(factory, trial, digits) -> None:
    first = weights(train(factory, trial, digits, epochs=0))
    second = weights(train(factory, trial.model_copy(update={"seed": 8}), digits, epochs=0))
    assert not any(np.array_equal(a, b) for a, b in zip(first, second, strict=True) if a.ndim > 1)


def test_predicting_in_between_changes_nothing(factory, trial, digits) -> None:
    plain, peeked = train(factory, trial, digits), train(factory, trial, digits, peek=True)
    assert all(np.array_equal(a, b) for a, b in zip(weights(plain), weights(peeked), strict=True))


def test_every_image_counts_once_and_the_sums_are_plausible(factory, trial, digits) -> None:
    engine = factory(trial, *digits, child_seeds(trial.seed))
    totals = engine.run_epoch(np.arange(IMAGES, dtype=np.int32))
    assert 0 < totals.correct < IMAGES
    assert 0 < totals.squared_error < 0.2 * IMAGES
    expected = totals.squared_error if trial.training.loss == "mse" else 2.3 * IMAGES
    assert totals.loss == pytest.approx(expected, rel=0.5)


def test_the_rest_of_an_epoch_is_trained_on_too(factory, trial, digits) -> None:
    """With a batch larger than the data the whole epoch is the rest."""
    training = trial.training.model_copy(update={"batch_size": 1000})
    engine = factory(trial.model_copy(update={"training": training}), *digits, child_seeds(trial.seed))
    before = [np.array(weight) for weight in weights(engine)]
    engine.run_epoch(np.arange(IMAGES, dtype=np.int32))
    assert not all(np.array_equal(a, b) for a, b in zip(before, weights(engine), strict=True))


def test_it_learns(factory, trial, digits) -> None:
    seeds = child_seeds(trial.seed)
    engine = factory(trial, *digits, seeds)
    order = np.random.default_rng(seeds.order)
    losses = [engine.run_epoch(order.permutation(IMAGES).astype(np.int32)).loss for _ in range(8)]
    assert losses[-1] < losses[0]


def test_scores_belong_to_the_network_that_is_saved(factory, trial, digits) -> None:
    engine = train(factory, trial, digits)
    predicted = engine.predict(digits[0])
    saved = np.asarray(engine.network()(digits[0], training=False))
    assert predicted.shape == (IMAGES, 10)
    assert predicted.dtype == np.float32
    np.testing.assert_allclose(predicted, saved, atol=1e-5)
    np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-5)


def test_the_network_is_float32_throughout(factory, trial, digits) -> None:
    network = train(factory, trial, digits, epochs=0).network()
    assert {layer.dtype_policy.name for layer in network.layers} == {"float32"}

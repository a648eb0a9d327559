"""Batch normalization in one operation computes what Keras's layer computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # TensorFlow takes seconds to import

MOMENTUM = 0.9
SHAPE = 8, 5, 6, 3
VALUES_OF_A_CHANNEL = 8 * 5 * 6
WEIGHTS = {
    "gamma": [0.5, 1.0, 2.0],
    "beta": [-1.0, 0.0, 1.0],
    "moving_mean": [1.0, 2.0, 3.0],
    "moving_variance": [0.5, 1.0, 2.0],
}


@pytest.fixture(scope="module")
def layers() -> tuple[Any, Any]:
    """The layer and Keras's, with the same weights."""
    from digitlab.training.process import prepare_process

    prepare_process(1)
    import keras

    from digitlab.training.normalization import EPSILON, FusedNormalization

    fused = FusedNormalization(MOMENTUM, "float32", "fused")
    plain: Any = keras.layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)
    for layer in (fused, plain):
        layer.build((None, *SHAPE[1:]))
        layer.set_weights([np.array(values) for values in WEIGHTS.values()])
    return fused, plain


@pytest.fixture(scope="module")
def steps(layers: tuple[Any, Any]) -> list[dict[str, np.ndarray]]:
    """What a training step takes from each layer: its output, gradients and remembered statistics."""
    import tensorflow as tf

    random = np.random.default_rng(0)
    images = tf.constant(random.normal(3, 2, SHAPE), tf.float32)
    slope = tf.constant(random.normal(0, 1, SHAPE), tf.float32)
    taken = []
    for layer in layers:
        with tf.GradientTape() as tape:
            tape.watch(images)
            output = layer(images, training=True) if layer is layers[1] else layer(images)
            loss = tf.reduce_sum(slope * output)
        sources = [images, layer.gamma.value, layer.beta.value]
        of_images, of_gamma, of_beta = tape.gradient(loss, sources)
        taken.append(
            {
                "output": np.asarray(output),
                "gradient of the images": np.asarray(of_images),
                "gradient of gamma": np.asarray(of_gamma),
                "gradient of beta": np.asarray(of_beta),
                "mean": np.asarray(layer.moving_mean),
                "variance": np.asarray(layer.moving_variance),
            }
        )
    return taken


@pytest.mark.parametrize(
    "name", ["output", "gradient of the images", "gradient of gamma", "gradient of beta", "mean"]
)
def test_a_training_step_is_that_of_keras(name: str, steps: list[dict[str, np.ndarray]]) -> None:
    fused, plain = steps
    np.testing.assert_allclose(fused[name], plain[name], rtol=1e-4, atol=1e-4)


def test_the_variance_that_is_remembered_is_unbiased(steps: list[dict[str, np.ndarray]]) -> None:
    """Keras remembers that of the batch, which is (n - 1) / n of it, n being the values of a channel."""
    before = MOMENTUM * np.array(WEIGHTS["moving_variance"])
    fused, plain = (step["variance"] - before for step in steps)
    np.testing.assert_allclose(fused * (VALUES_OF_A_CHANNEL - 1) / VALUES_OF_A_CHANNEL, plain, rtol=1e-4)


def test_the_weights_are_those_of_keras_in_the_same_order(layers: tuple[Any, Any]) -> None:
    fused, plain = ([weight.name for weight in layer.weights] for layer in layers)
    assert fused == plain == list(WEIGHTS)

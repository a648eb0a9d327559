"""Every layer that a network may have, written to ONNX and run by ONNX Runtime, answers as in Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from digitlab.bundle.onnx_writer import logits_layer, to_onnx
from digitlab.bundle.runtime import open_session, run
from digitlab.data import Dataset
from digitlab.errors import BundleError
from digitlab.spec.library import recipe_names, resolve_recipe
from digitlab.training.process import prepare_process

pytestmark = pytest.mark.slow  # TensorFlow takes seconds to import

Body = Callable[[Any, Any], Any]
"""From `keras.layers` and maps [28, 28, 1] to anything that can be flattened."""


@pytest.fixture(scope="module")
def layers() -> Any:
    prepare_process(threads=1)
    from keras import layers

    return layers


def network(layers: Any, body: Body, seed: int = 0) -> Any:
    import keras

    keras.utils.set_random_seed(seed)
    images = keras.Input((28, 28), name="images")
    maps = layers.Reshape((28, 28, 1))(layers.Rescaling(1 / 255)(images))
    features = layers.Flatten(name="flat")(body(layers, maps))
    logits = layers.Dense(10, name="logits")(features)
    model = keras.Model(images, layers.Softmax(name="probabilities")(logits))
    random = np.random.default_rng(seed)
    for weight in model.weights:
        if len(weight.shape) == 1:  # offsets, and what normalization has learnt: scales of either sign
            positive = "variance" in weight.path
            drawn = random.uniform(0.5, 2, weight.shape) * (1 if positive else random.choice([-1, 1]))
            weight.assign(drawn)
    return model


def assert_same(model: Any, images: np.ndarray) -> dict[str, np.ndarray]:
    """Compare every output of both files with Keras; give those of `inside.onnx`."""
    import keras

    pixels = images.astype(np.float32)
    [answers] = run(open_session(to_onnx(model).SerializeToString()), ["probabilities"], pixels)
    session = open_session(to_onnx(model, inside=True).SerializeToString())
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, run(session, names, pixels), strict=True))
    tensors = {"probabilities": model.output, "features": logits_layer(model).input}
    tensors |= {name: model.get_layer(name).output for name in found.keys() - tensors.keys()}
    reference: Any = keras.Model(model.inputs, tensors)
    expected = reference.predict(pixels, verbose=0)
    np.testing.assert_allclose(answers, expected["probabilities"], rtol=0, atol=1e-5)
    assert found.keys() == expected.keys()
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-4, err_msg=name)
    return found


def residual(layers: Any, maps: Any) -> Any:
    first = layers.Conv2D(6, 3, padding="same", activation="relu")(maps)
    second = layers.Conv2D(6, 3, padding="same")(first)
    return layers.ReLU()(layers.Add()([layers.BatchNormalization()(second), first]))


def branches(layers: Any, maps: Any) -> Any:
    left = layers.Conv2D(5, 3, padding="same")(maps)
    right = layers.Conv2D(3, 5, padding="same", activation="tanh")(maps)
    return layers.Concatenate()([left, right, maps])


def flat_branches(layers: Any, maps: Any) -> Any:
    maps = layers.Conv2D(4, 5, strides=3)(maps)
    flat = layers.BatchNormalization()(layers.Flatten()(maps))
    dense = layers.Dense(256, "relu")(layers.Flatten()(maps))
    joined = layers.Concatenate()([flat, layers.GlobalAveragePooling2D()(maps)])
    added = layers.Add()([layers.Flatten()(maps), dense])
    return layers.Concatenate()([joined, added])


def two_normalizations(layers: Any, maps: Any) -> Any:
    maps = layers.BatchNormalization()(maps)
    shared = layers.Conv2D(4, 3)(maps)
    return layers.Add()([layers.BatchNormalization()(shared), shared])


BODIES: dict[str, Body] = {
    "nothing": lambda layers, maps: maps,
    "residual sum": residual,
    "branches": branches,
    "flattened branches": flat_branches,
    "normalization of what others use, too": two_normalizations,
    "global average": lambda layers, maps: layers.GlobalAveragePooling2D()(layers.Conv2D(7, 3)(maps)),
    "global average as a map": lambda layers, maps: layers.GlobalAveragePooling2D(keepdims=True)(
        layers.Conv2D(7, 3)(maps)
    ),
    "normalization without scale and offset": lambda layers, maps: layers.BatchNormalization(
        scale=False, center=False, epsilon=0.1
    )(layers.Conv2D(3, 3)(maps)),
    "normalization of a dense layer": lambda layers, maps: layers.Activation("elu")(
        layers.BatchNormalization()(layers.Dense(12)(layers.Flatten()(layers.Conv2D(3, 3)(maps))))
    ),
    "normalization after the largest": lambda layers, maps: layers.BatchNormalization()(
        layers.MaxPooling2D(2)(layers.Conv2D(9, 3)(maps))
    ),
    "normalization after the mean": lambda layers, maps: layers.BatchNormalization()(
        layers.AveragePooling2D(3, padding="same")(layers.Conv2D(9, 3)(maps))
    ),
    "dropout": lambda layers, maps: layers.Dropout(0.5)(
        layers.SpatialDropout2D(0.5)(layers.Conv2D(3, 3, dilation_rate=2)(maps))
    ),
    **{
        f"activation {name}": lambda layers, maps, name=name: layers.Activation(name)(
            layers.Conv2D(3, 5, activation=name)(maps)
        )
        for name in ("relu", "tanh", "sigmoid", "gelu", "elu", "linear")
    },
}


@pytest.mark.parametrize("name", BODIES)
def test_the_layers_answer_as_in_keras(name: str, layers: Any, mnist: Dataset) -> None:
    for seed in (1, 2):
        assert_same(network(layers, BODIES[name], seed), mnist.x_test[:20])


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_windows_of_any_size_stride_and_padding_answer_as_in_keras(
    size: int, stride: int, padding: str, layers: Any, mnist: Dataset
) -> None:
    def body(layers: Any, maps: Any) -> Any:
        maps = layers.Conv2D(3, size, stride, padding)(maps)
        if maps.shape[1] < size:
            return maps
        pooled = layers.MaxPooling2D(size, stride, padding)(maps)
        return layers.Concatenate()([pooled, layers.AveragePooling2D(size, stride, padding)(maps)])

    assert_same(network(layers, body), mnist.x_test[:5])


@pytest.mark.parametrize("recipe", recipe_names())
def test_every_recipe_can_be_written(recipe: str, layers: Any, mnist: Dataset) -> None:
    from digitlab.models import build

    model = build(resolve_recipe(recipe).model)
    inside = assert_same(model, mnist.x_test[:5])
    assert inside["features"].ndim == 2


def operators(model: Any) -> list[str]:
    return [node.op_type for node in to_onnx(model).graph.node]


def test_normalization_and_scaling_are_taken_into_the_weights(layers: Any) -> None:
    def body(layers: Any, maps: Any) -> Any:
        for filters in (4, 8):
            maps = layers.Conv2D(filters, 3, use_bias=False)(maps)
            maps = layers.Activation("relu")(layers.BatchNormalization()(maps))
        return maps

    convolutions = ["Conv", "Relu", "Conv", "Relu"]
    expected = ["Reshape", *convolutions, "Flatten", "Gemm", "Softmax", "Identity"]
    assert operators(network(layers, body)) == expected


def test_normalization_goes_through_a_largest_only_where_its_scales_are_positive(layers: Any) -> None:
    def model(sign: float) -> Any:
        made = network(layers, BODIES["normalization after the largest"])
        [normalization] = [layer for layer in made.layers if type(layer).__name__ == "BatchNormalization"]
        normalization.gamma.assign(sign * np.ones(9))
        return made

    assert "BatchNormalization" not in operators(model(1))
    assert "BatchNormalization" in operators(model(-1))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (lambda layers, maps: layers.UnitNormalization()(maps), "a layer of this class"),
        (lambda layers, maps: layers.Conv2D(4, 3, groups=2)(layers.Conv2D(4, 3)(maps)), "groups"),
        (lambda layers, maps: layers.Dense(3)(maps), "an input that is not flattened"),
        (lambda layers, maps: layers.Activation("softplus")(maps), "the activation softplus"),
        (lambda layers, maps: layers.ReLU(max_value=6)(maps), "a slope, threshold or greatest value"),
        (lambda layers, maps: layers.Rescaling(1, offset=-1)(maps), "an offset"),
        (lambda layers, maps: layers.Concatenate(1)([maps, maps]), "an axis that is not the last"),
        (lambda layers, maps: layers.BatchNormalization(axis=1)(maps), "an axis that is not the last"),
        (
            lambda layers, maps: layers.Reshape((13, 13, 16))(layers.Conv2D(4, 3)(maps)),
            "a change of shape of several channels",
        ),
    ],
)
def test_what_cannot_be_written_is_named(body: Body, words: str, layers: Any) -> None:
    with pytest.raises(BundleError, match=words):
        to_onnx(network(layers, body))


def test_a_layer_that_is_used_twice_is_named(layers: Any) -> None:
    def body(layers: Any, maps: Any) -> Any:
        shared = layers.Conv2D(1, 3, padding="same", name="shared")
        return shared(shared(maps))

    with pytest.raises(BundleError, match="the output of a layer that is called twice"):
        to_onnx(network(layers, body))


def test_a_layer_of_ones_own_is_named(layers: Any) -> None:
    class Dense(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

    with pytest.raises(BundleError, match=r"\(Dense\): a layer of this class"):
        to_onnx(network(layers, lambda layers, maps: Dense()(maps)))

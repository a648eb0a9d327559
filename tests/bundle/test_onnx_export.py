"""Networks of all kinds of layers, exported to ONNX and run by ONNX Runtime, answer as in Keras."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from digitlab.bundle.export import export_network, rebuild
from digitlab.bundle.onnx_export import logits_layer, to_onnx
from digitlab.bundle.runtime import open_session, run
from digitlab.data import Dataset
from digitlab.errors import BundleError
from digitlab.spec.library import resolve_recipe
from digitlab.training.process import prepare_process

pytestmark = pytest.mark.slow  # TensorFlow takes seconds to import

Body = Callable[[Any, Any], Any]
"""From `keras.layers` and maps [28, 28, 1] to anything that can be flattened."""


@pytest.fixture(scope="module")
def layers() -> Any:
    prepare_process(threads=1)
    from keras import layers

    return layers


def network(layers: Any, body: Body) -> Any:
    import keras

    keras.utils.set_random_seed(0)
    images = keras.Input((28, 28), name="digits")
    maps = layers.Reshape((28, 28, 1))(layers.Rescaling(1 / 255)(images))
    features = layers.Flatten(name="flat")(body(layers, maps))
    logits = layers.Dense(10, name="logits")(features)
    model = keras.Model(images, layers.Softmax(name="probabilities")(logits))
    random = np.random.default_rng(0)
    for weight in model.weights:
        if len(weight.shape) == 1 and "seed" not in weight.path:
            # Offsets, and what normalization has learnt: scales of either sign.
            positive = "variance" in weight.path
            weight.assign(random.uniform(0.5, 2, weight.shape) * (1 if positive else random.choice([-1, 1])))
    return model


def assert_same(model: Any, images: np.ndarray) -> dict[str, np.ndarray]:
    """Compare every output of both files with Keras; return those of `inside.onnx`."""
    import keras

    artifacts = export_network(model)
    pixels = images.astype(np.float32)
    [answers] = run(open_session(artifacts.onnx), ["probabilities"], pixels)
    session = open_session(artifacts.inside)
    names = [output.name for output in session.get_outputs()]
    inside = dict(zip(names, run(session, names, pixels), strict=True))
    rebuilt = artifacts.network
    tensors = {"probabilities": rebuilt.output, "features": logits_layer(rebuilt).input}
    tensors |= {name: rebuilt.get_layer(name).output for name in inside.keys() - tensors.keys()}
    reference: Any = keras.Model(rebuilt.inputs, tensors)
    expected = reference.predict(pixels, verbose=0)
    np.testing.assert_allclose(answers, expected["probabilities"], rtol=0, atol=1e-5)
    assert inside.keys() == expected.keys()
    for name, value in inside.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-4, err_msg=name)
    return inside


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
    joined = layers.Concatenate()([flat, layers.GlobalMaxPooling2D()(maps)])
    dense = layers.Dense(256, "relu")(layers.Flatten()(maps))
    return layers.Concatenate()([joined, layers.Add()([layers.Flatten()(maps), dense])])


def two_normalizations(layers: Any, maps: Any) -> Any:
    shared = layers.Conv2D(4, 3)(layers.BatchNormalization()(maps))
    return layers.Add()([layers.BatchNormalization()(shared), shared])


def groups(layers: Any, maps: Any) -> Any:
    return layers.Conv2D(8, 3, groups=4)(layers.Conv2D(4, 3)(maps))


def depthwise(layers: Any, maps: Any) -> Any:
    maps = layers.DepthwiseConv2D(3, depth_multiplier=2)(layers.Conv2D(4, 3)(maps))
    return layers.SeparableConv2D(6, 3, strides=2)(layers.ZeroPadding2D(1)(maps))


def pools(layers: Any, maps: Any) -> Any:
    maps = layers.Conv2D(4, 3, strides=2, padding="same")(maps)
    largest = layers.MaxPooling2D(3, 2, "same")(maps)
    return layers.Concatenate()([largest, layers.AveragePooling2D(3, 2, "same")(maps)])


def squeeze_and_excite(layers: Any, maps: Any) -> Any:
    maps = layers.Conv2D(8, 3, activation="silu")(maps)
    scales = layers.GlobalAveragePooling2D(keepdims=True)(maps)
    return layers.Multiply()([maps, layers.Conv2D(8, 1, activation="sigmoid")(scales)])


def called_twice(layers: Any, maps: Any) -> Any:
    shared = layers.Conv2D(1, 3, padding="same")
    return shared(shared(maps))


def nested(layers: Any, maps: Any) -> Any:
    import keras

    part = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(4, 3), layers.ReLU()])
    return layers.MaxPooling2D(2)(part(maps))


def pooled(layers: Any, maps: Any) -> Any:
    return layers.MaxPooling2D(2)(layers.Conv2D(9, 3)(maps))


BODIES: dict[str, Body] = {
    "nothing": lambda layers, maps: maps,
    "residual sum": residual,
    "branches": branches,
    "flattened branches": flat_branches,
    "normalization of what others use, too": two_normalizations,
    "convolution in groups": groups,
    "depthwise and separable convolution": depthwise,
    "pooling": pools,
    "squeeze and excitation": squeeze_and_excite,
    "a layer that is called twice": called_twice,
    "a network within": nested,
    "normalization of pooled maps": lambda layers, maps: layers.BatchNormalization()(pooled(layers, maps)),
    "global average": lambda layers, maps: layers.GlobalAveragePooling2D()(layers.Conv2D(7, 3)(maps)),
    "normalization of a dense layer": lambda layers, maps: layers.Activation("elu")(
        layers.BatchNormalization()(layers.Dense(12)(layers.Flatten()(layers.Conv2D(3, 3)(maps))))
    ),
    "normalization of each image": lambda layers, maps: layers.LayerNormalization(axis=[1, 2, 3])(maps),
    "dense layer of maps": lambda layers, maps: layers.Dense(3)(maps),
    "dropout and noise": lambda layers, maps: layers.GaussianNoise(0.5)(
        layers.SpatialDropout2D(0.5)(layers.Conv2D(3, 3, dilation_rate=2)(maps))
    ),
    "attention": lambda layers, maps: layers.MultiHeadAttention(2, 4)(*2 * [layers.Reshape((28, 28))(maps)]),
    "activations": lambda layers, maps: layers.Concatenate()(
        [
            layers.LeakyReLU(0.2)(maps),
            layers.PReLU()(maps),
            *(
                layers.Activation(name)(maps)
                for name in ("tanh", "gelu", "elu", "selu", "softplus", "leaky_relu", "relu6", "mish")
            ),
        ]
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_any_network_answers_as_in_keras(name: str, layers: Any, mnist: Dataset) -> None:
    assert_same(network(layers, BODIES[name]), mnist.x_test[:20])


@pytest.mark.parametrize("recipe", ["mlp", "best"])
def test_recipes_answer_as_in_keras(recipe: str, layers: Any, mnist: Dataset) -> None:
    from digitlab.models import build

    inside = assert_same(build(resolve_recipe(recipe).model), mnist.x_test[:5])
    assert inside["features"].ndim == 2


def test_a_network_that_takes_a_channel_answers_as_in_keras(layers: Any, mnist: Dataset) -> None:
    import keras

    given = [keras.Input((28, 28, 1)), layers.Conv2D(4, 5, strides=3), layers.Flatten(), layers.Dense(10)]
    assert_same(keras.Sequential([*given, layers.Softmax()]), mnist.x_test[:5])


def test_the_activations_shown_are_those_of_whole_blocks_in_order(layers: Any, mnist: Dataset) -> None:
    def body(layers: Any, maps: Any) -> Any:
        maps = layers.Conv2D(4, 3, name="convolution")(maps)
        maps = layers.BatchNormalization(name="normalization")(layers.MaxPooling2D(2, name="pool")(maps))
        maps = layers.Activation("relu", name="activation")(maps)
        return layers.Conv2D(2, 3, activation="relu", name="another")(maps)

    inside = assert_same(network(layers, body), mnist.x_test[:2])
    assert list(inside) == ["probabilities", "features", "activation", "another", "logits"]
    assert inside["activation"].shape == (2, 13, 13, 4)


def operators(model: Any) -> list[str]:
    return [node.op_type for node in to_onnx(rebuild(model))[0].graph.node]


def test_no_shape_is_computed(layers: Any) -> None:
    assert "Shape" not in operators(network(layers, pooled))


def test_normalization_goes_before_a_largest_only_where_its_scales_are_positive(layers: Any) -> None:
    def before_pooling(sign: float) -> bool:
        model = network(layers, BODIES["normalization of pooled maps"])
        [normalization] = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
        normalization.gamma.assign(sign * np.ones(9))
        names = operators(model)
        pool = names.index("MaxPool")
        return names[pool - 2 : pool] == ["Mul", "Add"]

    assert before_pooling(1)
    assert not before_pooling(-1)


def test_a_network_without_logits_says_so(layers: Any) -> None:
    import keras

    images = keras.Input((28, 28))
    maps = layers.Conv2D(10, 3)(layers.Reshape((28, 28, 1))(images))
    model = keras.Model(images, layers.Softmax()(layers.GlobalAveragePooling2D()(maps)))
    with pytest.raises(BundleError, match="expected a dense layer of logits at its end, whose input is flat"):
        export_network(model)


def test_a_layer_of_ones_own_is_named(layers: Any) -> None:
    class Dense(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

    with pytest.raises(BundleError, match=r"layer 'dense.*' \(Dense\): expected a standard layer of Keras"):
        export_network(network(layers, lambda layers, maps: Dense()(maps)))


def test_what_onnx_cannot_express_is_named(layers: Any) -> None:
    model = network(layers, lambda layers, maps: layers.Resizing(9, 9, "lanczos5", name="smaller")(maps))
    with pytest.raises(BundleError, match=r"ONNX can express, received ScaleAndTranslate \(.*smaller.*\)"):
        export_network(model)


def test_a_sum_that_is_no_layer_is_named(layers: Any) -> None:
    with pytest.raises(BundleError, match=r"layer 'add.*' \(Add\): expected a standard layer of Keras"):
        export_network(network(layers, lambda layers, maps: maps + maps))


IN_JAX = """
import keras, numpy as np
from digitlab.bundle.export import export_network, keras_probabilities
from digitlab.bundle.runtime import classify_with
from digitlab.models import build
from digitlab.spec.library import resolve_recipe

model = build(resolve_recipe("cnn").model)
images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
answers = classify_with(export_network(model).onnx)(images)
print(keras.config.backend(), abs(answers - keras_probabilities(model, images)).max() < 1e-5)
"""


def test_a_network_of_jax_is_converted_in_a_process_with_tensorflow() -> None:
    command = [sys.executable, "-c", IN_JAX]
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "jax True\n"


@pytest.mark.parametrize("recipe", ["mlp", "cnn", "best", "resnet"])
def test_the_same_network_gives_the_same_bytes_however_many_were_exported_before(
    recipe: str, layers: Any
) -> None:
    from digitlab.models import build

    first, again = (export_network(build(resolve_recipe(recipe).model)) for _ in range(2))
    assert first.onnx == again.onnx
    assert first.inside == again.inside

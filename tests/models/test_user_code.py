"""Networks of a user's own functions: built, checked, trained, bundled."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlab.data import load
from digitlab.errors import TrainingError
from digitlab.models.costs import built_cost, cost
from digitlab.spec import PythonModel, Recipe, TrainingSpec
from digitlab.spec.recipe import MLP

pytestmark = [
    pytest.mark.slow,  # TensorFlow takes seconds to import
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]

CODE = """
import keras
import numpy as np
from keras import layers

import helper


def small(width=8, rate=0.2):
    images = keras.Input((28, 28))
    maps = layers.Reshape((28, 28, 1))(layers.Rescaling(1 / 255)(images))
    maps = layers.BatchNormalization()(layers.Conv2D(width, 5, strides=2)(maps))
    maps = layers.Dropout(rate)(layers.Flatten()(layers.ReLU()(maps)))
    return keras.Model(images, layers.Dense(helper.CLASSES)(maps))


def softmax(width=16):
    dense = [layers.Dense(width, activation="tanh"), layers.Dense(10, activation="softmax")]
    return keras.Sequential([keras.Input((28, 28)), layers.Rescaling(1 / 255), layers.Flatten(), *dense])


def plain(width=128):
    images = keras.Input((28, 28))
    hidden = layers.Dense(width, activation="relu")(layers.Flatten()(layers.Rescaling(1 / 255)(images)))
    return keras.Model(images, layers.Dense(10)(hidden))


def regularized():
    dense = layers.Dense(10, kernel_regularizer=keras.regularizers.L2(1.0))
    return keras.Sequential([keras.Input((28, 28)), layers.Flatten(), dense])


def with_channel():
    return keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10)])


def forgotten():
    pass


def drawn(width=32):
    projection = np.random.normal(size=(784, width)).astype("float32") / 28
    images = keras.Input((28, 28))
    pixels = layers.Flatten()(layers.Rescaling(1 / 255)(images))
    return keras.Model(images, layers.Dense(10)(keras.ops.relu(keras.ops.matmul(pixels, projection))))


def stopped():
    images = keras.Input((28, 28))
    pixels = layers.Flatten()(layers.Rescaling(1 / 255)(images))
    hidden = keras.ops.stop_gradient(layers.Dense(16, activation="relu")(pixels))
    return keras.Model(images, layers.Dense(10)(hidden))


def lstm():
    images = keras.Input((28, 28))
    output, _, _ = layers.LSTM(8, return_state=True)(layers.Rescaling(1 / 255)(images))
    return keras.Model(images, layers.Dense(10)(output))


def nine():
    return keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(9)])


def infinite():
    dense = layers.Dense(10, bias_initializer=keras.initializers.Constant(float("inf")))
    return keras.Sequential([keras.Input((28, 28)), layers.Flatten(), dense])


def raising():
    raise ValueError("no\\nway")


def nothing():
    return 3


constant = 3
"""
FILES = {"nets.py": CODE, "helper.py": "CLASSES = 10\n"}


@pytest.fixture(scope="module", autouse=True)
def prepared() -> None:
    from digitlab.training.process import prepare_process

    prepare_process(1)


def network(function: str, **settings: Any) -> PythonModel:
    return PythonModel(build=f"nets.py:{function}", code=FILES, **settings)


def test_a_seed_decides_the_weights_and_nothing_is_left_behind() -> None:
    import keras

    from digitlab.models import build

    before = random.getstate(), keras.config.dtype_policy().name, list(sys.path)
    first, again = build(network("small"), 5), build(network("small"), 5)
    other = build(network("small"), 6)
    for one, same in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(first.get_weights()[0], other.get_weights()[0])
    assert (random.getstate(), keras.config.dtype_policy().name, list(sys.path)) == before
    assert not {"nets", "helper"} & set(sys.modules)


def test_the_built_network_is_counted_as_ours_is() -> None:
    from digitlab.models import build

    assert cost(network("plain")) == (0, 0)
    assert built_cost(build(network("plain"))) == cost(MLP(hidden=(128,)))


@pytest.mark.parametrize(
    ("function", "settings", "message"),
    [
        (
            "small",
            {"arguments": {"depth": 3}},
            r"model\.arguments: expected those of nets\.py:small \(width, rate\), received depth",
        ),
        ("raising", {}, r"nets\.py:raising: raised ValueError: no way \(nets\.py, line \d+\)"),
        ("nothing", {}, "expected a keras.Model, received 3"),
        ("forgotten", {}, r"expected a keras\.Model, received None; is a return missing\?"),
        ("with_channel", {}, r"received \(None, 28, 28, 1\) and \(None, 10\); begin with"),
        ("regularized", {}, r"received 1 added losses; use training\.l2"),
        ("nine", {}, r"one output of shape \(None, 10\), received \(None, 28, 28\) and \(None, 9\)"),
        ("infinite", {}, "expected finite outputs, received nan or infinity"),
        ("softmax", {}, "expected logits, received probabilities: leave the softmax out"),
        ("plain", {"outputs": "probabilities"}, "expected probabilities, at least 0 and of sum 1"),
        ("missing", {}, r"expected a function missing in nets\.py, found none"),
        ("constant", {}, r"expected a function constant in nets\.py, found none"),
        (
            "small",
            {"code": {"nets.py": CODE}},
            "the import failed: ModuleNotFoundError: No module",
        ),
        ("small", {"packages": {"keras": "0.1"}}, r"expected keras 0\.1, which the trial names, received"),
    ],
)
def test_a_function_that_builds_no_network_of_digits_is_refused(
    function: str, settings: dict[str, Any], message: str
) -> None:
    from digitlab.models import build

    values = {"build": f"nets.py:{function}", "code": FILES} | settings
    with pytest.raises(TrainingError, match=message) as raised:
        build(PythonModel(**values))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("outputs", ["logits", "probabilities"])
def test_it_is_trained_scored_and_bundled_like_a_network_of_ours(outputs: str, tmp_path: Path) -> None:
    from digitlab.bundle import load_classifier
    from digitlab.bundle.writing import write_trained
    from digitlab.training import train

    function = {"logits": "small", "probabilities": "softmax"}[outputs]
    model = network(function, outputs=outputs, arguments={"width": 16})
    recipe = Recipe(name="mine", model=model, training=TrainingSpec(epochs=1))
    first, again = train(recipe, seed=3), train(recipe, seed=3)
    assert first.result.final_test.accuracy > 0.8
    assert first.result.parameters == built_cost(first.model).parameters
    for one, same in zip(first.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, same)
    data = load("mnist")
    write_trained(tmp_path / "net", first.model, first.result, data)
    classifier = load_classifier(tmp_path / "net")
    assert (classifier.probabilities(data.x_test).argmax(axis=1) == data.y_test).mean() > 0.8
    assert classifier.card.trial.model == model


def test_a_network_that_returns_probabilities_learns_as_the_same_one_that_returns_logits() -> None:
    from digitlab.training import train

    code = {
        "nets.py": CODE.replace("layers.Dense(10)(hidden)", 'layers.Dense(10, activation="softmax")(hidden)')
    }
    settings = TrainingSpec(epochs=1, precision="float32")
    logits = Recipe(name="a", model=network("plain", arguments={"width": 8}), training=settings)
    model = PythonModel(
        build="nets.py:plain", code={**FILES, **code}, outputs="probabilities", arguments={"width": 8}
    )
    probabilities = Recipe(name="b", model=model, training=settings)
    one, other = (train(recipe).result for recipe in (logits, probabilities))
    assert one.history[0].loss == pytest.approx(other.history[0].loss, rel=1e-2)
    assert one.final_test.accuracy == pytest.approx(other.final_test.accuracy, abs=0.02)


def test_what_is_drawn_besides_weights_is_the_same_in_the_network_that_is_scored() -> None:
    from digitlab.training import train

    recipe = Recipe(name="mine", model=network("drawn"), training=TrainingSpec(epochs=3))
    trained = train(recipe, seed=3)
    assert trained.result.final_test.accuracy > 0.4  # with other random constants it guesses


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_a_weight_without_a_gradient_is_left_alone_with_l2_too() -> None:
    from digitlab.training import train

    for settings in (TrainingSpec(epochs=1), TrainingSpec(epochs=1, l2=1e-4)):
        recipe = Recipe(name="mine", model=network("stopped"), training=settings)
        assert train(recipe).result.final_test.images == 10_000


def test_networks_of_unusual_layers_are_counted() -> None:
    from digitlab.models import build

    size = built_cost(build(network("lstm")))
    assert size.parameters == 4 * ((28 + 8) * 8 + 8) + 8 * 10 + 10
    assert size.multiply_adds > 0


def test_muon_leaves_the_last_layer_of_a_user_s_network_to_adamw() -> None:
    from digitlab.models import build
    from digitlab.models.network import logits_layer_name
    from digitlab.training.optimizers import make_optimizer

    spec = network("plain")
    built = build(spec)
    muon: Any = make_optimizer(TrainingSpec(optimizer="muon"), 1, last_layer=logits_layer_name(built, spec))
    muon.build(built.trainable_variables)
    pairs = zip(built.trainable_variables, muon.adam_velocities, strict=True)
    by_muon = [variable.path for variable, velocity in pairs if velocity is None]
    assert len(by_muon) == 1
    assert by_muon[0] == built.trainable_variables[0].path


def test_a_dense_layer_that_is_not_the_last_is_not_taken_for_the_logits() -> None:
    import keras

    from digitlab.bundle.onnx_export import logits_layer
    from digitlab.errors import BundleError

    layers = keras.layers
    images = keras.Input((28, 28))
    maps = layers.Conv2D(10, 3)(layers.Reshape((28, 28, 1))(images))
    gate = layers.Dense(10, activation="sigmoid")(layers.Dense(4)(layers.GlobalAveragePooling2D()(maps)))
    gated = layers.GlobalAveragePooling2D()(layers.Multiply()([maps, layers.Reshape((1, 1, 10))(gate)]))
    with pytest.raises(BundleError, match="received GlobalAveragePooling2D"):
        logits_layer(keras.Model(images, layers.Softmax()(gated)))
    dense = layers.Dense(10, name="last")
    assert logits_layer(keras.Model(images, layers.Softmax()(dense(gated)))) is dense

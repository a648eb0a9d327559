from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlab.bundle.card import Card, Provenance
from digitlab.bundle.export import keras_probabilities
from digitlab.bundle.files import CARD, INSIDE, MODEL, ONNX, README, sha256
from digitlab.bundle.graph import IMAGES, GraphWriter, Value, model_proto
from digitlab.bundle.parity import EXACT, compare
from digitlab.bundle.readme import readme
from digitlab.bundle.runtime import classify_with, runtime_name
from digitlab.bundle.self_test import run_self_test
from digitlab.data import Dataset
from digitlab.errors import BundleError
from digitlab.results.calibration import Calibration, fit_calibration
from digitlab.results.metrics import score
from digitlab.results.record import Result
from digitlab.spec import DataSpec, Trial
from digitlab.spec.library import resolve_recipe

KERAS_FILE = b"nothing here opens the Keras file"


@pytest.fixture(scope="session")
def refusal() -> Callable[..., str]:
    """Call something that must raise a BundleError, and give its message: one line."""

    def call(function: Callable[..., Any], *arguments: Any) -> str:
        with pytest.raises(BundleError) as caught:
            function(*arguments)
        message = str(caught.value)
        assert "\n" not in message
        return message

    return call


@pytest.fixture(scope="session")
def result(make_result: Any) -> Result:
    recipe = resolve_recipe("mlp")
    training = recipe.training.model_copy(update={"epochs": 1})
    data = DataSpec(fingerprint="0" * 64)
    return make_result(Trial(recipe="mlp", model=recipe.model, training=training, data=data))


@pytest.fixture(scope="session")
def linear_weights(mnist: Dataset) -> np.ndarray:
    """A least-squares classifier, [784, 10]: trained in a moment, right four times in five, and too sure."""
    pixels = mnist.x_train[:10_000].reshape(-1, 784) / 255
    one_hot = np.eye(10)[mnist.y_train[:10_000]]
    return 20 * np.linalg.solve(pixels.T @ pixels + 10 * np.eye(784), pixels.T @ one_hot) / 255


@pytest.fixture(scope="session")
def whole_bundle(
    linear_weights: np.ndarray, mnist: Dataset, result: Result, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A bundle that works, made without TensorFlow; not to be changed."""
    folder = tmp_path_factory.mktemp("whole") / "linear"
    folder.mkdir()
    (folder / MODEL).write_bytes(KERAS_FILE)
    for name, shown in ((ONNX, False), (INSIDE, True)):
        (folder / name).write_bytes(linear_network(linear_weights, shown))
    classify = classify_with(folder / ONNX)
    held_out, labels = mnist.x_train[10_000:11_000], mnist.y_train[10_000:11_000]
    answers = classify(mnist.x_test[:100])
    files = {ONNX: sha256(folder / ONNX)}
    proof = compare(answers, answers, runtime=runtime_name(), tolerance=EXACT, files=files)
    card = Card(
        **dict(Provenance.of(result, fit_calibration(classify(held_out), labels))),
        trial_id=result.trial.id,
        parameters=7850,
        multiply_adds=7840,
        answers=tuple(map(tuple, run_self_test(classify, None, ONNX).tolist())),
        proofs={"onnx": proof},
        files={},
    )
    (folder / README).write_text(readme(card, "linear"), "utf-8")
    files = {name: sha256(folder / name) for name in (MODEL, ONNX, INSIDE, README)}
    (folder / CARD).write_bytes(card.model_copy(update={"files": files}).to_bytes())
    return folder


def linear_network(weights: np.ndarray, inside: bool) -> bytes:
    writer = GraphWriter()
    pixels = writer.node("Flatten", [IMAGES], axis=1)
    logits = writer.node("MatMul", [pixels, writer.weight(weights, "logits/kernel")])
    outputs = [("probabilities", (10,)), ("features", (784,))]
    writer.as_output(Value(writer.node("Softmax", [logits], axis=-1), (10,)), "probabilities")
    if inside:
        writer.as_output(Value(pixels, (784,)), "features")
    return model_proto(writer, outputs if inside else outputs[:1], "linear").SerializeToString()


@pytest.fixture(scope="session")
def network(mnist: Dataset) -> Any:
    """A small convolutional network that knows most digits: trained elsewhere, for a few seconds."""
    from digitlab.training.process import prepare_process

    prepare_process(threads=1)
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    model: Any = keras.Sequential(
        [
            keras.Input((28, 28), name="images"),
            layers.Rescaling(1 / 255),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(8, 5, strides=2, use_bias=False, name="convolution"),
            layers.BatchNormalization(),
            layers.Activation("relu", name="maps"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.1),
            layers.Dense(32, activation="relu", name="dense"),
            layers.Dense(10, activation="softmax", name="logits"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(mnist.x_train[:6000].astype(np.float32), mnist.y_train[:6000], 100, epochs=4, verbose=0)
    return model


@pytest.fixture(scope="session")
def calibration(network: Any, mnist: Dataset) -> Calibration:
    from digitlab.bundle.export import export_network
    from digitlab.bundle.runtime import look_with
    from digitlab.bundle.writing import calibrate

    look = look_with(export_network(network).inside)
    return calibrate(look, mnist.x_train[6000:7000], mnist.y_train[6000:7000])


@pytest.fixture(scope="session")
def origin(network: Any, mnist: Dataset, result: Result, calibration: Calibration) -> Provenance:
    test = score(keras_probabilities(network, mnist.x_test), mnist.y_test)
    return Provenance.of(result, calibration).model_copy(
        update={"test": test, "validation": None, "made": "trained elsewhere"}
    )


@pytest.fixture(scope="session")
def keras_bundle(
    network: Any, mnist: Dataset, origin: Provenance, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A bundle of that network."""
    from digitlab.bundle.writing import write_bundle

    return write_bundle(tmp_path_factory.mktemp("written") / "net", network, origin, mnist.x_test).folder


@pytest.fixture
def bundle(tmp_path: Path, whole_bundle: Path) -> Path:
    """A bundle of one's own."""
    return Path(shutil.copytree(whole_bundle, tmp_path / "network"))


@pytest.fixture
def rewrite(bundle: Path) -> Callable[[Callable[[dict[str, Any]], None]], None]:
    """Change the card of `bundle`."""

    def call(change: Callable[[dict[str, Any]], None]) -> None:
        values = json.loads((bundle / CARD).read_text("utf-8"))
        change(values)
        (bundle / CARD).write_text(json.dumps(values), "utf-8")

    return call


@pytest.fixture
def replace_network(
    bundle: Path, rewrite: Callable[[Callable[[dict[str, Any]], None]], None]
) -> Callable[[str, bytes], None]:
    """Put another file in a network's place, as somebody who knows about the card would."""

    def call(name: str, content: bytes) -> None:
        (bundle / name).write_bytes(content)
        rewrite(lambda card: card["files"].update({name: sha256(bundle / name)}))

    return call

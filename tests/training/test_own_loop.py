"""Networks that were trained by a loop of one's own are kept as bundles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlab.bundle import check_bundle, load_classifier
from digitlab.data import load
from digitlab.errors import BundleError, OutputError
from digitlab.spec import MLP, Recipe, TrainingSpec
from digitlab.training import keep_network

pytestmark = [
    pytest.mark.slow,
    # Keras's variables do not know NumPy 2's `copy`.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]

RECIPE = Recipe(name="by-hand", model=MLP(hidden=(4,)), training=TrainingSpec(epochs=1))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """TensorFlow with one thread, as the tests that train in the same process need it."""
    from digitlab.training.process import prepare_process

    prepare_process(1)


def network() -> Any:
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            layers.Input((28, 28)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(4, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def keep(folder: Path, model: Any) -> Any:
    return keep_network(folder, model, RECIPE, load("mnist"), seed=5, seconds=1.5, made="trained by hand")


def test_the_bundle_has_the_network_its_scores_and_how_it_was_made(tmp_path: Path) -> None:
    model = network()
    card = keep(tmp_path / "mine", model).card
    mnist = load("mnist")
    probabilities = model.predict(mnist.x_test, verbose=0)
    assert card.test.correct == (probabilities.argmax(axis=1) == mnist.y_test).sum()
    assert card.validation is not None
    assert card.validation.images == card.calibration.images == 5_000
    assert (card.recipe, card.made) == ("by-hand", "trained by hand")
    assert (card.trial.seed, card.train_seconds) == (5, 1.5)
    assert card.trial.training.precision == "float32"
    np.testing.assert_allclose(
        load_classifier(tmp_path / "mine").probabilities(mnist.x_test[:50]), probabilities[:50], atol=1e-5
    )
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert "# mine" in (tmp_path / "mine" / "README.md").read_text("utf-8")


def test_a_bundle_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    keep(tmp_path / "mine", network())
    first = check_bundle(tmp_path / "mine").card.files
    other = network()
    other.set_weights([weight + 0.01 for weight in other.get_weights()])
    keep(tmp_path / "mine", other)
    assert check_bundle(tmp_path / "mine").card.files != first

    letters = tmp_path / "letters"
    letters.mkdir()
    (letters / "letter.txt").write_text("mine", "utf-8")
    with pytest.raises(OutputError, match="letters: expected a new folder or a bundle"):
        keep(letters, other)
    assert (letters / "letter.txt").read_text("utf-8") == "mine"


def test_a_network_that_cannot_be_kept_leaves_the_one_before(tmp_path: Path) -> None:
    from keras import layers

    keep(tmp_path / "mine", network())
    broken = network()
    broken.set_weights([weight * np.nan for weight in broken.get_weights()])
    with pytest.raises(BundleError, match="expected finite probabilities, received nan"):
        keep(tmp_path / "mine", broken)
    odd = network()
    odd.add(layers.Lambda(lambda values: values))
    with pytest.raises(BundleError, match="expected a standard layer of Keras"):
        keep(tmp_path / "mine", odd)
    check_bundle(tmp_path / "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]

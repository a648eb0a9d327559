"""Bundles of real Keras networks, which `digitlab train` and others write."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clothes import CLOTHES
from digitlab.bundle.card import Provenance
from digitlab.bundle.data import READS_DIGITS, refusal_to_read
from digitlab.bundle.export import keras_probabilities, load_network, rebuild
from digitlab.bundle.files import CARD, INSIDE, MODEL, ONNX, README, check_bundle, sha256
from digitlab.bundle.keras_file import inspect_keras_file
from digitlab.bundle.onnx_export import logits_layer
from digitlab.bundle.runtime import load_classifier
from digitlab.bundle.writing import write_bundle
from digitlab.data import Dataset
from digitlab.errors import OutputError
from digitlab.results.calibration import Calibration
from digitlab.results.metrics import score
from digitlab.revision import revision

pytestmark = [
    pytest.mark.slow,  # TensorFlow takes seconds to import
    # Keras 3.15 reads TensorFlow's variables as NumPy 2 no longer likes.
    pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning:keras"
    ),
]

Refusal = Callable[..., str]
FILES = sorted((CARD, INSIDE, MODEL, ONNX, README))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_bundle_says_where_its_network_comes_from(
    keras_bundle: Path, origin: Provenance, mnist: Dataset
) -> None:
    assert names(keras_bundle) == FILES
    card = check_bundle(keras_bundle).card
    assert Provenance(**{name: getattr(card, name) for name in Provenance.model_fields}) == origin
    assert card.trial_id == origin.trial.id
    assert card.commit is None or re.fullmatch("[0-9a-f]{40}", card.commit)
    assert sorted(card.files) == sorted(set(FILES) - {CARD})
    proof = card.proofs["onnx"]
    assert proof.images == len(mnist.x_test)
    assert proof.largest_difference < 1e-5
    assert proof.files == {ONNX: sha256(keras_bundle / ONNX)}


def test_a_bundle_says_which_code_wrote_it_where_other_code_trained_its_network(keras_bundle: Path) -> None:
    card, code = check_bundle(keras_bundle).card, revision()
    assert card.commit is None, "trained elsewhere"
    assert (card.written_by, card.written_clean) == ((code.commit, code.clean) if code else (None, None))


def test_code_that_trained_and_wrote_is_named_once(
    network: Any, origin: Provenance, mnist: Dataset, tmp_path: Path
) -> None:
    code = revision()
    if code is None:
        pytest.skip("these tests are not run in a clone")
    own = origin.model_copy(update=code._asdict())
    card = write_bundle(tmp_path / "net", network, own, mnist.x_test[:100]).card
    assert (card.commit, card.clean) == code
    assert card.written_by is card.written_clean is None


def test_a_network_of_nameless_classes_is_tried_on_drawn_digits(
    network: Any, origin: Provenance, mnist: Dataset, tmp_path: Path
) -> None:
    data = origin.trial.data.model_copy(update={"dataset": "./mine"})
    nameless = origin.model_copy(update={"trial": origin.trial.model_copy(update={"data": data})})
    card = write_bundle(tmp_path / "net", network, nameless, mnist.x_test[:100]).card
    assert card.classes is None
    assert card.drawn_digits is not None
    assert card.drawn_digits > READS_DIGITS
    assert refusal_to_read(card) is None
    named = nameless.model_copy(update={"classes": CLOTHES})
    assert write_bundle(tmp_path / "named", network, named, mnist.x_test[:100]).card.drawn_digits is None


def test_the_classifier_answers_as_keras_does(keras_bundle: Path, network: Any, mnist: Dataset) -> None:
    classifier = load_classifier(keras_bundle)
    images = mnist.x_test[:500]
    np.testing.assert_allclose(
        classifier.probabilities(images), keras_probabilities(network, images), rtol=0, atol=1e-5
    )
    assert score(classifier.probabilities(mnist.x_test), mnist.y_test).accuracy > 0.9
    inside = classifier.activations(images)
    assert inside["maps"].shape == (500, 12, 12, 8)
    # Keras numbers the names of layers through all networks of a process.
    shown = {layer.name for layer in network.layers if type(layer).__name__ in ("Dense", "MaxPooling2D")}
    assert "features" in inside
    assert len(shown & set(inside)) >= 2
    import keras

    rebuilt = rebuild(network)
    features = keras.Model(rebuilt.inputs, logits_layer(rebuilt).input)
    expected = keras_probabilities(features, images)
    np.testing.assert_allclose(inside["features"], expected, rtol=1e-4, atol=1e-4)
    looked = classifier.look(images)
    np.testing.assert_allclose(looked.features, inside["features"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(looked.probabilities, classifier.probabilities(images), rtol=0, atol=1e-5)


def test_each_weight_is_stored_once_for_both_onnx_files(keras_bundle: Path, mnist: Dataset) -> None:
    whole = (keras_bundle / ONNX).stat().st_size
    assert (keras_bundle / INSIDE).stat().st_size < whole / 2
    classifier = load_classifier(keras_bundle)
    inside = classifier.activations(mnist.x_test[:100])
    np.testing.assert_allclose(
        inside["probabilities"], classifier.probabilities(mnist.x_test[:100]), rtol=0, atol=1e-6
    )


def test_the_keras_file_is_loaded_after_a_look_into_it(
    keras_bundle: Path, network: Any, mnist: Dataset
) -> None:
    inspect_keras_file(keras_bundle / MODEL)
    loaded = load_network(check_bundle(keras_bundle))
    images = mnist.x_test[:100]
    np.testing.assert_array_equal(keras_probabilities(loaded, images), keras_probabilities(network, images))


def test_the_readmes_snippets_run(keras_bundle: Path) -> None:
    snippets = re.findall(r"```python\n(.*?)```", (keras_bundle / README).read_text("utf-8"), re.DOTALL)
    assert len(snippets) == 3
    for snippet in snippets:
        command = [sys.executable, "-c", snippet]
        done = subprocess.run(command, cwd=keras_bundle, capture_output=True, text=True, check=True)
        assert "[[" in done.stdout


def test_its_confidences_and_its_rejection_were_fitted(calibration: Calibration) -> None:
    assert calibration.images == 1000
    assert calibration.log_loss_after <= calibration.log_loss_before
    assert calibration.rejection is not None


def test_a_keras_file_that_keras_cannot_read_is_refused(
    keras_bundle: Path, tmp_path: Path, refusal: Refusal
) -> None:
    import shutil
    import zipfile
    from dataclasses import replace

    bundle = replace(check_bundle(keras_bundle), folder=tmp_path)
    with zipfile.ZipFile(keras_bundle / MODEL) as whole, zipfile.ZipFile(tmp_path / MODEL, "w") as other:
        for member in whole.namelist():
            content = whole.read(member)
            other.writestr(member, content.replace(b'"units": 32', b'"units": 33'))
    assert f"{tmp_path / MODEL}: expected a network of digits: " in refusal(load_network, bundle)
    shutil.copy(keras_bundle / ONNX, tmp_path / MODEL)
    assert "expected a Keras file" in refusal(load_network, bundle)


def test_a_network_of_another_precision_is_refused(
    tmp_path: Path, origin: Provenance, mnist: Dataset, refusal: Refusal
) -> None:
    import keras
    from keras import layers

    given = [keras.Input((28, 28)), layers.Flatten(), layers.Dense(10, "softmax", dtype="mixed_bfloat16")]
    message = refusal(write_bundle, tmp_path / "out", keras.Sequential(given), origin, mnist.x_test[:10])
    assert message == "the network: expected float32, received mixed_bfloat16; rebuild it"
    assert names(tmp_path) == []


def test_a_network_that_cannot_be_exported_leaves_nothing(
    tmp_path: Path, origin: Provenance, mnist: Dataset, refusal: Refusal
) -> None:
    import keras
    from keras import layers

    given = [keras.Input((28, 28)), layers.Flatten(), layers.Masking(), layers.Dense(10, "softmax")]
    message = refusal(write_bundle, tmp_path / "out", keras.Sequential(given), origin, mnist.x_test[:10])
    assert "(Masking): expected a standard layer of Keras that a bundle can hold, received another" in message
    assert names(tmp_path) == []


def test_a_network_whose_export_answers_otherwise_leaves_nothing(
    tmp_path: Path,
    network: Any,
    origin: Provenance,
    mnist: Dataset,
    refusal: Refusal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("digitlab.bundle.writing.EXACT", 0.0)  # which no sum of floats keeps
    message = refusal(write_bundle, tmp_path / "out", network, origin, mnist.x_test[:500])
    assert "model.onnx: expected probabilities within 0 of Keras's on 500 images" in message
    assert names(tmp_path) == []


def test_a_network_that_answers_no_number_leaves_nothing(
    tmp_path: Path, network: Any, origin: Provenance, mnist: Dataset, refusal: Refusal
) -> None:
    import keras

    broken: Any = keras.models.clone_model(network)
    broken.set_weights([np.full(weight.shape, np.nan) for weight in network.get_weights()])
    message = refusal(write_bundle, tmp_path / "out", broken, origin, mnist.x_test[:10])
    assert "the self-test failed: expected finite outputs" in message
    assert names(tmp_path) == []


KILLED = """
import sys
from digitlab.bundle.export import load_network
from digitlab.bundle.files import check_bundle
from digitlab.bundle.writing import Provenance, write_bundle
from digitlab.data import load
from digitlab.training.process import prepare_process

source = check_bundle(sys.argv[1])
prepare_process(1)
network, images = load_network(source), load("mnist").x_test[:200]
origin = Provenance(**{name: getattr(source.card, name) for name in Provenance.model_fields})
write_bundle(sys.argv[2] + "/warm", network, origin, images)
print("ready", flush=True)
for number in range(1000):
    write_bundle(f"{sys.argv[2]}/{number}", network, origin, images)
"""


def test_a_kill_at_any_moment_leaves_whole_bundles_or_none(keras_bundle: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(9)
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        command = [sys.executable, "-c", KILLED, str(keras_bundle), str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(random.uniform(0.2, 1.5))
            os.kill(process.pid, signal.SIGKILL)
        there = [path for path in folder.iterdir() if not path.name.startswith(".")]
        assert there
        for place in there:
            assert names(place) == FILES
            assert load_classifier(place).probabilities(np.zeros((1, 28, 28), np.uint8)).shape == (1, 10)


def test_a_place_that_is_taken_is_refused_before_anything_is_saved(
    keras_bundle: Path, origin: Provenance, mnist: Dataset
) -> None:
    before = (keras_bundle / CARD).read_bytes()
    with pytest.raises(OutputError, match="expected a new folder, received one that is there"):
        write_bundle(keras_bundle, object(), origin, mnist.x_test)  # type: ignore[arg-type]
    assert (keras_bundle / CARD).read_bytes() == before

"""`digitlab train` and `evaluate`, used as a person does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digitlab.data import load_dataset

pytestmark = pytest.mark.slow

# Ten trainings with seeds 0 to 9 gave a mean of 95.22 % and a standard deviation of 0.23: mean - 5 sd.
LEAST_ACCURACY = 0.9409


def digitlab(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "digitlab", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("train")


@pytest.fixture(scope="module")
def trained(folder: Path) -> dict:
    """Two epochs of the MLP."""
    done = digitlab("train", "mlp", "--set", "training.epochs=2", "--out", "mine", "--json", folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_training_writes_a_bundle_of_the_accuracy_that_its_recipe_gives(trained: dict, folder: Path) -> None:
    names = ["README.md", "card.json", "inside.onnx", "model.keras", "model.onnx"]
    assert sorted(path.name for path in (folder / "mine").iterdir()) == names
    assert trained["calibration"]["log_loss_after"] <= trained["calibration"]["log_loss_before"]
    assert trained["proofs"]["onnx"]["images"] == 10_000
    assert trained["test"]["images"] == 10_000
    assert trained["test"]["correct"] / 10_000 > LEAST_ACCURACY


def test_evaluating_the_bundle_gives_the_scores_of_its_card(trained: dict, folder: Path) -> None:
    done = digitlab("evaluate", "mine", "--json", folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    scores = json.loads(done.stdout)
    assert scores["correct"] == trained["test"]["correct"]
    assert scores["confusion"] == trained["test"]["confusion"]
    assert scores["mse"] == pytest.approx(trained["test"]["mse"], rel=1e-4)


def test_evaluating_prints_a_table_for_people(trained: dict, folder: Path) -> None:
    done = digitlab("evaluate", "mine", folder=folder)
    assert "confusion" in done.stdout
    assert f" {trained['test']['correct'] / 100:.2f} " in done.stdout


def test_the_saved_model_loads_with_plain_keras_and_takes_raw_images(trained: dict, folder: Path) -> None:
    code = (
        "import json, sys, keras, numpy as np\n"
        "model = keras.saving.load_model('mine/model.keras')\n"
        "images = np.load('images.npy')\n"
        "print(json.dumps([model.predict(images, verbose=0).tolist(), model.dtype_policy.name, "
        "sorted({type(layer).__module__.split('.')[0] for layer in model.layers})]))"
    )
    (_, _), (images, labels) = load_dataset("mnist")
    np.save(folder / "images.npy", images[:500])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, cwd=folder, timeout=300, check=True,
    )  # fmt: skip
    probabilities, policy, homes = json.loads(done.stdout.splitlines()[-1])
    assert policy == "float32"
    assert homes == ["keras"]
    np.testing.assert_allclose(np.sum(probabilities, axis=1), 1, atol=1e-5)
    assert (np.argmax(probabilities, axis=1) == labels[:500]).mean() > 0.9


def test_a_bundle_is_not_overwritten(trained: dict, folder: Path) -> None:
    before = (folder / "mine" / "card.json").read_bytes()
    done = digitlab("train", "mlp", "--out", "mine", folder=folder)
    assert done.returncode == 2
    assert "mine: expected a new folder" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (folder / "mine" / "card.json").read_bytes() == before


def test_an_altered_model_is_refused_before_keras_sees_it(trained: dict, folder: Path) -> None:
    import shutil

    shutil.copytree(folder / "mine", folder / "altered")
    with (folder / "altered" / "model.keras").open("ab") as file:
        file.write(b"x")
    done = digitlab("evaluate", "altered", folder=folder)
    assert done.returncode == 2
    assert "altered or damaged" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_loss_that_becomes_no_number_stops_with_its_reason(folder: Path) -> None:
    changes = ("optimizer=sgd", "learning_rate=10", "epochs=1")
    settings = [text for change in changes for text in ("--set", f"training.{change}")]
    settings += ["--set", "model.hidden=[64, 64]", "--set", "model.activation=elu"]
    done = digitlab("train", "mlp", *settings, "--out", "diverged", folder=folder)
    assert done.returncode == 1
    assert "the loss became" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (folder / "diverged").exists()

"""A reader of rows, trained some steps on real digits, killed, gone on with, written and read back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from digitlab.bundle.rows_runtime import load_row_network
from digitlab.bundle.runtime import load_classifier
from digitlab.errors import BundleError, DataError

TINY = """
name = "tiny"
[model]
family = "rows"
stages = [{filters = 4}, {filters = 8, convolutions = 2, residual = 1}, {filters = 8, pool = [2, 1]}]
width = 16
blocks = [3]
dropout = 0.2
[training]
steps = 24
save_every = 8
validate_every = 12
precision = "float32"
uses = 2
"""

pytestmark = pytest.mark.slow


def command(folder: Path, out: str, *more: str) -> list[str]:
    recipe = str(folder / "tiny.toml")
    return [sys.executable, "-m", "digitlab", "train", recipe, "--out", str(folder / out), *more]


def train(folder: Path, out: str, *more: str) -> tuple[str, str]:
    done = subprocess.run(
        command(folder, out, *more), capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two trainings of the same trial: `whole`, and `killed`, which was killed once and gone on with."""
    place = tmp_path_factory.mktemp("rows")
    (place / "tiny.toml").write_text(TINY)
    told, _ = train(place, "whole", "--json")
    assert json.loads(told)["parameters"] > 0
    process = subprocess.Popen(command(place, "killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    saved = place / "killed.training.npz"
    deadline = time.monotonic() + 300
    while not saved.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert saved.exists()
    assert not (place / "killed").exists()
    _, told = train(place, "killed")
    assert "resuming the training" in told
    assert not saved.exists()
    return place


def test_a_training_that_was_killed_gives_the_same_network_bit_for_bit(folder: Path) -> None:
    assert (folder / "whole" / "model.onnx").read_bytes() == (folder / "killed" / "model.onnx").read_bytes()


def test_a_card_says_where_the_network_comes_from(folder: Path) -> None:
    card = json.loads((folder / "killed" / "card.json").read_text())
    assert card["result"]["sittings"] >= 2
    assert card["parity"]["rows"] == 2_000
    assert card["parity"]["largest_difference"] < 1e-4
    assert [one["step"] for one in card["result"]["validation"]] == [12, 24]


def test_a_bundle_is_loaded_and_reads_rows_of_any_width(folder: Path) -> None:
    network = load_row_network(folder / "whole")
    for width in (32, 224, 1024):
        read = network.probabilities(np.zeros((2, 32, width), np.uint8))
        assert read.shape == (2, width // 4, 12)
        assert np.allclose(read.sum(axis=2), 1, atol=1e-5)
    assert network.probabilities(np.zeros((0, 32, 32), np.uint8)).shape == (0, 8, 12)
    with pytest.raises(DataError, match="multiple of 16"):
        network.probabilities(np.zeros((1, 32, 30), np.uint8))


def test_a_row_reads_the_same_alone_and_among_others(folder: Path) -> None:
    network = load_row_network(folder / "whole")
    rows = np.random.default_rng(0).integers(0, 256, (150, 32, 64), np.uint8)
    together = network.probabilities(rows)
    assert np.allclose(network.probabilities(rows[70:71])[0], together[70], atol=1e-5)


def test_a_reader_of_rows_is_refused_where_single_digits_are_classified(folder: Path) -> None:
    with pytest.raises(BundleError, match="expected a network that classifies one digit, received one that"):
        load_classifier(folder / "whole")


def test_a_file_that_was_altered_is_refused(folder: Path) -> None:
    path = folder / "killed" / "model.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(BundleError, match="SHA-256"):
        load_row_network(folder / "killed")


def test_a_reader_of_rows_is_scored_on_composed_rows(folder: Path) -> None:
    arguments = [sys.executable, "-m", "digitlab", "evaluate", str(folder / "whole"), "--json"]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=200, check=True)
    scores = json.loads(done.stdout)["scores"]
    assert [score["kind"] for score in scores] == ["as in training", "held-back shapes and papers"]
    assert all(score["rows"] > 800 for score in scores)

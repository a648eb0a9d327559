"""`python -m benchmarks training`, `study`, `recognition` and `service`, used as a person does."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from paths import FOLDER

pytestmark = pytest.mark.slow

RECIPE = """
name = "tiny"
[model]
family = "mlp"
hidden = [16]
[training]
epochs = 1
batch_size = 1000
"""


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks", *arguments, "--out", str(folder)]


def measured(folder: Path, name: str, *arguments: str) -> dict:
    """Run a benchmark, and read the figures that it saved."""
    done = subprocess.run(
        command(folder, name, *arguments), cwd=FOLDER.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / f"{name}.json").read_text())


def runs_in(folder: Path) -> list[dict]:
    path = folder / "training.json"
    return json.loads(path.read_text())["runs"] if path.exists() else []


def test_a_benchmark_that_is_killed_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE)
    wanted = command(tmp_path, "training", str(recipe), "--threads", "1", "--quick")
    with subprocess.Popen(
        wanted, cwd=FOLDER.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        while not runs_in(tmp_path):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
    before = runs_in(tmp_path)
    assert len(before) < 3
    (row,) = measured(tmp_path, *wanted[3:-2])["rows"]
    runs = runs_in(tmp_path)
    assert runs[: len(before)] == before
    assert [run["number"] for run in runs] == [0, 1, 2]
    accuracies = [run["epochs"][-1]["accuracy"] for run in runs]
    assert (row["n"], row["accuracy"]) == (3, pytest.approx(sum(accuracies) / 3))
    with (tmp_path / "training.csv").open(newline="") as file:
        assert [line["contestant"] for line in csv.DictReader(file)] == ["tiny, 1 thread"]
    assert (tmp_path / "training.png").read_bytes().startswith(b"\x89PNG")


def test_trial_epochs_a_second_are_measured_beside_keras(tmp_path: Path) -> None:
    options = ("--workers", "2", "--rounds", "1", "--epochs", "2")
    rows = measured(tmp_path, "study", "mlp", *options)["rows"]
    assert [row["by"] for row in rows] == ["keras.fit", "2 workers"]
    assert all(row["trial_epochs_a_second"] > 0 for row in rows)


def test_the_classifier_is_measured_beside_other_runtimes_and_the_reading_of_pictures(tmp_path: Path) -> None:
    figures = measured(tmp_path, "recognition", "--model", "mlp", "--rounds", "1")
    names = {"ONNX Runtime", "digitlab", "digitlab, calibrated", "LiteRT", "Keras __call__", "Keras predict"}
    for kind in ("single", "batch"):
        assert set(figures[kind]) == names
        assert figures[kind]["ONNX Runtime"]["times_raw"] == 1
        assert all(values["seconds"] > 0 for values in figures[kind].values())
    assert {"cpu", "onnxruntime", "ai-edge-litert", "keras"} <= set(figures["environment"])
    assert figures["load_seconds"]["digitlab"] > 0
    *pictures, whole = figures["reading"]
    assert all(row["read_ms"] > 0 for row in pictures)
    assert whole["seconds"] > 0


def test_the_service_is_loaded_beside_plain_endpoints(tmp_path: Path) -> None:
    options = ("--model", "mlp", "--rounds", "1", "--seconds", "2", "--overload", "2", "--soak", "10")
    figures = measured(tmp_path, "service", *options)
    assert set(figures["peak"]) == {"digitlab", "FastAPI + ONNX Runtime", "FastAPI + Keras"}
    assert all(values["rate"] > 0 for values in figures["peak"].values())
    assert set(figures["half"]["statuses"]) <= {"200", "503"}
    assert figures["memory"]["requests"] >= 10

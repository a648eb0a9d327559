"""`digitlab bench training` and `study`, used as a person does."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

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
    return [sys.executable, "-m", "digitlab", "bench", *arguments, "--out", str(folder)]


def runs_in(folder: Path) -> list[dict]:
    path = folder / "training.json"
    return json.loads(path.read_text())["runs"] if path.exists() else []


def test_a_board_that_is_killed_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE)
    wanted = command(tmp_path, "training", str(recipe), "--threads", "1", "--quick", "--json")
    with subprocess.Popen(wanted, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as board:
        while not runs_in(tmp_path):
            assert board.poll() is None
            time.sleep(0.05)
        board.send_signal(signal.SIGTERM)
        assert board.wait(60) == 143
    before = runs_in(tmp_path)
    assert len(before) < 3
    done = subprocess.run(wanted, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    runs = runs_in(tmp_path)
    assert runs[: len(before)] == before
    assert [run["number"] for run in runs] == [0, 1, 2]
    (row,) = json.loads(done.stdout)["rows"]
    accuracies = [run["epochs"][-1]["accuracy"] for run in runs]
    assert (row["n"], row["accuracy"]) == (3, pytest.approx(sum(accuracies) / 3))
    with (tmp_path / "training.csv").open(newline="") as file:
        assert [line["contestant"] for line in csv.DictReader(file)] == ["tiny, 1 thread"]
    assert (tmp_path / "training.png").read_bytes().startswith(b"\x89PNG")


def test_trial_epochs_a_second_are_measured_beside_keras(tmp_path: Path) -> None:
    arguments = ("study", "mlp", "--workers", "2", "--rounds", "1", "--epochs", "2")
    done = subprocess.run(
        command(tmp_path, *arguments), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "2 workers" in done.stdout
    rows = json.loads((tmp_path / "study.json").read_text())["rows"]
    assert [row["by"] for row in rows] == ["keras.fit", "2 workers"]
    assert all(row["trial_epochs_a_second"] > 0 for row in rows)

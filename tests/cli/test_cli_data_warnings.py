"""What is grave about a data set is said in one line by the commands that train or score on it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from digitlab.cli.main import run
from digitlab.data import write_idx
from digitlab.results import Store
from digitlab.studies import plan_study
from real_digits import read_mnist
from small_study import pretend, small_study, write_digits


@pytest.fixture
def inverted(tmp_path: Path) -> Path:
    """A data set of dark digits on light ground."""
    folder = tmp_path / "inverted"
    folder.mkdir()
    write_digits(folder)
    mnist = read_mnist()
    write_idx(folder / "train-images-idx3-ubyte", 255 - mnist.x_train[:600])
    write_idx(folder / "t10k-images-idx3-ubyte", 255 - mnist.x_test[:200])
    return folder


def warnings_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("warning: data ")]


def test_study_run_says_it_before_anything_else(
    inverted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.toml").write_text(small_study(inverted, name="mine").to_toml())
    plan = plan_study(str(tmp_path / "mine.toml"))
    with Store(tmp_path / "store.sqlite") as store:
        for trial in plan.trials:
            store.finish(pretend(trial, lambda _: None))
    done = ["study", "run", str(tmp_path / "mine.toml"), "--store", str(tmp_path / "store.sqlite")]
    assert run([*done, "--no-report"]) == 0
    err = capsys.readouterr().err
    [warning] = warnings_of(err)
    assert err.startswith(warning)
    assert "600 of 600 training images are dark ink on light ground" in warning


def test_evaluate_says_it(inverted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "mlp", "--data", str(inverted)]) == 0
    [warning] = warnings_of(capsys.readouterr().err)
    assert "200 of 200 test images are dark ink on light ground" in warning


def test_sound_data_is_passed_over_in_silence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_digits(tmp_path)
    assert run(["evaluate", "mlp", "--data", str(tmp_path)]) == 0
    assert warnings_of(capsys.readouterr().err) == []


@pytest.mark.slow
def test_train_says_it(inverted: Path, tmp_path: Path) -> None:
    settings = ["--set", "training.epochs=1", "--set", "model.hidden=[8]"]
    options = ["--data", str(inverted), "--out", str(tmp_path / "bundle"), *settings]
    command = [sys.executable, "-m", "digitlab", "train", "mlp", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(warnings_of(done.stderr)) == 1

"""`HandwrittenDigitRecognition.py`, as a first-year student starts it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digitlab.spec.library import resolve_collection
from picture_files import encoded
from real_digits import read_mnist

SCRIPT = Path(__file__).parent.parent / "HandwrittenDigitRecognition.py"


def start(*arguments: str, folder: Path, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    command = [python, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300, check=False)


def test_help_lists_the_experiments(tmp_path: Path) -> None:
    done = start("--help", folder=tmp_path)
    assert done.returncode == 0
    classroom = resolve_collection("classroom")
    for name in ("mlp", "cnn", "deep-cnn", classroom.name, *classroom.studies):
        assert f"\n  {name} " in done.stdout


def test_without_the_environment_it_says_which_command_makes_it(tmp_path: Path) -> None:
    """An isolated interpreter without site-packages has no digitlab."""
    command = [sys.executable, "-I", "-S", str(SCRIPT)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 1
    assert "make setup" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_experiment_is_refused(tmp_path: Path) -> None:
    done = start("mlpp", folder=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_impossible_epochs_are_refused_in_one_line(tmp_path: Path) -> None:
    done = start("--epochs", "0", "--no-plot", folder=tmp_path)
    assert done.returncode == 2
    assert "epochs: expected a whole number from 1" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_picture_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mlp.png").write_bytes(b"a picture of mine")
    done = start("--epochs", "1", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mlp.png: expected a new file or a plot that digitlab wrote")
    assert "move it away" in done.stderr  # the script names its plots itself
    assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / "mlp.png").read_bytes() == b"a picture of mine"


def test_without_a_network_there_is_nothing_to_predict_with(tmp_path: Path) -> None:
    done = start("--predict", "seven.png", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "start me without --predict first" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_study_predicts_nothing(tmp_path: Path) -> None:
    done = start("mlp-loss", "--predict", "seven.png", folder=tmp_path)
    assert done.returncode == 2
    assert "--predict reads with a single network" in done.stderr


@pytest.mark.slow
def test_it_trains_the_mlp_prints_its_scores_saves_a_plot_and_reads_a_picture(tmp_path: Path) -> None:
    done = start("--epochs", "2", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = dict(
        line.rsplit("  ", 1)
        for line in done.stdout.splitlines()
        if line.endswith("%") and "epoch" not in line
    )
    accuracy, error = (float(text.rstrip(" %")) for text in lines.values())
    assert accuracy > 94  # as `digitlab train`: mean 95.2, sd 0.23
    assert accuracy + error == pytest.approx(100)
    assert "Mean squared error" in done.stdout
    first = (tmp_path / "mlp.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    done = start("--epochs", "1", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), "a plot and a network of its own are replaced"
    assert (tmp_path / "mlp.png").read_bytes() != first
    assert [path.name for path in (tmp_path / "digitlab-results" / "script").iterdir()] == ["mlp"]
    picture = np.full((56, 56), 255, np.uint8)
    picture[:] -= np.kron(read_mnist().x_test[0], np.ones((2, 2), np.uint8))
    (tmp_path / "seven.png").write_bytes(encoded(picture, "PNG"))
    for arguments in (["--predict", "seven.png"], ["mlp", "--predict", "seven.png"]):
        done = start(*arguments, folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.split()[:2] == ["mlp", "7"]
    assert start("cnn", "--predict", "seven.png", folder=tmp_path).returncode == 2
    (tmp_path / "seven.png").write_bytes(b"seven")
    done = start("--predict", "seven.png", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("seven.png: expected a picture")


@pytest.mark.slow
def test_it_trains_the_cnn_without_a_plot(tmp_path: Path) -> None:
    done = start("cnn", "--epochs", "1", "--no-plot", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Test accuracy       9" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["digitlab-results"]


@pytest.mark.slow
def test_its_functions_return_predictions_for_the_test_images(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; sys.path.insert(0, sys.argv[1])\n"
        "from HandwrittenDigitRecognition import train_and_predict_cnn, train_and_predict_mlp\n"
        "a = train_and_predict_mlp(epochs=1, neurons=16)\n"
        "b = train_and_predict_cnn(epochs=1, kernel_size=5, neurons=16)\n"
        "print(a.shape, a.dtype, b.shape, (a == b).mean())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(SCRIPT.parent)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
        check=True,
    )
    last = done.stdout.splitlines()[-1]
    assert last.startswith("(10000,) uint8 (10000,) 0.")
    assert 0.85 < float(last.split()[-1]) < 1

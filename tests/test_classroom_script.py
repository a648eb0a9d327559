"""`HandwrittenDigitRecognition.py`, as a first-year student starts it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digitlab.bundle import check_bundle
from digitlab.spec import PythonModel
from digitlab.spec.library import resolve_collection
from picture_files import encoded
from real_digits import read_mnist

SCRIPT = Path(__file__).parent.parent / "HandwrittenDigitRecognition.py"


def start(*arguments: str, folder: Path, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    command = [python, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300, check=False)


def percent_after(name: str, lines: list[str]) -> float:
    """The percentage that a line gives for a name."""
    [line] = [line for line in lines if line.startswith(name)]
    return float(line.removeprefix(name).rstrip(" %"))


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


def test_it_is_imported_without_keras(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import HandwrittenDigitRecognition as script\n"
        "assert not {'keras', 'tensorflow', 'matplotlib'} & set(sys.modules)\n"
        "print(*script.NETWORKS)"
    )
    command = [sys.executable, "-c", code, str(SCRIPT.parent)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=True)
    assert done.stdout == "mlp cnn deep-cnn\n"


def test_an_unknown_experiment_is_refused_in_one_line(tmp_path: Path) -> None:
    done = start("mlpp", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("expected mlp, cnn, deep-cnn, classroom, mlp-neurons")
    assert len(done.stderr.splitlines()) == 1


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


@pytest.mark.slow
def test_it_trains_the_mlp_prints_its_scores_saves_a_plot_and_reads_a_picture(tmp_path: Path) -> None:
    done = start("--epochs", "2", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert sum(line.startswith("  epoch ") for line in lines) == 2
    accuracy = percent_after("Test accuracy", lines)
    assert accuracy > 94  # as `digitlab train`: mean 95.2, sd 0.23
    assert accuracy + percent_after("Error rate", lines) == pytest.approx(100)
    assert "Mean squared error" in done.stdout
    misread = round(100 * (100 - accuracy))
    assert f"{misread:,} of 10,000 are misread" in done.stdout
    assert "The first test digits   7 2 1 0 4 1 4 9 5 9" in done.stdout
    first = (tmp_path / "mlp.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    done = start("--epochs", "1", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), "a plot and a network of its own are replaced"
    assert (tmp_path / "mlp.png").read_bytes() != first
    assert [path.name for path in (tmp_path / "digitlab-results" / "script").iterdir()] == ["mlp"]
    card = check_bundle(tmp_path / "digitlab-results" / "script" / "mlp").card
    assert (card.recipe, card.trial.training.epochs) == ("script-mlp", 1)
    assert card.made == "trained once, by the loop of HandwrittenDigitRecognition.py"
    picture = np.full((56, 56), 255, np.uint8)
    picture[:] -= np.kron(read_mnist().x_test[0], np.ones((2, 2), np.uint8))
    (tmp_path / "seven.png").write_bytes(encoded(picture, "PNG"))
    for arguments in (["--predict", "seven.png"], ["mlp", "--predict", "seven.png"]):
        done = start(*arguments, folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("mlp       7   by itself: 7 (")
        assert len(done.stdout.splitlines()) == 1
    assert start("cnn", "--predict", "seven.png", folder=tmp_path).returncode == 2
    (tmp_path / "seven.png").write_bytes(b"seven")
    done = start("--predict", "seven.png", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("seven.png: expected a picture")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cnn", "deep-cnn"])
def test_it_trains_the_convolutional_networks_without_a_plot(name: str, tmp_path: Path) -> None:
    done = start(name, "--epochs", "1", "--no-plot", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert percent_after("Test accuracy", done.stdout.splitlines()) > 90
    assert [path.name for path in tmp_path.iterdir()] == ["digitlab-results"]


@pytest.mark.slow
def test_its_functions_return_predictions_for_the_test_images(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from HandwrittenDigitRecognition import train_and_predict_cnn, train_and_predict_mlp\n"
        "a = train_and_predict_mlp(epochs=1, neurons=16)\n"
        "b = train_and_predict_mlp(epochs=1, neurons=16)\n"
        "c = train_and_predict_cnn(epochs=1, kernel_size=5, neurons=16, loss='mse', batch_size=300)\n"
        "print(a.shape, a.dtype, c.shape, (a == b).all(), (a == c).mean())"
    )
    command = [sys.executable, "-c", code, str(SCRIPT.parent)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=True)
    last = done.stdout.splitlines()[-1]
    assert last.startswith("(10000,) uint8 (10000,) True 0."), "the same seed gives the same network"
    assert 0.85 < float(last.split()[-1]) < 1
    assert done.stdout.count("Training mlp: 12,730 weights, 55,000 images") == 2
    model = check_bundle(tmp_path / "digitlab-results" / "script" / "cnn").card.trial.model
    assert isinstance(model, PythonModel)
    assert model.arguments == {"kernel_size": 5, "neurons": 16}
    assert model.code == {SCRIPT.name: SCRIPT.read_text("utf-8")}


@pytest.mark.slow
def test_wrong_settings_are_refused_before_the_training(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from HandwrittenDigitRecognition import train_and_predict_mlp\n"
        "from digitlab.errors import SpecError\n"
        "for settings in ({'epochs': 0}, {'batch_size': 0}, {'loss': 'crosentropy'}):\n"
        "    try: train_and_predict_mlp(**settings)\n"
        "    except SpecError as error: print(error)"
    )
    command = [sys.executable, "-c", code, str(SCRIPT.parent)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=True)
    epochs, batch_size, loss = done.stdout.splitlines()
    assert "training.epochs: expected a whole number from 1" in epochs
    assert "training.batch_size: expected a whole number from 1" in batch_size
    assert "training.loss: expected" in loss
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a process gets no Ctrl-C of its own there")
def test_ctrl_c_is_one_line_and_keeps_nothing(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--epochs", "1000"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "epoch  2" in line:
                process.send_signal(signal.SIGINT)
                break
        _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (130, "interrupted: what was not finished is not kept\n")
    assert list(tmp_path.iterdir()) == []

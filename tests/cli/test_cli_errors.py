"""A user's mistake is one line on stderr and exit code 2; nothing on stdout, no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from digitlab.cli.main import run

MISTAKES = {
    "an unknown command": (["trian"], "No such command 'trian'"),
    "an unknown option": (["train", "mlp", "--sed", "1"], "--sed"),
    "a seed below zero": (["train", "mlp", "--seed", "-1"], "--seed"),
    "an unknown recipe": (
        ["train", "mlpp"],
        "one of numbers, best, best-mlp, cnn, deep-cnn, fast, fast-994, fast-995, lenet-5, mlp, resnet",
    ),
    "a recipe file that is not there": (["train", "mine.toml"], "mine.toml': cannot be read"),
    "a setting that leads nowhere": (
        ["train", "mlp", "--set", "model.hiden=3"],
        "there is no setting 'hiden'",
    ),
    "a setting out of range": (
        ["train", "mlp", "--set", "training.epochs=0"],
        "training.epochs: expected a whole number from 1 to 10000, received 0",
    ),
    "a setting without a value": (["train", "mlp", "--set", "training.epochs"], "expected PATH=VALUE"),
    "an unknown data set": (["study", "run", "mlp-neurons", "--data", "mnits"], "mnits"),
    "an unknown study": (
        ["study", "run", "mlp-neuron"],
        "expected a name that `digitlab study list` shows (mlp-neurons",
    ),
    "an unknown executor": (
        ["study", "run", "mlp-neurons", "--executor", "cloud"],
        "'cloud' is not one of 'inline', 'processes', 'ray'",
    ),
    "an address without a cluster": (
        ["study", "run", "mlp-neurons", "--address", "auto"],
        "--address: expected --executor ray with it",
    ),
    "a share of a GPU without a cluster": (
        ["study", "run", "mlp-neurons", "--executor", "inline", "--gpus", "0.5"],
        "--gpus: expected --executor ray with it",
    ),
    "workers for inline": (
        ["study", "run", "mlp-neurons", "--executor", "inline", "--workers", "2"],
        "--workers: expected 1",
    ),
    "a store that is not there": (["study", "show", "mlp-neurons"], "there is none yet"),
    "a store that is no database": (["study", "show", "mlp-neurons", "--store", "text"], "store text"),
    "a bundle that is not there": (["evaluate", "nowhere"], "no model 'nowhere': expected a network"),
    "an ensemble of one": (["evaluate", "mlp", "--ensemble"], "expected two or more networks, received 1"),
    "an import from nowhere": (["data", "import", "nowhere", "target"], "nowhere"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_that_says_what_to_do(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("this is no database, but it is long enough to be looked at as one\n" * 20)
    arguments, expected = MISTAKES[mistake]
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert expected in err
    assert len(err.splitlines()) == 1
    assert err.startswith("digitlab: ")
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {"text", "digitlab-results"}


def test_no_command_shows_the_help_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Commands:" in err


CTRL_C = """
import signal, sys
from digitlab.cli.main import run
before = signal.getsignal(signal.SIGINT)
assert run(["serve", "--port", "0", "--model", "nowhere"]) == 2
assert signal.getsignal(signal.SIGINT) is before
"""


@pytest.mark.slow  # a process that imports the service
def test_a_service_that_is_refused_leaves_ctrl_c_to_whoever_called(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CTRL_C]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="nowhere': expected a network"):
        run(["--debug", "evaluate", str(tmp_path / "nowhere")])


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"digitlab {version('digitlab')}\n"


def test_doctor_finds_this_installation_whole(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    import json

    assert run(["doctor", "--json", "--store", str(tmp_path / "store.sqlite")]) == 0
    checks = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {check["status"] for check in checks} == {"ok"}
    assert "60,000 training" in next(check["detail"] for check in checks if check["name"] == "data mnist")


def test_doctor_finds_a_damaged_store(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    store.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 20)
    assert run(["doctor", "--store", str(store)]) == 1
    assert "bad" in capsys.readouterr().out

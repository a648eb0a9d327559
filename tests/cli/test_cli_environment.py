"""Odd names, odd variables and folders that are gone are one line, and what can be answered is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digitlab.cli.main import run
from digitlab.errors import SpecError
from digitlab.results import Store
from digitlab.spec import DataSpec
from picture_files import encoded
from real_digits import read_mnist

LONG = "a" * 300
BYTES = os.fsdecode(b"x\xff")


def digitlab(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "digitlab", *arguments]
    environment = os.environ | variables
    return subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment, timeout=120, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["data", "check", LONG],
        ["data", "import", LONG, "target"],
        ["train", "mlp", "--data", LONG],
        ["train", "mlp", "--out", LONG],
        ["evaluate", LONG],
        ["study", "show", LONG],
        ["study", "run", f"{LONG}.toml"],
        ["study", "show", "mlp-loss", "--store", LONG],
        ["recognize", LONG],
        ["data", "check", BYTES],
        ["evaluate", BYTES],
        ["study", "show", BYTES],
        ["study", "run", f"{BYTES}.toml"],
    ],
    ids=lambda arguments: " ".join(arguments).replace(LONG, "LONG").encode("ascii", "replace").decode(),
)
def test_a_name_that_leads_nowhere_is_one_line(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.startswith("digitlab: ")
    assert "internal error" not in err


def test_pictures_beside_a_name_that_is_too_long_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    seven = np.kron(read_mnist().x_test[0], np.ones((2, 2), np.uint8))
    Path("seven.png").write_bytes(encoded(255 - seven, "PNG"))
    assert run(["recognize", f"{LONG}.png", "seven.png", "--json"]) == 2
    out, err = capsys.readouterr()
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer["text"] for answer in answers] == ["", "7"]
    assert "cannot be read" in err


def test_data_whose_name_no_result_can_hold_is_refused_before_anything_is_trained() -> None:
    with pytest.raises(SpecError, match="expected a name in UTF-8"):
        DataSpec.from_values({"dataset": BYTES}, "data")


@pytest.mark.slow  # processes that import SciPy
@pytest.mark.parametrize("seconds", ["abc", "", "9" * 20])
def test_a_time_that_no_library_can_read_is_told_and_ignored(seconds: str, tmp_path: Path) -> None:
    """NumPy reads it while SciPy is imported, which any table of a study needs."""
    code = (
        "from digitlab.cli.environment import prepare_environment as p; p(); import scipy.stats, numpy.f2py"
    )
    environment = os.environ | {"SOURCE_DATE_EPOCH": seconds}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    expected = (
        f"digitlab: SOURCE_DATE_EPOCH: expected seconds since 1970, received {seconds!r}; it is ignored\n"
    )
    assert done.stderr == expected


@pytest.mark.slow  # processes that draw a report
@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "zzz"])
def test_a_backend_that_a_notebook_gives_its_commands_stops_no_report(backend: str, tmp_path: Path) -> None:
    Store(tmp_path / "store.sqlite").close()
    command = ("study", "report", "mlp-loss", "--store", "store.sqlite")
    done = digitlab(*command, folder=tmp_path, MPLBACKEND=backend)
    assert (done.returncode, done.stdout.splitlines()) == (0, [str(Path("reports/mlp-loss.html"))]), (
        done.stderr
    )


@pytest.mark.slow  # processes of their own
@pytest.mark.skipif(os.name == "nt", reason="a folder in use cannot be removed there")
@pytest.mark.parametrize(("command", "code"), [("study list", 0), ("recognize x.png", 2), ("train mlp", 2)])
def test_in_a_folder_that_is_gone_a_command_is_answered(command: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    line = f"rmdir ../gone; exec '{sys.executable}' -m digitlab {command}"
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path / "gone", timeout=60, check=False
    )
    assert done.returncode == code
    assert len(done.stderr.splitlines()) == (code != 0)
    assert "internal error" not in done.stderr

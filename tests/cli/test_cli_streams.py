"""Output reaches people in whatever encoding, and an output that cannot be written loses nothing else."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digitlab.cli.main import run
from digitlab.cli.streams import REPLACING, replacing
from digitlab.data import load
from digitlab.results import Store
from digitlab.spec import Axis
from digitlab.studies import plan_study
from picture_files import encoded
from small_study import pretend, small_study, write_digits

LABEL = "神経細胞の数 нейроны"
FULL = Path("/dev/full")

needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
needs_shell = pytest.mark.skipif(os.name == "nt", reason="the shell closes the streams")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with results of every kind of letter, and a picture."""
    folder = tmp_path_factory.mktemp("people")
    (folder / "digits").mkdir()
    write_digits(folder / "digits")
    axes = (Axis(path="model.hidden.0", values=(8, 16), label=LABEL),)
    study = small_study(folder / "digits", name="mine", question="幅は広い方が良いか – oder ×2?", axes=axes)
    (folder / "mine.toml").write_text(study.to_toml(), "utf-8")
    plan = plan_study(str(folder / "mine.toml"))
    with Store(folder / "store.sqlite") as store:
        store.save_plan(plan)
        for trial in plan.trials:
            store.finish(pretend(trial, lambda _: None))
    seven = np.kron(load("mnist").x_test[0], np.ones((2, 2), np.uint8))
    (folder / "数.png").write_bytes(encoded(255 - seven, "PNG"))
    return folder


def digitlab(
    *arguments: str, folder: Path, encoding: str = "utf-8", **variables: str
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "digitlab", *arguments]
    environment = os.environ | {"PYTHONIOENCODING": encoding} | variables
    return subprocess.run(command, capture_output=True, cwd=folder, env=environment, timeout=120, check=False)


def in_shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell in which `digitlab` stands for ours."""
    ours = f"digitlab() {{ '{sys.executable}' -m digitlab \"$@\"; }}; {line}"
    return subprocess.run(
        ["bash", "-c", ours], capture_output=True, text=True, cwd=folder, timeout=120, check=False
    )


def answer(arguments: list[str], encoding: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a command writes to an stdout of that encoding, in this process, where it is quicker."""
    stdout = io.TextIOWrapper(io.BytesIO(), encoding, REPLACING)
    monkeypatch.setattr(sys, "stdout", stdout)
    assert run(arguments) == 0
    assert isinstance(stdout.buffer, io.BytesIO)
    return stdout.buffer.getvalue().decode(stdout.encoding)


COMMANDS = {
    "show": ["study", "show", "mine", "--store", "store.sqlite"],
    "run": ["study", "run", "mine.toml", "--store", "store.sqlite", "--no-report"],
    "evaluate": ["evaluate", "mlp", "--data", "digits"],
    "recognize": ["recognize", "数.png"],
    "list": ["study", "list"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_encoding_gets_the_whole_answer(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    whole = answer(COMMANDS[name], "utf-8", monkeypatch).strip().splitlines()
    for encoding in ("cp1252", "cp437", "ascii"):
        lines = answer(COMMANDS[name], encoding, monkeypatch).strip().splitlines()
        # A table of ASCII has a line above it and one below.
        assert len(whole) <= len(lines) <= len(whole) + 4
        rows = [line for line in lines if line[:1] == line[-1:] == "|"]
        assert len({len(row) for row in rows}) <= 2  # the columns of each table stand below each other


def test_redirected_on_windows_a_study_prints_its_table_and_writes_its_report(folder: Path) -> None:
    report = folder / "reports" / "mine.html"
    report.unlink(missing_ok=True)
    done = digitlab("study", "run", "mine.toml", "--store", "store.sqlite", folder=folder, encoding="cp1252")
    assert done.returncode == 0
    assert r"\u795e\u7d4c" in done.stdout.decode("cp1252")
    assert LABEL in report.read_text("utf-8")


def test_signs_have_twins_and_letters_escapes() -> None:
    assert replacing("−1 – 2 × 3 · 4 → 5 …", "ascii") == "-1 - 2 x 3 . 4 -> 5 ..."
    assert replacing("−1 – 2 × 3 …", "cp1252") == "-1 – 2 × 3 …"
    assert replacing("隠れ é \udcff", "ascii") == r"\u96a0\u308c \xe9 \xff"
    assert replacing("隠れ \udcff", "utf-8") == r"隠れ \xff"


def test_json_says_the_same_in_every_encoding(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for command in (["study", "list", "--json"], ["recognize", "数.png", "--json"]):
        whole = [json.loads(line) for line in answer(command, "utf-8", monkeypatch).splitlines()]
        for encoding in ("cp1252", "ascii"):
            lines = answer(command, encoding, monkeypatch).splitlines()
            assert [json.loads(line) for line in lines] == whole


def test_an_export_is_the_same_file_in_every_encoding(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    command = ["study", "export", "mine", "--store", "store.sqlite"]
    table = answer(command, "cp437", monkeypatch)
    assert table == answer(command, "utf-8", monkeypatch)
    assert table.startswith("study,model.hidden.0,seed,")


@needs_shell
@pytest.mark.parametrize("streams", [">&-", "<&- >&- 2>&-", "2>&1 | true"])
def test_a_closed_output_ends_in_peace_and_the_report_is_written(streams: str, folder: Path) -> None:
    report = folder / "reports" / "mine.html"
    report.unlink(missing_ok=True)
    done = in_shell(f"set -o pipefail; digitlab study run mine.toml --store store.sqlite {streams}", folder)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "rror" not in done.stderr
    assert report.exists()


@needs_shell
def test_a_failed_trial_is_told_though_nobody_reads_the_table(folder: Path) -> None:
    plan = plan_study(str(folder / "mine.toml"))
    with Store(folder / "failed.sqlite") as store:
        for trial in plan.trials:
            store.fail(trial, "the loss became nan in epoch 1")
    line = "study run mine.toml --store failed.sqlite --no-report"
    done = in_shell(f"set -o pipefail; digitlab {line} | true", folder)
    assert done.returncode == 1
    assert done.stderr.endswith("4 of 4 trials failed; --retry-failed trains them again\n")


@needs_full
@pytest.mark.parametrize(
    ("command", "unbuffered"),
    [
        ("study run mine.toml --store store.sqlite", ""),
        ("study export mine --store store.sqlite", ""),
        ("recognize 数.png --json", "1"),
        ("--help", ""),
        ("--help", "1"),
    ],
)
def test_a_full_output_is_one_line_and_exit_code_1(command: str, unbuffered: str, folder: Path) -> None:
    report = folder / "reports" / "mine.html"
    report.unlink(missing_ok=True)
    done = in_shell(f"export PYTHONUNBUFFERED={unbuffered}; digitlab {command} > /dev/full", folder)
    assert done.returncode == 1
    *before, last = done.stderr.splitlines()
    assert last.startswith("digitlab: stdout: cannot be written: No space left on device")
    assert not any(line.startswith("digitlab:") for line in before)
    assert report.exists() == command.startswith("study run")


@needs_full
@pytest.mark.parametrize(("command", "code"), [("study list", 0), ("recognize nowhere.png", 2), ("trian", 2)])
def test_messages_that_cannot_be_written_change_nothing(command: str, code: int, folder: Path) -> None:
    plain = in_shell(f"digitlab {command}", folder)
    for streams in ("2>/dev/full", "2>&-"):
        done = in_shell(f"digitlab {command} {streams}", folder)
        assert (done.returncode, done.stdout) == (code, plain.stdout)


@needs_shell
def test_without_a_standard_input_there_is_no_picture(folder: Path) -> None:
    done = in_shell("digitlab recognize - <&-", folder)
    assert (done.returncode, done.stderr) == (2, "digitlab: -: the file is empty\n")


def test_a_qr_code_is_drawn_with_what_the_encoding_has() -> None:
    code = (
        "from digitlab.cli.streams import prepare_streams; prepare_streams()\n"
        "from digitlab.cli.serve import _print_qr; _print_qr('http://192.168.0.1:8000/')"
    )
    for encoding, expected in (("utf-8", "█"), ("cp437", "█"), ("cp1252", "\033[7m")):
        environment = os.environ | {"PYTHONIOENCODING": encoding}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
        text = done.stdout.decode(encoding)
        assert expected in text
        assert "\\u" not in text

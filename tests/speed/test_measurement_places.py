"""Measurements have a folder of their own; what the clone publishes is replaced only where that is asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from digitlab.cli.main import run
from digitlab.errors import OutputError, UserError
from digitlab.speed.book import Book
from digitlab.speed.places import results_folder

CLONE = Path(__file__).parents[2]
PUBLISHED = CLONE / "benchmarks" / "results"
_ALL = sorted((CLONE / "benchmarks").glob("*.py"))
SCRIPTS = [path for path in _ALL if "__main__" in path.read_text("utf-8")]


def published() -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_size) for path in PUBLISHED.iterdir()}


def test_measurements_have_a_folder_of_their_own_unless_asked(tmp_path: Path) -> None:
    assert results_folder() == Path("digitlab-results", "measurements")
    assert results_folder(tmp_path) == tmp_path
    assert results_folder(publish=True) == PUBLISHED
    with pytest.raises(UserError, match="--publish: expected no --out beside it"):
        results_folder(tmp_path, publish=True)


@pytest.mark.parametrize("board", ["training", "study"])
def test_a_board_refuses_files_that_are_no_boards(
    board: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    place = Path("digitlab-results", "measurements")
    place.mkdir(parents=True)
    (place / f"{board}.json").write_text("{}", "utf-8")
    before = published()
    assert run(["bench", board]) == 2
    assert f"{place / f'{board}.json'}: expected runs" in capsys.readouterr().err
    assert published() == before


@pytest.mark.parametrize("suffix", [".csv", ".png"])
def test_a_table_or_a_figure_without_its_runs_is_somebody_elses(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"training{suffix}").write_text("mine", "utf-8")
    with pytest.raises(OutputError, match=f"training{suffix}: expected no such file"):
        Book(tmp_path / "training.json", {})


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_help_of_a_benchmark_is_help_and_nothing_else(script: Path, tmp_path: Path) -> None:
    before = published()
    done = subprocess.run(
        [sys.executable, str(script), "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: ")
    assert list(tmp_path.iterdir()) == []
    assert published() == before


def test_a_benchmark_takes_no_others_files_place(tmp_path: Path) -> None:
    (tmp_path / "scale.json").write_text('{"mine": 1}', "utf-8")
    script = [sys.executable, str(CLONE / "benchmarks" / "scale.py"), "planning", "--out", str(tmp_path)]
    for arguments, word in (([], "expected figures of a benchmark"), (["--publish"], "expected no --out")):
        done = subprocess.run([*script, *arguments], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode != 0
        assert word in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / "scale.json").read_text("utf-8") == '{"mine": 1}'

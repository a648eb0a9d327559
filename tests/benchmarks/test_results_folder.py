"""Measurements have a folder of their own; published ones are replaced only on request."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from paths import FOLDER, PUBLISHED, results_folder
from run_log import RunLog

from digitlab.errors import OutputError, UserError

PROGRAMS = [str(path) for path in sorted(FOLDER.glob("[a-z]*.py")) if "__main__" in path.read_text("utf-8")]
SUITE = list(runpy.run_path(str(FOLDER / "__main__.py"))["SUITE"])
HELP = """
import contextlib, io, json, runpy, sys
printed = {}
def help_of(name, arguments, run):
    sys.argv = [name, *arguments, "--help"]
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        try:
            run()
        except SystemExit as end:
            printed[" ".join([name, *arguments])] = [end.code or 0, output.getvalue()]
programs, names = map(json.loads, sys.argv[1:])
for name in names:
    help_of("benchmarks", [name], lambda: runpy.run_module("benchmarks", run_name="__main__"))
for program in programs:
    help_of(program, [], lambda: runpy.run_path(program, run_name="__main__"))
print(json.dumps(printed))
"""


def published() -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_size) for path in PUBLISHED.iterdir()}


def test_measurements_have_a_folder_of_their_own_unless_asked(tmp_path: Path) -> None:
    assert results_folder() == Path("digitlab-results", "measurements")
    assert results_folder(tmp_path) == tmp_path
    assert results_folder(publish=True) == PUBLISHED
    with pytest.raises(UserError, match="--publish: expected no --out beside it"):
        results_folder(tmp_path, publish=True)


def benchmark(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=FOLDER.parent, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["training", "study"])
def test_a_benchmark_refuses_files_that_hold_no_runs(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.json").write_text("{}", "utf-8")
    before = published()
    done = benchmark(name, "--out", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"benchmarks: {tmp_path / f'{name}.json'}: expected runs")
    assert len(done.stderr.splitlines()) == 1
    assert published() == before


def test_a_wrong_number_is_named_with_the_option() -> None:
    done = benchmark("study", "--epochs", "1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("error: argument --epochs: expected a number of at least 2, received '1'\n")


@pytest.mark.parametrize(
    ("module", "name", "extra"), [("orjson", "service", "serve"), ("matplotlib", "training", "report")]
)
def test_a_benchmark_whose_library_is_missing_names_the_extra(module: str, name: str, extra: str) -> None:
    code = (
        f"import runpy, sys; sys.modules[{module!r}] = None; sys.argv = ['benchmarks', {name!r}]; "
        "runpy.run_module('benchmarks', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=FOLDER.parent, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"benchmarks: {module} is not installed; it belongs to the extra [{extra}]")


@pytest.mark.parametrize("suffix", [".csv", ".png"])
def test_a_table_or_a_figure_without_its_runs_is_somebody_elses(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"training{suffix}").write_text("mine", "utf-8")
    with pytest.raises(OutputError, match=f"training{suffix}: expected no such file"):
        RunLog(tmp_path / "training.json", {})


def test_help_of_a_benchmark_is_help_and_nothing_else(tmp_path: Path) -> None:
    """One process asks all, because most of its time is that of the libraries they share."""
    before = published()
    environment = os.environ | {"PYTHONPATH": str(FOLDER.parent)}
    done = subprocess.run(
        [sys.executable, "-c", HELP, json.dumps(PROGRAMS), json.dumps(SUITE)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert len(printed) == len(PROGRAMS) + len(SUITE)
    assert {name: answer for name, answer in printed.items() if answer[0] or "usage: " not in answer[1]} == {}
    for name in SUITE:
        assert printed[f"benchmarks {name}"][1].startswith(f"usage: python -m benchmarks {name} ")
    assert list(tmp_path.iterdir()) == []
    assert published() == before


def test_a_benchmark_takes_no_others_files_place(tmp_path: Path) -> None:
    (tmp_path / "scale.json").write_text('{"mine": 1}', "utf-8")
    for arguments, word in (([], "expected figures of a benchmark"), (["--publish"], "expected no --out")):
        done = benchmark("scale", "planning", "--out", str(tmp_path), *arguments)
        assert done.returncode != 0
        assert word in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / "scale.json").read_text("utf-8") == '{"mine": 1}'

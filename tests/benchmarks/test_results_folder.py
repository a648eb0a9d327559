"""Measurements have a folder of their own; published ones are replaced only on request."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from paths import FOLDER, PUBLISHED, results_folder
from run_log import RunLog

from digitlab.errors import OutputError, UserError

SOURCES = {path: path.read_text("utf-8") for path in sorted(FOLDER.glob("[a-z]*.py"))}
PROGRAMS = [str(path) for path, source in SOURCES.items() if "__main__" in source]
SUITE = list(runpy.run_path(str(FOLDER / "__main__.py"))["SUITE"])
REQUIRED = {"pages": ["SAMPLES"], "refusals": ["FOLDER", "--fonts", "FILE"], "scale": ["planning"]}
WRITERS = {path.stem: str(path) for path, source in SOURCES.items() if "= results_file(" in source}
IN_ONE_PROCESS = """
import contextlib, io, json, runpy, sys
def answer(program, *arguments):
    sys.argv = [program, *arguments]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            if program == "benchmarks":
                runpy.run_module("benchmarks", run_name="__main__")
            else:
                runpy.run_path(program, run_name="__main__")
        except SystemExit as end:
            return end.code or 0, out.getvalue(), err.getvalue()
print(json.dumps([answer(*command) for command in json.load(sys.stdin)]))
"""


class Answer(NamedTuple):
    code: int
    out: str
    err: str


def answers(commands: list[list[str]], folder: Path) -> list[Answer]:
    """Start programs one after the other in one process: most of its time is that of libraries they share."""
    path = os.pathsep.join([str(FOLDER.parent), str(FOLDER)])
    done = subprocess.run(
        [sys.executable, "-c", IN_ONE_PROCESS],
        input=json.dumps(commands),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Answer(*values) for values in json.loads(done.stdout)]


def published() -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_size) for path in PUBLISHED.iterdir()}


def test_measurements_have_a_folder_of_their_own_unless_asked(tmp_path: Path) -> None:
    assert results_folder() == Path("digitlab-results", "measurements")
    assert results_folder(tmp_path) == tmp_path
    assert results_folder(publish=True) == PUBLISHED
    with pytest.raises(UserError, match="--publish: expected no --out beside it"):
        results_folder(tmp_path, publish=True)


def test_help_of_a_benchmark_is_help_and_nothing_else(tmp_path: Path) -> None:
    before = published()
    commands = [[program] for program in PROGRAMS] + [["benchmarks", name] for name in SUITE]
    helps = answers([[*command, "--help"] for command in commands], tmp_path)
    assert [item for item in helps if item.code or "usage: " not in item.out] == []
    for name, item in zip(SUITE, helps[len(PROGRAMS) :], strict=True):
        assert item.out.startswith(f"usage: python -m benchmarks {name} ")
    assert list(tmp_path.iterdir()) == []
    assert published() == before


def test_a_mistake_of_the_user_is_one_line(tmp_path: Path) -> None:
    """No benchmark takes the place of a file that it did not write; its mistakes have exit code 2."""
    before = published()
    commands = {}
    for name, program in WRITERS.items():
        (tmp_path / f"{name}.json").write_text('{"mine": 1}', "utf-8")
        commands[name] = [program, *REQUIRED.get(name, []), "--out", str(tmp_path)]
    (tmp_path / "pages.json").rename(tmp_path / "pages.csv")
    for name in ("training", "study"):
        (tmp_path / f"{name}.json").write_text("{}", "utf-8")
        commands[name] = ["benchmarks", name, "--out", str(tmp_path)]
    commands["publish"] = ["benchmarks", "scale", "planning", "--publish", "--out", str(tmp_path)]
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    wrong_number = ["benchmarks", "study", "--epochs", "1"]
    *given, number = answers([*commands.values(), wrong_number], tmp_path)
    expected = {name: f"{name}.json: expected figures of a benchmark, received another" for name in WRITERS}
    expected |= {name: f"{name}.json: expected runs" for name in ("training", "study")}
    expected["pages"] = "pages.csv: expected no such file where pages.json is not"
    expected["publish"] = "--publish: expected no --out beside it"
    for name, item in zip(commands, given, strict=True):
        assert (item.code, item.out, len(item.err.splitlines())) == (2, "", 1), (name, item)
        assert item.err.startswith("benchmarks: ")
        assert expected[name] in item.err
    assert (number.code, number.out) == (2, "")
    assert number.err.endswith("argument --epochs: expected a number of at least 2, received '1'\n")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == files
    assert published() == before


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

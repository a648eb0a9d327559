"""Where parts of digitlab are not installed it says which, and how its user installs them."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import digitlab
from digitlab.errors import EXTRAS, MissingExtraError

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "HandwrittenDigitRecognition.py"

MISSING = "import sys; sys.modules.update(dict.fromkeys(sys.argv.pop(1).split(',')))\n"
COMMAND = MISSING + "from digitlab.cli.main import run; sys.exit(run(sys.argv[1:]))"


def without(
    modules: str, *arguments: str, folder: Path, code: str = COMMAND
) -> subprocess.CompletedProcess[str]:
    """Run a command in a process that finds some modules not installed."""
    command = [sys.executable, "-c", code, modules, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=100, check=False)


@pytest.mark.parametrize(
    ("modules", "command", "extra"),
    [
        ("uvicorn", ["serve"], "serve"),
        ("fastapi_offline", ["serve", "--port", "0"], "serve"),
        ("pyarrow", ["study", "export", "mlp-loss", "--format", "parquet", "--out", "x"], "export"),
    ],
)
def test_a_command_whose_part_is_missing_names_the_extra(
    modules: str, command: list[str], extra: str, tmp_path: Path
) -> None:
    if command[0] == "study":
        from digitlab.results import Store

        Store(tmp_path / "store.sqlite").close()
        command = [*command, "--store", "store.sqlite"]
    done = without(modules, *command, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"digitlab: {modules} is not installed; it belongs to the extra [{extra}]")
    assert f'pip install -e ".[{extra}]"' in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_from_a_wheel_the_command_names_the_package(tmp_path: Path) -> None:
    """Copied to where no project file is above it, the package is an installed one."""
    shutil.copytree(
        Path(digitlab.__file__).parent,
        tmp_path / "site" / "digitlab",
        ignore=shutil.ignore_patterns("*.gz", "*.keras", "*.onnx", "__pycache__"),
    )
    code = "from digitlab.errors import MissingExtraError; print(MissingExtraError('keras', 'train'))"
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=True,
    )
    assert done.stdout.strip().endswith('run  pip install "digitlab[train]"')


def test_in_a_clone_the_command_says_where_the_clone_is() -> None:
    assert str(MissingExtraError("keras", "train")).endswith(
        f'run  pip install -e ".[train]"  in the clone, {ROOT}'
    )


def test_every_extra_is_one_of_the_project() -> None:
    import tomllib

    known = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert set(EXTRAS) <= set(known)


@pytest.mark.slow
def test_the_script_trains_without_matplotlib_and_says_that_it_draws_nothing(tmp_path: Path) -> None:
    code = MISSING + "import importlib.util as u; f = u.find_spec\n"
    code += "u.find_spec = lambda name, *a: None if name == 'matplotlib' else f(name, *a)\n"
    code += f"import runpy; sys.argv[0] = 'script'; runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    done = without("matplotlib", "--epochs", "1", folder=tmp_path, code=code)
    assert done.returncode == 0
    assert done.stderr.startswith("no plot is drawn: matplotlib is not installed")
    assert len(done.stderr.splitlines()) == 1
    assert "Test accuracy       9" in done.stdout
    assert not (tmp_path / "mlp.png").exists()


@pytest.mark.skipif(shutil.which("make") is None or os.name == "nt", reason="there is no make")
@pytest.mark.parametrize(
    ("pretended", "expected"),
    [
        ("import sys; sys.version_info = (3, 14, 0)", "digitlab needs Python 3.11, 3.12 or 3.13"),
        ("import sys; sys.version_info = (3, 10, 9)", "digitlab needs Python 3.11, 3.12 or 3.13"),
        ("import platform as p; p.system = lambda: 'Darwin'; p.machine = lambda: 'x86_64'", "Intel Macs"),
    ],
)
def test_make_refuses_what_tensorflow_is_not_built_for(pretended: str, expected: str, tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$1" "{pretended}\n$2"\n', "utf-8")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    done = subprocess.run(
        ["make", "setup", f"PYTHON={python}"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    told = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(told) == 1
    assert expected in told[0]
    assert "make PYTHON=" in told[0]
    assert not (tmp_path / ".venv").exists()

"""The page on own networks: its files and commands, run in an empty folder as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "own-network.md"

pytestmark = pytest.mark.slow  # it trains networks


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's files, each named by its first line."""
    folder = tmp_path_factory.mktemp("own")
    blocks = re.findall(r"```(?:python|toml)\n# (\S+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert [name for name, _ in blocks] == ["nets.py", "two-paths.toml", "width.toml", "in_python.py"]
    for name, text in blocks:
        (folder / name).write_text(text, "utf-8")
    return folder


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_command_of_the_page_works(folder: Path) -> None:
    commands = re.findall(r"^    digitlab (.+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(commands) == 4
    answers = [run(folder, "-m", "digitlab", *command.split()) for command in commands]
    assert "test accuracy      9" in answers[0]
    assert (folder / "two-paths" / "card.json").exists()
    assert "With model.arguments.width = 8" in answers[3] or "With 8" in answers[3] or "cannot" in answers[3]


def test_the_script_of_the_page_runs_its_study(folder: Path) -> None:
    lines = run(folder, "in_python.py").splitlines()
    assert [line.split()[0] for line in lines] == ["8", "16"]
    assert all(float(line.split()[1]) < 50 for line in lines)

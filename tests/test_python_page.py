"""The page on Python: its blocks are one script, run in an empty folder."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "python.md"

pytestmark = pytest.mark.slow  # it trains networks


def test_the_blocks_of_the_page_run_as_one_script(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "page.py").write_text("\n".join(blocks), "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "page.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"0\.9\d\d of the test images", lines[0])
    assert lines[1] == "(3, 10)"
    assert lines[2] == "2 classes"
    assert [line.split()[1] for line in lines[4:6]] == ["4", "16"]
    assert lines[6] == "6 trainings"
    assert re.fullmatch(r"accuracy 0\.[5-9]\d", lines[7])
    assert sum(bool(re.fullmatch(r"seed 0: \d+\.\d\d s", line)) for line in lines) == 2


def test_the_command_of_the_page_works(tmp_path: Path) -> None:
    [command] = re.findall(r"^    digitlab (.+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "digitlab", *command.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "digitlab-results" / "mlflow.sqlite").exists()

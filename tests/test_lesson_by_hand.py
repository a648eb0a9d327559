"""The lesson on a network by hand runs from its first cell to its last one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

LESSON = Path(__file__).parent.parent / "lessons" / "01-a-network-by-hand.md"


@pytest.mark.slow
def test_its_cells_run_in_order_and_its_network_learns(tmp_path: Path) -> None:
    cells = re.findall(r"^```python\n(.*?)^```", LESSON.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "lesson.py").write_text("\n".join(cells), "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "lesson.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "agg"},
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    errors = re.findall(r"epoch \d:  (\S+) % of the test digits are misread", done.stdout)
    assert len(errors) == 5
    assert float(errors[-1]) < 5  # without a hidden layer about 8
    assert done.stdout.count("gradient of ") == 4

"""The page on own data: its files and commands, run in an empty folder as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digitlab.data.dataset import Dataset

PAGE = Path(__file__).parent.parent / "docs" / "own-data.md"

pytestmark = pytest.mark.slow  # it trains networks


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, mnist: Dataset) -> Path:
    """A folder with the page's scripts, each named by its first line, a table and arrays of digits."""
    folder = tmp_path_factory.mktemp("own")
    blocks = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert [name for name, _ in blocks] == ["draw_shapes.py", "in_python.py"]
    for name, text in blocks:
        (folder / name).write_text(text, "utf-8")
    images, labels = mnist.x_train[:300], mnist.y_train[:300]
    rows = [",".join(["label", *(f"pixel{i}" for i in range(784))])]
    for image, label in zip(images, labels.tolist(), strict=True):
        rows.append(",".join(map(str, [label, *image.ravel().tolist()])))
    (folder / "train.csv").write_text("\n".join(rows), "utf-8")
    np.savez(folder / "arrays.npz", x=images, y=labels)
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
    return done.stdout + done.stderr


def test_every_command_of_the_page_works_and_says_what_was_done(folder: Path) -> None:
    commands = re.findall(r"^    (digitlab|python) (.+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(commands) == 7
    answers = []
    for program, arguments in commands:
        module = ["-m", "digitlab"] if program == "digitlab" else []
        answers.append(run(folder, *module, *arguments.split()))
    imported, checked, trained, evaluated = answers[1:5]
    assert "3 classes: circle, cross, square" in imported
    assert "scaled 360 pictures to 28x28" in imported
    assert "inverted all 360 pictures" in imported
    assert "0 circle" in checked
    assert "findings     none" in checked
    assert "bundle written to" in trained
    accuracy = re.search(r"accuracy % +([\d.]+)", evaluated)
    assert accuracy is not None
    assert float(accuracy[1]) > 80
    assert "2 square" in evaluated
    assert "10 classes" in answers[5]
    assert "wrote 257 training and 43 test images" in answers[6]


def test_digits_are_not_read_with_such_a_network(folder: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "digitlab",
        "recognize",
        "shapes/circle/1.png",
        "--model",
        "shapes-network",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert (
        "expected a network of the digits 0 to 9, received one of other classes (circle, cross, sq"
        in done.stderr
    )
    assert len(done.stderr.splitlines()) == 1


def test_the_script_of_the_page_trains_on_arrays(folder: Path) -> None:
    lines = run(folder, "in_python.py").splitlines()
    assert re.match(r"[89]\d % of the images set aside are right", lines[0])
    assert [line.split()[1] for line in lines[-2:]] == ["8", "64"]

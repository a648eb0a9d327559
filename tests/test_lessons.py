"""The lessons: each runs from its first cell to its last, and says what it promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

LESSONS = Path(__file__).parent.parent / "lessons"
NAMES = sorted(path.name for path in LESSONS.glob("0*.md"))

pytestmark = pytest.mark.slow  # they train networks


def run(folder: Path, name: str, **small: int) -> str:
    """Run the cells of a lesson in order, with some of its settings smaller; return what they print."""
    text = (LESSONS / name).read_text("utf-8")
    cells = "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    for setting, value in small.items():
        cells, count = re.subn(rf"^{setting} = \d+", f"{setting} = {value}", cells, flags=re.MULTILINE)
        assert count == 1, setting
    (folder / "lesson.py").write_text(cells, "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "lesson.py"],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"MPLBACKEND": "agg"},
        timeout=300,
        check=False,
    )
    # TensorFlow says on stderr which processor it has found.
    said = [line for line in done.stderr.splitlines() if line and not re.search("absl|oneDNN", line)]
    assert (done.returncode, said) == (0, [])
    return done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_each_ends_with_three_questions_and_its_links_lead_somewhere(name: str) -> None:
    text = (LESSONS / name).read_text("utf-8")
    questions = text.partition("## Three questions")[2]
    assert re.findall(r"^(\d)\. ", questions, re.MULTILINE) == ["1", "2", "3"]
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert (LESSONS / target).exists(), target


def test_a_network_by_hand(tmp_path: Path) -> None:
    said = run(tmp_path, "01-a-network-by-hand.md")
    errors = re.findall(r"epoch \d:  (\S+) % of the test digits are misread", said)
    assert len(errors) == 5
    assert float(errors[-1]) < 5  # without a hidden layer about 8
    assert said.count("gradient of ") == 4


def test_one_factor(tmp_path: Path) -> None:
    said = run(tmp_path, "02-one-factor.md", SEEDS=4, EPOCHS=1)
    assert said.count("pupil ") == 4
    assert re.search(r"of all 16 pairs of one network each, \d+ % say", said)
    assert re.search(r"95 % interval -?\d+\.\d\d to -?\d+\.\d\d", said)


def test_what_a_convolution_sees(tmp_path: Path) -> None:
    said = run(tmp_path, "03-what-a-convolution-sees.md", EPOCHS=1)
    difference = re.search(r"largest difference to ours: (\S+)", said)
    assert difference is not None
    assert float(difference[1]) < 1e-5
    assert re.search(r"MLP( +\d+\.\d){6}\nCNN( +\d+\.\d){6}", said)


def test_accuracy_or_mse(tmp_path: Path) -> None:
    said = run(tmp_path, "04-accuracy-or-mse.md", SEEDS=2, EPOCHS=1)
    assert "sure and wrong  squared error 0.188   cross-entropy 4.61" in said
    assert said.count("trained with") == 2


def test_your_own_question(tmp_path: Path) -> None:
    run(tmp_path, "06-your-own-question.md", FIRST=2, SEEDS=3, EPOCHS=1)
    assert (tmp_path / "lessons.sqlite").exists()

"""All of digitlab in one story, as a newcomer goes through it: train, recognize, serve, study, report."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from digitlab import Recognizer
from drawings import drawing
from served import serve
from small_study import small_study, write_digits

pytestmark = pytest.mark.slow

Digitlab = Callable[..., str]


@pytest.fixture
def digitlab(tmp_path: Path) -> Digitlab:
    """Run a command in a folder of its own, and return what it prints."""

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "digitlab", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_network_is_trained_and_used(digitlab: Digitlab, tmp_path: Path) -> None:
    # One epoch of the recipe mlp gives a network: a folder with its weights, its card and its README.
    digitlab("train", "mlp", "--set", "training.epochs=1", "--out", "mine")
    network = tmp_path / "mine"
    assert {"model.keras", "model.onnx", "card.json", "README.md"} <= {
        path.name for path in network.iterdir()
    }

    # It reads more than nine in ten of the 10,000 test digits right.
    scores = json.loads(digitlab("evaluate", "mine", "--json"))
    assert scores["images"] == 10_000
    assert scores["correct"] > 9_000

    # It reads a picture of a 7: on the command line, in Python, and over HTTP.
    picture = tmp_path / "seven.png"
    picture.write_bytes(drawing([0]))
    answer = json.loads(digitlab("recognize", "seven.png", "--model", "mine", "--json"))
    assert answer["text"] == "7"
    assert Recognizer(network).read(picture).text == "7"
    with serve(str(network), tmp_path) as address:
        page = httpx.get(address, follow_redirects=True)
        reply = httpx.post(urljoin(address, "/api/recognize"), content=picture.read_bytes(), timeout=60)
    assert "<canvas" in page.text
    assert reply.json()["text"] == "7"


def test_a_question_is_asked_and_answered(digitlab: Digitlab, tmp_path: Path) -> None:
    # A study file asks whether 16 neurons are better than 8, with two seeds each, on a few hundred digits.
    digits = tmp_path / "digits"
    digits.mkdir()
    write_digits(digits)
    study = small_study(digits, name="wider", question="Is wider better?")
    (tmp_path / "wider.toml").write_text(study.to_toml(), "utf-8")

    # All four networks are trained once: when it is run again, the same results are shown.
    table = digitlab("study", "run", "wider.toml", "--no-report")
    assert digitlab("study", "run", "wider.toml", "--no-report") == table

    # The table has a row for each width, and the answer below it.
    shown = digitlab("study", "show", "wider.toml")
    assert "Is wider better?" in shown
    assert [line.split()[0] for line in shown.splitlines() if line.split()[:1] in (["8"], ["16"])][:2] == [
        "8",
        "16",
    ]

    # The report has the question, the figures and the methods on one page that needs nothing else.
    digitlab("study", "report", "wider.toml", "--out", "wider.html")
    page = (tmp_path / "wider.html").read_text("utf-8")
    assert "Is wider better?" in page
    assert "Methods</h2>" in page
    assert page.count("<svg") + page.count("<img") >= 2
    assert 'src="http' not in page

    # Other tools get a line for each training.
    digitlab("study", "export", "wider.toml", "--format", "csv", "--out", "wider.csv")
    with (tmp_path / "wider.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["model.hidden.0"], row["seed"]) for row in rows] == [
        ("8", "0"),
        ("8", "1"),
        ("16", "0"),
        ("16", "1"),
    ]

"""`digitlab recognize` on a user's own labelled pictures, and its table of characters."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from digitlab.cli.main import run
from picture_files import encoded
from real_digits import read_mnist

Capture = pytest.CaptureFixture[str]

LABELS = """file,label,group
one.png,1,Ann
two.png,2,Ann
seven.png,3,Bob
blank.png,,Bob
gone.png,5,Bob
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with pictures, the current one's; a 7 is said to be a 3."""
    mnist = read_mnist()
    (tmp_path / "in").mkdir()
    for name, label in {"one": 1, "two": 2, "seven": 7, "zero": 0}.items():
        digit = mnist.x_test[np.flatnonzero(mnist.y_test == label)[0]]
        canvas = np.full((150, 150), 255, np.uint8)
        canvas[19:131, 19:131] = 255 - cv2.resize(digit, (112, 112), interpolation=cv2.INTER_CUBIC)
        (tmp_path / "in" / f"{name}.png").write_bytes(encoded(canvas, "PNG"))
    (tmp_path / "in" / "blank.png").write_bytes(encoded(np.full((80, 80), 255, np.uint8), "PNG"))
    (tmp_path / "in" / "labels.csv").write_text(LABELS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_people_see_what_was_not_read_and_the_scores_by_group(folder: Path, capsys: Capture) -> None:
    assert run(["recognize", "in", "--labels", "in/labels.csv"]) == 2  # one label has no picture
    out, err = capsys.readouterr()
    assert err.splitlines() == [
        "digitlab: 1 files have no label and are not read: in/zero.png",
        "digitlab: in/labels.csv: 1 labels have no input picture: gone.png",
    ]
    lines = [line.split() for line in out.splitlines() if line.strip()]
    assert ["in/seven.png", "3", "7", "wrong"] in lines
    assert not any("in/one.png" in line for line in lines)
    scores = [" ".join(line) for line in lines if line[0] in ("Ann", "Bob", "all")]
    assert scores == [
        "Ann 2 100.0 (34.2 to 100.0) 0.0 ( 0.0 to 65.8) 0.0 ( 0.0 to 65.8) 0",
        "Bob 1 0.0 ( 0.0 to 79.3) 100.0 (20.7 to 100.0) 0.0 ( 0.0 to 79.3) 0",
        "all 3 66.7 (20.8 to 93.9) 33.3 ( 6.1 to 79.2) 0.0 ( 0.0 to 56.1) 0",
        "Bob 1 100.0 (20.7 to 100.0) 0.0 ( 0.0 to 79.3)",
    ]


def test_the_columns_of_scores_stand_below_each_other(folder: Path, capsys: Capture) -> None:
    run(["recognize", "in", "--labels", "in/labels.csv"])
    lines = capsys.readouterr().out.splitlines()
    first = next(index for index, line in enumerate(lines) if "wrong and shorter" in line)
    rows = [line for line in lines[first + 2 : first + 5] if line.strip()]
    assert len({line.index("%") if "%" in line else line.rindex(")") for line in rows}) == 1


def test_json_has_a_line_a_picture_and_then_one_a_group(folder: Path, capsys: Capture) -> None:
    run(["recognize", "in", "--labels", "in/labels.csv", "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    pictures = {line["file"]: line["outcome"] for line in lines if "file" in line}
    assert pictures == {
        "in/blank.png": "refused", "in/one.png": "read", "in/seven.png": "wrong", "in/two.png": "read",
    }  # fmt: skip
    scores = [line for line in lines if "file" not in line]
    assert [(one["group"], one["numbers"], one["n"]) for one in scores] == [
        ("Ann", True, 2), ("Bob", True, 1), ("all", True, 3), ("Bob", False, 1),
    ]  # fmt: skip


def test_a_labelled_picture_that_cannot_be_read_is_named_and_not_counted(
    folder: Path, capsys: Capture
) -> None:
    Path("in/gone.png").write_bytes(b"")
    assert run(["recognize", "in", "--labels", "in/labels.csv"]) == 2
    out, err = capsys.readouterr()
    assert "in/gone.png: the file is empty" in err
    assert err.splitlines()[-1] == "digitlab: 1 of 5 files could not be read and are not counted"
    assert "all" in out


def test_labels_that_fit_every_picture_end_with_zero(folder: Path, capsys: Capture) -> None:
    Path("mine.csv").write_text("file;label\nin/one.png;1\nin/two.png;2\n")
    assert run(["recognize", "in/one.png", "in/two.png", "--labels", "mine.csv"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "differs from their label" not in out


def test_labels_of_other_pictures_are_refused(folder: Path, capsys: Capture) -> None:
    Path("other.csv").write_text("file,label\nx.png,1\ny.png,2\n")
    assert run(["recognize", "in", "--labels", "other.csv"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "expected names of the 6 input files, such as in/blank.png; found x.png, y.png" in line


def test_the_table_of_characters_is_a_new_file(folder: Path, capsys: Capture) -> None:
    assert run(["recognize", "in/two.png", "in/blank.png", "--csv", "checked.csv", "--json"]) == 0
    assert capsys.readouterr().err == "written to checked.csv\n"
    with Path("checked.csv").open(newline="") as file:
        two, blank = csv.DictReader(file)
    assert (two["file"], two["character"]) == ("in/two.png", "2")
    assert 19 <= int(two["left"]) < int(two["left"]) + int(two["width"]) <= 131
    assert (blank["file"], blank["reason"]) == ("in/blank.png", "no ink")
    before = Path("checked.csv").read_bytes()
    assert run(["recognize", "in/one.png", "--csv", "checked.csv"]) == 2
    assert "expected a new path, received one that is there" in capsys.readouterr().err
    assert run(["recognize", "in/one.png", "--csv", "in/one.png"]) == 2
    assert Path("checked.csv").read_bytes() == before

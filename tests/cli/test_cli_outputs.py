"""Where the command line writes: beside the store, and never in the place of what is not its own."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from digitlab.cli.main import run
from digitlab.data import load, write_idx
from digitlab.results import Store
from digitlab.studies import plan_study
from small_study import pretend, small_study, write_digits


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of results that is not the usual one, below the current folder."""
    monkeypatch.chdir(tmp_path)
    return Path("elsewhere")


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (["train", "mlp", "--seed", "7"], "models/mlp-seed7"),
        (["export", "mlp", "--format", "onnx"], "exports/mlp/onnx"),
    ],
)
def test_networks_and_their_exports_lie_beside_the_store_that_is_named(
    command: list[str], place: str, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = elsewhere / place
    taken.mkdir(parents=True)
    (taken / "notes.txt").write_text("mine")
    assert run([*command, "--store", "elsewhere/mine.sqlite"]) == 2
    assert f"{taken}: expected a new folder" in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == ["elsewhere"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a digit and its links, notes, and a store of studies, one done and one not."""
    monkeypatch.chdir(tmp_path)
    Path("digits").mkdir()
    write_digits(Path("digits"))
    for name, seeds in (("one", 2), ("other", 3)):
        study = small_study(Path("digits"), name=name, seeds=seeds)
        Path(f"{name}.toml").write_text(study.to_toml(), "utf-8")
    plan = plan_study("one.toml")
    with Store("store.sqlite") as store:
        store.save_plan(plan)
        store.save_plan(plan_study("other.toml"))
        for trial in plan.trials:
            store.finish(pretend(trial, lambda _: None))
    Path("README.md").write_text("# Mine\n", "utf-8")
    Path("pictures").mkdir()
    digit = np.pad(load("mnist").x_test[0], 20)
    Path("pictures/x.png").write_bytes(cv2.imencode(".png", 255 - digit)[1].tobytes())
    Path("symbolic.png").symlink_to("pictures/x.png")
    os.link("pictures/x.png", "hard.png")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


DRAWING = ["recognize", "--model", "mlp", "pictures/x.png", "--explain"]
REPORT = ["study", "report", "one", "--store", "store.sqlite", "--out"]
EXPORT = ["study", "export", "one", "--store", "store.sqlite", "--out"]
TRAIN = ["train", "mlp", "--out"]
NETWORK = ["export", "mlp", "--format", "onnx", "--out"]
IMPORT = ["data", "import", "digits"]


@pytest.mark.parametrize(
    "command",
    [
        [*DRAWING, "pictures/x.png"],
        [*DRAWING, "symbolic.png"],
        [*DRAWING, "hard.png"],
        [*DRAWING, "digits/../pictures/x.png"],
        ["recognize", "--model", "mlp", "symbolic.png", "--explain", "pictures/x.png"],
        ["recognize", "--model", "mlp", "pictures", "--explain", "pictures/x.png"],
        ["recognize", "--model", "mlp", "pic*/*", "--explain", "pictures/x.png"],
        [*REPORT, "store.sqlite"],
        [*REPORT, "README.md"],
        [*REPORT, "one.toml"],
        [*REPORT, "digits"],
        [*REPORT, "digits/train-images-idx3-ubyte"],
        [*REPORT, "pictures/x.png"],
        [*REPORT, os.devnull],
        [*REPORT, "README.md", "--format", "md"],
        [*REPORT, "store.sqlite", "--format", "md"],
        *([*EXPORT, place] for place in ("store.sqlite", "README.md", "digits", os.devnull)),
        [*EXPORT, "digits", "--format", "tensorboard"],
        *([*TRAIN, place] for place in ("store.sqlite", "README.md", "digits", ".", os.devnull)),
        [*NETWORK, "README.md"],
        [*NETWORK, "store.sqlite"],
        *([*IMPORT, place] for place in ("digits", "README.md", "store.sqlite", ".")),
        ["study", "run", "other.toml", "--store", "store.sqlite", "--bundles", "README.md"],
    ],
    ids=" ".join,
)
def test_nothing_of_the_users_is_replaced(
    command: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(folder)
    assert run(command) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert contents(folder) == before


def test_a_picture_in_the_way_of_a_figure_leaves_all_as_it_was(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("text-one-error.png").write_bytes(Path("pictures/x.png").read_bytes())
    before = contents(folder)
    assert run([*REPORT, "text.md", "--format", "md"]) == 2
    assert "text-one-error.png: expected a new file or a report" in capsys.readouterr().err
    assert contents(folder) == before


def test_a_file_in_the_place_of_the_report_ends_a_run_before_anything_is_trained(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("reports").mkdir()
    Path("reports/other.html").write_text("<p>my own notes", "utf-8")
    assert run(["study", "run", "other.toml", "--store", "store.sqlite"]) == 2
    assert "other.html: expected a new file or a report that digitlab wrote" in capsys.readouterr().err
    assert Path("reports/other.html").read_text("utf-8") == "<p>my own notes"
    with Store("store.sqlite", create=False) as store:
        assert store.counts() == {"done": 4}


@pytest.mark.parametrize("form", ["html", "md"])
def test_a_report_replaces_its_own_silently_and_anothers_with_a_word(
    form: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = f"report.{form}"
    others = ["study", "report", "other.toml", "--store", "store.sqlite", "--out", out, "--format", form]
    for _ in range(2):
        assert run([*REPORT, out, "--format", form]) == 0
        assert capsys.readouterr() == (f"{out}\n", "")
    assert run(others) == 0
    assert f"{out}: replaces the report of study one on digits\n" in capsys.readouterr().err
    write_idx("digits/t10k-images-idx3-ubyte", load("mnist").x_test[200:400])
    assert run(others) == 0
    assert "replaces the report of study other on digits as it was" in capsys.readouterr().err


def test_a_drawing_replaces_a_drawing_with_a_word_but_never_the_one_that_is_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*DRAWING, "why.png"]) == 0
    assert capsys.readouterr().err == "drawn to why.png\n"
    assert run([*DRAWING, "why.png"]) == 0
    assert capsys.readouterr().err == "drawn to why.png, replacing the drawing that was there\n"
    assert run(["recognize", "--model", "mlp", "why.png", "--explain", "why.png"]) == 2
    assert "expected another file than is read" in capsys.readouterr().err

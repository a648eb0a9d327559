"""`digitlab study report` and `show` of a whole collection, on results that nobody trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digitlab.cli.main import run
from digitlab.data import load
from digitlab.data.idx import read_idx
from digitlab.results import Store
from digitlab.spec import DataSpec, resolve_study
from digitlab.spec.library import resolve_collection
from digitlab.spec.plan import minimal_runs
from digitlab.studies import plan_study
from digitlab.workspace import Workspace
from small_study import pretend, write_digits

STUDIES = resolve_collection("classroom").studies


@pytest.fixture(scope="module")
def on_digits(store: Path) -> list[str]:
    """The options that name the store, and the data on which it has the classroom."""
    return ["--store", str(store), "--data", str(store.parent)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the whole classroom at two seeds, on 200 test images."""
    folder = tmp_path_factory.mktemp("classroom")
    write_digits(folder)
    data = DataSpec(dataset=str(folder), validation=100)
    studies = (resolve_study(name).model_copy(update={"data": data, "seeds": 2}) for name in STUDIES)
    plans = [plan_study(study) for study in studies]
    with Store(folder / "store.sqlite") as store:
        for plan in plans:
            store.save_plan(plan)
        for trial in minimal_runs(trial for plan in plans for trial in plan.trials):
            store.finish(pretend(trial, lambda _: None))
    return folder / "store.sqlite"


def report_of(name: str, store: Path, form: str = "html") -> Path:
    """The place of a report: the classroom's own studies are of MNIST, and these are of another data set."""
    data = str(store.parent)
    return Workspace.of(store).report(name, form, data=data, fingerprint=load(data).fingerprint)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the data files that are read from now on."""
    names: list[str] = []

    def note_and_read(path: Path) -> np.ndarray:
        names.append(path.name)
        return read_idx(path)

    monkeypatch.setattr("digitlab.data.dataset.read_idx", note_and_read)
    return names


def test_a_collection_loads_its_data_once(on_digits: list[str], read: list[str]) -> None:
    assert run(["study", "run", "classroom", "--seeds", "2", "--no-report", *on_digits]) == 0
    assert len(read) == len(set(read)) == 4


def test_a_collection_is_one_page_named_after_it(
    store: Path, on_digits: list[str], read: list[str], capsys
) -> None:
    assert run(["study", "report", "classroom", *on_digits]) == 0
    assert len(read) == len(set(read)) == 4, "the data is loaded once"
    path = report_of("classroom", store)
    assert capsys.readouterr().out == f"{path}\n"
    html = path.read_text("utf-8")
    assert "<h1>The classroom study</h1>" in html
    assert [name for name in STUDIES if f'<article class="study" id="{name}"' in html] == list(STUDIES)
    assert html.count("Methods</h2>") == 1
    assert len(html.encode()) < 5_000_000


def test_a_study_as_markdown_has_its_figures_beside_it(store: Path, on_digits: list[str], capsys) -> None:
    assert run(["study", "report", "mlp-loss", "--format", "md", *on_digits]) == 0
    path = report_of("mlp-loss", store, "md")
    assert capsys.readouterr().out == f"{path}\n"
    assert path.read_text("utf-8").startswith("# Accuracy versus mean squared error")
    assert {each.name for each in path.parent.glob("mlp-loss-*.png")} == {
        f"{path.stem}-mlp-loss-error.png",
        f"{path.stem}-mlp-loss-squared-error.png",
        f"{path.stem}-mlp-loss-curves-error.png",
        f"{path.stem}-mlp-loss-curves-squared-error.png",
        f"{path.stem}-mlp-loss-misread.png",
    }


def test_an_unknown_format_is_bad_usage(store: Path, capsys) -> None:
    assert run(["study", "report", "mlp-loss", "--format", "pdf", "--store", str(store)]) == 2
    assert "pdf" in capsys.readouterr().err


def test_show_prints_the_evidence_and_the_verdicts_of_each_study(
    store: Path, on_digits: list[str], capsys
) -> None:
    assert run(["study", "show", "classroom", *on_digits]) == 0
    out = capsys.readouterr().out
    assert out.count("Holm p   sign-flip p (least)") == len(STUDIES) + 1  # two metrics of mlp-loss
    assert "(95 % interval" in out or "95 % intervals within" in out
    assert "loss that is minimized = crossentropy" in out


def test_no_digit_of_a_figure_is_lost_on_a_narrow_terminal(on_digits: list[str], monkeypatch, capsys) -> None:
    monkeypatch.setattr("digitlab.cli.console.PIPED_WIDTH", 80)
    assert run(["study", "show", "cnn-kernel-size", *on_digits]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    rows = [line.split() for line in lines if line.split()[:1] == ["9"]]
    assert rows[0][-3:] == ["104,474", "362,880", "1.2"]
    assert rows[1][-2].endswith("(0.5)")

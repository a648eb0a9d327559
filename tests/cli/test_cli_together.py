"""Many people run one study: each some seeds, one merges, anybody trains a trial again."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from digitlab.cli.main import run
from digitlab.results.store import Store
from digitlab.studies.planning import plan_study
from small_study import pretend, small_study, write_digits


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a study and three stores of one seed each."""
    monkeypatch.chdir(tmp_path)
    Path("digits").mkdir()
    write_digits(Path("digits"))
    Path("small.toml").write_text(small_study(Path("digits"), seeds=1).to_toml(), "utf-8")
    for seed in range(3):
        plan = plan_study("small.toml", first_seed=seed)
        with Store(f"pupil-{seed}.sqlite") as store:
            store.save_plan(plan)
            for trial in plan.trials:
                store.finish(pretend(trial, lambda _: None))
    return tmp_path


def test_pupils_stores_are_merged_and_shown_with_their_trials(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stores = [f"pupil-{seed}.sqlite" for seed in range(3)]
    assert run(["study", "merge", *stores, "--store", "class.sqlite"]) == 0
    assert "6 trials added" in capsys.readouterr().err
    assert run(["study", "show", "small", "--store", "class.sqlite", "--trials", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["levels"], row["seed"], row["state"]) for row in rows] == [
        ([level], seed, "done") for level in (8, 16) for seed in range(3)
    ]
    plan = plan_study("small.toml", seeds=3)
    assert {row["trial"] for row in rows} == {trial.id for trial in plan.trials}
    assert run(["study", "show", "small", "--store", "class.sqlite", "--trials"]) == 0
    table = capsys.readouterr().out
    assert all(row["trial"] in table for row in rows)


def test_studies_of_the_store_are_listed_with_those_of_the_package(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["study", "list", "--store", "pupil-1.sqlite", "--json"]) == 0
    studies = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert studies[-1]["name"] == "small"
    assert {"classroom", "mlp-neurons"} <= {study["name"] for study in studies}
    assert run(["study", "list", "--store", "none.sqlite"]) == 0
    assert "Is wider better?" not in capsys.readouterr().out
    assert not Path("none.sqlite").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["study", "merge", "gone.sqlite"], "store gone.sqlite: expected a file of results, found none"),
        (["study", "merge", "small.toml"], "store small.toml: "),
        (["train"], "train: expected a RECIPE, or --trial ID, received neither"),
        (["train", "mlp", "--trial", "abcd"], "--trial: expected no recipe"),
        (["train", "--trial", "abc", "--store", "pupil-0.sqlite"], "--trial abc: expected the id of a trial"),
        (["train", "--trial", "abcdef", "--store", "pupil-0.sqlite"], "expected the id of a trial"),
        (["train", "--trial", "abcd", "--store", "none.sqlite"], "store none.sqlite: there is none yet"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert not (folder / "digitlab-results").exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
def test_a_trial_is_trained_again_and_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["study", "run", "small.toml", "--store", "real.sqlite", "--first-seed", "7", "--no-report"]
    assert run(command) == 0
    trial = plan_study("small.toml", first_seed=7).trials[0]
    capsys.readouterr()
    assert run(["train", "--trial", trial.id[:6], "--store", "real.sqlite", "--out", "again"]) == 0
    assert f"trial {trial.id}, seed 7: the same predictions and scores" in capsys.readouterr().out
    assert (folder / "again" / "card.json").exists()
    with sqlite3.connect("real.sqlite") as database:
        database.execute("UPDATE predictions SET classes = zeroblob(200)")
    assert run(["train", "--trial", trial.id, "--store", "real.sqlite", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["compared"] == "other"

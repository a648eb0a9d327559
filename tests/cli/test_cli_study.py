"""`digitlab study`, used as a person does: a study file of one's own, on data of one's own."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from digitlab.cli.main import run
from digitlab.results import Store
from digitlab.spec import Axis
from digitlab.studies import plan_study
from small_study import of_epochs, pretend, small_study, write_digits


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mine")
    (folder / "digits").mkdir()
    write_digits(folder / "digits")
    study = small_study(folder / "digits", name="mine")
    (folder / "mine.toml").write_text(study.to_toml())
    return folder


@pytest.fixture
def half_done(folder: Path, tmp_path: Path) -> list[str]:
    """Arguments that name a store in which three of four trials are done and one failed."""
    plan = plan_study(str(folder / "mine.toml"))
    with Store(tmp_path / "store.sqlite") as store:
        store.save_plan(plan)
        for trial in plan.trials[:3]:
            store.finish(pretend(trial, lambda _: None))
        store.fail(plan.trials[3], "the loss became nan in epoch 1")
    return ["mine", "--store", str(tmp_path / "store.sqlite")]


def test_show_prints_a_row_a_level_and_why_trials_failed(half_done: list[str], capsys) -> None:
    assert run(["study", "show", *half_done]) == 0
    out, err = capsys.readouterr()
    rows = [line.split() for line in out.splitlines() if line.split()[:1] in (["8"], ["16"])]
    assert [row[:2] for row in rows] == [["8", "2"], ["16", "1"]]
    assert "1 of 2 failed: the loss became nan in epoch 1" in out
    assert err == ""


def test_show_as_json_is_an_object_a_line(half_done: list[str], capsys) -> None:
    assert run(["study", "show", *half_done, "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["levels"] for row in rows] == [[8], [16]]
    assert [row["test_error_percent"]["n"] for row in rows] == [2, 1]
    assert rows[1]["test_error_percent"]["low"] is None
    assert [(row["study"], row["reference"]) for row in rows] == [("mine", True), ("mine", False)]
    assert rows[0]["evidence"] == []
    (compared,) = rows[1]["evidence"]
    assert (compared["metric"], compared["verdict"], compared["n"]) == ("error", "unstable", 1)
    assert (compared["failed"], compared["reference_failed"], compared["test_images"]) == (1, 0, 200)
    assert (compared["low"], compared["holm_p"]) == (None, None)


def test_json_says_what_the_sentences_say(folder: Path, tmp_path: Path, capsys) -> None:
    plan = plan_study(str(folder / "mine.toml"))
    with Store(tmp_path / "store.sqlite") as store:
        store.save_plan(plan)
        for trial in plan.trials:
            store.finish(pretend(trial, lambda _: None))
    assert run(["study", "show", "mine", "--store", str(tmp_path / "store.sqlite"), "--json"]) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    (compared,) = second["evidence"]
    means = [row["test_error_percent"]["mean"] for row in (first, second)]
    assert compared["difference"] == pytest.approx(means[1] - means[0])
    assert compared["low"] < compared["difference"] < compared["high"]
    assert 0 < compared["holm_p"] <= 1


def test_a_second_run_tells_what_failed_from_what_is_done_and_ends_with_1(
    half_done: list[str], folder: Path, capsys
) -> None:
    assert run(["study", "run", str(folder / "mine.toml"), *half_done[1:], "--no-report"]) == 1
    assert capsys.readouterr().err == (
        f"{folder / 'mine.toml'}: 4 trials, 3 done already, 1 failed (--retry-failed tries again), "
        "0 to train\n1 of 4 trials failed; --retry-failed trains them again\n"
    )


def test_export_is_csv_with_a_line_for_each_level_and_seed(half_done: list[str], capsys) -> None:
    assert run(["study", "export", *half_done]) == 0
    records = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(record["model.hidden.0"], record["seed"]) for record in records] == [
        ("8", "0"),
        ("8", "1"),
        ("16", "0"),
    ]


def test_export_in_every_format_names_the_file_on_stderr_alone(
    half_done: list[str], tmp_path: Path, capsys
) -> None:
    for kind in ("csv", "json", "parquet", "tensorboard"):
        path = tmp_path / "exports" / kind
        assert run(["study", "export", *half_done, "--format", kind, "--out", str(path)]) == 0
        out, err = capsys.readouterr()
        assert (out, err) == ("", f"export: {path}\n")
    assert run(["study", "export", *half_done, "--json"]) == 0
    assert capsys.readouterr().out == (tmp_path / "exports" / "json").read_text("utf-8")
    assert run(["study", "export", *half_done, "--format", "json"]) == 0
    assert capsys.readouterr().out == (tmp_path / "exports" / "json").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--format", "parquet"], "--format parquet: expected --out PATH"),
        (["--format", "tensorboard"], "--format tensorboard: expected --out PATH"),
        (["--format", "xlsx"], "'xlsx' is not one of 'csv', 'json', 'parquet', 'tensorboard'"),
        (["--format", "csv", "--json"], "--json: expected no --format"),
        (["--out", "."], ".: expected a new path"),
    ],
)
def test_an_export_that_cannot_be_is_a_line_that_says_why(
    options: list[str], expected: str, half_done: list[str], capsys
) -> None:
    assert run(["study", "export", *half_done, *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert expected in err
    assert len(err.splitlines()) == 1


def test_runs_for_tensorboard_are_written_without_tensorflow(half_done: list[str], tmp_path: Path) -> None:
    arguments = ["study", "export", *half_done, "--format", "tensorboard", "--out", str(tmp_path / "runs")]
    code = (
        f"import sys; from digitlab.cli.main import run; assert run({arguments!r}) == 0; "
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "runs" / "mine").iterdir()} == {"8-0", "8-1", "16-0"}


def test_report_prints_where_it_is(half_done: list[str], tmp_path: Path, capsys) -> None:
    assert run(["study", "report", *half_done, "--out", str(tmp_path / "report.html")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'report.html'}\n"
    assert "Is wider better?" in (tmp_path / "report.html").read_text("utf-8")


def test_epochs_that_another_study_trained_are_shown_exported_and_reported(
    folder: Path, tmp_path: Path, capsys
) -> None:
    epochs = Axis(path="training.epochs", values=(1, 2, 5))
    study = small_study(folder / "digits", name="epochs", axes=(epochs,), overrides={"model.hidden": [8]})
    (tmp_path / "epochs.toml").write_text(study.to_toml())
    with Store(tmp_path / "store.sqlite") as store:
        for longest in plan_study(study).trials[2::3]:
            store.finish(pretend(of_epochs(longest, 10), lambda _: None))
    arguments = [str(tmp_path / "epochs.toml"), "--store", str(tmp_path / "store.sqlite")]

    assert run(["study", "run", *arguments, "--json"]) == 0
    out, err = capsys.readouterr()
    assert "2 trials, 2 done already, 0 to train" in err
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["levels"], row["seeds"], row["missing"]) for row in rows] == [
        ([1], [0, 1], 0),
        ([2], [0, 1], 0),
        ([5], [0, 1], 0),
    ]
    assert (tmp_path / "reports" / "epochs.html").exists()
    assert run(["study", "export", *arguments]) == 0
    records = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(record["training.epochs"], record["epochs"], record["seed"]) for record in records] == [
        (epochs, epochs, seed) for epochs in ("1", "2", "5") for seed in ("0", "1")
    ]
    assert len({record["trial"] for record in records}) == 6


@pytest.mark.slow
def test_a_study_file_runs_and_a_second_run_finds_everything_done_without_tensorflow(folder: Path) -> None:
    command = [sys.executable, "-m", "digitlab", "study", "run", "mine.toml"]
    first = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300, check=False)
    assert first.returncode == 0, first.stderr
    assert "4 trials, 0 done already, 4 to train" in first.stderr
    assert (folder / "digitlab-results" / "reports" / "mine.html").exists()

    code = (
        "import sys; from digitlab.cli.main import run; assert run(['study', 'run', 'mine.toml']) == 0; "
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    again = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=False
    )
    assert again.returncode == 0, again.stderr
    assert "4 trials, 4 done already, 0 to train" in again.stderr
    assert again.stdout == first.stdout


def test_show_tells_what_was_interrupted_and_what_is_missing(folder: Path, tmp_path: Path, capsys) -> None:
    plan = plan_study(str(folder / "mine.toml"))
    with Store(tmp_path / "store.sqlite") as store:
        store.save_plan(plan)
        store.finish(pretend(plan.trials[0], lambda _: None))
        store.start(plan.trials[1])
        with store.exclusive():
            pass  # what runs when nobody does was interrupted
    assert run(["study", "show", "mine", "--store", str(tmp_path / "store.sqlite")]) == 0
    out = capsys.readouterr().out
    assert "1 interrupted" in out
    assert "1 not done" in out


def test_a_study_file_is_shown_as_it_was_last_run(folder: Path, tmp_path: Path, capsys) -> None:
    plan = plan_study(str(folder / "mine.toml"), seeds=3)
    with Store(tmp_path / "store.sqlite") as store:
        store.save_plan(plan)
        for trial in plan.trials:
            store.finish(pretend(trial, lambda _: None))
    shown = ["study", "show", str(folder / "mine.toml"), "--store", str(tmp_path / "store.sqlite"), "--json"]
    assert run(shown) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["seeds"] for row in rows] == [[0, 1, 2]] * 2


def test_a_library_study_takes_a_small_data_set_with_a_smaller_validation_part(folder: Path) -> None:
    plan = plan_study("mlp-neurons", data=str(folder / "digits"))
    assert plan.study.data.validation == 100  # a sixth of 600

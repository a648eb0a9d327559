"""Observers that are found by name, and what happens when one of them fails."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from digitlab.errors import UserError
from digitlab.results.store import Store
from digitlab.spec import Plan, Trial
from digitlab.studies import plan_study, run_plans
from digitlab.studies.observers import Observer, Observers, RunOptions, find_observer
from pretender import Pretender
from small_study import small_study, write_digits


class Notes(Observer):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def began(self, plans: Sequence[Plan], options: RunOptions) -> None:
        self.told.append(f"began {plans[0].study.name}")

    def remark(self, line: str) -> None:
        self.told.append(line)

    def finished(self, trial: Trial, result: Any) -> None:
        self.told.append(f"finished {trial.seed}")


class Broken(Observer):
    """Fails at the first result."""

    def finished(self, trial: Trial, result: Any) -> None:
        raise OSError("the disk\nis full")


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    write_digits(tmp_path / "digits")
    return plan_study(small_study(tmp_path / "digits"), seeds=2)


def test_an_observer_that_fails_is_let_go_with_a_line_and_the_run_goes_on(tmp_path: Path, plan: Plan) -> None:
    first, second = Notes(), Notes()
    with Store(tmp_path / "store.sqlite") as store:
        run_plans([plan], store, Pretender(), Observers(first, [("broken", Broken()), ("notes", second)]))
        assert set(store.counts()) == {"done"}
    lines = [line for line in first.told if line.startswith("observer")]
    assert lines == ["observer broken: OSError: the disk is full; it is told nothing more"]
    assert first.told[0] == second.told[0] == f"began {plan.study.name}"
    assert [line for line in second.told if line.startswith("finished")] == [
        line for line in first.told if line.startswith("finished")
    ]


def test_an_observer_that_nobody_offers_is_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"observer 'mlfow': expected one of mlflow; install the package"):
        find_observer("mlfow", tmp_path / "store.sqlite")


def offer(folder: Path, group: str, entry: str, code: str) -> None:
    """Install a package with an entry point into a folder, as pip would."""
    info = folder / "digits_extra-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: digits-extra\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[{group}]\n{entry}\n", "utf-8")
    (info / "RECORD").write_text("digits_extra.py,,\n", "utf-8")
    (folder / "digits_extra.py").write_text(textwrap.dedent(code), "utf-8")


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("return Writer(options)", "('writer', 'a=b')"),
        (
            "raise KeyError('no such thing')",
            "observer writer: KeyError: 'no such thing'; it cannot be created",
        ),
    ],
)
def test_a_package_offers_an_observer_by_an_entry_point(tmp_path: Path, body: str, answer: str) -> None:
    offer(
        tmp_path,
        "digitlab.observers",
        "writer = digits_extra:create",
        f"""
        from digitlab.studies import Observer

        class Writer(Observer):
            def __init__(self, options):
                self.options = options

        def create(options, store):
            {body}
        """,
    )
    script = """
        from pathlib import Path
        from digitlab.errors import UserError
        from digitlab.studies.observers import find_observer
        try:
            name, observer = find_observer("writer=a=b", Path("store.sqlite"))
            print((name, observer.options))
        except UserError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.append({str(tmp_path)!r})\n{textwrap.dedent(script)}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer in done.stdout


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_mlflow_has_each_trial_once_with_parameters_metrics_and_bundle(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    study = tmp_path / "study.toml"
    study.write_text(
        textwrap.dedent("""
            name = "tracked"
            question = "How wide?"
            recipe = "mlp"
            overrides = { "training.epochs" = 2 }
            seeds = 2
            data = { training_size = 600 }
            [[axes]]
            path = "model.hidden.0"
            values = [4, 8]
        """),
        "utf-8",
    )
    command = [sys.executable, "-m", "digitlab", "study", "run", "study.toml", "--observe", "mlflow"]
    command += ["--bundles", "nets", "--no-report", "--store", "results/store.sqlite"]
    for seeds in ("1", "2", "2"):  # resumed with another seed, then with nothing to do
        done = subprocess.run(
            [*command, "--seeds", seeds], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "told nothing more" not in done.stderr
    client = MlflowClient(f"sqlite:///{tmp_path / 'results' / 'mlflow.sqlite'}")
    experiment = client.get_experiment_by_name("tracked")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert sorted(run.info.run_name or "" for run in runs) == [
        "4, seed 0",
        "4, seed 1",
        "8, seed 0",
        "8, seed 1",
    ]
    for run in runs:
        assert run.info.status == "FINISHED"
        assert run.data.params["training.epochs"] == "2"
        assert 0 < run.data.metrics["test_error_percent"] < 100
        assert [metric.step for metric in client.get_metric_history(run.info.run_id, "loss")] == [1, 2]
        names = {file.path for file in client.list_artifacts(run.info.run_id, "bundle")}
        assert {"bundle/card.json", "bundle/model.onnx"} <= names

"""Studies that are killed, stopped and fed with trials that cannot be trained; all with real training."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import study_driver
import study_tasks
from digitlab.errors import StoreError
from digitlab.results.record import EpochRecord
from digitlab.results.store import Store
from digitlab.spec import Axis, DataSpec, Plan, Study, Trial
from digitlab.studies import ProcessExecutor, plan_study, run_plans, run_study
from digitlab.studies.executors.base import Done, Event
from digitlab.studies.observers import Observer
from digitlab.studies.runner import TrainTask
from small_study import small_study
from study_outcome import Counter, outcome
from study_runs import await_line, done_rows, driver, states

pytestmark = pytest.mark.slow  # each worker imports TensorFlow, which takes seconds


@pytest.fixture(scope="module")
def study(digits: Path) -> Study:
    return study_driver.trained_study(digits)


@pytest.fixture(scope="module")
def plan(study: Study) -> Plan:
    return plan_study(study)


@pytest.fixture(scope="module")
def uninterrupted(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a run in two processes that nobody disturbed."""
    path = tmp_path_factory.mktemp("uninterrupted") / "store.sqlite"
    run_study(study, store=path, workers=2)
    return path


def test_a_study_whose_driver_is_killed_goes_on_where_it_was(
    study: Study, plan: Plan, digits: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store.sqlite"
    with driver("hold", digits, store) as process:
        await_line(process, "finished")
        with pytest.raises(StoreError, match="another digitlab is running a study on it; wait"):
            run_study(study, store=store)
        process.kill()
    kept = done_rows(store)
    # The worker that has ended its trial was given the next one before the result was stored.
    assert sorted(states(store, plan)) == ["done", "running", "running", "unknown"]

    counter = Counter()
    run_study(study, store=store, workers=2, observer=counter)
    assert counter.starts == {trial.id: 1 for trial in plan.trials if trial.id not in kept}
    assert done_rows(store).items() >= kept.items()
    assert outcome(store, plan) == outcome(uninterrupted, plan)


def test_a_killed_worker_costs_a_second_try_of_its_trial_and_nothing_else(
    study: Study, plan: Plan, uninterrupted: Path, tmp_path: Path
) -> None:
    first = plan.trials[1]  # the widest of the first seed, which takes longest

    class Killer(Counter):
        def epoch(self, trial: Trial, record: EpochRecord) -> None:
            if self.starts == {first.id: 1}:
                multiprocessing.active_children()[0].kill()

    killer = Killer()
    run_study(study, store=tmp_path / "store.sqlite", workers=1, observer=killer)
    assert killer.starts == {trial.id: 1 for trial in plan.trials} | {first.id: 2}
    assert outcome(tmp_path / "store.sqlite", plan) == outcome(uninterrupted, plan)


def test_one_process_and_several_give_the_same_answer(
    plan: Plan, digits: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    with driver("inline", digits, tmp_path / "store.sqlite") as process:
        assert process.wait(timeout=120) == 0
    assert outcome(tmp_path / "store.sqlite", plan) == outcome(uninterrupted, plan)


def test_a_trial_that_diverges_is_failed_with_its_reason_and_the_study_goes_on(
    digits: Path, tmp_path: Path
) -> None:
    study = small_study(
        digits,
        overrides={"model.hidden": [64] * 8, "training.optimizer": "sgd", "training.batch_size": 10},
        axes=(Axis(path="training.learning_rate", values=(10.0, 0.01)),),
        seeds=1,
    )
    table = run_study(study, store=tmp_path / "store.sqlite", workers=1)
    assert [row.failed for row in table.rows] == [
        ("the loss became nan in epoch 1; a smaller training.learning_rate may help",),
        (),
    ]
    assert [row.test_error.n for row in table.rows] == [0, 1]


def test_a_driver_killed_at_any_moment_loses_nothing_and_repeats_nothing(
    digits: Path, tmp_path: Path
) -> None:
    plan = plan_study(study_driver.long_study(digits))
    store, whole = tmp_path / "store.sqlite", tmp_path / "whole.sqlite"
    chance = random.Random(28)
    kept: dict[str, tuple[Any, ...]] = {}
    for awaited in ["started", "finished"] * 3:
        with driver("pretend", digits, store) as process:
            await_line(process, awaited)
            time.sleep(chance.uniform(0, 0.5))
            process.kill()
        now = done_rows(store)
        assert now.items() >= kept.items()
        kept = now
    assert 0 < len(kept) < len(plan.trials)

    counter = Counter()
    with Store(store) as opened:
        run_plans([plan], opened, study_driver.PretendingExecutor(ProcessExecutor(2)), counter)
    assert counter.starts == {trial.id: 1 for trial in plan.trials if trial.id not in kept}
    assert done_rows(store).items() >= kept.items()
    with Store(whole) as opened:
        run_plans([plan], opened, study_driver.PretendingExecutor(ProcessExecutor(2)), Observer())
    assert outcome(store, plan) == outcome(whole, plan)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_command_says_how_to_go_on_and_marks_what_it_interrupted(
    study: Study, plan: Plan, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    store = tmp_path / "store.sqlite"
    (tmp_path / "study.json").write_text(study.to_json())
    command = [sys.executable, "-m", "digitlab", "study", "run", "study.json", "--store", store]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    ) as process:
        deadline = time.monotonic() + 60
        while not store.exists() or "running" not in states(store, plan):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert err.splitlines()[1:] == ["stopped; finished trials are kept: run the same command again to resume"]
    assert set(states(store, plan)) == {"interrupted", "unknown"}


def test_a_worker_stays_under_1500_megabytes_however_many_networks_it_trains() -> None:
    widest = Axis(path="model.hidden.0", values=(1024,))
    short = {"training.epochs": 1}
    plan = plan_study(small_study(Path("mnist"), axes=(widest,), seeds=8, overrides=short, data=DataSpec()))
    peaks: list[int] = []

    def keep(event: Event) -> None:
        if isinstance(event, Done):
            peaks.append(event.value)

    train = partial(study_tasks.train_and_weigh, TrainTask.on_data_of(plan.trials))
    ProcessExecutor(1).run(train, plan.trials, keep)
    assert len(peaks) == 8
    assert peaks[-1] < 1.5e9
    assert peaks[-1] - peaks[1] < 150e6  # six times the training images, had they been kept, are 260 MB

"""Studies on Ray clusters that lose workers, nodes and drivers: no result is lost, no figure changes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import study_driver
from digitlab.results.store import Store
from digitlab.spec import Plan
from digitlab.studies import ProcessExecutor, plan_study, run_plans, run_study
from digitlab.studies.observers import Observer
from ray_cluster import add_node, await_that, busy, command, descendants, living, running_cluster, workers_of
from study_outcome import outcome
from study_runs import await_line, done_rows, driver, states

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head that works at nothing itself; tests add nodes."""
    with running_cluster(nodes=1, cores=0) as cluster:
        yield cluster


@pytest.fixture
def node(cluster: Any) -> Iterator[Callable[[], Any]]:
    """Add a node of one core; those that are left at the end are taken away."""
    yield lambda: add_node(cluster)
    for each in list(cluster.worker_nodes):
        cluster.remove_node(each, allow_graceful=False)


@pytest.fixture(scope="module")
def plan(digits: Path) -> Plan:
    return plan_study(study_driver.long_study(digits))


@pytest.fixture(scope="module")
def undisturbed(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What the study comes to in two processes that nobody disturbs."""
    path = tmp_path_factory.mktemp("undisturbed") / "store.sqlite"
    with Store(path) as store:
        run_plans([plan], store, study_driver.PretendingExecutor(ProcessExecutor(2)), Observer())
    return outcome(path, plan)


def told(process: subprocess.Popen[str]) -> Iterator[tuple[str, str]]:
    """What a driver tells, as it tells it, and that nobody else writes a line."""
    assert process.stdout is not None
    for line in process.stdout:
        kind, trial = line.split()
        yield kind, trial


def test_workers_and_nodes_that_are_lost_and_nodes_that_come_change_nothing_in_the_table(
    cluster: Any, node: Callable[[], Any], plan: Plan, digits: Path, undisturbed: list[Any], tmp_path: Path
) -> None:
    first, second = node(), node()
    starts, finished = [], []
    with driver(cluster.address, digits, tmp_path / "store.sqlite") as process:
        for kind, trial in told(process):
            if kind == "started":
                assert trial not in finished
                starts.append(trial)
                continue
            finished.append(trial)
            match len(finished):
                case 4:
                    os.kill(workers_of(first)[0], signal.SIGKILL)
                case 8:
                    cluster.remove_node(first, allow_graceful=False)
                case 12:
                    node()
                case 16:
                    cluster.remove_node(second, allow_graceful=False)
        assert process.wait(timeout=60) == 0
    assert sorted(finished) == sorted(trial.id for trial in plan.trials)
    assert len(finished) <= len(starts) <= len(finished) + 3  # a try for each of what was lost
    assert outcome(tmp_path / "store.sqlite", plan) == undisturbed


def test_a_study_whose_driver_was_killed_goes_on_where_it_was(
    cluster: Any, node: Callable[[], Any], plan: Plan, digits: Path, undisturbed: list[Any], tmp_path: Path
) -> None:
    store, lost = tmp_path / "store.sqlite", node()
    with driver(cluster.address, digits, store) as process:
        for _ in range(3):
            await_line(process, "finished")
        process.kill()
    kept = done_rows(store)
    await_that(lambda: not busy(cluster))

    cluster.remove_node(lost, allow_graceful=False)
    node()
    with driver(cluster.address, digits, store) as process:
        started = [trial for kind, trial in told(process) if kind == "started"]
        assert process.wait(timeout=60) == 0
    assert sorted(started) == sorted(trial.id for trial in plan.trials if trial.id not in kept)
    assert done_rows(store).items() >= kept.items()
    assert outcome(store, plan) == undisturbed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_study_leaves_the_cluster_as_it_was(
    cluster: Any, node: Callable[[], Any], digits: Path, tmp_path: Path, number: signal.Signals
) -> None:
    node()
    study = study_driver.trained_study(digits)
    (tmp_path / "study.json").write_text(study.to_json())
    store, plan = tmp_path / "store.sqlite", plan_study(study)
    command = [sys.executable, "-m", "digitlab", "study", "run", "study.json", "--store", store]
    command += ["--executor", "ray", "--address", cluster.address]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    ) as process:
        await_that(lambda: store.exists() and "running" in states(store, plan))
        assert busy(cluster)
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (128 + number, "")
    assert err.splitlines()[1:] == ["stopped; finished trials are kept: run the same command again to resume"]
    await_that(lambda: not busy(cluster))
    assert len(cluster.list_all_nodes()) == 2


def test_a_study_on_a_ray_of_its_own_trains_as_in_processes_and_leaves_nothing_behind(
    digits: Path, tmp_path: Path
) -> None:
    study = study_driver.trained_study(digits)
    (tmp_path / "study.json").write_text(study.to_json())
    command = [sys.executable, "-m", "digitlab", "study", "run", "study.json", "--store", "ray.sqlite"]
    with subprocess.Popen(
        [*command, "--executor", "ray", "--no-report"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        await_that(lambda: len(descendants(process.pid)) > 3)
        started = descendants(process.pid)
        out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert err == "study.json: 4 trials, 0 done already, 4 to train\n"
    assert "Reference level" in out
    await_that(lambda: not living(started))
    run_study(study, store=tmp_path / "processes.sqlite", workers=2)
    plan = plan_study(study)
    assert outcome(tmp_path / "ray.sqlite", plan) == outcome(tmp_path / "processes.sqlite", plan)


def test_a_ray_of_its_own_ends_with_a_driver_that_is_killed(digits: Path, tmp_path: Path) -> None:
    with driver("ray", digits, tmp_path / "store.sqlite") as process:
        await_line(process, "started")
        started = descendants(process.pid)
        # Ray's agents hold nothing, and look only once a minute whether their node is still there.
        working = [pid for pid in started if "Agent" not in command(pid)]
        assert len(working) > 3
        process.kill()
    await_that(lambda: not living(working))

"""A study on a Ray cluster that loses a node in its middle, against the same study in worker processes.

Starts a cluster on this machine, a head that works at nothing and nodes of one core each, runs
`digitlab study run` on it, kills a node with all its workers once half of the trainings are done, and adds
another. Then runs the study in worker processes, unless its store has the results already, and compares the
tables and every prediction of the test set. Ends with status 1 where they differ.

    python benchmarks/lost_node.py classroom --seeds 3 --folder /tmp/lost-node
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ray.cluster_utils import Cluster

from digitlab.results.store import Store
from digitlab.spec import Plan, collection_names, minimal_runs, resolve_collection
from digitlab.studies import plan_study, read_table
from digitlab.training.process import available_cores

STORE_BYTES = 300 * 2**20


def start_cluster(nodes: int) -> Cluster:
    """Start a head without cores, and nodes of one core."""
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "include_dashboard": False, "object_store_memory": STORE_BYTES},
    )
    for _ in range(nodes):
        add_node(cluster)
    return cluster


def add_node(cluster: Cluster) -> None:
    cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)


def done_in(store: Path) -> int:
    if not store.exists():
        return 0
    with Store(store, create=False) as opened:
        return opened.counts().get("done", 0)


def command(study: str, seeds: int, store: Path, *options: str) -> list[str]:
    base = [sys.executable, "-m", "digitlab", "study", "run", study, "--seeds", str(seeds)]
    return [*base, "--store", str(store), "--no-report", *options]


def run_on_ray(cluster: Cluster, study: str, seeds: int, store: Path, lose_at: int) -> None:
    """Run a study on a cluster, and replace one of its nodes once so many trainings are done."""
    line = command(study, seeds, store, "--executor", "ray", "--address", str(cluster.address))
    with subprocess.Popen(line, stdout=subprocess.DEVNULL) as process:
        lost = False
        while process.poll() is None:
            time.sleep(0.5)
            if not lost and done_in(store) >= lose_at:
                victim = next(iter(cluster.worker_nodes))
                cluster.remove_node(victim, allow_graceful=False)
                print(f"node lost at {done_in(store)} trainings done", file=sys.stderr)
                add_node(cluster)
                lost = True
    if process.returncode or not lost:
        raise SystemExit(f"expected a run that loses a node and ends well, received {process.returncode}")


def table(plan: Plan, store: Store) -> list[dict[str, Any]]:
    """The rows of a study, without seconds."""
    return [row.to_values() | {"train_seconds": None} for row in read_table(plan, store, curves=False).rows]


def differences(plans: list[Plan], one: Store, other: Store) -> list[str]:
    """Name what two stores say differently."""
    found = []
    for plan in plans:
        if table(plan, one) != table(plan, other):
            found.append(f"{plan.study.name}: the table")
        others = other.predictions(plan.trials)
        for trial, classes in one.predictions(plan.trials).items():
            if (classes != others[trial]).any():
                found.append(f"{plan.study.name}: predictions of trial {trial}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="A study that loses a node, against one in processes.")
    parser.add_argument("study", nargs="?", default="classroom")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--nodes", type=int, default=available_cores())
    parser.add_argument("--folder", type=Path, required=True, help="where both stores are kept")
    arguments = parser.parse_args()
    os.environ["RAY_AUTH_MODE"] = "disabled"  # for this cluster, which ends with this process
    names = [arguments.study]
    if arguments.study in collection_names():
        names = list(resolve_collection(arguments.study).studies)
    plans = [plan_study(name, seeds=arguments.seeds) for name in names]
    trainings = len(minimal_runs(trial for plan in plans for trial in plan.trials))
    stores = [arguments.folder / "ray.sqlite", arguments.folder / "processes.sqlite"]
    cluster = start_cluster(arguments.nodes)
    try:
        run_on_ray(cluster, arguments.study, arguments.seeds, stores[0], trainings // 2)
    finally:
        cluster.shutdown()
    subprocess.run(
        command(arguments.study, arguments.seeds, stores[1]), stdout=subprocess.DEVNULL, check=True
    )
    with Store(stores[0], create=False) as one, Store(stores[1], create=False) as other:
        found = differences(plans, one, other)
    print("\n".join(found) or f"equal: every table, and the predictions of all {trainings} trainings")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()

"""Ray clusters of several nodes on this machine, started for a test and gone after it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

SECONDS = 60.0
"""How long to wait for what takes a second or two on an idle machine."""

STORE_BYTES = 100 * 2**20
TRIES = 3
WATCHFUL = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500}
"""So that a lost node is missed in seconds; by itself Ray takes a quarter of a minute."""


@contextmanager
def running_cluster(nodes: int, cores: int = 1, **head: Any) -> Iterator[Cluster]:
    """Run a cluster of so many nodes, whose workers can import the tests' helpers.

    Args:
        nodes: at the beginning, the head among them.
        cores: of each node.
        head: further arguments of the head.
    """
    from ray.cluster_utils import Cluster

    settings = {"RAY_AUTH_MODE": "disabled", "PYTHONPATH": str(Path(__file__).parent)}
    # Ray gives a node fifteen seconds to start its dashboard agent; without extras that takes a third.
    few = patch("ray._private.utils.get_dashboard_dependency_error", return_value=ImportError("not used"))
    with few, patch.dict(os.environ, settings):
        cluster = Cluster()
        try:
            add_node(cluster, cores, include_dashboard=False, _system_config=WATCHFUL, **head)
            for _ in range(nodes - 1):
                add_node(cluster, cores)
            yield cluster
        finally:
            cluster.shutdown()


def add_node(cluster: Cluster, cores: int = 1, **more: Any) -> Any:
    """Add a node to a cluster, and give it; a machine may be too busy to start one in Ray's time."""
    for _ in range(TRIES - 1):
        with suppress(Exception):
            return cluster.add_node(num_cpus=cores, object_store_memory=STORE_BYTES, **more)
    return cluster.add_node(num_cpus=cores, object_store_memory=STORE_BYTES, **more)


def await_that(condition: Callable[[], object]) -> None:
    """Wait until something is so, and fail if it never is."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def workers_of(node: Any, *kinds: str) -> list[int]:
    """The processes of a node that work for us at this moment: at items, unless another kind is named."""
    (raylet,) = node.all_processes["raylet"]
    named = tuple(f"ray::{kind}" for kind in kinds or ("_perform",))
    return [pid for pid in descendants(raylet.process.pid) if command(pid).startswith(named)]


def busy(cluster: Cluster) -> bool:
    """Whether anybody works for us on a cluster."""
    return any(workers_of(node, "_perform", "_ReportQueue") for node in cluster.list_all_nodes())


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that these have."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        if stat := _stat(int(folder.name)):
            children.setdefault(int(stat[1]), []).append(int(folder.name))
    found, open_ = [], [pid]
    while open_:
        found += (young := children.get(open_.pop(), []))
        open_ += young
    return found


def living(pids: Iterable[int]) -> list[int]:
    """Those of some processes that have not ended; one that nobody has reaped yet has."""
    return [pid for pid in pids if _stat(pid)[:1] not in ([], ["Z"])]


def _stat(pid: int) -> list[str]:
    """State, number of the parent, and more of a process; nothing of one that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def command(pid: int) -> str:
    """What a process was started as, or calls itself; nothing of one that is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def free_port() -> int:
    """A port on which nobody listens, at this moment."""
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        return somebody.getsockname()[1]

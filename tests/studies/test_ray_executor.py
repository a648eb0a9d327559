"""The executor on Ray: whom it connects to and whom it refuses, lost nodes, shares, and what it leaves."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ray_tasks as tasks
from digitlab.errors import MissingExtraError, UserError
from digitlab.studies import RayExecutor
from digitlab.studies.executors.base import Done, Event, Failed, Progress, Started
from ray_cluster import add_node, await_that, busy, free_port, running_cluster

import ray  # isort: skip  # after our own, which makes it silent

# Ray leaves files of the processes that it starts to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.mark.parametrize(
    "address", ["nowhere", "localhost", "http://localhost:1/", "ray://localhost", ":6379", ""]
)
def test_an_address_of_another_form_is_refused(address: str) -> None:
    expected = r"address: expected auto, HOST:PORT or ray://HOST:PORT, received "
    with pytest.raises(UserError, match=expected):
        RayExecutor(address).run(tasks.square, [1], print)


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://127.0.0.1:{}", "nobody.invalid:{}"])
def test_an_address_where_nobody_is_is_refused_in_one_line(form: str) -> None:
    address = form.format(free_port())
    with pytest.raises(UserError, match="expected a Ray cluster, received no response") as refused:
        RayExecutor(address).run(tasks.square, [1], print)
    assert str(refused.value).startswith(f"address {address}: ")
    assert "\n" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://127.0.0.1:{}"])
def test_an_address_where_somebody_else_is_is_refused(form: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(UserError, match="expected a Ray cluster, received no response"),
    ):
        RayExecutor(form.format(silent.getsockname()[1])).run(tasks.square, [1], print)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"workers": 0}, "workers: expected 1 or more, received 0"),
        ({"gpus": -0.5}, "gpus: expected a share of 0 or more, received -0.5"),
    ],
)
def test_impossible_shares_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        RayExecutor(**settings)


def test_without_ray_the_extra_is_named() -> None:
    program = (
        "import sys\n"
        "sys.modules['ray'] = None  # as if it were not installed\n"
        "from digitlab.cli.main import run\n"
        "sys.exit(run(['study', 'run', 'mlp-neurons', '--executor', 'ray']))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"digitlab: {MissingExtraError('ray', 'ray')}\n"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head that works at nothing itself and serves Ray's clients; tests add nodes."""
    with running_cluster(nodes=1, cores=0, ray_client_server_port=free_port()) as cluster:
        yield cluster


@pytest.fixture
def node(cluster: Any) -> Iterator[Callable[..., Any]]:
    """Add a node; those of a test are taken away at its end."""
    added: list[Any] = []

    def add(**more: Any) -> Any:
        added.append(add_node(cluster, **more))
        return added[-1]

    yield add
    for each in added:
        if each in cluster.worker_nodes:
            cluster.remove_node(each, allow_graceful=False)


@pytest.fixture(scope="module")
def home(cluster: Any) -> None:
    """A node of one core that stays; so what needs a cluster without one is tested before."""
    add_node(cluster)


@pytest.fixture(autouse=True)
def nothing_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    assert not ray.is_initialized()
    if "cluster" in request.fixturenames:
        cluster = request.getfixturevalue("cluster")
        await_that(lambda: not busy(cluster))


@pytest.mark.slow
def test_an_item_outlives_any_number_of_nodes(cluster: Any, node: Callable[..., Any], tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    events: list[Event] = []
    nodes = [node()]

    def lose(event: Event) -> None:
        events.append(event)
        if event != Started(0):
            return
        if len(events) > 2:
            gate.touch()
        else:
            cluster.remove_node(nodes.pop(), allow_graceful=False)
            nodes.append(node())

    RayExecutor(cluster.address).run(tasks.wait_for, [gate], lose)
    assert events == [Started(0), Started(0), Started(0), Done(0, None)]


@pytest.mark.slow
def test_a_node_with_another_version_is_refused_in_a_line_that_names_both(
    cluster: Any, node: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "keras-2.0.0.dist-info").mkdir()
    metadata = "Metadata-Version: 2.1\nName: keras\nVersion: 2.0.0\n"
    (tmp_path / "keras-2.0.0.dist-info" / "METADATA").write_text(metadata)
    node(env_vars={"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ['PYTHONPATH']}"})
    with pytest.raises(
        UserError, match=r"^node [\d.]+: expected keras 3\.\S+, as .* received 2\.0\.0; install"
    ):
        RayExecutor(cluster.address).run(tasks.square, [1], print)


@pytest.mark.slow
def test_a_node_without_digitlab_is_refused(cluster: Any, node: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "digitlab").mkdir()
    (tmp_path / "digitlab" / "__init__.py").write_text("raise ModuleNotFoundError('it is not installed')\n")
    node(env_vars={"PYTHONPATH": str(tmp_path)})
    with pytest.raises(UserError, match="expected nodes on which digitlab is installed") as refused:
        RayExecutor(cluster.address).run(tasks.square, [1], print)
    assert "\n" not in str(refused.value)


@pytest.mark.slow
def test_a_process_joins_a_cluster_for_the_run_alone(cluster: Any, home: None) -> None:
    handler = signal.getsignal(signal.SIGTERM)
    events: list[Event] = []
    RayExecutor(cluster.address).run(tasks.square, [3], events.append)
    assert events == [Started(0), Done(0, 9)]
    assert signal.getsignal(signal.SIGTERM) is handler


@pytest.mark.slow
def test_ray_finds_the_cluster_of_this_machine(
    cluster: Any, home: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    events: list[Event] = []
    RayExecutor("auto").run(tasks.square, [3], events.append)
    assert events == [Started(0), Done(0, 9)]


@pytest.mark.slow
def test_a_client_of_the_cluster_is_told_all_the_same(cluster: Any, home: None) -> None:
    events: list[Event] = []
    executor = RayExecutor(f"ray://127.0.0.1:{cluster.head_node._ray_params.ray_client_server_port}")
    executor.run(tasks.count_or_die, [2, None, "text"], events.append)
    assert [event for event in events if event.index == 0] == [
        Started(0), Progress(0, 0), Progress(0, 1), Done(0, 2)
    ]  # fmt: skip
    assert sum(event == Started(1) for event in events) == 2
    assert {event.index: type(event) for event in events} == {0: Done, 1: Failed, 2: Failed}


@pytest.mark.slow
def test_items_take_their_share_of_a_gpu(cluster: Any, node: Callable[..., Any], tmp_path: Path) -> None:
    node(cores=3, num_gpus=1)
    events: list[Event] = []
    RayExecutor(cluster.address, gpus=0.5).run(tasks.crowd, [tmp_path] * 4, events.append)
    assert max(event.value for event in events if isinstance(event, Done)) <= 2


class Counted:
    """An item that counts how often it is sent."""

    sent = 0

    def __reduce__(self) -> tuple[type, tuple]:
        Counted.sent += 1
        return Counted, ()


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "most"), [(None, 20), (1, 1)])
def test_few_items_are_with_ray_at_any_time(cluster: Any, home: None, workers: int | None, most: int) -> None:
    open_: list[int] = []
    Counted.sent = ended = 0

    def count(event: Event) -> None:
        nonlocal ended
        open_.append(Counted.sent - ended)
        ended += isinstance(event, Done)

    RayExecutor(cluster.address, workers).run(tasks.nothing, [Counted() for _ in range(60)], count)
    assert ended == 60
    assert max(open_) <= most


@pytest.mark.slow
def test_workers_live_from_item_to_item(cluster: Any, home: None) -> None:
    pids: set[int] = set()

    def collect(event: Event) -> None:
        if isinstance(event, Done):
            pids.add(event.value)

    RayExecutor(cluster.address).run(tasks.pid, range(30), collect)
    assert len(pids) == 1

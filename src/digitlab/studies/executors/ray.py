"""The executor that submits items to a Ray cluster, which places them on nodes and reports lost ones."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import signal
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import numpy as np

from digitlab.errors import DigitlabError, MissingExtraError, UserError
from digitlab.spec.trial import ENGINE_VERSION, SYNTHESIS_VERSION
from digitlab.studies.executors.base import (
    ATTEMPTS,
    Event,
    Failed,
    PickledTask,
    Progress,
    Started,
    Task,
    event_of,
    fail_all,
    fail_unsent,
    nothing,
    reason_of,
)
from digitlab.studies.executors.ray_address import probe
from digitlab.training.process import available_cores, environment

# Ray reads these when it is imported; they keep lines about its nodes and workers out of our output.
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "^")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
try:
    import ray
    from ray import exceptions
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
except ModuleNotFoundError as error:
    raise MissingExtraError("ray", "ray") from error

REFRESH_SECONDS = 2.0
"""Seconds between queries of the cluster's size; nodes come and go."""


class RayExecutor:
    """Runs tasks on a Ray cluster, each on one core; fulfils `Executor`.

    If this process is already connected to a cluster, that connection is used and left open.

    Args:
        address: address of the cluster: `auto` for the one that this machine belongs to, `HOST:PORT`, or
            `ray://HOST:PORT` of a Ray client server; None starts Ray on this machine, for the run.
        workers: maximum number of items at the same time, 1 or more (None: as many as the cluster can run).
        gpus: share of a GPU that each item takes beside its core, 0 or more.

    Raises:
        UserError: fewer than one worker is requested, or a share below 0.
    """

    def __init__(self, address: str | None = None, workers: int | None = None, gpus: float = 0.0) -> None:
        if workers is not None and workers < 1:
            raise UserError(f"workers: expected 1 or more, received {workers}")
        if gpus < 0:
            raise UserError(f"gpus: expected a share of 0 or more, received {gpus}")
        self.address = address
        self.workers = workers
        self.gpus = gpus

    def run(
        self,
        task: Task,
        items: Sequence[Any],
        on_event: Callable[[Event], None],
        on_wait: Callable[[], None] = nothing,
    ) -> None:
        """Run the task on all items and wait for the end.

        Raises:
            UserError: there is no such cluster, or a node has another digitlab, Keras, TensorFlow or Python.
            DigitlabError: Ray does not start on this machine, or the cluster was lost.
        """
        try:
            buffers: list[pickle.PickleBuffer] = []
            sent = pickle.dumps(task, protocol=5, buffer_callback=buffers.append)
        except Exception as error:
            fail_all(items, on_event, error)
            return
        with _connected(self.address, self.workers):
            # Buffers stay in the object store as they are; workers read them there without a copy.
            arrays = [np.frombuffer(buffer.raw(), np.uint8) for buffer in buffers]
            pickled = ray.put([sent, *arrays])
            run = _Run(pickled, items, on_event, on_wait, self)
            try:
                run.to_the_end()
            except exceptions.RayError as error:
                raise DigitlabError(f"the Ray cluster was lost: {reason_of(error)}") from error
            finally:
                run.stop()


class _InFlight:
    """An item that was submitted to Ray."""

    def __init__(self, number: int, index: int) -> None:
        self.number = number
        self.index = index
        self.reference: Any = None
        self.started = False
        self.node = ""  # on which it was started


class _Run:
    """One call of `run`: the waiting and the submitted items."""

    def __init__(
        self,
        task: Any,
        items: Sequence[Any],
        on_event: Callable[[Event], None],
        on_wait: Callable[[], None],
        executor: RayExecutor,
    ) -> None:
        self.task = [task]  # its reference in a list, else Ray would resolve it for each item
        self.items = items
        self.on_event = on_event
        self.on_wait = on_wait
        self.executor = executor
        self.waiting = deque(range(len(items)))
        self.in_flight: dict[Any, _InFlight] = {}  # by reference
        self.unfinished: dict[int, _InFlight] = {}  # by number, until its end is reported
        self.submitted = 0
        self.deaths: dict[int, list[str]] = {}  # by index, the nodes on which a worker died
        self.most = 0
        self.refresh_at = 0.0
        self.perform: Any = ray.remote(num_cpus=1, num_gpus=executor.gpus, max_retries=0)(_perform)
        here: Any = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self.queue: Any = ray.remote(num_cpus=0, scheduling_strategy=here)(_ReportQueue).remote()
        self.reports = self.queue.take.remote()

    def to_the_end(self) -> None:
        while self.waiting or self.in_flight:
            self._feed()
            ready = self._await()
            ended = [self.in_flight.pop(reference) for reference in ready if reference != self.reports]
            if ready:
                # An item that ended may have reported before; its reports come first.
                self._read_reports(to_the_last=bool(ended))
            for flight in ended:
                self._complete(flight)

    def stop(self) -> None:
        with suppress(exceptions.RayError, ConnectionError):  # the cluster may be what has ended the run
            for reference in self.in_flight:
                ray.cancel(reference, force=True)
            ray.kill(self.queue)

    def _feed(self) -> None:
        while self.waiting and len(self.in_flight) < self._most_in_flight():
            index = self.waiting.popleft()
            try:
                item = pickle.dumps(self.items[index])
            except Exception as error:
                fail_unsent(index, self.on_event, error)
            else:
                self._submit(index, item)

    def _most_in_flight(self) -> int:
        """Limit submitted items to twice those that can run, so that neither a core nor a new node waits."""
        if time.monotonic() > self.refresh_at:
            self.most = self.executor.workers or 2 + 2 * _slots(self.executor.gpus)
            self.refresh_at = time.monotonic() + REFRESH_SECONDS
        return self.most

    def _submit(self, index: int, item: bytes) -> None:
        self.submitted += 1
        flight = _InFlight(self.submitted, index)
        flight.reference = self.perform.remote(self.task, item, flight.number, self.queue, _versions())
        self.in_flight[flight.reference] = flight
        self.unfinished[flight.number] = flight

    def _await(self) -> Sequence[Any]:
        awaited = [self.reports, *self.in_flight]
        ready, _ = ray.wait(awaited, num_returns=len(awaited), timeout=0)
        if not ready and self.in_flight:
            self.on_wait()
            ready, _ = ray.wait(awaited, num_returns=1, timeout=REFRESH_SECONDS)
        return ready

    def _read_reports(self, to_the_last: bool) -> None:
        """Pass on the workers' reports: those that are there, or all that were sent before this call."""
        if to_the_last:
            self.queue.put.remote(_LAST)
        while True:
            reports = ray.get(self.reports)
            self.reports = self.queue.take.remote()
            for number, node, message in reports:
                flight = self.unfinished.get(number)
                if flight is None:  # it has ended, or is tried again
                    continue
                self._begin(flight, node)
                if message:
                    self._pass_on(flight, message)
            if not to_the_last or _LAST in reports:
                return

    def _begin(self, flight: _InFlight, node: str = "") -> None:
        flight.node = flight.node or node
        if not flight.started:
            flight.started = True
            self.on_event(Started(flight.index))

    def _pass_on(self, flight: _InFlight, message: bytes) -> None:
        try:
            event = event_of(flight.index, message)
        except Exception as error:  # pickled in the worker, but not loadable here
            ray.cancel(flight.reference, force=True)
            event = Failed(flight.index, reason_of(error))
        if not isinstance(event, Progress):
            del self.unfinished[flight.number]
        self.on_event(event)

    def _complete(self, flight: _InFlight) -> None:
        """Report how an item ended, or retry it."""
        try:
            message: Any = ray.get(flight.reference)
        except (exceptions.NodeDiedError, exceptions.ObjectLostError):
            self._try_again(flight)
        except (exceptions.WorkerCrashedError, exceptions.OutOfMemoryError) as error:
            self._on_worker_death(flight, error)
        except exceptions.TaskCancelledError:
            if flight.number in self.unfinished:
                raise
        except exceptions.RayTaskError as error:  # not raised by the task, whose errors are messages
            raise _explained(error) from error
        else:
            if flight.number in self.unfinished:
                self._begin(flight)
                self._pass_on(flight, message)

    def _on_worker_death(self, flight: _InFlight, error: Exception) -> None:
        deaths = self.deaths.setdefault(flight.index, [])
        deaths.append(flight.node)
        lost = {node["NodeID"] for node in ray.nodes() if not node["Alive"]}
        if flight.number in self.unfinished:
            self._begin(flight)  # its message that it had started may be lost with the worker
        if sum(node not in lost for node in deaths) < ATTEMPTS:
            self._try_again(flight)
        elif self.unfinished.pop(flight.number, None):
            reason = f"its worker died {ATTEMPTS} times, at last with {reason_of(error)}"
            self.on_event(Failed(flight.index, reason))

    def _try_again(self, flight: _InFlight) -> None:
        if self.unfinished.pop(flight.number, None):  # else its end has been reported
            self.waiting.appendleft(flight.index)


_LAST = (0, "", b"")
"""Message that the driver puts into the queue to see when it has read all messages before it."""


class _ReportQueue:
    """Actor on the driver's node that queues the workers' reports in order until the driver takes them."""

    def __init__(self) -> None:
        self._reports: list[tuple[int, str, bytes]] = []
        self._arrived = asyncio.Event()

    async def put(self, report: tuple[int, str, bytes]) -> None:
        self._reports.append(report)
        self._arrived.set()

    async def take(self) -> list[tuple[int, str, bytes]]:
        await self._arrived.wait()
        self._arrived.clear()
        reports, self._reports = self._reports, []
        return reports


def _perform(task: list[Any], item: bytes, number: int, queue: Any, versions: dict[str, str]) -> bytes:
    """Run the task on an item in a Ray worker, which keeps the task, and TensorFlow, for the next one."""
    _require_versions(versions)
    queue.put.remote((number, ray.get_runtime_context().get_node_id(), b""))

    def report(what: Any) -> None:
        # Waited for, so that nothing is lost if the worker dies at once.
        ray.get(queue.put.remote((number, "", pickle.dumps((Progress, what)))))

    return _received(*task).perform(item, report)


@lru_cache(maxsize=1)
def _received(reference: Any) -> PickledTask:
    message, *buffers = ray.get(reference)
    return PickledTask(message, buffers)


@lru_cache(maxsize=1)
def _versions() -> dict[str, str]:
    known = environment()
    return {
        "digitlab": known.get("digitlab", ""),
        "keras": known.get("keras", ""),
        "python": known.get("python", ""),
        # The package for processors alone has another name.
        "tensorflow": known.get("tensorflow-cpu") or known.get("tensorflow", ""),
        "engine version": str(ENGINE_VERSION),  # clones of one version may be at different commits
        "synthesis version": str(SYNTHESIS_VERSION),
    }


def _require_versions(expected: dict[str, str]) -> None:
    for name, version in expected.items():
        received = _versions()[name] or "none"
        if received != version:
            raise UserError(
                f"node {ray.util.get_node_ip_address()}: expected {name} {version}, as on the computer that "
                f"runs the study, received {received}; install that on all nodes"
            )


def _explained(error: exceptions.RayTaskError) -> DigitlabError:
    """Return the error for a worker that could not begin."""
    if isinstance(error.cause, UserError):
        return UserError(str(error.cause))
    reason = reason_of(error.cause)
    return UserError(
        f"expected nodes on which digitlab is installed, received a worker that ends with {reason}"
    )


def _slots(gpus: float) -> int:
    """Return the number of items that the cluster can run at the same time."""
    resources = ray.cluster_resources()
    slots = resources.get("CPU", 0)
    if gpus:
        slots = min(slots, resources.get("GPU", 0) / gpus)
    return int(slots)


@contextmanager
def _connected(address: str | None, workers: int | None) -> Iterator[None]:
    if ray.is_initialized():
        yield
        return
    try:
        with _own_sigterm() as restore, warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="ray")  # silenced like its logs
            _connect(address, workers)
            restore()
            yield
    finally:
        ray.shutdown()  # stops a cluster that this process started, and only leaves one that it joined


@contextmanager
def _own_sigterm() -> Iterator[Callable[[], None]]:
    """Keep the SIGTERM handler, which Ray replaces, and its exit code, which Ray loses while it waits."""
    handler = signal.getsignal(signal.SIGTERM)
    raised: list[SystemExit] = []

    def remember(number: int, frame: Any) -> None:
        try:
            handler(number, frame)  # type: ignore[operator]
        except SystemExit as error:
            raised.append(error)
            raise

    def install(chosen: Any) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, chosen)

    try:
        yield lambda: install(remember if callable(handler) else handler)
    except SystemExit as error:
        raise (raised[-1] if raised else error) from None
    finally:
        install(handler)


def _connect(address: str | None, workers: int | None) -> None:
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if address is None:
        try:
            ray.init(
                "local",
                num_cpus=workers or available_cores(),
                include_dashboard=False,
                _node_ip_address="127.0.0.1",
                **quiet,
            )
        except Exception as error:  # Ray has no exception class for it
            raise DigitlabError(f"Ray does not start on this machine: {reason_of(error)}") from error
        return
    if address != "auto":
        probe(address)
    try:
        try:
            ray.init(address, **quiet)
        except ConnectionAbortedError:  # the cluster's process for this client died as it started
            ray.init(address, **quiet)
    except Exception as error:
        raise UserError(
            f"address {address}: expected a Ray cluster that can be joined, received {reason_of(error)}"
        ) from error

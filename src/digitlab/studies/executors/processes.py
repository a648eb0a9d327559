"""The executor with several worker processes, which are spawned once and then get one item after the other.

`concurrent.futures.ProcessPoolExecutor` fails as a whole when a worker dies; here that costs one item.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any

from digitlab.errors import UserError
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
from digitlab.studies.executors.interrupts import defer_signals
from digitlab.training.spawning import pipe, start_process

STOP_SECONDS = 5.0

_READY = b""  # first message of a worker; all others are for `event_of`


class ProcessExecutor:
    """Runs tasks in long-lived spawned processes; fulfils `Executor`.

    Args:
        workers: maximum number of processes, 1 or more; no more are started than there are items.

    Raises:
        UserError: fewer than one worker is requested.
    """

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise UserError(f"workers: expected 1 or more, received {workers}")
        self.workers = workers

    def run(
        self,
        task: Task,
        items: Sequence[Any],
        on_event: Callable[[Event], None],
        on_wait: Callable[[], None] = nothing,
    ) -> None:
        """Run the task on all items and wait for the end.

        Raises:
            UserError: a worker ended while it started, before it could get an item.
        """
        try:
            sent = pickle.dumps(task, pickle.HIGHEST_PROTOCOL)  # arrays of a data set stay read-only
        except Exception as error:
            fail_all(items, on_event, error)
            return
        run = _Run(sent, items, on_event, on_wait, self.workers)
        try:
            run.to_the_end()
        finally:
            run.stop()


class _Worker:
    """A worker process and its current item."""

    def __init__(self) -> None:
        self.connection, theirs = pipe()
        self.process = start_process(_work, theirs)
        theirs.close()  # so that the pipe ends when the worker does
        self.ready = False
        self.busy = False
        self.index = -1
        self.attempt = 0
        self.item = b""

    def give(self, index: int, attempt: int, item: bytes) -> None:
        self.index = index
        self.attempt = attempt
        self.item = item
        self.busy = True
        if self.ready:  # else `begin` sends it, when the worker reads
            self._send(item)

    def begin(self, task: bytes) -> None:
        """Send the task, which may be large, now that the worker reads, and the item given meanwhile."""
        self.ready = True
        self._send(task)
        self._send(self.item)

    def _send(self, message: bytes) -> None:
        with suppress(OSError):  # it has just died, which reading from the pipe will show
            self.connection.send_bytes(message)

    def await_end(self) -> None:
        self.process.join(STOP_SECONDS)
        self.connection.close()


class _Run:
    """One call of `run`: its workers and the waiting items."""

    def __init__(
        self,
        task: bytes,
        items: Sequence[Any],
        on_event: Callable[[Event], None],
        on_wait: Callable[[], None],
        most: int,
    ) -> None:
        self.task = task
        self.items = items
        self.on_event = on_event
        self.on_wait = on_wait
        self.most = most
        self.waiting = deque((i, 1) for i in range(len(items)))  # with the number of the attempt
        self.workers: list[_Worker] = []

    def to_the_end(self) -> None:
        self._feed()
        while busy := [worker for worker in self.workers if worker.busy]:
            self.on_wait()
            ready = wait([worker.connection for worker in busy])
            for worker in busy:
                if worker.connection in ready:
                    self._listen(worker)
            self._feed()

    def stop(self) -> None:
        for worker in self.workers:  # all of them first: a second Ctrl-C can end the waiting
            worker.process.kill()  # it holds nothing that has to be kept
        for worker in self.workers:
            worker.await_end()

    def _feed(self) -> None:
        while self.waiting:
            worker = self._idle_worker()
            if worker is None:
                return
            index, attempt = self.waiting.popleft()
            try:
                item = pickle.dumps(self.items[index])
            except Exception as error:
                fail_unsent(index, self.on_event, error)
            else:
                worker.give(index, attempt, item)
                self.on_event(Started(index))

    def _idle_worker(self) -> _Worker | None:
        for worker in [worker for worker in self.workers if not worker.busy]:
            if worker.process.is_alive():
                return worker
            self._drop(worker)  # it died between two items, and costs none
        if len(self.workers) == self.most:
            return None
        with defer_signals():
            self.workers.append(_Worker())
        return self.workers[-1]

    def _listen(self, worker: _Worker) -> None:
        try:
            message = worker.connection.recv_bytes()
        except (EOFError, OSError):
            self._on_worker_death(worker)
            return
        if message == _READY:
            worker.begin(self.task)
            return
        try:
            event = event_of(worker.index, message)
        except Exception as error:  # pickled in the worker, but not loadable here
            self._drop(worker)
            event = Failed(worker.index, reason_of(error))
        worker.busy = isinstance(event, Progress)
        self.on_event(event)

    def _on_worker_death(self, worker: _Worker) -> None:
        worker.process.join(STOP_SECONDS)  # the pipe can end before the exit code is known
        self._drop(worker)
        code = worker.process.exitcode
        if not worker.ready and code is not None and code >= 0:
            raise UserError(
                f"workers: expected processes that start, received exit status {code}; see the error above"
            )
        if worker.attempt < ATTEMPTS:
            self.waiting.appendleft((worker.index, worker.attempt + 1))
        else:
            reason = f"its worker died {ATTEMPTS} times, at last with {_ending(code)}"
            self.on_event(Failed(worker.index, reason))

    def _drop(self, worker: _Worker) -> None:
        worker.process.kill()
        self.workers.remove(worker)
        worker.await_end()


def _ending(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit status {code}"
    number = -code  # as `multiprocessing` reports the signal that ended a process
    if number not in set(signal.Signals):
        return f"signal {number}"
    name = signal.Signals(number).name
    if name == "SIGKILL":  # what Linux sends when memory runs out
        return f"{name} (out of memory?)"
    return name


def _work(connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles Ctrl-C
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # the parent process has ended
        connection.send_bytes(_READY)
        task = PickledTask(connection.recv_bytes())
        report = partial(_report, connection)
        while True:
            item = connection.recv_bytes()
            connection.send_bytes(task.perform(item, report))


def _end_with_parent() -> None:
    """End with the parent, even in a task, which may run for minutes before it notices the closed pipe."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _report(connection: Connection, what: Any) -> None:
    connection.send_bytes(pickle.dumps((Progress, what)))

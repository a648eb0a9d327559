"""Micro-batching: requests that arrive together go through the network together.

No batch waits until it is full: an idle worker takes at once what is queued, and what arrives while all
workers are busy forms the next batch. Workers only compute; counters and answers belong to the event loop.
"""

from __future__ import annotations

import asyncio
import math
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue

import numpy as np

from digitlab.bundle.runtime import Classify
from digitlab.serving.metrics import Metrics
from digitlab.serving.refusals import busy
from digitlab.serving.settings import Limits

_NEWEST = 0.1  # weight of the newest batch in the moving average of the pace
_MOST_WAITING = 256  # images, however fast the network: they are parsed and answered by one thread
_LOOK_AGAIN = 0.002
"""Seconds between two checks of whether the queue has room for the next part of a long request."""


class Mailbox:
    """Queue of callbacks from worker threads to an event loop.

    A socket wakes the loop, since its `send` releases the interpreter's lock. `call_soon_threadsafe` holds
    the lock meanwhile: the woken thread often takes the core from the one that holds it, and both wait.

    Args:
        loop: event loop that runs the callbacks.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._posted: deque[Callable[[], None]] = deque()
        self._loop = loop
        self._inside, self._outside = socket.socketpair()
        self._inside.setblocking(False)
        self._outside.setblocking(False)
        self._wakes: Callable[[], object] = lambda: self._outside.send(b"\0")
        try:
            loop.add_reader(self._inside, self._run)
        except NotImplementedError:  # Windows' own event loop
            self._wakes = lambda: loop.call_soon_threadsafe(self._run)

    def post(self, work: Callable[[], None]) -> None:
        """Schedule a callback on the event loop; any thread may call this."""
        self._posted.append(work)
        with suppress(OSError, RuntimeError):  # buffer full: the loop is awake anyway; closed: it has ended
            self._wakes()

    def _run(self) -> None:
        with suppress(BlockingIOError):
            self._inside.recv(4096)
        while self._posted:
            self._posted.popleft()()

    def close(self) -> None:
        """Close the sockets; later callbacks are ignored."""
        with suppress(NotImplementedError):
            self._loop.remove_reader(self._inside)
        self._inside.close()
        self._outside.close()


class Workers:
    """Threads that compute for all networks; created in the event loop that receives their results.

    Args:
        count: number of threads, 1 or more.

    Attributes:
        count: number of threads.
        mailbox: queue of callbacks to the event loop.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.mailbox = Mailbox(asyncio.get_running_loop())
        # Holds a batcher once for each of its jobs; a worker that finds them taken already goes on.
        self._waiting: SimpleQueue[Batcher | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"network-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def call(self, batcher: Batcher) -> None:
        """Schedule a batcher's next batch on a worker."""
        self._waiting.put(batcher)

    def close(self) -> None:
        """Stop the threads once they have computed what is queued."""
        for _ in self._threads:
            self._waiting.put(None)
        self.mailbox.close()

    def _work(self) -> None:
        while (batcher := self._waiting.get()) is not None:
            batcher.work()


@dataclass(frozen=True, eq=False, slots=True)
class Job:
    """Images of one request, or of a part of it, and the future of their probabilities.

    Attributes:
        images: uint8 or float32 [n, 28, 28] in 0..255, n at least 1.
        answer: future of the probabilities, float32 [n, 10].
    """

    images: np.ndarray
    answer: asyncio.Future[np.ndarray]


class Batcher:
    """Queue before one network; created and used in one event loop.

    Args:
        classify: function from images [n, 28, 28] to probabilities, float32 [n, 10]; thread-safe.
        workers: threads that call `classify`.
        limits: limits on the queue and on batches.
        metrics: metrics that record the size of each batch.

    Attributes:
        waiting: number of images queued or being computed.
        most_waiting: number of waiting images from which requests are refused.
        coming: number of recognized requests that were admitted and are not handled yet.
    """

    def __init__(self, classify: Classify, workers: Workers, limits: Limits, metrics: Metrics) -> None:
        self._classify = classify
        self._workers = workers
        self._limits = limits
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._jobs: deque[Job] = deque()
        self._batch = limits.batch_images
        self._pace = math.nan  # seconds per image, a moving average; nan before the first batch
        self.most_waiting = limits.queue_images
        self.waiting = 0
        self.coming = 0

    @property
    def full(self) -> bool:
        """Whether another request would be refused."""
        return self.waiting + self.coming >= self.most_waiting

    def check_room(self) -> None:
        """Raise if the queue is full, before any work is done for a request.

        Raises:
            RefusalError: the queue is full.
        """
        if self.full:
            raise busy()

    async def classify(self, images: np.ndarray) -> np.ndarray:
        """Classify the images of one request; many images go in parts, so that other requests get their turn.

        Args:
            images: uint8 or float32 [n, 28, 28] in 0..255.

        Returns:
            Probabilities, float32 [n, 10].

        Raises:
            RefusalError: the queue is full.
        """
        self.check_room()
        part = self._limits.batch_images
        if 0 < len(images) <= part:
            return await self._submit(images)
        answers = [np.empty((0, 10), np.float32)]
        for begin in range(0, len(images), part):
            while self.full:
                await asyncio.sleep(_LOOK_AGAIN)
            answers.append(await self._submit(images[begin : begin + part]))
        return np.concatenate(answers)

    async def _submit(self, images: np.ndarray) -> np.ndarray:
        answer = self._loop.create_future()
        self.waiting += len(images)
        self._jobs.append(Job(images, answer))
        self._workers.call(self)
        return await answer

    def work(self) -> None:
        """Compute one batch of what is queued, and post the answers; called by a worker."""
        jobs = self._take()
        if not jobs:
            return
        began = time.thread_time()  # not wall time, which includes other programs' share of the cores
        try:
            outcome = self._compute(jobs)
        except Exception as error:  # raised in the waiting requests, while the worker goes on
            outcome = error
        self._workers.mailbox.post(partial(self._deliver, jobs, outcome, time.thread_time() - began))

    def _take(self) -> list[Job]:
        jobs: list[Job] = []
        count = 0
        while count < self._batch:
            try:
                job = self._jobs.popleft()
            except IndexError:
                break
            jobs.append(job)
            count += len(job.images)
        return jobs

    def _compute(self, jobs: list[Job]) -> np.ndarray:
        if len(jobs) == 1:
            return self._classify(jobs[0].images)
        return self._classify(np.concatenate([job.images for job in jobs], dtype=np.float32))

    def _deliver(self, jobs: list[Job], outcome: np.ndarray | Exception, seconds: float) -> None:
        begin = 0
        for job in jobs:
            end = begin + len(job.images)
            if not job.answer.done():  # the client may have gone
                if isinstance(outcome, Exception):
                    job.answer.set_exception(outcome)
                else:
                    job.answer.set_result(outcome[begin:end])
            begin = end
        self.waiting -= begin
        self._metrics.batch_images.observe(begin)
        self._keep_pace(seconds / begin)

    def _keep_pace(self, pace: float) -> None:
        """Adapt the sizes of batch and queue to the recent seconds per image."""
        self._pace = pace if math.isnan(self._pace) else self._pace + _NEWEST * (pace - self._pace)
        limits = self._limits
        self._batch = min(max(int(limits.batch_seconds / self._pace), 1), limits.batch_images)
        worth = int(self._workers.count * limits.queue_seconds / self._pace)
        self.most_waiting = min(max(limits.queue_images, worth), _MOST_WAITING)

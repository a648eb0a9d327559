"""Micro-batching: requests that arrive together go through the network together.

There is no waiting for a batch to fill: an idle worker takes at once what is there, and what arrives while
all workers are busy is the next batch. Only the event loop's thread counts and answers; workers compute.
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

from digitlab.serving.metrics import Metrics
from digitlab.serving.replies import busy
from digitlab.serving.settings import Limits

Classify = Callable[[np.ndarray], np.ndarray]

_NEWEST = 0.1  # weight of the newest batch in the pace
_MOST_WAITING = 256  # images, however fast the network: they are parsed and answered by one thread
_LOOK_AGAIN = 0.002
"""Seconds after which the next part of a long request looks again whether there is room."""


class Mailbox:
    """The way from threads to an event loop.

    `call_soon_threadsafe` wakes the loop while it holds the interpreter's lock; the thread that is woken
    often takes the core from the one that holds it, and both wait. A socket's `send` lets go of the lock.

    Args:
        loop: that runs what is posted.
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
        """Let the event loop do something; any thread may post."""
        self._posted.append(work)
        with suppress(OSError, RuntimeError):  # full: the loop is awake; closed: it has ended
            self._wakes()

    def _run(self) -> None:
        with suppress(BlockingIOError):
            self._inside.recv(4096)
        while self._posted:
            self._posted.popleft()()

    def close(self) -> None:
        """Take nothing any more."""
        with suppress(NotImplementedError):
            self._loop.remove_reader(self._inside)
        self._inside.close()
        self._outside.close()


class Workers:
    """Threads that compute for all networks; made in the event loop that they answer to.

    Args:
        count: of threads, 1 or more.

    Attributes:
        count: of threads.
        mailbox: to the event loop.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.mailbox = Mailbox(asyncio.get_running_loop())
        # A batcher stands in it once for each of its jobs; whoever comes late finds them taken, and goes on.
        self._waiting: SimpleQueue[Batcher | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"network-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def call(self, batcher: Batcher) -> None:
        """Let a worker look at a batcher."""
        self._waiting.put(batcher)

    def close(self) -> None:
        """End the threads once all is answered."""
        for _ in self._threads:
            self._waiting.put(None)
        self.mailbox.close()

    def _work(self) -> None:
        while (batcher := self._waiting.get()) is not None:
            batcher.work()


@dataclass(frozen=True, eq=False, slots=True)
class Job:
    """Images of one request, and who waits for the answer.

    Attributes:
        images: uint8 or float32 [n, 28, 28] in 0..255, n at least 1.
        answer: will be the probabilities, float32 [n, 10].
    """

    images: np.ndarray
    answer: asyncio.Future[np.ndarray]


class Batcher:
    """The queue before one network; made and used in one event loop.

    Args:
        classify: gives probabilities float32 [n, 10] for images [n, 28, 28]; several threads may call it.
        workers: that call it.
        limits: to queue and batches.
        metrics: are told of each batch.

    Attributes:
        waiting: images that wait or are worked on.
        most_waiting: at which requests are refused.
        coming: requests that have been let in, and are still being parsed.
    """

    def __init__(self, classify: Classify, workers: Workers, limits: Limits, metrics: Metrics) -> None:
        self._classify = classify
        self._workers = workers
        self._limits = limits
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._jobs: deque[Job] = deque()
        self._batch = limits.batch_images
        self._pace = math.nan  # seconds an image
        self.most_waiting = limits.queue_images
        self.waiting = 0
        self.coming = 0

    @property
    def full(self) -> bool:
        """Whether another request would be refused."""
        return self.waiting + self.coming >= self.most_waiting

    def check_room(self) -> None:
        """Refuse a request before any work is done for it.

        Raises:
            RefusalError: the queue is full.
        """
        if self.full:
            raise busy()

    async def classify(self, images: np.ndarray) -> np.ndarray:
        """Classify the images of one request, many of them in parts, so that others get their turn.

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
        """Answer what is queued, as far as it goes into one batch; called by a worker."""
        jobs = self._take()
        if not jobs:
            return
        began = time.thread_time()  # other programs' share of the cores says nothing of the network
        try:
            outcome = self._compute(jobs)
        except Exception as error:  # whatever it is, those who wait are told, and the worker goes on
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
        """Fit batch and queue to what an image takes, of late."""
        self._pace = pace if math.isnan(self._pace) else self._pace + _NEWEST * (pace - self._pace)
        limits = self._limits
        self._batch = min(max(int(limits.batch_seconds / self._pace), 1), limits.batch_images)
        worth = int(self._workers.count * limits.queue_seconds / self._pace)
        self.most_waiting = min(max(limits.queue_images, worth), _MOST_WAITING)

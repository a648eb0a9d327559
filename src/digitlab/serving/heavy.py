"""Work that would hold up the event loop: done by a few threads, with a bounded queue before them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from digitlab.serving.metrics import Metrics
from digitlab.serving.replies import busy

A = TypeVarTuple("A")
T = TypeVar("T")


class HeavyWork:
    """Threads and the queue before them; used from one event loop.

    Args:
        name: of the threads.
        threads: that work at the same time.
        limit: of pieces of work that wait or are worked on.
        metrics: are told of what is refused.
    """

    def __init__(self, name: str, threads: int, limit: int, metrics: Metrics) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._limit = limit
        self._metrics = metrics
        self._accepted = 0

    async def run(self, work: Callable[[*A], T], *args: *A) -> T:
        """Let a thread do a piece of work.

        Raises:
            RefusalError: the queue is full.
        """
        if self._accepted >= self._limit:
            self._metrics.rejections.inc()
            raise busy()
        self._accepted += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        future.add_done_callback(self._release)
        return await asyncio.shield(future)  # who leaves early still holds a thread

    def _release(self, future: asyncio.Future[T]) -> None:
        self._accepted -= 1
        if not future.cancelled():
            future.exception()  # the client may have gone, and nobody else asks for it

    def close(self) -> None:
        """Let the threads end when their work is done."""
        self._pool.shutdown(wait=False, cancel_futures=True)

"""Work that would block the event loop, done by a few threads with a bounded queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from digitlab.serving.metrics import Metrics
from digitlab.serving.refusals import busy

A = TypeVarTuple("A")
T = TypeVar("T")


class HeavyWork:
    """Thread pool with a bounded queue; used from one event loop.

    Args:
        name: prefix of the threads' names.
        threads: number of threads.
        limit: largest number of calls that wait or run.
        metrics: metrics that count the refused calls.
    """

    def __init__(self, name: str, threads: int, limit: int, metrics: Metrics) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._limit = limit
        self._metrics = metrics
        self._accepted = 0

    async def run(self, work: Callable[[*A], T], *args: *A) -> T:
        """Call a function in a thread, and return its result.

        Raises:
            RefusalError: the queue is full.
        """
        if self._accepted >= self._limit:
            self._metrics.rejections.inc()
            raise busy()
        self._accepted += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        future.add_done_callback(self._release)
        return await asyncio.shield(future)  # a cancelled request still occupies its thread

    def _release(self, future: asyncio.Future[T]) -> None:
        self._accepted -= 1
        if not future.cancelled():
            future.exception()  # retrieved here, since the client may have gone: asyncio would complain

    def close(self) -> None:
        """Stop the threads after their current calls, and cancel those that wait."""
        self._pool.shutdown(wait=False, cancel_futures=True)

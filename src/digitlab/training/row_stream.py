"""Training rows: composed in a process of their own, and used in an order that the seed determines."""

from __future__ import annotations

import multiprocessing
import queue
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import numpy as np

from digitlab.errors import TrainingError
from digitlab.synthesis.rows import BATCHES

AHEAD = 4
"""Number of chunks composed ahead, so that training does not wait for a slow one."""
PATIENCE = 0.5
"""Seconds between two checks that the process at the other end is still alive."""


class Batch(Protocol):
    """Composed rows of one width: images, uint8 [n, height, W], and the text of each."""

    images: np.ndarray
    texts: tuple[str, ...]


class Composer(Protocol):
    """Composes rows; must be picklable."""

    def chunk(self, seed: int, index: int) -> Sequence[Any]:
        """Compose `BATCHES` batches, as a pure function of composer, seed and index."""
        ...


class Use(NamedTuple):
    """One use of a batch.

    Attributes:
        batch: batch of rows.
        before: number of times it was used before.
    """

    batch: Batch
    before: int


class RowStream:
    """Chunks that another process composes, and the order in which their batches are used.

    Args:
        composer: composer of the rows.
        seed: seed of the rows and of their order, 0 or more.
        uses: number of uses of each batch; those of a chunk are mixed with those of the chunks after it.
        start: number of uses made before, by a training that is resumed.

    Attributes:
        waited: seconds spent waiting for chunks.
    """

    def __init__(self, composer: Composer, seed: int, uses: int = 1, start: int = 0) -> None:
        self.waited = 0.0
        self._seed = seed
        self._uses = uses
        self._block, self._uses_made = _resume_point(start, uses)
        first = max(self._block - uses + 1, 0)  # the oldest chunk that the block still uses
        context = multiprocessing.get_context("spawn")  # a fresh process, without TensorFlow and its threads
        self._chunks = context.Queue(AHEAD)
        self._process = context.Process(
            target=_compose, args=(composer, seed, first, self._chunks), daemon=True
        )
        self._process.start()

    def __iter__(self) -> Iterator[Use]:
        """Iterate over the uses, without end.

        Raises:
            TrainingError: rows cannot be composed, or their process ended; the message gives the cause.
        """
        chunks: deque[list[Batch]] = deque(maxlen=self._uses)  # the oldest goes when a new one comes
        for _ in range(min(self._block, self._uses - 1)):
            chunks.append(self._take())
        while True:
            chunks.append(self._take())
            uses = []
            for before, chunk in enumerate(reversed(chunks)):  # the newest chunk, used never before, first
                uses.extend(Use(batch, before) for batch in chunk)
            # A generator for each block, so that a resumed training has the order without the blocks before.
            random = np.random.default_rng(np.random.SeedSequence([self._seed, self._block]))
            order = random.permutation(len(uses))
            for i in order[self._uses_made :]:
                yield uses[i]
            self._block += 1
            self._uses_made = 0

    def close(self) -> None:
        """End the composing process."""
        self._process.terminate()
        self._process.join()
        self._chunks.close()

    def _take(self) -> list[Batch]:
        """Wait for the next chunk."""
        begin = time.perf_counter()
        while True:
            try:
                chunk = self._chunks.get(timeout=PATIENCE)
                break
            except queue.Empty:
                self._require_life()
        self.waited += time.perf_counter() - begin
        if isinstance(chunk, str):
            raise TrainingError(f"rows could not be composed: {chunk}")
        return chunk

    def _require_life(self) -> None:
        if not self._process.is_alive():
            raise TrainingError(
                f"the process that composes rows exited with code {self._process.exitcode}; run the "
                "same command again to resume from the last save"
            )


@contextmanager
def row_stream(composer: Composer, seed: int, uses: int, start: int) -> Iterator[RowStream]:
    """Open a `RowStream`, and close it on exit."""
    stream = RowStream(composer, seed, uses, start)
    try:
        yield stream
    finally:
        stream.close()


def _resume_point(start: int, uses: int) -> tuple[int, int]:
    """Return the block of uses in which a training resumes, and the number of its uses made before.

    A block has one use of each batch of a chunk and of the `uses - 1` chunks before it; the first blocks have
    fewer chunks before them.
    """
    block = 0
    left = start
    while True:
        size = BATCHES * min(block + 1, uses)
        if left < size:
            return block, left
        left -= size
        block += 1


def _compose(composer: Composer, seed: int, first: int, chunks: Any) -> None:
    """Compose chunks as long as the parent process lives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this process
    parent = multiprocessing.parent_process()
    index = first
    while True:
        chunk = _chunk_or_cause(composer, seed, index)
        while not _put(chunks, chunk):
            if parent is None or not parent.is_alive():
                chunks.cancel_join_thread()  # else the exit waits for somebody to take what is queued
                return
        if isinstance(chunk, str):
            return
        index += 1


def _chunk_or_cause(composer: Composer, seed: int, index: int) -> list[Any] | str:
    """Compose a chunk; where that fails, return the cause instead."""
    try:
        chunk = list(composer.chunk(seed, index))
    except Exception as error:  # of whatever type, it is raised again in the training process
        message = " ".join(str(error).split())  # on one line
        return f"chunk {index}: {type(error).__name__}: {message}"
    if len(chunk) != BATCHES:
        return f"chunk {index}: expected {BATCHES} batches, received {len(chunk)}"
    return chunk


def _put(chunks: Any, chunk: Any) -> bool:
    """Return whether the chunk was queued before patience ran out."""
    try:
        chunks.put(chunk, timeout=PATIENCE)
    except queue.Full:
        return False
    return True

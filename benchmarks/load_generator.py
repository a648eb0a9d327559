"""A lean load generator: it shares the machine with the service, so that its own work slows the service down.

Requests are encoded beforehand, and only the status and the length of an answer are parsed; some answers are
kept to be checked afterwards. A connection has one request in flight at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

MOST_CONNECTIONS = 1000
FIRST_CONNECTIONS = 32
KEPT_ANSWERS = 200
"""Largest number of answers of a run that are kept to be checked."""

_TICK = 0.001
_LENGTH = b"content-length: "


@dataclass
class Load:
    """Raw result of one run.

    Attributes:
        seconds: length of the run.
        latencies: seconds from sending to the complete answer, of each request that was answered 200.
        statuses: number of answers by status.
        unsent: number of requests that were due while every connection was waiting for an answer.
        broken: number of connections that the service closed.
        answers: index of the request and body, of some of the answers with status 200.
        cpu_seconds: processor time of the generator itself.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    unsent: int = 0
    broken: int = 0
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    cpu_seconds: float = 0.0


class _Generator:
    """State of a run: counts the answers and chooses the next request."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self.requests = requests
        self.load = Load()
        self.began = time.perf_counter()
        self.ended = False
        self.keep_asking = False  # each connection sends again by itself
        self.free: deque[_Asking] = deque()
        self.all: list[_Asking] = []
        self._next = 0
        self._answered = 0

    def next_request(self) -> int:
        self._next = (self._next + 1) % len(self.requests)
        return self._next

    def answered(self, asking: _Asking, status: int, body: bytes) -> None:
        if self.ended:
            return
        now = time.perf_counter()
        load = self.load
        load.statuses[status] += 1
        if status == 200:
            load.latencies.append(now - asking.sent)
            self._answered += 1
            if self._answered % 29 == 0 and len(load.answers) < KEPT_ANSWERS:
                load.answers.append((asking.number, body))
        if self.keep_asking:
            asking.ask(self.next_request())
        else:
            self.free.append(asking)


class _Asking(asyncio.Protocol):
    """One connection."""

    def __init__(self, generator: _Generator) -> None:
        self._generator = generator
        self._received = b""
        self.number = 0
        self.sent = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self._generator.free.append(self)
        self._generator.all.append(self)

    def ask(self, number: int) -> None:
        self.number = number
        self.sent = time.perf_counter()
        self.transport.write(self._generator.requests[number])

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return
        place = received.find(_LENGTH) + len(_LENGTH)
        length = int(received[place : received.find(b"\r", place)])
        if len(received) < end + 4 + length:
            return
        self._received = b""
        self._generator.answered(self, int(received[9:12]), received[end + 4 :])

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._generator.ended:
            self._generator.load.broken += 1


async def closed_loop(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> Load:
    """Send with a fixed number of clients, each of which sends again as soon as it is answered.

    Args:
        port: port of the service on this machine.
        requests: complete HTTP requests, sent in turn.
        clients: number of clients at the same time.
        seconds: length of the run.
    """
    generator = _Generator(requests)
    await asyncio.gather(*(_connect(generator, port) for _ in range(clients)))
    async with _run(generator):
        generator.keep_asking = True
        while generator.free:
            generator.free.popleft().ask(generator.next_request())
        await asyncio.sleep(seconds)
    return generator.load


async def open_loop(port: int, requests: Sequence[bytes], rate: float, seconds: float) -> Load:
    """Send at a fixed rate, whether or not the service keeps up.

    Args:
        port: port of the service on this machine.
        requests: complete HTTP requests, sent in turn.
        rate: requests per second.
        seconds: length of the run.
    """
    generator = _Generator(requests)
    await asyncio.gather(*(_connect(generator, port) for _ in range(FIRST_CONNECTIONS)))
    opening: set[asyncio.Task[None]] = set()
    connections, due = FIRST_CONNECTIONS, 0
    async with _run(generator):
        while (elapsed := time.perf_counter() - generator.began) < seconds:
            asked, due = due, int(elapsed * rate)
            for _ in range(due - asked):
                if generator.free:
                    generator.free.popleft().ask(generator.next_request())
                    continue
                generator.load.unsent += 1
                if connections < MOST_CONNECTIONS:
                    connections += 1
                    task = asyncio.ensure_future(_connect(generator, port))
                    opening.add(task)
                    task.add_done_callback(opening.discard)
            await asyncio.sleep(_TICK)
    return generator.load


async def _connect(generator: _Generator, port: int) -> None:
    with suppress(OSError):  # a refused connection is only missing among the free ones
        await asyncio.get_running_loop().create_connection(lambda: _Asking(generator), "127.0.0.1", port)


@asynccontextmanager
async def _run(generator: _Generator) -> AsyncIterator[None]:
    load = generator.load
    generator.began, cpu = time.perf_counter(), time.process_time()
    yield
    generator.ended = True
    load.seconds, load.cpu_seconds = time.perf_counter() - generator.began, time.process_time() - cpu
    for connection in generator.all:
        connection.transport.abort()

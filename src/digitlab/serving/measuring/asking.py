"""The load generator as a process: `python -m digitlab.serving.measuring.asking ORDER`, JSON both ways."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from digitlab.data import load
from digitlab.serving.measuring.load import Load, closed_loop, open_loop
from digitlab.serving.measuring.wire import infer_requests, probabilities_in

IMAGES = 1000
"""Test digits that are asked in turn."""


@dataclass(frozen=True)
class Order:
    """What is to be asked.

    Attributes:
        port: of the service on this machine.
        path: of the inference endpoint.
        seconds: that are measured.
        clients: that ask without a pause; 0: `rate` says how much is asked.
        rate: requests a second.
        warm_up: seconds before those that are measured.
    """

    port: int
    path: str
    seconds: float
    clients: int = 0
    rate: float = 0.0
    warm_up: float = 0.5


@dataclass(frozen=True)
class Report:
    """What came of it.

    Attributes:
        rate: answers with status 200 a second.
        p50: median of their latency, in seconds.
        p99: of a hundred, the one that took longest but one; likewise.
        statuses: how many answers of each status.
        unsent: requests that were due while no connection was free.
        broken: connections that the service closed.
        right: share of the checked answers that named the right digit.
        checked: answers.
        generator_cpu: seconds of a core a request, of the generator itself.
    """

    rate: float
    p50: float
    p99: float
    statuses: dict[int, int]
    unsent: int
    broken: int
    right: float
    checked: int
    generator_cpu: float

    @classmethod
    def of(cls, found: Load, labels: np.ndarray) -> Report:
        """Summarize a run.

        Args:
            found: in it.
            labels: of the digits that were asked, uint8 [n].
        """
        latencies = found.latencies or [float("nan")]
        right = [probabilities_in(body).argmax() == labels[number] for number, body in found.answers]
        return cls(
            rate=len(found.latencies) / found.seconds,
            p50=float(np.percentile(latencies, 50)),
            p99=float(np.percentile(latencies, 99)),
            statuses=dict(sorted(found.statuses.items())),
            unsent=found.unsent,
            broken=found.broken,
            right=float(np.mean(right)) if right else float("nan"),
            checked=len(right),
            generator_cpu=found.cpu_seconds / max(1, sum(found.statuses.values())),
        )


async def follow(order: Order, requests: list[bytes]) -> Load:
    """Ask what is ordered."""

    async def ask(seconds: float) -> Load:
        if order.clients:
            return await closed_loop(order.port, requests, order.clients, seconds)
        return await open_loop(order.port, requests, order.rate, seconds)

    if order.warm_up:
        await ask(order.warm_up)
    return await ask(order.seconds)


def main() -> None:
    """Ask, and print what came of it."""
    import uvloop

    order = Order(**json.loads(sys.argv[1]))
    digits = load("mnist")
    requests = infer_requests(order.path, digits.x_test[:IMAGES])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(follow(order, requests))
    print(json.dumps(asdict(Report.of(found, digits.y_test))))


def read_report(text: str) -> Report:
    """Read what the process printed."""
    values: dict[str, Any] = json.loads(text)
    values["statuses"] = {int(status): count for status, count in values["statuses"].items()}
    return Report(**values)


if __name__ == "__main__":
    main()

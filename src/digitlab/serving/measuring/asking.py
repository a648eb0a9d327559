"""The load generator as a process: `python -m digitlab.serving.measuring.asking ORDER`.

ORDER is JSON with the fields of `Order`; the process prints the fields of `Report` as JSON.
"""

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
"""Number of test digits that are sent in turn."""


@dataclass(frozen=True)
class Order:
    """Parameters of one run of the load generator.

    Attributes:
        port: port of the service on this machine.
        path: path of the inference endpoint.
        seconds: length of the measurement.
        clients: number of clients that send without a pause; 0 to send at `rate`.
        rate: requests per second, if `clients` is 0.
        warm_up: seconds of load before the measurement.
    """

    port: int
    path: str
    seconds: float
    clients: int = 0
    rate: float = 0.0
    warm_up: float = 0.5


@dataclass(frozen=True)
class Report:
    """Result of one run.

    Attributes:
        rate: answers with status 200 per second.
        p50: median of their latency, in seconds.
        p99: 99th percentile of their latency, in seconds.
        statuses: number of answers by status.
        unsent: number of requests that were due while no connection was free.
        broken: number of connections that the service closed.
        right: share of the checked answers that named the right digit, 0..1 (nan: none was checked).
        checked: number of answers that were checked.
        generator_cpu: processor time of the generator itself per answer, in seconds.
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
            found: raw result of the run.
            labels: uint8 [n], of the digits that were sent.
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
    """Run the load of an order, after its warm-up."""

    async def ask(seconds: float) -> Load:
        if order.clients:
            return await closed_loop(order.port, requests, order.clients, seconds)
        return await open_loop(order.port, requests, order.rate, seconds)

    if order.warm_up:
        await ask(order.warm_up)
    return await ask(order.seconds)


def main() -> None:
    """Run the load, and print the report."""
    import uvloop

    order = Order(**json.loads(sys.argv[1]))
    digits = load("mnist")
    requests = infer_requests(order.path, digits.x_test[:IMAGES])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(follow(order, requests))
    print(json.dumps(asdict(Report.of(found, digits.y_test))))


def read_report(text: str) -> Report:
    """Parse the report that the process printed."""
    values: dict[str, Any] = json.loads(text)
    values["statuses"] = {int(status): count for status, count in values["statuses"].items()}
    return Report(**values)


if __name__ == "__main__":
    main()

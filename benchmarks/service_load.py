"""One run of the load generator against a service on this machine; prints a report as JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict, dataclass

import numpy as np
import orjson
from load_generator import Load, closed_loop, open_loop

from digitlab.data import load
from digitlab.serving.tensors import INPUT, OUTPUT

IMAGES = 1000
"""Number of test digits that are sent in turn."""


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
    def of(cls, load: Load, labels: np.ndarray) -> Report:
        """Summarize a run.

        Args:
            load: raw result of the run.
            labels: uint8 [n], of the digits that were sent.
        """
        latencies = load.latencies or [float("nan")]
        right = [probabilities_in(body).argmax() == labels[i] for i, body in load.answers]
        return cls(
            rate=len(load.latencies) / load.seconds,
            p50=float(np.percentile(latencies, 50)),
            p99=float(np.percentile(latencies, 99)),
            statuses=dict(sorted(load.statuses.items())),
            unsent=load.unsent,
            broken=load.broken,
            right=float(np.mean(right)) if right else float("nan"),
            checked=len(right),
            generator_cpu=load.cpu_seconds / max(1, sum(load.statuses.values())),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Load a service on this machine, and print a report.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True, help="of the inference endpoint")
    parser.add_argument("--seconds", type=float, required=True, help="length of the measurement")
    parser.add_argument(
        "--clients", type=int, default=0, help="that send without a pause; 0 to send at --rate"
    )
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second, without --clients")
    parser.add_argument("--warm-up", type=float, default=0.5, help="seconds of load before the measurement")
    chosen = parser.parse_args()
    import uvloop

    digits = load("mnist")
    requests = infer_requests(chosen.path, digits.x_test[:IMAGES])

    async def send(seconds: float) -> Load:
        if chosen.clients:
            return await closed_loop(chosen.port, requests, chosen.clients, seconds)
        return await open_loop(chosen.port, requests, chosen.rate, seconds)

    async def measure() -> Load:
        if chosen.warm_up:
            await send(chosen.warm_up)
        return await send(chosen.seconds)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(measure())
    print(json.dumps(asdict(Report.of(result, digits.y_test))))


def infer_requests(path: str, images: np.ndarray) -> list[bytes]:
    """Encode a complete HTTP request for each image, with a JSON tensor of its pixels.

    Args:
        path: path of the inference endpoint.
        images: uint8 [n, 28, 28].
    """
    return [_request(path, image) for image in images]


def _request(path: str, image: np.ndarray) -> bytes:
    tensor = {"name": INPUT, "shape": [1, 28, 28], "datatype": "UINT8", "data": image.ravel().tolist()}
    body = orjson.dumps({"inputs": [tensor]})
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


def probabilities_in(answer: bytes) -> np.ndarray:
    """Parse the probabilities in the body of an answer, float32 [10]."""
    outputs = {output["name"]: output["data"] for output in orjson.loads(answer)["outputs"]}
    return np.array(outputs[OUTPUT], np.float32).reshape(10)


if __name__ == "__main__":
    main()

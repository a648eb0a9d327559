"""Measurements of the service beside plain endpoints: throughput, latency, overload and memory."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from digitlab.bundle.files import find_bundle
from digitlab.errors import DigitlabError
from digitlab.serving.measuring.asking import Order, Report, read_report

OURS = "digitlab"
CLIENTS = 32
OVERLOAD = 4.0
"""Rate of requests under overload, as a multiple of the peak."""
RECOVERY_SECONDS = 5
SOAK_REQUESTS = 100_000

_LIVE_EVERY = 0.5


@dataclass(frozen=True)
class Contestant:
    """A running server.

    Attributes:
        name: name in the comparison.
        port: port that the server listens on.
        path: path of its inference endpoint.
        process: process of the server.
    """

    name: str
    port: int
    path: str
    process: subprocess.Popen[str]


@dataclass(frozen=True)
class Lengths:
    """Lengths of the parts, in seconds, and the number of rounds.

    Attributes:
        peak: seconds of one run with all clients.
        rounds: number of these runs, over which medians are taken.
        idle: seconds with a single client.
        half: seconds at half load.
        overload: seconds of overload.
    """

    peak: float = 5.0
    rounds: int = 5
    idle: float = 5.0
    half: float = 10.0
    overload: float = 30.0


def service_figures(model: str, lengths: Lengths, soak: int = SOAK_REQUESTS) -> dict[str, Any]:
    """Measure the service beside its peers, all with one network, each in a process of its own.

    Args:
        model: name of a network, or a bundle's folder.
        lengths: lengths of the parts.
        soak: number of requests after which the memory is compared.

    Returns:
        Plain values: `peak` by contestant, and for the service `idle`, `half`, `overload` and `memory`.

    Raises:
        UserError: there is no such network.
        DigitlabError: a contestant does not start, or answers nothing.
    """
    folder = find_bundle(model)
    with ExitStack() as stack:
        everybody = [
            stack.enter_context(_ours(model)),
            stack.enter_context(_peer("onnx", "FastAPI + ONNX Runtime", folder)),
            stack.enter_context(_peer("keras", "FastAPI + Keras", folder)),
        ]
        peak = _peaks(everybody, lengths)
    with _ours(model) as ours:  # started anew, with no other server beside it
        return {"peak": peak, **_alone(ours, peak[OURS]["rate"], lengths, soak)}


def _peaks(everybody: list[Contestant], lengths: Lengths) -> dict[str, Any]:
    """Measure with all clients, in alternating rounds, so that other load affects all servers alike."""
    runs: dict[str, list[Report]] = {each.name: [] for each in everybody}
    for _ in range(lengths.rounds):
        for each in everybody:
            runs[each.name].append(_ask(each, seconds=lengths.peak, clients=CLIENTS))
    for name, reports in runs.items():
        if any(report.rate == 0 for report in reports):
            raise DigitlabError(
                f"{name} answered nothing within {lengths.peak:g} s: the machine is too busy to measure on; "
                "let it rest, or give each round more --seconds"
            )
    return {name: _median(reports) for name, reports in runs.items()}


def _median(reports: list[Report]) -> dict[str, Any]:
    """Return the medians over the rounds; counts are added up."""
    values = {
        name: statistics.median(getattr(report, name) for report in reports)
        for name in ("rate", "p50", "p99", "right", "generator_cpu")
    }
    statuses = sorted({status for report in reports for status in report.statuses})
    return {
        **values,
        "rates": [report.rate for report in reports],
        "statuses": {
            status: sum(report.statuses.get(status, 0) for report in reports) for status in statuses
        },
        "broken": sum(report.broken for report in reports),
    }


def _alone(ours: Contestant, peak: float, lengths: Lengths, soak: int) -> dict[str, Any]:
    idle = _ask(ours, seconds=lengths.idle, clients=1)
    half = _ask(ours, seconds=lengths.half, rate=peak / 2)
    with _watched(ours) as waits:
        overload = _ask(ours, seconds=lengths.overload, rate=OVERLOAD * peak, warm_up=0)
    recovery = [_ask(ours, seconds=1, rate=peak / 2, warm_up=0) for _ in range(RECOVERY_SECONDS)]
    return {
        "idle": asdict(idle),
        "half": asdict(half),
        "overload": {
            **asdict(overload),
            "goodput": overload.rate / peak,
            "slowdown": overload.p99 / idle.p99,
            "live_longest": max(waits, default=float("nan")),
            "seconds_to_recover": _recovered(recovery, half),
        },
        "memory": _soak(ours, peak, soak),
    }


def _recovered(recovery: list[Report], half: Report) -> int | None:
    """Return the seconds after which half load is answered as before (None: not in time)."""
    for second, report in enumerate(recovery, 1):
        if set(report.statuses) <= {200} and report.p99 <= 2 * half.p99:
            return second
    return None


def _soak(ours: Contestant, peak: float, requests: int) -> dict[str, Any]:
    """Measure the memory before and after many requests; None where the system does not report it."""
    _ask(ours, seconds=requests / 10 / peak, clients=CLIENTS)
    before, asked = _resident(ours), 0
    while asked < requests:
        asked += sum(_ask(ours, seconds=10, clients=CLIENTS, warm_up=0).statuses.values())
    after = _resident(ours)
    growth = None if before is None or after is None else after - before
    return {"requests": asked, "before_bytes": before, "after_bytes": after, "growth_bytes": growth}


def _resident(contestant: Contestant) -> int | None:
    try:
        text = Path(f"/proc/{contestant.process.pid}/status").read_text("ascii")
    except OSError:
        return None
    line = next(line for line in text.splitlines() if line.startswith("VmRSS:"))
    return 1024 * int(line.split()[1])


def _ask(contestant: Contestant, **order: Any) -> Report:
    values = asdict(Order(port=contestant.port, path=contestant.path, **order))
    command = [sys.executable, "-m", "digitlab.serving.measuring.asking", json.dumps(values)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DigitlabError(f"the load generator failed: {done.stderr.strip().splitlines()[-1]}")
    return read_report(done.stdout)


@contextmanager
def _watched(ours: Contestant) -> Iterator[list[float]]:
    """Check meanwhile whether the service is alive, and collect the response times, in seconds."""
    waits: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_LIVE_EVERY):
            began = time.perf_counter()
            with urllib.request.urlopen(f"http://127.0.0.1:{ours.port}/v2/health/live", timeout=30):
                waits.append(time.perf_counter() - began)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield waits
    finally:
        ended.set()
        thread.join()


@contextmanager
def _ours(model: str) -> Iterator[Contestant]:
    command = ["-m", "digitlab", "serve", "--port", "0", "--model", model]
    with _running(OURS, command) as (process, line):
        port = urlsplit(line).port
        assert port is not None
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/models", timeout=30) as answer:
            name = json.load(answer)["default"]
        yield Contestant(OURS, port, f"/v2/models/{name}/infer", process)


@contextmanager
def _peer(kind: str, name: str, folder: Path) -> Iterator[Contestant]:
    command = ["-m", "digitlab.serving.measuring.peers", kind, str(folder)]
    with _running(name, command) as (process, line):
        yield Contestant(name, int(line), "/v2/models/m/infer", process)


@contextmanager
def _running(name: str, command: list[str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a server, and wait for the line that it prints once it listens."""
    process = subprocess.Popen(
        [sys.executable, *command], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise DigitlabError(f"{name} does not start; see why:  python {' '.join(command)}")
        yield process, line
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()

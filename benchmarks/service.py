"""The service under load, beside plain endpoints around the same network; it takes minutes.

    python -m benchmarks service [--model best] [--rounds 5]

Measures throughput, latency, overload and memory. Writes `service.json` and `.csv`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from case import printed_values
from command import at_least, run
from measured import add_place, environment, process_memory, results_file, write_results
from paths import FOLDER
from service_load import Report

from digitlab.bundle.files import find_bundle
from digitlab.cli.study_output import print_table
from digitlab.errors import DigitlabError
from digitlab.report.tables import TextTable

OURS = "digitlab"
CLIENTS = 32
OVERLOAD = 4.0
"""Rate of requests under overload, as a multiple of the peak."""
RECOVERY_SECONDS = 5

_LIVE_EVERY = 0.5


@dataclass(frozen=True)
class Server:
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


def service_figures(model: str, rounds: int, seconds: float, overload: float, soak: int) -> dict[str, Any]:
    """Measure the service beside its peers, all with one network, each in a process of its own.

    Args:
        model: name of a network, or a bundle's folder.
        rounds: number of rounds with all clients, over which medians are taken.
        seconds: seconds of one round and server, and of a single client; half load lasts twice as long.
        overload: seconds of overload.
        soak: number of requests after which the memory is compared.

    Returns:
        Plain values: `peak` by server, and for the service `idle`, `half`, `overload` and `memory`.

    Raises:
        UserError: there is no such network.
        DigitlabError: a server does not start, or answers nothing.
    """
    folder = find_bundle(model)
    with ExitStack() as stack:
        servers = [
            stack.enter_context(_ours(model)),
            stack.enter_context(_peer("onnx", "FastAPI + ONNX Runtime", folder)),
            stack.enter_context(_peer("keras", "FastAPI + Keras", folder)),
        ]
        peak = _peaks(servers, rounds, seconds)
    with _ours(model) as ours:  # started anew, with no other server beside it
        return {"peak": peak, **_alone(ours, peak[OURS]["rate"], seconds, overload, soak)}


def _peaks(servers: list[Server], rounds: int, seconds: float) -> dict[str, Any]:
    """Measure with all clients, in alternating rounds, so that other load affects all servers alike."""
    runs: dict[str, list[Report]] = {server.name: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            runs[server.name].append(_answers(server, seconds=seconds, clients=CLIENTS))
    return {name: _median(reports) for name, reports in runs.items()}


def _median(reports: list[Report]) -> dict[str, Any]:
    """Return the medians over the rounds; counts are added up."""
    statuses: Counter[int] = Counter()
    for report in reports:
        statuses.update(report.statuses)
    return {
        "rate": statistics.median(report.rate for report in reports),
        "p50": statistics.median(report.p50 for report in reports),
        "p99": statistics.median(report.p99 for report in reports),
        "right": statistics.median(report.right for report in reports),
        "generator_cpu": statistics.median(report.generator_cpu for report in reports),
        "rates": [report.rate for report in reports],
        "statuses": dict(sorted(statuses.items())),
        "broken": sum(report.broken for report in reports),
    }


def _alone(ours: Server, peak: float, seconds: float, overload: float, soak: int) -> dict[str, Any]:
    idle = _answers(ours, seconds=seconds, clients=1)
    half = _answers(ours, seconds=2 * seconds, rate=peak / 2)
    with _watched(ours) as waits:
        loaded = _answers(ours, seconds=overload, rate=OVERLOAD * peak, warm_up=0)
    recovery = [_ask(ours, seconds=1, rate=peak / 2, warm_up=0) for _ in range(RECOVERY_SECONDS)]
    return {
        "idle": asdict(idle),
        "half": asdict(half),
        "overload": {
            **asdict(loaded),
            "goodput": loaded.rate / peak,
            "slowdown": loaded.p99 / idle.p99,
            "live_longest": max(waits),
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


def _soak(ours: Server, peak: float, requests: int) -> dict[str, Any]:
    """Measure the memory before and after many requests; None where the system does not report it."""
    _ask(ours, seconds=requests / 10 / peak, clients=CLIENTS)
    before, asked = process_memory("VmRSS", ours.process.pid), 0
    while asked < requests:
        asked += sum(_answers(ours, seconds=10, clients=CLIENTS, warm_up=0).statuses.values())
    after = process_memory("VmRSS", ours.process.pid)
    growth = None if before is None or after is None else after - before
    return {"requests": asked, "before_bytes": before, "after_bytes": after, "growth_bytes": growth}


def _answers(server: Server, seconds: float, **options: float) -> Report:
    """Run the load generator, and require at least one answer, without which there are no latencies."""
    report = _ask(server, seconds=seconds, **options)
    if report.rate == 0:
        raise DigitlabError(
            f"{server.name} answered nothing within {seconds:g} s: the machine is too busy to measure on; "
            "let it rest, or give each round more --seconds"
        )
    return report


def _ask(server: Server, **options: float) -> Report:
    """Run the load generator with some options beside the server's own, in a process of its own."""
    command = [sys.executable, str(FOLDER / "service_load.py"), "--path", server.path]
    for name, value in {"port": server.port, **options}.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    values = printed_values("the load generator", command, [field.name for field in fields(Report)])
    # JSON has turned the statuses into text.
    values["statuses"] = {int(status): count for status, count in values["statuses"].items()}
    return Report(**values)


@contextmanager
def _watched(ours: Server) -> Iterator[list[float]]:
    """Check meanwhile whether the service is alive, and collect the response times, in seconds.

    The list has at least one time when the block has ended.
    """
    waits: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        while not waits or not ended.wait(_LIVE_EVERY):
            waits.append(_seconds_to_live(ours))

    with ThreadPoolExecutor(1) as threads:
        watching = threads.submit(watch)
        try:
            yield waits
        finally:
            ended.set()
        watching.result()


def _seconds_to_live(server: Server) -> float:
    began = time.perf_counter()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/v2/health/live", timeout=30):
            return time.perf_counter() - began
    except OSError as error:
        raise DigitlabError(f"{server.name} did not say that it is alive: {error}") from None


@contextmanager
def _ours(model: str) -> Iterator[Server]:
    command = ["-m", "digitlab", "serve", "--port", "0", "--model", model]
    with _running(OURS, command) as (process, line):
        port = urlsplit(line).port
        assert port is not None
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/models", timeout=30) as answer:
            name = json.load(answer)["default"]
        yield Server(OURS, port, f"/v2/models/{name}/infer", process)


@contextmanager
def _peer(kind: str, name: str, folder: Path) -> Iterator[Server]:
    command = [str(FOLDER / "service_peers.py"), kind, str(folder)]
    with _running(name, command) as (process, line):
        yield Server(name, int(line), "/v2/models/m/infer", process)


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


def _peak_table(peak: dict[str, Any]) -> TextTable:
    columns = (f"{CLIENTS} clients", "requests/s", "digitlab is faster by", "median, ms", "p99, ms")
    rows = []
    for name, values in peak.items():
        times_faster = peak[OURS]["rate"] / values["rate"]
        rows.append(
            (
                name,
                f"{values['rate']:,.0f}",
                f"{times_faster:.2f}",
                f"{1000 * values['p50']:.1f}",
                f"{1000 * values['p99']:.1f}",
            )
        )
    return TextTable(columns, tuple(rows), (False, True, True, True, True))


def _load_table(figures: dict[str, Any]) -> TextTable:
    """Return a row for each load of the service alone."""
    rows = []
    for name, what in (("idle", "one client"), ("half", "half load"), ("overload", "overload of 4 x")):
        values = figures[name]
        statuses = ", ".join(f"{count:,} x {status}" for status, count in values["statuses"].items())
        median, p99 = f"{1000 * values['p50']:.1f}", f"{1000 * values['p99']:.1f}"
        rows.append((what, f"{values['rate']:,.0f}", median, p99, statuses))
    columns = ("the service alone", "answers/s", "median, ms", "p99, ms", "statuses")
    return TextTable(columns, tuple(rows), (False, True, True, True, False))


def _notes(figures: dict[str, Any]) -> Iterator[str]:
    """Yield sentences about overload and memory."""
    overload, memory = figures["overload"], figures["memory"]
    seconds = overload["seconds_to_recover"]
    recovered = "too late" if seconds is None else f"in {seconds} s"
    yield (
        f"{100 * overload['goodput']:.0f} % of the peak is answered meanwhile; p99 is "
        f"{overload['slowdown']:.1f} times that of one client; alive within "
        f"{1000 * overload['live_longest']:.0f} ms; recovered {recovered}"
    )
    if memory["growth_bytes"] is not None:
        yield f"memory after {memory['requests']:,} requests: {memory['growth_bytes'] / 2**20:+.1f} MiB"


def main() -> None:
    parser = argparse.ArgumentParser(description="Load the service beside plain endpoints.")
    parser.add_argument("--model", default="best", metavar="BUNDLE|NAME", help="the network [best]")
    parser.add_argument("--rounds", type=at_least(1), default=5, help="rounds; medians are over them [5]")
    parser.add_argument(
        "--seconds", type=at_least(0.5), default=5.0, help="of one round and server, and of one client [5]"
    )
    parser.add_argument(
        "--overload", type=at_least(1.0), default=30.0, help="seconds of four times the peak [30]"
    )
    parser.add_argument(
        "--soak",
        type=at_least(1),
        default=100_000,
        help="requests after which the memory is compared [100000]",
    )
    add_place(parser)
    chosen = parser.parse_args()
    path = results_file(chosen, "service")
    figures = service_figures(chosen.model, chosen.rounds, chosen.seconds, chosen.overload, chosen.soak)
    figures |= {"model": chosen.model, "rounds": chosen.rounds, "environment": environment()}
    print_table(_peak_table(figures["peak"]))
    print_table(_load_table(figures))
    for sentence in _notes(figures):
        print(sentence)
    rows = [{"what": name, **values} for name, values in figures["peak"].items()]
    rows += [{"what": f"{OURS}, {name}", **figures[name]} for name in ("idle", "half", "overload")]
    write_results(path, figures, rows)


if __name__ == "__main__":
    run(main)

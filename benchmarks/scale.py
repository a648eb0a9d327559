"""What limits large studies: executors, the store and the planning, each measured by itself.

    python -m benchmarks scale tasks [--items 2000]         empty trials a second, by executor
    python -m benchmarks scale reports                      reports a second that Ray's driver takes
    python -m benchmarks scale overhead [--seconds 10]      what Ray adds to trials of so many seconds
    python -m benchmarks scale store [--results 100000]     a store of made-up results, and `study show`
    python -m benchmarks scale planning [--results 100000]  until the first trial of such a study starts

Executors take turns on the same two cores, several rounds; quote the ratios. Where one process works alone,
the seconds of its processor stand beside those of the clock, which a busy machine stretches. The figures are
kept in `scale.json` in digitlab-results/measurements, or where --out says.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from command import run
from measured import add_place, read_results, results_file, write_results
from scale_tasks import compute, nothing, report_often

from digitlab.results.record import EpochRecord, Result, Scores
from digitlab.results.store import Store
from digitlab.spec import Axis, Plan, Study, Trial, make_plan, resolve_recipe
from digitlab.studies import Executor, ProcessExecutor, read_table, run_plans
from digitlab.studies.executors.base import Event, Failed, Task
from digitlab.studies.observers import Observer
from digitlab.training.process import environment

CORES = 2
TOGETHER = 100
"""Number of results that come at the same time, as from hundreds of workers."""
LABELS = np.arange(10_000, dtype=np.uint8) % 10


@contextmanager
def executors(cores: int = CORES) -> Iterator[dict[str, Executor]]:
    """Both executors with so many workers; Ray is started once, so that its start is not counted."""
    from digitlab.studies import RayExecutor

    import ray  # isort: skip

    ray.init("local", num_cpus=cores, include_dashboard=False, log_to_driver=False, logging_level=50)
    try:
        yield {"processes": ProcessExecutor(cores), "ray": RayExecutor()}
    finally:
        ray.shutdown()


def seconds_of(executor: Executor, task: Task, items: list[Any]) -> float:
    """Time a run of some items, without what a run of one empty item takes."""

    def refuse(event: Event) -> None:
        if isinstance(event, Failed):
            raise SystemExit(event.reason)

    begin = time.perf_counter()
    executor.run(nothing, [0], refuse)
    alone = time.perf_counter() - begin
    begin = time.perf_counter()
    executor.run(task, items, refuse)
    return time.perf_counter() - begin - alone


def measure_tasks(items: int, rounds: int) -> dict[str, Any]:
    """Empty trials a second; and with Ray, with more of them in flight, as on a larger cluster."""
    from digitlab.studies import RayExecutor

    with executors() as both:
        for in_flight in (200, 2_000):
            both[f"ray, {in_flight:,} in flight"] = RayExecutor(workers=in_flight)
        rates: dict[str, list[float]] = {name: [] for name in both}
        for executor in both.values():
            seconds_of(executor, nothing, list(range(20)))  # workers start
        for _ in range(rounds):
            for name, executor in both.items():
                rates[name].append(items / seconds_of(executor, nothing, list(range(items))))
    for name, values in rates.items():
        print(f"{name:24} {statistics.median(values):8.0f} empty trials a second")
    return rates


def measure_reports(rounds: int) -> dict[str, Any]:
    """Reports a second that reach the driver from more workers than can be served."""
    workers, reports = 8, 300
    with executors(workers) as both:
        rates: dict[str, list[float]] = {name: [] for name in both}
        for i in range(rounds + 1):
            for name, executor in both.items():
                seconds = seconds_of(executor, report_often, [reports] * workers)
                if i > 0:  # in the first round workers start
                    rates[name].append(workers * reports / seconds)
    for name, values in rates.items():
        print(f"{name:24} {statistics.median(values):8.0f} reports a second")
    return rates


def measure_overhead(seconds: float, rounds: int) -> dict[str, Any]:
    """Seconds for four trials a core; and how much longer Ray takes, round by round."""
    items = [seconds] * (4 * CORES)
    taken: list[dict[str, float]] = []
    ratios = []
    with executors() as both:
        for executor in both.values():
            seconds_of(executor, compute, [0.01] * CORES)  # workers start
        for _ in range(rounds):
            taken.append({name: seconds_of(executor, compute, items) for name, executor in both.items()})
    for round_ in taken:
        processes, ray = round_["processes"], round_["ray"]
        ratios.append(ray / processes)
        print(f"processes {processes:6.1f} s   ray {ray:6.1f} s   {100 * (ratios[-1] - 1):+.1f} %")
    print(f"ray takes {100 * (statistics.median(ratios) - 1):+.1f} % for trials of about {seconds:g} s")
    return {"trial_seconds": seconds, "seconds": taken}


def large_plan(results: int, seeds: int = 100) -> Plan:
    """A study of so many trials: widths of one hidden layer by seeds."""
    widths = Axis(path="model.hidden.0", values=tuple(range(1, results // seeds + 1)))
    study = Study(name="large", question="How wide?", recipe="mlp", axes=(widths,), seeds=seeds)
    return make_plan(study, resolve_recipe("mlp"), "0" * 64, "float32")


def made_up(trial: Trial, random: np.random.Generator) -> Result:
    """A result as large as a real one, of a network that errs on about 2 % of the images."""
    wrong = random.binomial(10_000, 0.02, len(trial.checkpoints))
    scores = {}
    for epoch, errors in zip(trial.checkpoints, wrong, strict=True):
        scores[epoch] = Scores(
            images=10_000,
            correct=10_000 - int(errors),
            mse=float(errors) / 6e6,
            log_loss=float(errors) / 3e4,
            calibration_error=random.random() / 100,
            confusion=tuple(map(tuple, random.integers(0, 1000, (10, 10)).tolist())),
        )
    history = []
    for epoch in range(1, trial.training.epochs + 1):
        values = dict(zip(NUMBERS, random.random(7), strict=True))
        history.append(EpochRecord(epoch=epoch, **values))
    return Result(
        trial=trial,
        history=tuple(history),
        validation=scores,
        test=scores,
        predictions=dict.fromkeys(scores, LABELS),
        parameters=101_770,
        multiply_adds=101_632,
        build_seconds=1.0,
        environment={"digitlab": "0.1.0", "cpu": "a made-up one"},
    )


NUMBERS = tuple(name for name in EpochRecord.model_fields if name != "epoch")


class Seconds(NamedTuple):
    """How long something took by the clock, and of the processor."""

    clock: float
    processor: float


def timed(work: Callable[[], object]) -> Seconds:
    """Time work of this process and of those that it starts and waits for."""
    begin, before = time.perf_counter(), os.times()
    work()
    after = os.times()
    return Seconds(time.perf_counter() - begin, sum(after[:4]) - sum(before[:4]))


def median_of(times: Sequence[Seconds]) -> Seconds:
    """Return the medians of the clock and of the processor, each by itself."""
    clock = statistics.median(item.clock for item in times)
    processor = statistics.median(item.processor for item in times)
    return Seconds(clock, processor)


def measure_store(results: int, rounds: int) -> dict[str, Any]:
    """Fill a store, a hundred results in a transaction; show an ordinary study of it, and read all of it."""
    plan = large_plan(results)
    ordinary = plan.model_copy(update={"study": few_levels(plan.study)})
    random = np.random.default_rng(0)
    made = [made_up(trial, random) for trial in plan.trials[:100]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        with Store(path) as store:
            store.save_plan(plan)
            store.save_plan(ordinary)
            filled = timed(lambda: fill(store, plan, made))
        with Store(path) as store, store.exclusive():
            pass  # what is still in the journal goes into the file
        milliseconds = 1000 / results  # a result, for each second of all
        one_result = Seconds(filled.clock * milliseconds, filled.processor * milliseconds)
        figures = {
            "a result kept, milliseconds": [one_result],
            "`study show` of an ordinary study": [timed(lambda: show(path, ordinary)) for _ in range(rounds)],
            "its table alone": [timed(lambda: table_of(path, ordinary)) for _ in range(rounds)],
            "the table of all results": [timed(lambda: table_of(path, plan)) for _ in range(rounds)],
        }
        megabytes = path.stat().st_size / 1e6
    print(f"{results:,} results, {megabytes:,.0f} MB {'clock':>23} {'processor':>10}")
    for name, times in figures.items():
        median = median_of(times)
        print(f"{name:40} {median.clock:10.2f} {median.processor:10.2f}")
    return {"results": results, "megabytes": megabytes, **figures}


def fill(store: Store, plan: Plan, made: Sequence[Result]) -> None:
    """Keep a made-up result of each trial of a plan."""
    for begin in range(0, len(plan.trials), TOGETHER):
        results = []
        for i, trial in enumerate(plan.trials[begin : begin + TOGETHER]):
            results.append(made[i % len(made)].model_copy(update={"trial": trial}))
        store.record(finished=results)


def few_levels(study: Study) -> Study:
    """The same study with fifteen of its levels and five of its seeds, as those of the classroom have."""
    (axis,) = study.axes
    few = axis.model_copy(update={"values": axis.values[:15]})
    return study.model_copy(update={"name": "ordinary", "axes": (few,), "seeds": 5})


def show(store: Path, plan: Plan) -> None:
    """Run `digitlab study show`, from the start of Python to its end."""
    command = [sys.executable, "-m", "digitlab", "study", "show", plan.study.name, "--store", str(store)]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def table_of(path: Path, plan: Plan) -> None:
    """Read the table of a study."""
    fresh = Plan.from_json(plan.to_json())  # that has made no trials yet
    with Store(path, create=False) as store:
        read_table(fresh, store, curves=False)


class BegunError(Exception):
    """Ends a run as its first trial would start."""


class Stopper:
    """An executor that starts nothing; fulfils `Executor` but for that."""

    def run(
        self,
        task: Task,
        items: Any,
        on_event: Callable[[Event], None],
        on_wait: Callable[[], None] = lambda: None,
    ) -> None:
        """Raise `BegunError`."""
        raise BegunError


def measure_planning(results: int, rounds: int) -> dict[str, Any]:
    """Seconds from the plan of a study to the start of its first trial."""
    taken = [timed(lambda: begin_study(results)) for _ in range(rounds)]
    clock, processor = median_of(taken)
    print(f"until the first of {results:,} trials starts: {clock:.1f} s, {processor:.1f} s of the processor")
    return {"results": results, "seconds": taken}


def begin_study(results: int) -> None:
    """Run a study of so many trials until the first would start."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Store(Path(folder) / "store.sqlite") as store,
        suppress(BegunError),
    ):
        run_plans([large_plan(results)], store, Stopper(), Observer())


def main() -> None:
    parser = argparse.ArgumentParser(description="What limits large studies.")
    parser.add_argument("what", choices=("tasks", "reports", "overhead", "store", "planning"))
    parser.add_argument("--items", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--results", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    add_place(parser)
    arguments = parser.parse_args()
    path = results_file(arguments, "scale")
    match arguments.what:
        case "tasks":
            figures = measure_tasks(arguments.items, arguments.rounds)
        case "reports":
            figures = measure_reports(arguments.rounds)
        case "overhead":
            figures = measure_overhead(arguments.seconds, arguments.rounds)
        case "store":
            figures = measure_store(arguments.results, arguments.rounds)
        case _:
            figures = measure_planning(arguments.results, arguments.rounds)
    known = read_results(path) if path.exists() else {}
    write_results(path, known | {"environment": environment(), arguments.what: figures})


if __name__ == "__main__":
    run(main)

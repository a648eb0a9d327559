"""Speed of the classroom study by digitlab's worker processes and by `keras.Model.fit`: half an hour.

    python -m benchmarks study [NETWORK ...] [--workers N] [--rounds 3] [--epochs 4]

Both train the networks of a sample, from which the whole is extrapolated: each training of the classroom
counts as the sampled one with as many convolutions that is nearest in multiply-adds and batch size. Building,
starting processes and scoring are left out on both sides. Runs are saved as they end; an interrupted
benchmark resumes. Writes `study.json` and `.csv`; of some networks alone, the table only with --out.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from case import JobRequest
from command import at_least, run
from epochs import FIT, epoch_case, time_epoch, title
from measured import add_place
from paths import results_folder
from run_log import RunLog
from summary import median_ratio

from digitlab.cli.console import say
from digitlab.cli.study_output import print_table
from digitlab.data import load
from digitlab.errors import UserError
from digitlab.models.costs import cost
from digitlab.report.tables import TextTable
from digitlab.spec import Recipe, Trial, minimal_runs, resolve_collection, resolve_recipe
from digitlab.spec.study import with_settings
from digitlab.studies import plan_study
from digitlab.training.process import available_cores, environment, require_libraries

SAMPLE: dict[str, tuple[str, dict[str, Any]]] = {
    "mlp": ("mlp", {}),
    "mlp, 16 neurons": ("mlp", {"model.hidden.0": 16}),
    "mlp, batch 32": ("mlp", {"training.batch_size": 32}),
    "mlp, 1024 neurons": ("mlp", {"model.hidden.0": 1024}),
    "cnn": ("cnn", {}),
    "cnn, kernel 9": ("cnn", {"model.convolutions.0.kernel_size": 9}),
    "cnn, dense 512": ("cnn", {"model.dense.0": 512}),
    "deep-cnn": ("deep-cnn", {}),
    "lenet-5": ("lenet-5", {}),
    "resnet": ("resnet", {}),
}
SEEDS = 3
"""Number of seeds of the classroom that the sample stands for."""

TOGETHER = "the classroom"


class Network(NamedTuple):
    """A sampled network, as it was measured.

    Attributes:
        name: name in the sample.
        recipe: recipe of the network.
        seconds: seconds per epoch in each round, by method.
        memory_mb: peak memory of one process in MiB, by method (None: not reported).
    """

    name: str
    recipe: Recipe
    seconds: dict[str, list[float]]
    memory_mb: dict[str, float | None]

    def median(self, method: str) -> float:
        """Return a method's median seconds per epoch over the rounds."""
        return statistics.median(self.seconds[method])

    def times_fit(self, method: str) -> float:
        """Return a method's speedup over `fit`: the median of the ratios in each round."""
        return median_ratio(self.seconds[FIT], self.seconds[method])


def measure_sample(
    names: Sequence[str], workers: Sequence[int], rounds: int, epochs: int, log: RunLog
) -> list[Network]:
    """Measure sampled networks in turn, for some rounds; runs that the log has are not repeated.

    Args:
        names: names of networks in `SAMPLE`; empty for all.
        workers: numbers of workers, each a method of its own.
        rounds: number of rounds.
        epochs: number of epochs of one training, 2 or more; the first is not timed.
        log: earlier runs, to which each new run is added.

    Raises:
        UserError: a name is not in `SAMPLE`.
        DigitlabError: a run failed; the runs before it are saved.
    """
    methods = (FIT, *map(str, workers))
    recipes = {name: _sampled(name) for name in names or SAMPLE}
    cases = {
        (name, method): epoch_case(name, recipe, epochs, method)
        for name, recipe in recipes.items()
        for method in methods
    }
    requests = [JobRequest(case, i) for i in range(rounds) for case in cases.values()]
    log.complete("study", requests, lambda request: time_epoch(request.case))
    networks = []
    for name, recipe in recipes.items():
        seconds: dict[str, list[float]] = {}
        memory_mb: dict[str, float | None] = {}
        for method in methods:
            runs = log.runs(cases[name, method])[:rounds]  # the log may have more, of a longer benchmark
            seconds[method] = [run["seconds"] for run in runs]
            memory_mb[method] = _peak(runs)
        networks.append(Network(name, recipe, seconds, memory_mb))
    return networks


def _peak(runs: Sequence[dict[str, Any]]) -> float | None:
    reported = [run["memory_mb"] for run in runs if run["memory_mb"] is not None]
    return max(reported, default=None)


def _sampled(name: str) -> Recipe:
    if name not in SAMPLE:
        raise UserError(f"network {name!r}: expected one of: {'; '.join(SAMPLE)}")
    recipe, settings = SAMPLE[name]
    return with_settings(resolve_recipe(recipe), settings, name)


def study_rows(networks: Sequence[Network]) -> list[dict[str, Any]]:
    """Return a row for each network and method; with all networks of the sample, also for the classroom.

    Args:
        networks: measured networks, at least one.
    """
    rows = [_row(network, method) for network in networks for method in network.seconds]
    if len(networks) == len(SAMPLE):  # the classroom is extrapolated from all of them
        rows += _together(networks)
    return rows


def _row(network: Network, method: str) -> dict[str, Any]:
    return {
        "network": network.name,
        "by": title(method),
        "trial_epochs_a_second": 1 / network.median(method),
        "times_fit": network.times_fit(method),
        "memory_mb": network.memory_mb[method],
    }


def _together(networks: Sequence[Network]) -> list[dict[str, Any]]:
    load_once = cache(load)
    studies = resolve_collection("classroom").studies
    plans = [plan_study(name, seeds=SEEDS, load=load_once) for name in studies]
    trainings = minimal_runs(trial for plan in plans for trial in plan.trials)
    epochs = sum(trial.training.epochs for trial in trainings)
    seconds = {method: _seconds(trainings, networks, method) for method in networks[0].seconds}
    return [
        {
            "network": TOGETHER,
            "by": title(method),
            "trial_epochs_a_second": epochs / seconds[method],
            "times_fit": seconds[FIT] / seconds[method],
            "seconds": seconds[method],
            "trainings": len(trainings),
        }
        for method in seconds
    ]


def _seconds(trainings: Iterable[Trial], networks: Sequence[Network], method: str) -> float:
    return sum(nearest(trial, networks).median(method) * trial.training.epochs for trial in trainings)


def nearest(trial: Trial, networks: Sequence[Network]) -> Network:
    """Find the sampled network that is most similar to a trial's.

    Args:
        trial: trial of the classroom.
        networks: networks of the sample.
    """

    def distance(network: Network) -> tuple[bool, float]:
        recipe = network.recipe
        alike = _depth(trial) == _depth(recipe)
        work = cost(trial.model).multiply_adds / cost(recipe.model).multiply_adds
        batch = trial.training.batch_size / recipe.training.batch_size
        return not alike, abs(math.log(work)) + abs(math.log(batch))

    return min(networks, key=distance)


def _depth(spec: Trial | Recipe) -> int:
    return len(spec.model.convolutions) if spec.model.family == "cnn" else 0


def study_table(rows: Sequence[dict[str, Any]]) -> TextTable:
    """Format trial-epochs per second, one row per network: `fit`, then each number of workers with its ratio.

    Args:
        rows: rows that `study_rows` returned.
    """
    names = list(dict.fromkeys(row["network"] for row in rows))
    methods = list(dict.fromkeys(row["by"] for row in rows))
    cells = {(row["network"], row["by"]): row for row in rows}
    columns = ["trial-epochs a second", methods[0]]
    for method in methods[1:]:
        columns += [method, "times fit"]
    written = []
    for name in names:
        line = [name, f"{cells[name, methods[0]]['trial_epochs_a_second']:.2f}"]
        for method in methods[1:]:
            row = cells[name, method]
            line += [f"{row['trial_epochs_a_second']:.2f}", f"{row['times_fit']:.1f}"]
        written.append(tuple(line))
    return TextTable(tuple(columns), tuple(written), (False, *[True] * (len(columns) - 1)))


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the classroom's networks beside keras.fit.")
    parser.add_argument(
        "networks",
        nargs="*",
        metavar="NETWORK",
        help="networks of the sample [all, which stand for the whole]",
    )
    parser.add_argument(
        "--workers",
        type=at_least(1),
        action="append",
        metavar="N",
        help="worker processes [1 and one a core]; may be given more than once",
    )
    parser.add_argument("--rounds", type=at_least(1), default=3, help="rounds; medians are over them [3]")
    parser.add_argument(
        "--epochs", type=at_least(2), default=4, help="of one training; the first is not timed [4]"
    )
    add_place(parser)
    chosen = parser.parse_args()
    require_libraries()
    log = RunLog(results_folder(chosen.out, chosen.publish) / "study.json", environment())
    workers = sorted(set(chosen.workers or [1, available_cores()]))
    rows = study_rows(measure_sample(chosen.networks, workers, chosen.rounds, chosen.epochs, log))
    print_table(study_table(rows))
    if not chosen.networks or chosen.out is not None:
        log.summarize(rows)
    say(f"kept in {log.path}")


if __name__ == "__main__":
    run(main)

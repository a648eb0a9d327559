"""Speed of the classroom study by digitlab's worker processes and by a script with `keras.Model.fit`.

Both train the networks of a sample, from which the whole is extrapolated: each training of the classroom
counts as the sampled one with as many convolutions that is nearest in multiply-adds and batch size. Building,
starting processes and scoring are left out on both sides.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from digitlab.errors import UserError
from digitlab.models.costs import cost
from digitlab.report.tables import TextTable
from digitlab.spec import Recipe, Trial, cover, resolve_collection, resolve_recipe
from digitlab.spec.study import with_settings
from digitlab.speed.board import Progress
from digitlab.speed.book import Book, key_of
from digitlab.speed.epochs import FIT, epoch_of
from digitlab.speed.places import training_code
from digitlab.studies import plan_study

SAMPLE: dict[str, tuple[str, dict[str, Any]]] = {
    "mlp": ("mlp", {}),
    "mlp, 16 neurons": ("mlp", {"model.hidden.0": 16}),
    "mlp, batch 32": ("mlp", {"training.batch_size": 32}),
    "mlp, 1024 neurons": ("mlp", {"model.hidden.0": 1024}),
    "cnn": ("cnn", {}),
    "cnn, kernel 9": ("cnn", {"model.convolutions.0.kernel_size": 9}),
    "cnn, dense 512": ("cnn", {"model.dense.0": 512}),
    "deep-cnn": ("deep-cnn", {}),
}
SEEDS = 3
"""Number of seeds of the classroom that the sample stands for."""

TOGETHER = "the classroom"


class Network(NamedTuple):
    """A sampled network, with the seconds per epoch by contestant and round, and the peak memory."""

    name: str
    recipe: Recipe
    seconds: dict[str, list[float]]
    memory_mb: dict[str, float | None]

    def median(self, who: str) -> float:
        """Return a contestant's median seconds per epoch over the rounds."""
        return statistics.median(self.seconds[who])

    def times_fit(self, who: str) -> float:
        """Return a contestant's speedup over `fit`: the median of the ratios in each round."""
        pairs = zip(self.seconds[FIT], self.seconds[who], strict=True)
        return statistics.median(fit / mine for fit, mine in pairs)


class Lengths(NamedTuple):
    """Number of rounds, and of epochs in one training."""

    rounds: int
    epochs: int


def measure_sample(
    names: Sequence[str], workers: Sequence[int], lengths: Lengths, book: Book, progress: Progress
) -> list[Network]:
    """Measure sampled networks in turn, for some rounds; runs that the book has are not repeated.

    Args:
        names: names of networks in `SAMPLE`; empty for all.
        workers: numbers of workers, each a contestant of its own.
        lengths: numbers of rounds and epochs.
        book: earlier runs, to which each new run is added.
        progress: function that opens a progress bar; see `board.run_board`.

    Raises:
        UserError: a name is not in `SAMPLE`.
        DigitlabError: a run failed; the runs before it are saved.
    """
    everybody = (FIT, *map(str, workers))
    recipes = {name: _sampled(name) for name in names or SAMPLE}
    orders = [
        (name, who, number) for number in range(lengths.rounds) for name in recipes for who in everybody
    ]
    keys = {(name, who): _key(recipes[name], lengths.epochs, who) for name, who, _ in orders}
    todo = [(name, who, number) for name, who, number in orders if not book.has(keys[name, who], number)]
    with progress("study", len(todo)) as tell:
        for name, who, number in todo:
            tell(f"{name} by {title(who)}, round {number + 1}")
            run = epoch_of(recipes[name], lengths.epochs, who)
            book.add(f"{name} by {title(who)}", keys[name, who], number, run)
    found = {pair: book.runs(key)[: lengths.rounds] for pair, key in keys.items()}
    return [
        Network(
            name,
            recipe,
            {who: [run["seconds"] for run in found[name, who]] for who in everybody},
            {who: _peak(found[name, who]) for who in everybody},
        )
        for name, recipe in recipes.items()
    ]


def _peak(runs: Sequence[dict[str, Any]]) -> float | None:
    return max((run["memory_mb"] for run in runs if run["memory_mb"] is not None), default=None)


def _sampled(name: str) -> Recipe:
    if name not in SAMPLE:
        raise UserError(f"network {name!r}: expected one of: {'; '.join(SAMPLE)}")
    recipe, settings = SAMPLE[name]
    return with_settings(resolve_recipe(recipe), settings, name)


def title(who: str) -> str:
    """Return the name of a contestant, for people."""
    if who == FIT:
        return "keras.fit"
    return "1 worker" if who == "1" else f"{who} workers"


def _key(recipe: Recipe, epochs: int, who: str) -> str:
    return key_of(recipe.to_json(), str(epochs), who, training_code("epochs"))


def study_rows(networks: Sequence[Network]) -> list[dict[str, Any]]:
    """Return a row for each network and contestant; with all networks of the sample, also for the classroom.

    Args:
        networks: measured networks, at least one.
    """
    rows = [_row(network, who) for network in networks for who in network.seconds]
    return rows + (_together(networks) if len(networks) == len(SAMPLE) else [])


def _row(network: Network, who: str) -> dict[str, Any]:
    return {
        "network": network.name,
        "by": title(who),
        "trial_epochs_a_second": 1 / network.median(who),
        "times_fit": network.times_fit(who),
        "memory_mb": network.memory_mb[who],
    }


def _together(networks: Sequence[Network]) -> list[dict[str, Any]]:
    plans = [plan_study(name, seeds=SEEDS) for name in resolve_collection("classroom").studies]
    trainings = cover(trial for plan in plans for trial in plan.trials)
    epochs = sum(trial.training.epochs for trial in trainings)
    seconds = {who: _seconds(trainings, networks, who) for who in networks[0].seconds}
    return [
        {
            "network": TOGETHER,
            "by": title(who),
            "trial_epochs_a_second": epochs / seconds[who],
            "times_fit": seconds[FIT] / seconds[who],
            "seconds": seconds[who],
            "trainings": len(trainings),
        }
        for who in seconds
    ]


def _seconds(trainings: Iterable[Trial], networks: Sequence[Network], who: str) -> float:
    return sum(nearest(trial, networks).median(who) * trial.training.epochs for trial in trainings)


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
    everybody = list(dict.fromkeys(row["by"] for row in rows))
    cells = {(row["network"], row["by"]): row for row in rows}
    columns = ["trial-epochs a second", everybody[0]]
    for who in everybody[1:]:
        columns += [who, "times fit"]
    written = []
    for name in names:
        line = [name, f"{cells[name, everybody[0]]['trial_epochs_a_second']:.2f}"]
        for who in everybody[1:]:
            row = cells[name, who]
            line += [f"{row['trial_epochs_a_second']:.2f}", f"{row['times_fit']:.1f}"]
        written.append(tuple(line))
    return TextTable(tuple(columns), tuple(written), (False, *[True] * (len(columns) - 1)))

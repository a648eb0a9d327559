"""The classroom study by our worker processes and by a plain script with `keras.Model.fit`, from a sample.

Both train an epoch of each sampled network side by side; the whole is extrapolated from it: every training of
the classroom counts as the sampled one of its family that is nearest in multiply-adds and batch size.
Building, starting processes and scoring are left out on both sides.
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
"""Of the classroom that the sample stands for."""

TOGETHER = "the classroom"


class Network(NamedTuple):
    """A sampled network, and the seconds that an epoch of it took, by contestant and round."""

    name: str
    recipe: Recipe
    seconds: dict[str, list[float]]
    memory_mb: dict[str, float | None]

    def median(self, who: str) -> float:
        """Give the median over the rounds."""
        return statistics.median(self.seconds[who])

    def times_fit(self, who: str) -> float:
        """Say how much faster than `fit` it is: of each round, then the median."""
        pairs = zip(self.seconds[FIT], self.seconds[who], strict=True)
        return statistics.median(fit / mine for fit, mine in pairs)


class Lengths(NamedTuple):
    """How much is measured: rounds, and epochs of one training."""

    rounds: int
    epochs: int


def measure_sample(
    names: Sequence[str], workers: Sequence[int], lengths: Lengths, book: Book, progress: Progress
) -> list[Network]:
    """Measure sampled networks in turn, so many rounds; what the book has is not measured again.

    Args:
        names: of networks in `SAMPLE`; none: all.
        workers: worker counts.
        lengths: rounds and epochs.
        book: that knows what was done before, and is told of each run.
        progress: opens a bar of a name and so many parts.

    Raises:
        UserError: there is no such network.
        DigitlabError: a run failed; those before it are kept.
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
    """Name a contestant of the study."""
    if who == FIT:
        return "keras.fit"
    return "1 worker" if who == "1" else f"{who} workers"


def _key(recipe: Recipe, epochs: int, who: str) -> str:
    return key_of(recipe.to_json(), str(epochs), who, training_code("epochs"))


def study_rows(networks: Sequence[Network]) -> list[dict[str, Any]]:
    """Give a row for each network and contestant; where all networks are there, also for the classroom.

    Args:
        networks: that were measured, at least one.
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
    """Find the sampled network that is most like a trial's.

    Args:
        trial: of the classroom.
        networks: of the sample.
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
    """Write trial-epochs a second: a row a network, `fit` first, then by worker count, beside the ratio.

    Args:
        rows: as `study_rows` gives them.
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

"""The classroom study by digitlab and by a plain script with `keras.Model.fit`, from a sample.

Both train an epoch of each sampled network side by side (`epoch.py`); the whole is extrapolated from it:
every training of the classroom counts as the sampled one of its family that is nearest in multiply-adds and
batch size. Building, starting processes and scoring are left out on both sides. Writes
`benchmarks/results/classroom.json`.

    python benchmarks/classroom.py [--rounds 2] [--epochs 3]
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from pathlib import Path
from typing import NamedTuple

from epoch import CONTESTANTS, measure

from digitlab.models.costs import cost
from digitlab.spec import Recipe, Trial, cover, resolve_collection, resolve_recipe
from digitlab.spec.study import with_settings
from digitlab.studies import plan_study
from digitlab.training.process import environment

SAMPLE = {
    "mlp, 16 neurons": ("mlp", {"model.hidden.0": 16}),
    "mlp, 128 neurons": ("mlp", {}),
    "mlp, 128 neurons, batch 32": ("mlp", {"training.batch_size": 32}),
    "mlp, 1024 neurons": ("mlp", {"model.hidden.0": 1024}),
    "cnn": ("cnn", {}),
    "cnn, kernel 9": ("cnn", {"model.convolutions.0.kernel_size": 9}),
    "cnn, dense 512": ("cnn", {"model.dense.0": 512}),
    "deep-cnn": ("deep-cnn", {}),
}


class Measured(NamedTuple):
    """A sampled network, and what an epoch of it takes each contestant, in seconds."""

    name: str
    recipe: Recipe
    seconds: dict[str, float]


def sample(rounds: int, epochs: int) -> list[Measured]:
    """Measure every sampled network."""
    networks = []
    for name, (base, settings) in SAMPLE.items():
        recipe = with_settings(resolve_recipe(base), settings, name)
        runs = measure(recipe, rounds, epochs)
        seconds = {who: statistics.median(run[who]["seconds"] for run in runs) for who in CONTESTANTS}
        networks.append(Measured(name, recipe, seconds))
        print(f"{name:28}" + "".join(f"{seconds[who]:10.3f}" for who in CONTESTANTS), flush=True)
    return networks


def nearest(trial: Trial, networks: list[Measured]) -> Measured:
    """Find the sampled network that is most like a trial's."""

    def distance(network: Measured) -> tuple[bool, float]:
        recipe = network.recipe
        depth = len(getattr(trial.model, "convolutions", ())) == len(
            getattr(recipe.model, "convolutions", ())
        )
        work = cost(trial.model).multiply_adds / cost(recipe.model).multiply_adds
        batch = trial.training.batch_size / recipe.training.batch_size
        return not depth, abs(math.log(work)) + abs(math.log(batch))

    return min(networks, key=distance)


def main() -> None:
    parser = argparse.ArgumentParser(description="The classroom study against keras.fit, extrapolated.")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{'seconds an epoch':28}" + "".join(f"{who:>10.10}" for who in CONTESTANTS))
    networks = sample(arguments.rounds, arguments.epochs)
    plans = [plan_study(name, seeds=3) for name in resolve_collection("classroom").studies]
    trainings = cover(trial for plan in plans for trial in plan.trials)
    asked = {trial.id: trial for plan in plans for trial in plan.trials}.values()
    total = {
        who: sum(nearest(t, networks).seconds[who] * t.training.epochs for t in trainings)
        for who in CONTESTANTS
    }
    unshared = sum(nearest(t, networks).seconds["fit"] * t.training.epochs for t in asked)
    ours = total[CONTESTANTS[-1]]
    print(f"classroom, 3 seeds, {len(trainings)} trainings: fit {total['fit']:.0f} s, digitlab {ours:.0f} s, "
          f"{total['fit'] / ours:.1f} times faster")  # fmt: skip
    print(f"against fit that shares nothing between studies, {unshared:.0f} s: {unshared / ours:.1f} times")
    values = {
        "environment": environment(),
        "sample": {network.name: network.seconds for network in networks},
        "classroom_seconds": total,
        "fit_seconds_without_sharing": unshared,
    }
    folder = Path(__file__).parent / "results"
    (folder / "classroom.json").write_text(json.dumps(values, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""What an accelerator brings: one training with JAX, and many seeds of it at once.

For each it says the seconds before the first epoch (data, networks, compilation), the seconds of the epochs,
and the test accuracy. Writes `accelerator.json` and `.csv` into digitlab-results/measurements, or --out.

    pip install "jax[cuda13]"
    python benchmarks/accelerator.py RECIPE --seeds 30
    python benchmarks/accelerator.py RECIPE --set training.epochs=9 --target 0.994

Without an accelerator it measures JAX on the processor, which is not what JAX is here for.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from measured import add_place, results_file, write_results

from digitlab.training.many_seeds import train_seeds
from digitlab.training.process import environment
from digitlab.training.run import Trained, train


def row(name: str, trained: Sequence[Trained], wall: float, target: float) -> dict[str, Any]:
    """Sum up trainings; their seconds are shares of what they took together."""
    accuracies = [each.result.final_test.accuracy for each in trained]
    epochs = sum(record.seconds for each in trained for record in each.result.history)
    return {
        "what": name,
        "n": len(trained),
        "epochs": len(trained[0].result.history),
        "precision": trained[0].result.trial.training.precision,
        "mean accuracy": statistics.fmean(accuracies),
        "sd": statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0,
        "target": target,
        "reached": statistics.fmean(accuracies) >= target,
        "seconds before the first epoch": sum(each.result.build_seconds for each in trained),
        "seconds of epochs": epochs,
        "seconds of epochs a seed": epochs / len(trained),
        "wall seconds with scores": wall,
    }


def measure(recipe: str, settings: Mapping[str, Any], seeds: int, target: float) -> list[dict[str, Any]]:
    """Train one seed alone, after one that is not counted, and then all at once."""
    train(recipe, settings={**settings, "training.epochs": 1}, engine="jax")  # libraries and caches warm up
    begin = time.perf_counter()
    alone = train(recipe, settings=settings, engine="jax")
    middle = time.perf_counter()
    together = train_seeds(recipe, range(seeds), settings=settings)
    end = time.perf_counter()
    return [
        row("one training", [alone], middle - begin, target),
        row("all seeds in one program", together, end - middle, target),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure JAX on this machine's accelerator.")
    parser.add_argument("recipe", help="a recipe's name, or a TOML file")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", dest="settings")
    parser.add_argument("--target", type=float, default=0.994, help="mean test accuracy to be reached")
    add_place(parser)
    asked = parser.parse_args()
    path = results_file(asked, "accelerator")
    pairs = (text.partition("=") for text in asked.settings)
    settings = {path: tomllib.loads(f"value = {value}")["value"] for path, _, value in pairs}
    rows = measure(asked.recipe, settings, asked.seeds, asked.target)
    values = {"environment": environment(), "recipe": asked.recipe, "settings": settings, "measured": rows}
    write_results(path, values, rows)
    for each in rows:
        print(*(f"{name}: {value}" for name, value in each.items()), sep="\n", end="\n\n")


if __name__ == "__main__":
    main()

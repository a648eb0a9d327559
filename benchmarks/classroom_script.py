"""Are the networks of `HandwrittenDigitRecognition.py` as good as those of the recipes of the same names?

    python benchmarks/classroom_script.py [--seeds 5] [--networks mlp cnn]

Trains each network with the script's own loop and with digitlab's engine, for the same epochs, with the
seeds 0, 1, ... Equal seeds do not mean equal weights, so the difference of the mean test errors has Welch's
interval of unpaired samples. Writes `classroom_script.json` and `.csv` into digitlab-results/measurements,
or --out.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from command import at_least, run
from measured import add_place, results_file, write_results

from digitlab.data import load
from digitlab.training import train
from digitlab.training.process import environment, native_precision

ROOT = Path(__file__).parent.parent
NAMES = ("mlp", "cnn", "deep-cnn")


def script_error(name: str, seed: int, folder: str) -> float:
    """Train a network by the script in a folder, and return its test error in percent."""
    sys.path.insert(0, str(ROOT))
    import HandwrittenDigitRecognition

    with contextlib.chdir(folder), Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        predictions = HandwrittenDigitRecognition.NETWORKS[name](seed=seed)
    return float((predictions != load("mnist").y_test).sum()) / 100  # of 10,000 images


def recipe_error(name: str, seed: int) -> float:
    """Train a network by its recipe, and return its test error in percent."""
    return train(name, seed=seed).result.final_test.error_percent


def compare(name: str, script: list[float], recipe: list[float]) -> dict[str, Any]:
    """Compare the test errors of a network's trainings, in percent; print and return the row of the table."""
    from scipy import stats

    # Of two samples by themselves: a seed of the script has nothing in common with the same of the recipe.
    test: Any = stats.ttest_ind(script, recipe, equal_var=False)
    low, high = test.confidence_interval(0.95)
    figures = {
        "script_error": np.mean(script),
        "script_sd": np.std(script, ddof=1),
        "recipe_error": np.mean(recipe),
        "recipe_sd": np.std(recipe, ddof=1),
        "difference": np.mean(script) - np.mean(recipe),
        "low": low,
        "high": high,
    }
    shown = " ".join(f"{value:8.3f}" for value in figures.values())
    print(f"{name:10} {len(script):5}   {shown}", flush=True)
    rounded = {key: round(float(value), 4) for key, value in figures.items()}
    return {"network": name, "seeds": len(script), **rounded}


def main() -> None:
    parser = argparse.ArgumentParser(description="Are the script's networks as good as the recipes'?")
    parser.add_argument("--seeds", type=at_least(2), default=5, help="trainings of each [5]")
    parser.add_argument("--networks", nargs="+", choices=NAMES, default=["mlp", "cnn"])
    add_place(parser)
    arguments = parser.parse_args()
    path = results_file(arguments, "classroom_script")
    print(
        "network    seeds   script       sd   recipe       sd     diff      low     high   % of test images"
    )
    rows = []
    errors = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.networks:
            script = [script_error(name, seed, folder) for seed in range(arguments.seeds)]
            recipe = [recipe_error(name, seed) for seed in range(arguments.seeds)]
            errors[name] = {"script": script, "recipe": recipe}
            rows.append(compare(name, script, recipe))
    values = {"environment": environment(), "recipe_precision": native_precision(), "errors": errors}
    write_results(path, values, rows)


if __name__ == "__main__":
    run(main)

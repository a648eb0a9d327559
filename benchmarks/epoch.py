"""An epoch of a recipe by `keras.Model.fit` and by digitlab, on the same cores.

Each contestant runs in processes of its own, in turn, several rounds; the ratio of a round is between
neighbours in time, so that a machine that changes its speed does not decide it. The first epoch of a process
is left out: it holds tracing. Writes `benchmarks/results/epoch-RECIPE.json`.

    python benchmarks/epoch.py [--rounds 3] [--epochs 6] [--recipe mlp]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from digitlab.data import load
from digitlab.spec import DataSpec, Recipe, Trial, resolve_recipe
from digitlab.spec.plan import resolve_precision
from digitlab.studies.executors.base import Done, Event, Failed
from digitlab.studies.executors.processes import ProcessExecutor
from digitlab.studies.runner import TrainTask
from digitlab.training.process import available_cores, environment, native_precision

RESULTS = Path(__file__).parent / "results"
CONTESTANTS = ("fit", "one worker", "a worker a core")


def fit_epochs(recipe: Recipe, epochs: int) -> dict[str, float]:
    """Train as Keras's examples do: `compile` and `fit`, with Keras's own defaults and all cores."""
    import numpy as np

    dataset = load("mnist")
    images, labels = dataset.x_train[:55_000], dataset.y_train[:55_000]
    from digitlab.models import build

    model: Any = build(recipe.model)  # Keras's annotation of `verbose` knows only names
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    seconds = []
    for _ in range(epochs):
        begin = time.perf_counter()
        model.fit(np.asarray(images, np.float32), labels, batch_size=recipe.training.batch_size, verbose=0)
        seconds.append(time.perf_counter() - begin)
    return {"seconds": statistics.median(seconds[1:]), "memory_mb": _peak_mb(resource.RUSAGE_SELF)}


def study_epochs(recipe: Recipe, epochs: int, workers: int) -> dict[str, float]:
    """Train a trial in each of so many workers at the same time; seconds are for one trial's epoch."""
    ready = resolve_precision(recipe, native_precision())
    training = ready.training.model_copy(update={"epochs": epochs})
    data = DataSpec(fingerprint=load("mnist").fingerprint)
    trials = [Trial(model=ready.model, training=training, data=data, seed=seed) for seed in range(workers)]
    epoch_seconds: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, Failed):
            raise SystemExit(event.reason)
        if isinstance(event, Done):
            epoch_seconds.extend(record.seconds for record in event.value.history[1:])

    ProcessExecutor(workers).run(TrainTask.on_data_of(trials), trials, listen)
    seconds = statistics.median(epoch_seconds) / workers
    return {"seconds": seconds, "memory_mb": _peak_mb(resource.RUSAGE_CHILDREN)}


def _peak_mb(who: int) -> float:
    return resource.getrusage(who).ru_maxrss / 1024


def contestant(name: str, recipe: Recipe, epochs: int) -> dict[str, float]:
    """Measure one contestant once, in this process."""
    if name == "fit":
        return fit_epochs(recipe, epochs)
    return study_epochs(recipe, epochs, 1 if name == "one worker" else available_cores())


def measure(recipe: Recipe, rounds: int, epochs: int) -> list[dict[str, dict[str, float]]]:
    """Measure every contestant in turn, each in a process of its own, so many rounds."""
    measured = []
    for number in range(1, rounds + 1):
        print(f"round {number} of {rounds}", file=sys.stderr)
        measured.append({name: _measure_once(name, recipe, epochs) for name in CONTESTANTS})
    return measured


def _measure_once(name: str, recipe: Recipe, epochs: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--epochs", str(epochs), "--only", name]
    done = subprocess.run(command, input=recipe.to_json(), stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description="An epoch by keras.fit and by digitlab, side by side.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--recipe", default="mlp")
    parser.add_argument("--only", choices=CONTESTANTS, help="measure one, of the recipe in JSON on stdin")
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(contestant(arguments.only, Recipe.from_json(sys.stdin.read()), arguments.epochs)))
        return
    measured = measure(resolve_recipe(arguments.recipe), arguments.rounds, arguments.epochs)
    print(f"{'':16} {'s / epoch':>10} {'fit / this':>11} {'peak MB':>8}")
    for name in CONTESTANTS:
        seconds = statistics.median(one[name]["seconds"] for one in measured)
        ratio = statistics.median(one["fit"]["seconds"] / one[name]["seconds"] for one in measured)
        memory = max(one[name]["memory_mb"] for one in measured)
        print(f"{name:16} {seconds:10.3f} {ratio:11.1f} {memory:8.0f}")
    RESULTS.mkdir(exist_ok=True)
    values = {"recipe": arguments.recipe, "environment": environment(), "rounds": measured}
    (RESULTS / f"epoch-{arguments.recipe}.json").write_text(json.dumps(values, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""Time of an epoch by `keras.Model.fit` or by digitlab's worker processes, measured in a process of its own.

The first epoch is left out, since it includes tracing; scoring is left out, too. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from case import Case, key_of, printed_values, training_code
from command import run

from digitlab.errors import DigitlabError
from digitlab.spec import DataSpec, Recipe, Trial
from digitlab.spec.plan import resolve_precision

FIT = "fit"
IMAGES = 55_000
"""Number of images that `fit` trains on, as many as a trial."""
LONG = 10_000
"""Number of epochs of a worker's trial, which is stopped once enough of them have been timed."""
WINDOW = 2.0
"""Shortest time for which workers are timed, in seconds: small networks train many epochs meanwhile."""


def epoch_case(name: str, recipe: Recipe, epochs: int, method: str) -> Case:
    """Return the case that times an epoch of a recipe.

    Args:
        name: name of the recipe in the benchmark.
        recipe: recipe to train.
        epochs: number of epochs of one training, 2 or more; workers may train more, to be timed long enough.
        method: `fit`, or the number of workers.
    """
    values = (recipe.to_json(), str(epochs), method)
    program = Path(__file__)
    return Case(
        name=f"{name} by {title(method)}",
        key=key_of(*values, training_code(program.name)),
        command=(sys.executable, str(program), *values),
    )


def time_epoch(case: Case) -> dict[str, Any]:
    """Measure the time of an epoch.

    Args:
        case: case from `epoch_case`.

    Returns:
        `seconds` per epoch, divided by the number of workers, and the peak `memory_mb` of one process (None
        where the system does not report it).

    Raises:
        DigitlabError: the process failed.
    """
    return printed_values(case.name, case.command, ("seconds", "memory_mb"))


def title(method: str) -> str:
    """Return the name of a method, for people."""
    if method == FIT:
        return "keras.fit"
    return "1 worker" if method == "1" else f"{method} workers"


def fit_epochs(recipe: Recipe, epochs: int) -> list[float]:
    """Train as Keras's examples do: `compile` and `fit`, with Keras's own defaults and all cores.

    Returns:
        Seconds of each epoch but the first.
    """
    import numpy as np

    from digitlab.data import load
    from digitlab.training.process import prepare_process

    prepare_process()
    from keras import callbacks

    from digitlab.models import build

    mnist = load("mnist")
    images, labels = mnist.x_train[:IMAGES].astype(np.float32), mnist.y_train[:IMAGES]
    model: Any = build(recipe.model)  # Keras annotates `verbose` as text only
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    ends: list[float] = []
    clock = callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
    batch_size = recipe.training.batch_size
    model.fit(images, labels, batch_size=batch_size, epochs=epochs, verbose=0, callbacks=[clock])
    return [end - begin for begin, end in pairwise(ends)]


class _Enough(Exception):  # noqa: N818 - no error
    """Signal that all workers have trained at the same time for long enough."""


def worker_epochs(recipe: Recipe, epochs: int, workers: int) -> list[float]:
    """Train a trial in each worker, and time the epochs in which all of them train.

    Workers start one after the other, so that the first may be alone for seconds.

    Returns:
        Seconds of each such epoch, of all workers.
    """
    from digitlab.data import load
    from digitlab.studies.executors.base import Event, Failed, Progress
    from digitlab.studies.executors.processes import ProcessExecutor
    from digitlab.studies.runner import TrainTask
    from digitlab.training.process import native_precision

    ready = resolve_precision(recipe, native_precision())
    training = ready.training.model_copy(update={"epochs": LONG})
    data = DataSpec(fingerprint=load("mnist").fingerprint)
    trials = [Trial(model=ready.model, training=training, data=data, seed=seed) for seed in range(workers)]
    watched: dict[int, list[float]] = {}
    begin = 0.0

    def listen(event: Event) -> None:
        nonlocal begin
        if isinstance(event, Failed):
            raise DigitlabError(event.reason)
        if not isinstance(event, Progress):
            return
        if event.index not in watched:
            watched[event.index] = []
            begin = time.perf_counter()
            return
        if len(watched) < workers:
            return
        watched[event.index].append(event.report.seconds)
        seen = min(map(len, watched.values()))
        if seen >= epochs - 1 and time.perf_counter() - begin >= WINDOW:
            raise _Enough

    with suppress(_Enough):
        ProcessExecutor(workers).run(TrainTask.on_data_of(trials), trials, listen)
    return [seconds for each in watched.values() for seconds in each]


def peak_memory_mb(*, children: bool) -> float | None:
    """Return the peak memory of this process or its largest child, in MiB; None where it is not reported."""
    if sys.platform != "linux":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description="Time an epoch of a recipe.")
    parser.add_argument("recipe", type=Recipe.from_json, help="its JSON text")
    parser.add_argument("epochs", type=int, help="of one training; the first is not timed")
    parser.add_argument("method", help="`fit`, or a number of workers")
    chosen = parser.parse_args()
    recipe, epochs, method = chosen.recipe, chosen.epochs, chosen.method
    if method == FIT:
        seconds = statistics.median(fit_epochs(recipe, epochs))
    else:
        workers = int(method)
        seconds = statistics.median(worker_epochs(recipe, epochs, workers)) / workers
    print(json.dumps({"seconds": seconds, "memory_mb": peak_memory_mb(children=method != FIT)}))


if __name__ == "__main__":
    run(main)

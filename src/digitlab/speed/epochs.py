"""An epoch by `keras.Model.fit` or by our worker processes, in a process of its own.

`python -m digitlab.speed.epochs RECIPE EPOCHS WHO`: the recipe is its JSON text, WHO is `fit` or a number of
workers. It prints JSON. The first epoch is left out: it holds tracing.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import Any

from digitlab.errors import DigitlabError
from digitlab.spec import DataSpec, Recipe, Trial
from digitlab.spec.plan import resolve_precision

FIT = "fit"
IMAGES = 55_000
"""That `fit` trains on, as many as a trial."""


def epoch_of(recipe: Recipe, epochs: int, who: str) -> dict[str, float]:
    """Measure an epoch in a process of its own.

    Args:
        recipe: what is trained.
        epochs: of one training, 2 or more.
        who: `fit`, or how many workers.

    Returns:
        `seconds` an epoch, divided by the workers, and the peak `memory_mb` of one process.

    Raises:
        DigitlabError: it failed.
    """
    command = [sys.executable, "-m", "digitlab.speed.epochs", recipe.to_json(), str(epochs), who]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or "nothing").splitlines()[-1]
        raise DigitlabError(f"{recipe.name}, {who}: exit code {done.returncode}; it said: {said}")
    return json.loads(done.stdout)


def fit_epochs(recipe: Recipe, epochs: int) -> list[float]:
    """Train as Keras's examples do: `compile` and `fit`, with Keras's own defaults and all cores."""
    import numpy as np

    from digitlab.data import load
    from digitlab.training.process import prepare_process

    prepare_process()
    from digitlab.models import build

    mnist = load("mnist")
    images, labels = mnist.x_train[:IMAGES].astype(np.float32), mnist.y_train[:IMAGES]
    model: Any = build(recipe.model)  # Keras's annotation of `verbose` knows only names
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    seconds = []
    for _ in range(epochs):
        begin = time.perf_counter()
        model.fit(images, labels, batch_size=recipe.training.batch_size, verbose=0)
        seconds.append(time.perf_counter() - begin)
    return seconds[1:]


def worker_epochs(recipe: Recipe, epochs: int, workers: int) -> list[float]:
    """Train a trial in each of so many workers at the same time."""
    from digitlab.data import load
    from digitlab.studies.executors.base import Done, Event, Failed
    from digitlab.studies.executors.processes import ProcessExecutor
    from digitlab.studies.runner import TrainTask
    from digitlab.training.process import native_precision

    ready = resolve_precision(recipe, native_precision())
    training = ready.training.model_copy(update={"epochs": epochs})
    data = DataSpec(fingerprint=load("mnist").fingerprint)
    trials = [Trial(model=ready.model, training=training, data=data, seed=seed) for seed in range(workers)]
    seconds: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, Failed):
            raise DigitlabError(event.reason)
        if isinstance(event, Done):
            seconds.extend(record.seconds for record in event.value.history[1:])

    ProcessExecutor(workers).run(TrainTask.on_data_of(trials), trials, listen)
    return seconds


def main() -> None:
    """Measure as ordered, and print JSON."""
    import resource

    recipe, epochs, who = Recipe.from_json(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    if who == FIT:
        seconds = statistics.median(fit_epochs(recipe, epochs))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    else:
        seconds = statistics.median(worker_epochs(recipe, epochs, int(who))) / int(who)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(json.dumps({"seconds": seconds, "memory_mb": peak / 1024}))


if __name__ == "__main__":
    main()

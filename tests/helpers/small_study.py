"""A study small enough to run many times: real digits, few of them; and results of it that nobody trained."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.data import load, write_idx
from digitlab.results.metrics import score
from digitlab.results.record import EpochRecord, Result
from digitlab.spec import Axis, DataSpec, Study, Trial

LABELS = np.arange(200, dtype=np.uint8) % 10


def write_digits(folder: Path) -> None:
    """Write the first 600 training and 200 test images of MNIST as a data set of its own."""
    for name, array in _first_digits().items():
        write_idx(folder / name, array)


@cache  # to read all of MNIST takes longer than most tests that want a few digits
def _first_digits() -> dict[str, np.ndarray]:
    mnist = load("mnist")
    return {
        "train-images-idx3-ubyte": mnist.x_train[:600].copy(),
        "train-labels-idx1-ubyte": mnist.y_train[:600].copy(),
        "t10k-images-idx3-ubyte": mnist.x_test[:200].copy(),
        "t10k-labels-idx1-ubyte": mnist.y_test[:200].copy(),
    }


def small_study(digits: Path, **changes: Any) -> Study:
    """Two levels, two seeds, two epochs, unless changed."""
    values = {
        "name": "small",
        "question": "Is wider better?",
        "recipe": "mlp",
        "overrides": {"training.epochs": 2},
        "axes": (Axis(path="model.hidden.0", values=(8, 16)),),
        "seeds": 2,
        "data": DataSpec(dataset=str(digits), validation=100),
    }
    return Study(**(values | changes))


def of_epochs(trial: Trial, epochs: int) -> Trial:
    """The trial of that many epochs that is otherwise the same."""
    return trial.model_copy(update={"training": trial.training.model_copy(update={"epochs": epochs})})


def pretend(trial: Trial, report: Callable[[EpochRecord], None]) -> Result:
    """Give a result that is made from the trial's family, the same in every process.

    As with real ones, a shorter trial has the beginning of a longer one's.
    """
    random = np.random.default_rng(int(trial.prefix_group, 16))
    answers = {epoch: random.dirichlet(np.ones(10), 200) for epoch in range(1, trial.training.epochs + 1)}
    scores = {epoch: score(probabilities, LABELS) for epoch, probabilities in answers.items()}
    history = tuple(
        EpochRecord(
            epoch=epoch,
            seconds=0.25,
            loss=each.log_loss,
            accuracy=each.accuracy,
            mse=each.mse,
            validation_log_loss=each.log_loss,
            validation_accuracy=each.accuracy,
            validation_mse=each.mse,
        )
        for epoch, each in scores.items()
    )
    for record in history:
        report(record)
    return Result(
        trial=trial,
        history=history,
        validation={epoch: scores[epoch] for epoch in trial.checkpoints},
        test={epoch: scores[epoch] for epoch in trial.checkpoints},
        predictions={epoch: answers[epoch].argmax(axis=1).astype(np.uint8) for epoch in trial.checkpoints},
        parameters=1,
        multiply_adds=1,
        build_seconds=0.0,
        environment={},
    )

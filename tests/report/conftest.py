"""Studies with synthetic results, so that every figure can be worked by hand.

Histories and scores are made up and nothing is trained; the errors are of 10,000 images.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pytest

from digitlab.data import load
from digitlab.data.dataset import Dataset
from digitlab.models import cost
from digitlab.results import EpochRecord, Result, Scores, StudyTable
from digitlab.results.aggregate import aggregate
from digitlab.spec import Axis, Study, Trial, make_plan, resolve_recipe

MakeTable = Callable[..., StudyTable]

ENVIRONMENT = {"digitlab": "0.1.0", "keras": "3.15.0", "cpu": "A Processor", "system": "Linux x86_64"}
NEURONS = Axis(path="model.hidden.0", values=(8, 16, 128), label="neurons", reference=128)


def scores(error_percent: float) -> Scores:
    wrong = round(100 * error_percent)
    confusion = np.zeros((10, 10), int)
    confusion[0, 0], confusion[0, 1] = 10_000 - wrong, wrong
    return Scores(
        images=10_000,
        correct=10_000 - wrong,
        mse=0.01,
        log_loss=0.1,
        calibration_error=0.01,
        confusion=tuple(map(tuple, confusion.tolist())),
    )


def result(trial: Trial, test: float, validation: float, training: float) -> Result:
    """Make a result whose errors in percent are at the last epoch as given, and twice that in the first."""
    last = trial.training.epochs
    more = [1 + (last - epoch) / max(last - 1, 1) for epoch in range(1, last + 1)]
    history = tuple(
        EpochRecord(
            epoch=epoch,
            seconds=0.5,
            loss=0.1,
            accuracy=1 - training * factor / 100,
            mse=0.01,
            validation_log_loss=0.1,
            validation_accuracy=1 - validation * factor / 100,
            validation_mse=0.01,
        )
        for epoch, factor in enumerate(more, start=1)
    )
    parameters, multiply_adds = cost(trial.model)
    return Result(
        trial=trial,
        history=history,
        validation=scores(validation),
        test={epoch: scores(test * more[epoch - 1]) for epoch in trial.checkpoints},
        parameters=parameters,
        multiply_adds=multiply_adds,
        build_seconds=1.0,
        train_seconds=0.5 * last,
        environment=ENVIRONMENT,
    )


def make(
    *axes: Axis,
    test: Callable[[int, int], float] = lambda cell, seed: 8 / (cell + 1) + 0.1 * seed,
    validation: Callable[[int, int], float] = lambda cell, seed: 9 / (cell + 1) + 0.1 * seed,
    training: float = 1.0,
    missing: Collection[tuple[int, int]] = (),
    failed: Mapping[tuple[int, int], str] | None = None,
    **study: Any,
) -> StudyTable:
    """Make the table of a study; functions and keys go by (cell, seed)."""
    values = {"name": "made-up", "question": "How wide?", "recipe": "mlp", **study}
    spec = Study(axes=axes or (NEURONS,), **values)
    plan = make_plan(spec, resolve_recipe("mlp"), "a" * 64, "float32")
    results: dict[str, Result] = {}
    failures: dict[str, str] = {}
    for number, cell in enumerate(plan.cells):
        for entry in cell.entries:
            trial, key = entry.trial, (number, entry.trial.seed)
            if failed and key in failed:
                failures[trial.id] = failed[key]
            elif key not in missing:
                results[trial.id] = result(trial, test(*key), validation(*key), training)
    return aggregate(plan, results, failures)


@pytest.fixture(scope="session")
def make_table() -> MakeTable:
    return make


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    return load("mnist")


@pytest.fixture(scope="session")
def predictions(mnist: Dataset) -> tuple[np.ndarray, ...]:
    """Real answers to the test images by five classifiers: the nearest class mean of 2,000 images each."""
    return tuple(nearest_means(mnist, slice(2_000 * part, 2_000 * (part + 1))) for part in range(5))


def nearest_means(data: Dataset, part: slice) -> np.ndarray:
    pixels, labels = data.x_train[part].reshape(-1, 784).astype(np.float32), data.y_train[part]
    means = np.stack([pixels[labels == digit].mean(axis=0) for digit in range(10)])
    closeness = data.x_test.reshape(-1, 784) @ means.T - np.square(means).sum(axis=1) / 2
    return closeness.argmax(axis=1).astype(np.uint8)

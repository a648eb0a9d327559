"""Studies with synthetic results, so that every figure can be worked by hand.

Histories and scores are made up and nothing is trained; the errors are of 10,000 images.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest

from digitlab.data.dataset import Dataset
from digitlab.models import cost
from digitlab.report import StudyData
from digitlab.results import EpochRecord, Result, Scores, StudyTable
from digitlab.results.aggregate import aggregate
from digitlab.spec import Axis, Study, Trial, make_plan, resolve_recipe

MakeTable = Callable[..., StudyTable]
MakeMaterial = Callable[..., StudyData]

ENVIRONMENT = {"digitlab": "0.1.0", "keras": "3.15.0", "cpu": "A Processor", "system": "Linux x86_64"}
NEURONS = Axis(path="model.hidden.0", values=(8, 16, 128), label="neurons", reference=128)


def scores(error_percent: float, mse: float = 0.01) -> Scores:
    """Make scores of 1,000 images of each digit, in which wrong answers are noughts read as ones."""
    wrong = round(100 * error_percent)
    confusion = 1_000 * np.eye(10, dtype=int)
    confusion[0, :2] = 1_000 - wrong, wrong
    return Scores(
        images=10_000,
        correct=10_000 - wrong,
        mse=mse,
        log_loss=0.1,
        calibration_error=0.01,
        confusion=tuple(map(tuple, confusion.tolist())),
    )


class Errors(NamedTuple):
    """Of one made-up network: errors in percent after the last epoch, and its squared error."""

    test: float
    validation: float
    training: float
    mse: float


def result(trial: Trial, errors: Errors, kernels: tuple = ()) -> Result:
    """Make a result whose errors in percent are at the last epoch as given, and twice that in the first."""
    last = trial.training.epochs
    more = [1 + (last - epoch) / max(last - 1, 1) for epoch in range(1, last + 1)]
    history = tuple(
        EpochRecord(
            epoch=epoch,
            seconds=0.5,
            loss=0.1,
            accuracy=1 - errors.training * factor / 100,
            mse=errors.mse,
            validation_log_loss=0.1,
            validation_accuracy=1 - errors.validation * factor / 100,
            validation_mse=2 * errors.mse * factor,
        )
        for epoch, factor in enumerate(more, start=1)
    )
    parameters, multiply_adds = cost(trial.model)
    return Result(
        trial=trial,
        history=history,
        validation={epoch: scores(errors.validation * more[epoch - 1]) for epoch in trial.checkpoints},
        test={epoch: scores(errors.test * more[epoch - 1], errors.mse) for epoch in trial.checkpoints},
        kernels={last: kernels} if kernels else {},
        parameters=parameters,
        multiply_adds=multiply_adds,
        build_seconds=1.0,
        environment=ENVIRONMENT,
    )


def make(
    *axes: Axis,
    test: Callable[[int, int], float] = lambda cell, seed: 8 / (cell + 1) + 0.1 * seed,
    validation: Callable[[int, int], float] = lambda cell, seed: 9 / (cell + 1) + 0.1 * seed,
    training: float = 1.0,
    mse: Callable[[int, int], float] = lambda cell, seed: 0.01,
    missing: Collection[tuple[int, int]] = (),
    failed: Mapping[tuple[int, int], str] | None = None,
    kernels: Callable[[int], tuple] = lambda cell: (),
    answers: Callable[[int, int], np.ndarray] | None = None,
    digits: Dataset | None = None,
    **study: Any,
) -> StudyData:
    """Make the material of a study; functions and keys go by (cell, seed)."""
    values = {"name": "made-up", "question": "How wide?", "recipe": "mlp", **study}
    spec = Study(axes=axes or (NEURONS,), **values)
    named = {level for axis in spec.axes if axis.path == "recipe" for level in axis.values}
    recipes = {str(level): resolve_recipe(str(level)) for level in named}
    fingerprint = digits.fingerprint if digits else "a" * 64
    plan = make_plan(spec, resolve_recipe(spec.recipe), fingerprint, "float32", recipes)
    results: dict[str, Result] = {}
    failures: dict[str, str] = {}
    predictions: dict[str, np.ndarray] = {}
    for number, cell in enumerate(plan.cells):
        for trial in cell.trials:
            key = (number, trial.seed)
            if failed and key in failed:
                failures[trial.id] = failed[key]
            elif key not in missing:
                errors = Errors(test(*key), validation(*key), training, mse(*key))
                results[trial.id] = result(trial, errors, kernels(number))
                if answers:
                    predictions[trial.id] = answers(*key)
    return StudyData(aggregate(plan, results, failures), results, predictions, digits)


@pytest.fixture(scope="session")
def make_material() -> MakeMaterial:
    return make


@pytest.fixture(scope="session")
def make_table() -> MakeTable:
    return lambda *axes, **values: make(*axes, **values).table


@pytest.fixture(scope="session")
def predictions(mnist: Dataset) -> tuple[np.ndarray, ...]:
    """Real answers to the test images by five classifiers: the nearest class mean of 2,000 images each."""
    return tuple(nearest_means(mnist, slice(2_000 * part, 2_000 * (part + 1))) for part in range(5))


def nearest_means(data: Dataset, part: slice) -> np.ndarray:
    pixels, labels = data.x_train[part].reshape(-1, 784).astype(np.float32), data.y_train[part]
    means = np.stack([pixels[labels == digit].mean(axis=0) for digit in range(10)])
    closeness = data.x_test.reshape(-1, 784) @ means.T - np.square(means).sum(axis=1) / 2
    return closeness.argmax(axis=1).astype(np.uint8)

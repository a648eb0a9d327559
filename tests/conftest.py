from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from digitlab.data import Dataset, write_idx
from digitlab.data.catalog import FILE_NAMES
from digitlab.models.costs import cost
from digitlab.results.metrics import score
from digitlab.results.record import EpochRecord, Result, Scores
from digitlab.spec.trial import Trial
from real_digits import read_mnist

# Started in the background by a shell, pytest and every process that a test starts would ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests leave the user's cache alone; processes that they start inherit this one.
_cache = tempfile.TemporaryDirectory(prefix="digitlab-cache-")
os.environ["XDG_CACHE_HOME"] = os.environ["LOCALAPPDATA"] = _cache.name

# A deadline is a timing, and a busy machine misses it. CI tries more: `--hypothesis-profile thorough`.
settings.register_profile("quick", deadline=None, max_examples=25)
settings.register_profile("thorough", deadline=None)
settings.load_profile("quick")

HEAVY = {"tensorflow", "keras", "jax", "statsmodels"}
"""Libraries that take seconds to import."""

MakeResult = Callable[..., Result]
WriteFolder = Callable[..., Path]


def guesses(labels: np.ndarray, seed: tuple[int, ...], skill: float) -> np.ndarray:
    """Probabilities [n, 10] of a made-up network: the greater its skill, the more often it is right."""
    logits = np.random.default_rng(seed).normal(size=(len(labels), 10))
    logits[np.arange(len(labels)), labels] += skill
    weights = np.exp(logits)
    return weights / weights.sum(axis=1, keepdims=True)


def record(epoch: int, validation: Scores) -> EpochRecord:
    return EpochRecord(
        epoch=epoch,
        seconds=0.5 + 0.25 * epoch,
        loss=1 / epoch,
        accuracy=validation.accuracy,
        mse=validation.mse,
        validation_log_loss=validation.log_loss,
        validation_accuracy=validation.accuracy,
        validation_mse=validation.mse,
    )


@pytest.fixture(scope="session")
def expected_libraries(request: pytest.FixtureRequest) -> set[str]:
    """The heavy libraries that may be loaded: all of them, once a slow test is among those that run."""
    slow = any(item.get_closest_marker("slow") for item in request.session.items)
    return set(HEAVY) if slow else set()


@pytest.fixture(autouse=True)
def only_slow_tests_load_heavy_libraries(expected_libraries: set[str]) -> Iterator[None]:
    """A test that needs such a library is marked as slow, or uses it in a process of its own."""
    yield
    loaded = HEAVY & sys.modules.keys() - expected_libraries
    expected_libraries |= loaded  # only the test that loaded it is to blame
    assert not loaded


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    return read_mnist()


@pytest.fixture(scope="session")
def digit(mnist: Dataset) -> np.ndarray:
    """A real digit, no square and not alike in its mirror: uint8 [26, 28]."""
    return mnist.x_test[0, :26]


@pytest.fixture(scope="session")
def small(mnist: Dataset) -> dict[str, np.ndarray]:
    """The four arrays of a data set of 300 and 100 real digits."""
    return {
        "train-images": mnist.x_train[:300],
        "train-labels": mnist.y_train[:300],
        "test-images": mnist.x_test[:100],
        "test-labels": mnist.y_test[:100],
    }


@pytest.fixture
def write_folder(tmp_path: Path, small: dict[str, np.ndarray]) -> WriteFolder:
    """Write the small data set into a folder, under other names or with some of its arrays exchanged."""

    def write(names: dict[str, str] = FILE_NAMES, **changed: np.ndarray) -> Path:
        folder = tmp_path / "set"
        folder.mkdir()
        arrays = small | {role.replace("_", "-"): array for role, array in changed.items()}
        for role, name in names.items():
            write_idx(folder / name, arrays[role])
        return folder

    return write


@pytest.fixture(scope="session")
def make_result(mnist: Dataset) -> MakeResult:
    """Make the result of a trial from made-up probabilities and the labels of the real MNIST.

    A shorter trial of the same family has the beginning of a longer one, as real ones have.
    """
    validation, test = mnist.y_train[:5_000], mnist.y_test

    def make(trial: Trial, skill: float = 3.0) -> Result:
        epochs = range(1, trial.training.epochs + 1)
        on_validation = {
            epoch: score(guesses(validation, (trial.seed, epoch, 0), skill), validation) for epoch in epochs
        }
        on_test = {epoch: guesses(test, (trial.seed, epoch, 1), skill) for epoch in trial.checkpoints}
        history = tuple(record(epoch, scores) for epoch, scores in on_validation.items())
        parameters, multiply_adds = cost(trial.model)
        return Result(
            trial=trial,
            history=history,
            validation={epoch: on_validation[epoch] for epoch in trial.checkpoints},
            test={epoch: score(probabilities, test) for epoch, probabilities in on_test.items()},
            predictions={
                epoch: probabilities.argmax(axis=1).astype(np.uint8)
                for epoch, probabilities in on_test.items()
            },
            parameters=parameters,
            multiply_adds=multiply_adds,
            build_seconds=1.5,
            environment={"digitlab": "0.1.0", "processor": "a made-up one"},
        )

    return make

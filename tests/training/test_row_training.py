"""A reader of rows in training, on rows of real digits: the same trial gives the same bits, killed or not."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlab.data import Dataset, load
from digitlab.errors import DataError, UserError
from digitlab.spec.rows import RowModel, RowRecipe, RowTraining, RowTrial, Stage
from digitlab.training import rows as training

TINY = RowModel(
    stages=(Stage(filters=4), Stage(filters=8, convolutions=2, residual=1), Stage(filters=8, pool=(2, 1))),
    width=8,
    blocks=(3,),
    dropout=0.1,
)
STEPS, SAVED, KILLED = 24, 5, 18
"""Steps of the training, of which every fifth is saved, and after which it is killed: among second uses."""

DRIVER = """
import os, signal, sys
sys.path.insert(0, {tests!r})
import test_row_training as own

def kill(progress):
    if progress.step == own.KILLED:
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    own.train({state!r}, kill)
"""


def digits() -> Dataset:
    mnist = load("mnist")
    return replace(mnist, x_train=mnist.x_train[:600], y_train=mnist.y_train[:600])


def trial(**settings: Any) -> RowTrial:
    spec = RowTraining(
        steps=STEPS, save_every=SAVED, validate_every=10, uses=2, precision="float32", **settings
    )
    recipe = RowRecipe(name="tiny", model=TINY, training=spec)
    return training.plan_rows(recipe, "mnist", digits(), seed=3, threads=1)


def train(state: str | Path, on_step: training.OnStep | None = None) -> training.RowTrainOutput:
    training.VALIDATION_ROWS = 20
    return training.train_rows(trial(), digits(), Path(state), on_step)


@pytest.fixture(scope="module")
def told() -> list[training.RowProgress]:
    return []


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, told: list[training.RowProgress]
) -> training.RowTrainOutput:
    """Train without a break."""
    return train(tmp_path_factory.mktemp("whole") / "state.npz", told.append)


@pytest.mark.slow
def test_a_training_that_was_killed_goes_on_to_the_same_bits(
    whole: training.RowTrainOutput, tmp_path: Path
) -> None:
    state = tmp_path / "state.npz"
    script = DRIVER.format(tests=str(Path(__file__).parent), state=str(state))
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, timeout=300)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    steps: list[int] = []
    resumed = train(state, lambda progress: steps.append(progress.step))
    assert steps == list(range(KILLED - KILLED % SAVED + 1, STEPS + 1))
    assert all(map(np.array_equal, resumed.model.get_weights(), whole.model.get_weights()))
    assert resumed.result.validation == whole.result.validation
    assert resumed.result.sittings == 2


@pytest.mark.slow
def test_each_step_is_told_and_validation_at_intervals_and_at_the_end(
    whole: training.RowTrainOutput, told: list[training.RowProgress]
) -> None:
    assert [progress.step for progress in told] == list(range(1, STEPS + 1))
    looks = [progress.validation for progress in told if progress.validation]
    assert [look.step for look in looks] == [10, 20, 24]
    assert whole.result.validation == tuple(looks)


@pytest.mark.slow
def test_the_saved_training_of_another_trial_is_refused(
    whole: training.RowTrainOutput, tmp_path: Path
) -> None:
    state = tmp_path / "state.npz"
    train(state)
    other = trial(learning_rate=0.5)
    with pytest.raises(UserError, match=f"expected the saved training of trial {other.id}, received that of"):
        training.train_rows(other, digits(), state)


@pytest.mark.parametrize("content", [b"no state at all", b"PK\x03\x04 the beginning of one", b""])
def test_a_damaged_state_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    state = tmp_path / "state.npz"
    state.write_bytes(content)
    with pytest.raises(UserError, match=r"expected a saved training, .*; remove it to start again"):
        training.train_rows(trial(), digits(), state)


def test_rows_of_numbers_are_composed_of_digits_alone(tmp_path: Path) -> None:
    clothes = replace(digits(), classes=("T-shirt", "trouser", *"abcdefgh"))
    with pytest.raises(DataError, match="expected the digits 0 to 9, of which rows are composed, received T"):
        training.train_rows(trial(), clothes, tmp_path / "state.npz")


def test_what_decides_the_outcome_is_in_the_trials_id() -> None:
    one = trial()
    assert one.id == trial().id == one.model_copy(update={"recipe": "other"}).id
    changes = (
        {"seed": 4},
        {"threads": 2},
        {"engine_version": 2},
        {"model": TINY.model_copy(update={"width": 9})},
    )
    assert len({one.id, *(one.model_copy(update=change).id for change in changes)}) == 5

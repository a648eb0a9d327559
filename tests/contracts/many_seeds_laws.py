"""What holds of many seeds trained in one program; `test_engines.py` runs it in a process on JAX."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from digitlab.training import Trained, train, train_seeds

SMALL: dict[str, Any] = {
    "model.hidden.0": 16,
    "model.dropout": 0.2,
    "training.epochs": 2,
    "training.batch_size": 1024,
}
SEEDS = (3, 4)


CHANGES: dict[str, dict[str, Any]] = {
    "the same images": {},
    "digits of their own": {"training.augmentation": {"strokes": 0.002}},
    "non-digits of their own": {"training.augmentation": {"non_digits": 0.02}},
    "all that depends on the step": {
        "training.augmentation": {"rotation": 10.0, "shift": 1.0},
        "training.average": 0.9,
        "training.fade": 0.5,
        "training.label_smoothing": 0.1,
        "training.schedule": "one-cycle",
    },
}


@pytest.fixture(scope="module", params=CHANGES.values(), ids=list(CHANGES))
def settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    return SMALL | request.param


@pytest.fixture(scope="module")
def together(settings: dict[str, Any]) -> tuple[Trained, ...]:
    return train_seeds("mlp", SEEDS, settings=settings)


def test_a_seed_gives_what_it_gives_alone_but_for_rounding(
    settings: dict[str, Any], together: tuple[Trained, ...]
) -> None:
    one = together[1]
    alone = train("mlp", settings=settings, seed=SEEDS[1])  # on JAX, since this process is
    assert one.result.trial == alone.result.trial
    for mine, other in zip(one.result.history, alone.result.history, strict=True):
        assert mine.loss == pytest.approx(other.loss, rel=1e-4)
        assert mine.validation_log_loss == pytest.approx(other.validation_log_loss, rel=1e-4)
    for mine, other in zip(one.model.get_weights(), alone.model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-3)


def test_seeds_differ_and_each_keeps_its_own_network(together: tuple[Trained, ...]) -> None:
    first, second = together
    assert first.result.history[0].loss != second.result.history[0].loss
    assert first.model is not second.model
    assert not np.allclose(first.model.get_weights()[0], second.model.get_weights()[0])


def test_the_result_of_a_seed_says_that_jax_trained_it(together: tuple[Trained, ...]) -> None:
    environment = together[0].result.environment
    assert {"jax", "jaxlib", "device"} <= set(environment)
    assert "tensorflow-cpu" not in environment

"""Engines that trials of one graph share: the same bits as fresh ones, and no more memory with each trial."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

from digitlab.data.dataset import Dataset
from digitlab.spec import Trial, resolve_recipe
from digitlab.spec.plan import resolve_precision
from digitlab.spec.study import with_settings

pytestmark = pytest.mark.slow  # it trains networks


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    from digitlab.training.process import prepare_process

    prepare_process(1)


def small_trial(dataset: Dataset, recipe: str = "mlp", **settings: Any) -> Trial:
    """A trial of a few images and epochs."""
    from digitlab.training.run import data_of, plan_trial

    dotted = {name.replace("__", "."): value for name, value in settings.items()}
    changed = with_settings(resolve_recipe(recipe), {"training.epochs": 2, **dotted}, "test")
    data = data_of(dataset, "mnist", training_size=430)
    return plan_trial(resolve_precision(changed, "float32"), data, 0, 1)


def outcome(trial: Trial, dataset: Dataset, engine: Any = None) -> list[np.ndarray]:
    """Everything that a training gives, as arrays."""
    from digitlab.training.run import train_trial

    output = train_trial(trial, dataset, engine=engine)
    numbers = [[item.loss, item.accuracy, item.validation_log_loss] for item in output.result.history]
    weights = [np.array(weight) for weight in output.model.get_weights()]
    return [np.array(numbers), *output.result.predictions.values(), *weights]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"model__dropout": 0.3, "training__loss": "mse"},
        {"training__optimizer": "sgd", "training__momentum": 0.9, "training__l2": 0.001},
        {"training__optimizer": "muon"},
        {"training__optimizer": "adamw", "training__weight_decay": 0.01},
        {"training__schedule": "one-cycle", "training__average": 0.9, "training__label_smoothing": 0.1},
        {"training__augmentation": {"shift": 2.0, "elastic": 1.0, "damage": 0.2}, "training__fade": 0.5},
        {"training__augmentation": {"strokes": 0.2, "non_digits": 0.1}},
        {"training__precision": "mixed_bfloat16"},
        {"recipe": "cnn"},
        {"recipe": "resnet", "training__renormalize": True},
    ],
    ids=str,
)
def test_trials_of_one_graph_give_what_each_gives_alone(mnist: Dataset, settings: dict[str, Any]) -> None:
    from digitlab.training.tensorflow import SharedEngines

    engines = SharedEngines()
    for trial in small_trial(mnist, **settings).with_seeds([5, 0, 7]):
        together = outcome(trial, mnist, engines)
        alone = outcome(trial, mnist)
        for ours, theirs in zip(together, alone, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert len(engines) == 1


def test_learning_rates_and_epochs_share_a_graph_and_other_settings_do_not(mnist: Dataset) -> None:
    from digitlab.training.tensorflow import SharedEngines

    engines = SharedEngines()
    changes: list[dict[str, Any]] = [
        {"training__learning_rate": 0.01},
        {"training__learning_rate": 0.001, "training__epochs": 3},
        {"training__epochs": 1},
    ]
    for change in changes:
        trial = small_trial(mnist, **change)
        for ours, theirs in zip(outcome(trial, mnist, engines), outcome(trial, mnist), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert len(engines) == 1
    outcome(small_trial(mnist, model__activation="tanh"), mnist, engines)
    outcome(small_trial(mnist, training__schedule="cosine"), mnist, engines)
    assert len(engines) == 3


def test_the_least_recently_used_engine_goes_first(mnist: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    from digitlab.training import tensorflow

    monkeypatch.setattr(tensorflow, "ENGINES_KEPT", 2)
    engines = tensorflow.SharedEngines()
    for width in (4, 8, 4, 16, 4):
        outcome(small_trial(mnist, model__hidden=[width], training__epochs=1), mnist, engines)
        assert len(engines) <= 2


def test_engines_keep_no_images_and_no_more_weights_than_they_may(
    mnist: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from digitlab.training import tensorflow

    engines = tensorflow.SharedEngines()
    for width in (4, 8):
        outcome(small_trial(mnist, model__hidden=[width], training__epochs=1), mnist, engines)
    first, second = engines._engines.values()
    assert first._digits is None
    assert not first._state._images.size
    assert second._state._images.size
    monkeypatch.setattr(tensorflow, "PARAMETERS_KEPT", second.parameters + 100)
    outcome(small_trial(mnist, model__hidden=[2], training__epochs=1), mnist, engines)
    assert len(engines) == 1


def test_memory_does_not_grow_with_the_number_of_trials() -> None:
    script = """
        import resource
        from digitlab.data import load
        from digitlab.spec import resolve_recipe
        from digitlab.spec.plan import resolve_precision
        from digitlab.spec.study import with_settings
        from digitlab.training.run import data_of, plan_trial, shared_tensorflow_engine, train_trial

        data = load("mnist")
        recipe = with_settings(resolve_recipe("mlp"), {"model.hidden": [8], "training.epochs": 1}, "test")
        small = data_of(data, "mnist", training_size=1000)
        trial = plan_trial(resolve_precision(recipe, "float32"), small, 0, 1)
        for i, seeded in enumerate(trial.with_seeds(range(600))):
            train_trial(seeded, data, engine=shared_tensorflow_engine)
            if i in (99, 599):
                print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=True,
    )
    early, late = map(int, done.stdout.split())
    assert late - early < 25  # MiB; with a fresh engine for each trial it is hundreds

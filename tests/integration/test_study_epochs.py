"""Studies over epochs, with real training: what is read off a longer training is what it would be alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from digitlab.results.store import Store
from digitlab.spec import Axis
from digitlab.studies import InlineExecutor, plan_study, run_plans
from digitlab.studies.runner import TrainTask
from small_study import small_study
from study_outcome import Counter, outcome

pytestmark = pytest.mark.slow


NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"model.hidden": [8]},
    "cnn": {"model.convolutions.0.filters": 2, "model.dense": [8]},  # whose results have kernels as well
}


@pytest.mark.parametrize("recipe", NETWORKS)
def test_what_a_longer_training_of_another_study_gave_is_what_each_trial_gives_alone(
    recipe: str, digits: Path, tmp_path: Path
) -> None:
    lengths = Axis(path="training.epochs", values=(10,)), Axis(path="training.epochs", values=(5, 1, 2))
    longer, plan = (
        plan_study(small_study(digits, name=name, recipe=recipe, axes=(axis,), overrides=NETWORKS[recipe]))
        for name, axis in zip(("longer", "shorter"), lengths, strict=True)
    )

    shared = Counter()
    with Store(tmp_path / "shared.sqlite") as store:
        run_plans([longer], store, InlineExecutor(), shared)
        run_plans([plan], store, InlineExecutor(), shared)
    assert shared.starts == {trial.id: 1 for trial in longer.trials}

    with Store(tmp_path / "alone.sqlite") as store:
        train = TrainTask.on_data_of(plan.trials)
        for trial in plan.trials:
            store.finish(train(trial, lambda _: None))
    assert outcome(tmp_path / "shared.sqlite", plan) == outcome(tmp_path / "alone.sqlite", plan)

"""Studies over epochs, with real training: what is read off a longer training is what it would be alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from study_outcome import Counter, outcome

from digitlab.results.store import Store
from digitlab.spec import Axis
from digitlab.studies import InlineExecutor, plan_study, run_plans
from digitlab.studies.runner import train_task
from small_study import small_study

pytestmark = pytest.mark.slow


def test_what_a_longer_training_of_another_study_gave_is_what_each_trial_gives_alone(
    digits: Path, tmp_path: Path
) -> None:
    longer = plan_study(small_study(digits, name="longer", overrides={"training.epochs": 10}))
    epochs = Axis(path="training.epochs", values=(5, 1, 2))
    plan = plan_study(small_study(digits, axes=(epochs,), overrides={"model.hidden": [8]}))

    shared = Counter()
    with Store(tmp_path / "shared.sqlite") as store:
        run_plans([longer], store, InlineExecutor(), shared)
        run_plans([plan], store, InlineExecutor(), shared)
    assert shared.starts == {trial.id: 1 for trial in longer.trials}

    with Store(tmp_path / "alone.sqlite") as store:
        for trial in plan.trials:
            store.finish(train_task(trial, lambda _: None))
    assert outcome(tmp_path / "shared.sqlite", plan) == outcome(tmp_path / "alone.sqlite", plan)

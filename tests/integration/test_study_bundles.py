"""Networks of a study kept as bundles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digitlab.bundle.runtime import load_classifier
from digitlab.data import load
from digitlab.results.store import Store
from digitlab.studies import ProcessExecutor, plan_study, run_plans
from digitlab.studies.observers import Observer, RunOptions
from small_study import small_study

pytestmark = pytest.mark.slow


def test_each_network_that_is_trained_is_kept_once(digits: Path, tmp_path: Path) -> None:
    plan = plan_study(small_study(digits, overrides={"training.epochs": 1}, seeds=1))
    bundles = tmp_path / "bundles"
    options = RunOptions(force=True, bundles=bundles)
    with Store(tmp_path / "store.sqlite") as store:
        run_plans([plan], store, ProcessExecutor(2), Observer(), options)
        first = {folder.name: folder.stat().st_mtime_ns for folder in bundles.iterdir()}
        run_plans([plan], store, ProcessExecutor(2), Observer(), options)
        predictions = store.predictions(plan.trials)
    names = {trial.id: f"{trial.recipe}-seed{trial.seed}-{trial.id[:8]}" for trial in plan.trials}
    assert first == {folder.name: folder.stat().st_mtime_ns for folder in bundles.iterdir()}
    assert first.keys() == set(names.values())
    for trial in plan.trials:
        classifier = load_classifier(bundles / names[trial.id])
        answers = classifier.probabilities(load(str(digits)).x_test).argmax(axis=1)
        assert np.mean(answers == predictions[trial.id]) > 0.99  # ONNX Runtime may see a near-tie otherwise

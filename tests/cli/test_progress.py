"""Progress where there is no terminal: a line now and then, so that a log shows that work goes on."""

from __future__ import annotations

import pytest

from digitlab.cli import progress
from digitlab.cli.progress import StudyProgress, epoch_bar
from digitlab.results.record import EpochRecord, Result
from digitlab.spec.plan import Plan
from digitlab.studies.planning import plan_study
from small_study import pretend, small_study, write_digits


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder)
    return plan_study(small_study(folder))


def train(shown: StudyProgress, plan: Plan) -> None:
    shown.planned((), (), plan.trials)
    for trial in plan.trials:
        shown.started(trial)
        result: Result = pretend(trial, lambda record, trial=trial: shown.epoch(trial, record))
        shown.finished(trial, result)


def test_a_study_prints_how_far_it_is_and_how_long_it_takes(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
    with StudyProgress("small", [plan]) as shown:
        train(shown, plan)
    first, *lines = capsys.readouterr().err.splitlines()
    assert first == "small: 4 trials, 0 done already, 4 to train"
    assert lines[0] == "small: 0/4 trials, 1 in training, about 1 min left"
    assert lines[-1].startswith("small: 3/4 trials, 1 in training")
    assert len(lines) == 4 * 2  # an epoch each


def test_within_a_minute_nothing_more_is_printed(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    with StudyProgress("small", [plan]) as shown:
        train(shown, plan)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_single_training_prints_its_epochs(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
    records: list[EpochRecord] = []
    pretend(plan.trials[0], records.append)
    with epoch_bar("mlp", 2) as on_epoch:
        for record in records:
            on_epoch(record)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("mlp: epoch 1/2, validation error")
    assert lines[0].endswith("about 1 min left")
    assert len(lines) == 2

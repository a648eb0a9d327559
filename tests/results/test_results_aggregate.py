from __future__ import annotations

import json
import math
from typing import Any

import pytest

from digitlab.results.aggregate import aggregate, t_interval, trial_records
from digitlab.results.record import Result
from digitlab.spec import Plan, Study, Trial, make_plan, minimal_runs
from digitlab.spec.library import resolve_recipe

SKILLS = {8: 2.0, 16: 3.0}


def plan_of(path: str, *levels: Any, seeds: int = 3) -> Plan:
    values = {"name": "asked", "question": "Which?", "recipe": "mlp", "seeds": seeds}
    axes = [{"path": path, "values": list(levels)}]
    study = Study.from_values(values | {"axes": axes, "overrides": {"training.epochs": 2}}, "test")
    return make_plan(study, resolve_recipe("mlp"), "0" * 64, "float32")


@pytest.fixture(scope="module")
def widths() -> Plan:
    return plan_of("model.hidden.0", *SKILLS)


@pytest.fixture(scope="module")
def results(widths: Plan, make_result: Any) -> dict[str, Result]:
    def skill(trial: Trial) -> float:
        model: Any = trial.model
        return SKILLS[model.hidden[0]]

    return {trial.id: make_result(trial, skill(trial)) for trial in widths.trials}


def test_a_row_holds_what_the_trials_of_its_level_gave(widths: Plan, results: dict[str, Result]) -> None:
    table = aggregate(widths, results, {})
    assert table.complete
    assert [row.levels for row in table.rows] == [(8,), (16,)]
    for row, cell in zip(table.rows, widths.cells, strict=True):
        mine = [results[trial.id] for trial in cell.trials]
        assert row.seeds == (0, 1, 2)
        errors = [100 * (1 - result.final_test.correct / 10_000) for result in mine]
        assert row.test_errors == pytest.approx(errors)
        assert len(set(row.test_errors)) == 3
        assert row.test_error == t_interval(row.test_errors)
        assert row.validation_error.mean == pytest.approx(
            sum(100 * (1 - result.final_validation.accuracy) for result in mine) / 3
        )
        assert row.test_mse.mean == pytest.approx(sum(result.final_test.mse for result in mine) / 3)
        assert row.train_seconds.mean == pytest.approx(mine[0].train_seconds)
        assert (row.parameters, row.multiply_adds) == (mine[0].parameters, mine[0].multiply_adds)
        assert (row.failed, row.missing) == ((), 0)
    assert table.rows[1].test_error.high < table.rows[0].test_error.low


def test_the_order_in_which_results_came_does_not_matter(widths: Plan, results: dict[str, Result]) -> None:
    backwards = dict(reversed(results.items()))
    assert aggregate(widths, backwards, {}).rows == aggregate(widths, results, {}).rows


def test_results_of_other_studies_do_not_count(widths: Plan, results: dict[str, Result]) -> None:
    narrow = plan_of("model.hidden.0", 8, seeds=2)
    table = aggregate(narrow, results, {})
    assert table.rows[0].seeds == (0, 1)
    assert table.rows[0].test_errors == aggregate(widths, results, {}).rows[0].test_errors[:2]


def test_what_is_missing_and_what_failed_is_told_apart(widths: Plan, results: dict[str, Result]) -> None:
    (first, second, third) = (trial.id for trial in widths.cells[0].trials)
    rest = {trial: result for trial, result in results.items() if trial not in {first, third}}
    table = aggregate(widths, rest, {first: "the loss became nan in epoch 1"})
    assert not table.complete
    row, other = table.rows
    assert (row.seeds, row.failed, row.missing) == ((1,), ("the loss became nan in epoch 1",), 1)
    assert row.test_errors == (results[second].final_test.error_percent,)
    assert row.test_error.n == 1
    assert math.isnan(row.test_error.sd)
    assert (other.seeds, other.failed, other.missing) == ((0, 1, 2), (), 0)


def test_a_study_whose_every_trial_failed_is_complete_and_has_no_figures(widths: Plan) -> None:
    table = aggregate(widths, {}, {trial.id: "out of memory" for trial in widths.trials})
    assert table.complete
    for row in table.rows:
        assert row.failed == ("out of memory",) * 3
        assert (row.seeds, row.test_errors, row.missing) == ((), (), 0)
        assert (row.parameters, row.multiply_adds, row.test_error.n) == (None, None, 0)
    assert table.environments == ()


def test_a_study_that_has_not_begun_misses_everything(widths: Plan) -> None:
    table = aggregate(widths, {}, {})
    assert not table.complete
    assert [row.missing for row in table.rows] == [3, 3]
    assert [curve.histories for curve in table.curves] == [(), ()]


def test_a_level_of_epochs_is_read_where_it_ends(make_result: Any) -> None:
    plan = plan_of("training.epochs", 1, 2, 5, seeds=2)
    long = [make_result(trial) for trial in minimal_runs(plan.trials)]
    assert len(long) == 2
    results = {trial.id: long[trial.seed].after(trial) for trial in plan.trials}
    table = aggregate(plan, results, {})
    assert table.complete
    for row, curve, epochs in zip(table.rows, table.curves, (1, 2, 5), strict=True):
        assert row.test_errors == tuple(result.test[epochs].error_percent for result in long)
        assert row.test_mse == t_interval([result.test[epochs].mse for result in long])
        accuracies = [result.history[epochs - 1].validation_accuracy for result in long]
        assert row.validation_error == t_interval([100 * (1 - accuracy) for accuracy in accuracies])
        seconds = [sum(record.seconds for record in result.history[:epochs]) for result in long]
        assert row.train_seconds == t_interval(seconds)
        assert [len(history) for history in curve.histories] == [epochs, epochs]
        assert curve.label == str(epochs)


def test_each_environment_is_named_once(widths: Plan, results: dict[str, Result]) -> None:
    first = widths.trials[0].id
    elsewhere = {"digitlab": "0.1.0", "processor": "another"}
    moved = results | {first: results[first].model_copy(update={"environment": elsewhere})}
    assert len(aggregate(widths, results, {}).environments) == 1
    assert elsewhere in aggregate(widths, moved, {}).environments
    assert len(aggregate(widths, moved, {}).environments) == 2


def test_a_row_can_be_written_as_json_whatever_is_not_known(widths: Plan, results: dict[str, Result]) -> None:
    done, nothing = (aggregate(widths, known, {}).rows[0].to_values() for known in (results, {}))
    assert json.loads(json.dumps(done, allow_nan=False)) == done
    assert json.loads(json.dumps(nothing, allow_nan=False)) == nothing
    assert done["levels"] == [8]
    assert done["test_error_percent"]["n"] == 3
    assert done["test_error_percent"]["low"] < done["test_error_percent"]["mean"]
    assert nothing["test_error_percent"] == {"n": 0, "mean": None, "sd": None, "low": None, "high": None}
    assert (nothing["parameters"], nothing["missing"]) == (None, 3)


def test_there_is_a_flat_record_for_each_level_and_seed_that_is_done(
    widths: Plan, results: dict[str, Result]
) -> None:
    missing = widths.trials[1].id  # 16 neurons, seed 0
    known = {trial: result for trial, result in results.items() if trial != missing}
    records = trial_records(widths, known)
    assert [(each["model.hidden.0"], each["seed"]) for each in records] == [
        (8, 0),
        (8, 1),
        (8, 2),
        (16, 1),
        (16, 2),
    ]
    for each in records:
        result = results[str(each["trial"])]
        assert list(each) == list(records[0])
        assert all(isinstance(value, str | int | float) for value in each.values())
        assert (each["epochs"], each["test_images"]) == (2, 10_000)
        assert each["test_correct"] == result.final_test.correct
        assert each["test_error_percent"] == result.final_test.error_percent
        assert each["test_log_loss"] == result.final_test.log_loss
        assert each["validation_accuracy"] == result.history[-1].validation_accuracy
        assert each["train_seconds"] == result.train_seconds


def test_levels_that_one_training_gave_have_a_record_of_their_own_trial_each(make_result: Any) -> None:
    plan = plan_of("training.epochs", 1, 2, seeds=1)
    (long,) = (make_result(trial) for trial in minimal_runs(plan.trials))
    results = {trial.id: long.after(trial) for trial in plan.trials}
    first, second = trial_records(plan, results)
    assert [first["trial"], second["trial"]] == [trial.id for trial in plan.trials]
    assert [first["training.epochs"], second["training.epochs"]] == [1, 2]
    assert (first["epochs"], second["epochs"]) == (1, 2)
    assert (first["test_correct"], second["test_correct"]) == (long.test[1].correct, long.test[2].correct)
    assert first["test_correct"] != second["test_correct"]
    assert float(first["train_seconds"]) < float(second["train_seconds"])
    assert trial_records(plan, {}) == []


def test_a_result_comes_back_from_json_without_its_predictions(results: dict[str, Result]) -> None:
    result = next(iter(results.values()))
    again = Result.from_json(result.to_json())
    assert again.predictions == {}
    assert again.to_json() == result.to_json()
    assert again.trial.id == result.trial.id
    assert again.final_test == result.test[2] == again.test[2]

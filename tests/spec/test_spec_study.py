from __future__ import annotations

import copy
from typing import Any

import pytest

from digitlab.errors import SpecError
from digitlab.spec import MLP, Axis, Recipe, Study, make_plan
from digitlab.spec.library import resolve_recipe, resolve_study, study_names
from digitlab.spec.recipe import Augmentation
from digitlab.spec.study import with_settings

WIDTHS = {"path": "model.hidden.0", "values": [8, 16]}


def study_values(**changes: Any) -> dict[str, Any]:
    return {"name": "widths", "question": "How wide?", "recipe": "mlp", "axes": [WIDTHS]} | changes


def axis_values(**changes: Any) -> dict[str, Any]:
    return study_values(axes=[WIDTHS | changes])


def test_the_study_in_the_package_asks_how_wide_the_hidden_layer_must_be() -> None:
    study = resolve_study("mlp-neurons")
    assert "mlp-neurons" in study_names()
    assert study.question.endswith("?")
    assert study.axes[0].path == "model.hidden.0"
    assert study.axes[0].values == (8, 16, 32, 64, 128, 256, 512, 1024)
    assert study.axes[0].reference == 128
    assert study.axes[0].title == "neurons in the hidden layer"
    assert study.seeds == 3


@pytest.mark.parametrize("name", study_names())
def test_each_study_in_the_package_bears_its_files_name_and_reads_back_equal(name: str) -> None:
    study = resolve_study(name)
    assert study.name == name
    assert Study.from_toml(study.to_toml()) == Study.from_json(study.to_json()) == study


def test_levels_keep_their_types_through_toml_and_json() -> None:
    study = Study.from_values(axis_values(path="training.learning_rate", values=[1, 0.5, "x", False]), "test")
    for again in (Study.from_toml(study.to_toml()), Study.from_json(study.to_json())):
        assert [type(level) for level in again.axes[0].values] == [int, float, str, bool]


def test_a_level_may_be_a_list() -> None:
    study = Study.from_values(axis_values(path="model.hidden", values=[[16], [16, 16], []]), "test")
    assert study.axes[0].values == ((16,), (16, 16), ())
    assert Study.from_toml(study.to_toml()) == Study.from_json(study.to_json()) == study
    plan = make_plan(study, resolve_recipe("mlp"), "0" * 64, "float32")
    assert [cell.label for cell in plan.cells] == ["[16]", "[16, 16]", "[]"]
    hidden = [cell.trials[0].model.hidden for cell in plan.cells if isinstance(cell.trials[0].model, MLP)]
    assert hidden == [(16,), (16, 16), ()]
    assert (
        plan.cells[0].trials[0].id
        == make_plan(
            Study.from_values(axis_values(path="model.hidden.0", values=[16]), "test"),
            resolve_recipe("mlp"),
            "0" * 64,
            "float32",
        )
        .trials[0]
        .id
    )


def test_the_number_of_training_images_may_be_an_axis(refusal: Any) -> None:
    study = Study.from_values(axis_values(path="data.training_size", values=[100, 55_000]), "test")
    plan = make_plan(study, resolve_recipe("mlp"), "0" * 64, "float32")
    assert [cell.trials[0].data.training_size for cell in plan.cells] == [100, 55_000]
    assert len({trial.id for trial in plan.trials}) == len(plan.trials)
    wrong = Study.from_values(axis_values(path="data.training_size", values=[100, "all"]), "test")
    message = refusal(make_plan, wrong, resolve_recipe("mlp"), "0" * 64, "float32")
    assert message == (
        f"study {study.name}: data: training_size: expected a whole number from 10 to 1000000, received 'all'"
    )


def test_a_study_may_write_its_recipe_out_as_a_table() -> None:
    recipe = resolve_recipe("deep-cnn")
    study = Study.from_values(study_values(recipe=recipe.to_values()), "test")
    assert study.recipe == recipe
    assert Study.from_toml(study.to_toml()) == study


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            study_values(recipe={"name": "x", "model": {"family": "mlp", "hidden": [0]}}),
            "recipe.model.hidden.0: expected a whole number from 1 to 16384, received 0",
        ),
        (study_values(recipe={"name": "x"}), "recipe.model: this setting is missing; add it"),
        (study_values(recipe=3), "recipe: expected a table of settings, received 3"),
        (
            study_values(name="../widths"),
            "name: expected a name of at most 64 small letters, digits and hyphens, *",
        ),
        (study_values(seeds=0), "seeds: expected a whole number from 1 to 1000, received 0"),
        (study_values(seeds=1001), "seeds: expected a whole number from 1 to 1000, received 1001"),
        (study_values(seeds=True), "seeds: expected a whole number from 1 to 1000, received True"),
        (study_values(question=None), "question: expected a valid string, received None"),
        (study_values(seed=3), "seed: there is no such setting; check the spelling"),
        (study_values(axes=[]), "axes: expected 1 to 8 values, received 0"),
        (study_values(axes=[WIDTHS] * 2), "axes: expected different paths, received ['model.hidden.0', *]"),
        (
            study_values(axes=[{"path": f"model.hidden.{n}", "values": [1]} for n in range(9)]),
            "axes: expected 1 to 8 values, received 9",
        ),
        (study_values(axes=WIDTHS), "axes: expected a list, received *"),
        (axis_values(values=[]), "axes.0.values: expected 1 to 1000 values, received 0"),
        (axis_values(values=list(range(1001))), "axes.0.values: expected 1 to 1000 values, received 1001"),
        (axis_values(values=8), "axes.0.values: expected a list, received 8"),
        (axis_values(values=[8, 16, 8]), "axes.0.values: expected different levels, received 8 again"),
        (axis_values(values=[1, 1.0]), "axes.0.values: expected different levels, received 1.0 again"),
        (axis_values(values=[1, True]), "axes.0.values: expected different levels, received True again"),
        (
            axis_values(values=[8, [[16]]]),
            "axes.0.values.1: expected a number, a text, true, false or a list of these, received [[16]]",
        ),
        (
            axis_values(values=[None]),
            "axes.0.values.0: expected a number, a text, true, false or a list of these, received None",
        ),
        (axis_values(reference=32), "axes.0.reference: expected one of [8, 16], received 32"),
        (
            axis_values(reference=[8]),
            "axes.0.reference: expected one of [8, 16], received [8]",
        ),
        (
            axis_values(path="name"),
            "axes.0.path: expected recipe, data.training_size, or a setting of the model or the training, as "
            "in training.batch_size, received 'name'",
        ),
        (study_values(overrides=[1]), "overrides: expected a table of settings, received [1]"),
        (study_values(overrides={"training": {1}}), "overrides.training: expected a number, a text, *"),
    ],
)
def test_a_study_that_cannot_be_asked_is_refused_by_field_and_cause(
    values: dict[str, Any], message: str, refusal: Any
) -> None:
    begin, starred, end = f"here: {message}".partition("*")
    received = refusal(Study.from_values, values, "here")
    assert received.startswith(begin)
    assert received.endswith(end)
    assert starred or received == begin


def test_a_study_of_more_trials_than_anyone_can_train_is_refused_before_they_are_counted_out(
    refusal: Any,
) -> None:
    axes = [{"path": f"model.hidden.{place}", "values": list(range(1, 1001))} for place in range(8)]
    message = refusal(Study.from_values, study_values(axes=axes), "here")
    assert message.startswith(
        "here: expected at most 100,000 trials, received 3,000,000,000,000,000,000,000,000"
    )
    most = study_values(axes=axes[:1], seeds=100)
    assert Study.from_values(most, "here").seeds == 100
    assert "received 101,000" in refusal(Study.from_values, most | {"seeds": 101}, "here")


def test_a_dotted_path_changes_one_setting_and_nothing_else() -> None:
    recipe = resolve_recipe("deep-cnn")
    changed = with_settings(recipe, {"model.convolutions.1.filters": 32}, "test")
    values: Any = recipe.to_values()
    values["model"]["convolutions"][1]["filters"] = 32
    assert changed == Recipe.from_values(values, "test")
    assert recipe == resolve_recipe("deep-cnn")


def test_a_dotted_path_may_change_a_whole_list() -> None:
    assert with_settings(resolve_recipe("mlp"), {"model.hidden": [5, 6]}, "test").model == MLP(hidden=(5, 6))


@pytest.mark.parametrize(
    "settings",
    [
        {"training.epochs": 3, "training.loss": "mse"},
        {"training": {"epochs": 3, "loss": "mse"}},
        {"training": {"epochs": 3}, "training.loss": "mse"},
    ],
)
def test_settings_in_tables_say_the_same_as_dotted_paths(settings: dict[str, Any]) -> None:
    """TOML reads  overrides.training.epochs = 3  as a table: it must not reset the rest of the training."""
    base = with_settings(resolve_recipe("mlp"), {"training.batch_size": 64}, "test")
    changed = with_settings(base, settings, "test")
    expected = base.training.model_copy(update={"epochs": 3, "loss": "mse"})
    assert changed == base.model_copy(update={"training": expected})


def test_settings_that_lead_into_each_other_leave_the_callers_alone() -> None:
    settings: dict[str, Any] = {
        "model.convolutions": [{"filters": 4, "kernel_size": 3}],
        "model.convolutions.0.filters": 5,
    }
    before = copy.deepcopy(settings)
    model: Any = with_settings(resolve_recipe("cnn"), settings, "test").model
    assert model.convolutions[0].filters == 5
    assert settings == before


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("model.hiden", "there is no setting 'hiden'; expected one of family, hidden, activation, dropout"),
        ("modell.hidden", "there is no setting 'modell'; expected one of name, description, model, training"),
        ("model.hidden.1", "there is no setting '1'; expected a position from 0 to 0"),
        ("model.hidden.-1", "there is no setting '-1'; expected a position from 0 to 0"),
        ("model.hidden.00", "there is no setting '00'; expected a position from 0 to 0"),
        ("model.hidden.٠", "there is no setting '٠'; expected a position from 0 to 0"),
        ("model.hidden.x", "there is no setting 'x'; expected a position from 0 to 0"),
        ("training.epochs.0", "there is no setting '0'; expected no dot after a single value"),
        ("name.lower", "there is no setting 'lower'; expected no dot after a single value"),
        ("model.__class__", "there is no setting '__class__'; expected one of family, *"),
        ("", "there is no setting ''; expected one of name, *"),
        ("training.", "there is no setting ''; expected one of epochs, *"),
        ("model..hidden", "there is no setting ''; expected one of family, *"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused_where_it_ends(path: str, message: str, refusal: Any) -> None:
    received = refusal(with_settings, resolve_recipe("mlp"), {path: 1}, "here")
    begin, starred, _ = " ".join(f"here: {path}: {message}".split()).partition("*")
    assert received.startswith(begin.strip())
    assert starred or received == begin


def test_a_position_in_an_empty_list_is_refused(refusal: Any) -> None:
    empty = with_settings(resolve_recipe("mlp"), {"model.hidden": []}, "here")
    message = refusal(with_settings, empty, {"model.hidden.0": 8}, "here")
    assert message.endswith("there is no setting '0'; expected none, the list is empty")


def test_a_position_of_more_digits_than_python_reads_is_refused() -> None:
    with pytest.raises(SpecError, match="there is no setting '99"):
        with_settings(resolve_recipe("mlp"), {"model.hidden." + "9" * 5000: 8}, "here")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": {"family": "cnn"}}, "model.convolutions: this setting is missing; add it"),
        ({"training": {"lr": 1}}, "training.lr: there is no setting 'lr'; expected one of epochs, *"),
        ({"training": {"epochs": {"a": 1}}}, "training.epochs: expected a whole number from 1 to 10000, *"),
        ({"training": 5}, "training: expected a table of settings, received 5"),
        ({"training.epochs": {}}, "training.epochs: expected a whole number from 1 to 10000, received {}"),
    ],
)
def test_settings_in_tables_are_checked_like_all_others(
    settings: dict[str, Any], message: str, refusal: Any
) -> None:
    received = refusal(with_settings, resolve_recipe("mlp"), settings, "here")
    begin, starred, _ = f"here: {message}".partition("*")
    assert received.startswith(begin)
    assert starred or received == begin


@pytest.mark.parametrize(
    "settings",
    [
        {"training.augmentation.rotation": 10.0, "training.augmentation.shift": 2.0},
        {"training.augmentation": {"rotation": 10.0}, "training.augmentation.shift": 2.0},
        {"training": {"augmentation": {"rotation": 10.0, "shift": 2.0}}},
    ],
)
def test_a_setting_of_a_table_that_the_recipe_does_not_set_begins_with_the_tables_defaults(
    settings: dict[str, Any],
) -> None:
    recipe = resolve_recipe("mlp")
    assert recipe.training.augmentation is None
    changed = with_settings(recipe, settings, "--set")
    assert changed.training.augmentation == Augmentation(rotation=10.0, shift=2.0)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("training.augmentation.rotatoin", "there is no setting 'rotatoin'; expected one of rotation, scale"),
        ("training.augmentation.rotation.x", "there is no setting 'x'; expected no dot after a single value"),
        ("training.schedule.x", "there is no setting 'x'; expected no dot after a single value"),
    ],
)
def test_a_path_into_what_is_not_set_is_refused_where_it_leads_nowhere(path: str, message: str) -> None:
    with pytest.raises(SpecError, match=f"--set: {path}: {message}"):
        with_settings(resolve_recipe("mlp"), {path: 1.0}, "--set")


def test_a_setting_of_a_table_that_is_not_set_may_be_an_axis() -> None:
    axis = Axis(path="training.augmentation.rotation", values=(0.0, 10.0))
    study = Study(name="turned", question="Does turning help?", recipe="mlp", axes=(axis,), seeds=1)
    cells = make_plan(study, resolve_recipe("mlp"), "0" * 64, "float32").cells
    turned = [cell.trials[0].training.augmentation for cell in cells]
    assert turned == [Augmentation(rotation=0.0), Augmentation(rotation=10.0)]

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab.spec import DataSpec, Recipe, Trial
from digitlab.spec import trial as trial_module
from digitlab.spec.library import resolve_recipe
from digitlab.spec.recipe import CNN
from digitlab.spec.study import with_settings
from digitlab.spec.trial import ENGINE_VERSION, SYNTHESIS_VERSION, check_versions, checkpoints
from small_study import of_epochs

FINGERPRINT = "0123456789abcdef" * 4
GOLDEN_ID = "8f0d3136c4b1940c"
"""Of the recipe `mlp` in float32. If it changes, no store finds its trials again: raise ENGINE_VERSION
or undo what changed it, and only then write the new one here."""


def trial_of(recipe: Recipe, /, **changes: Any) -> Trial:
    values: dict[str, Any] = {"recipe": recipe.name, "data": DataSpec(fingerprint=FINGERPRINT)}
    return Trial(**values | {"model": recipe.model, "training": recipe.training} | changes)


def float32(recipe: str) -> Recipe:
    return with_settings(resolve_recipe(recipe), {"training.precision": "float32"}, "test")


def leaves(values: Any, path: tuple[str, ...] = ()) -> set[str]:
    if isinstance(values, dict):
        return {leaf for key, inner in values.items() for leaf in leaves(inner, (*path, key))}
    if isinstance(values, list):
        return {leaf for key, inner in enumerate(values) for leaf in leaves(inner, (*path, str(key)))}
    return {".".join(path)}


OTHERS: dict[str, dict[str, Any]] = {
    "mlp": {
        "model.hidden.0": 129,
        "model.activation": "tanh",
        "model.dropout": 0.1,
        "training.epochs": 11,
        "training.batch_size": 100,
        "training.optimizer": "sgd",
        "training.learning_rate": 0.0010000000000000002,  # the next float after 0.001
        "training.loss": "mse",
        "training.precision": "mixed_bfloat16",
    },
    "deep-cnn": {
        "model.convolutions.0.filters": 31,
        "model.convolutions.0.kernel_size": 7,
        "model.convolutions.0.padding": "same",
        "model.convolutions.0.pool": 1,
        "model.convolutions.1.filters": 16,
        "model.convolutions.1.kernel_size": 5,
        "model.convolutions.1.padding": "same",
        "model.convolutions.1.pool": 1,
        "model.dense.0": 129,
        "model.dense.1": 51,
        "model.dropout": 0.25,
        "model.activation": "elu",
    },
    "best": {
        "model.convolutions.5.stride": 2,
        "model.normalization": None,
        "training.schedule": "cosine",
        "training.weight_decay": 0.02,
        "training.label_smoothing": 0.04,
        "training.average": 0.99,
        "training.fade": 0.1,
        "training.renormalize": False,
        "training.augmentation": None,
        "training.augmentation.rotation": 11.0,
        "training.augmentation.scale": 0.11,
        "training.augmentation.shear": 0.11,
        "training.augmentation.shift": 1.0,
        "training.augmentation.elastic": 1.0,
        "training.augmentation.thickness": 0.4,
        "training.augmentation.light": 0.1,
        "training.augmentation.noise": 0.2,
        "training.augmentation.strokes": 0.11,
        "training.augmentation.damage": 0.1,
        "training.augmentation.non_digits": 0.11,
    },
}

LATER = {path.split(".")[1] for path in OTHERS["best"] if path.startswith("training")}
"""Settings that came after the first trials were kept; where they are None, they are no part of an id."""


def test_the_id_of_a_known_trial_is_what_it_was() -> None:
    assert trial_of(float32("mlp")).id == GOLDEN_ID
    assert trial_of(float32("cnn")).id == "b41e92d0e7a217cd"


def test_a_version_that_changed_batch_normalization_alone_is_that_of_networks_with_it() -> None:
    assert ENGINE_VERSION == 3
    assert trial_of(float32("best")).engine_version == 3
    assert trial_of(float32("best"), engine_version=2).engine_version == 2
    for recipe in ("mlp", "cnn", "fast"):
        assert trial_of(float32(recipe)).engine_version == 2
        assert trial_of(float32(recipe), engine_version=4).engine_version == 4
    plain = with_settings(float32("best"), {"model.normalization": None}, "test")
    assert trial_of(plain).engine_version == 2
    assert Trial.from_json(trial_of(plain).to_json()) == trial_of(plain)


GOLDEN_SYNTHETIC_ID = "6c78d685053e0551"
"""Of the first recipe `best`, from before its digits had a `SYNTHESIS_VERSION`."""


def first_best(synthesis_version: int) -> Trial:
    present = float32("best")
    assert isinstance(present.model, CNN)
    changes = {
        "model.convolutions": [block.to_values() for block in present.model.convolutions[:-1]],
        "training.epochs": 18,
        "training.augmentation.non_digits": None,
    }
    return trial_of(
        with_settings(present, changes, "test"), engine_version=2, synthesis_version=synthesis_version
    )


def test_digits_that_are_drawn_or_damaged_have_a_version_and_no_other_trial_has_one() -> None:
    drawn = trial_of(with_settings(float32("mlp"), {"training.augmentation": {"strokes": 0.1}}, "test"))
    damaged = trial_of(with_settings(float32("mlp"), {"training.augmentation": {"damage": 0.1}}, "test"))
    others = trial_of(with_settings(float32("mlp"), {"training.augmentation": {"non_digits": 0.1}}, "test"))
    moved = trial_of(with_settings(float32("mlp"), {"training.augmentation": {"shift": 1.0}}, "test"))
    assert drawn.synthesis_version == damaged.synthesis_version == SYNTHESIS_VERSION
    assert others.synthesis_version == SYNTHESIS_VERSION
    assert moved.synthesis_version is None
    assert trial_of(float32("mlp")).synthesis_version is None
    assert trial_of(float32("mlp"), synthesis_version=7).synthesis_version is None


def test_another_synthesis_changes_the_ids_of_trials_that_use_it_and_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert first_best(synthesis_version=1).id == GOLDEN_SYNTHETIC_ID
    present = trial_of(float32("best"))
    assert first_best(SYNTHESIS_VERSION).id != GOLDEN_SYNTHETIC_ID
    monkeypatch.setattr(trial_module, "SYNTHESIS_VERSION", SYNTHESIS_VERSION + 1)
    assert trial_of(float32("mlp")).id == GOLDEN_ID
    later = trial_of(float32("best"))
    assert later.synthesis_version == SYNTHESIS_VERSION + 1
    assert later.id not in {present.id, GOLDEN_SYNTHETIC_ID}
    assert Trial.from_json(later.to_json()) == later


def test_what_was_kept_before_the_synthesis_had_a_number_is_of_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = first_best(SYNTHESIS_VERSION).to_values()
    del kept["synthesis_version"]
    monkeypatch.setattr(trial_module, "SYNTHESIS_VERSION", SYNTHESIS_VERSION + 1)
    read = Trial.from_values(kept, "here")
    assert read.synthesis_version == 1
    assert read.id == GOLDEN_SYNTHETIC_ID


def test_a_trial_of_another_version_is_refused_in_one_line(refusal: Any) -> None:
    check_versions([trial_of(float32("mlp")), trial_of(float32("best"))])
    older = trial_of(float32("mlp"), engine_version=1)
    assert refusal(check_versions, [older]) == (
        f"trial {older.id}: expected engine version 2, as this digitlab trains it, received 1: other code "
        "under the same id would give another result; plan it anew, or train it with the digitlab of its "
        "version"
    )
    normalized = trial_of(float32("best"), engine_version=2)
    assert "expected engine version 3, as" in refusal(check_versions, [normalized])
    later = trial_of(float32("best"), synthesis_version=SYNTHESIS_VERSION + 1)
    assert f"synthesis version {SYNTHESIS_VERSION}, as" in refusal(check_versions, [later])


def test_an_id_is_the_same_in_every_process() -> None:
    code = "from digitlab.spec import Trial; import sys; print(Trial.from_json(sys.argv[1]).id, end='')"
    text = trial_of(float32("mlp")).to_json()
    for hash_seed in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-c", code, text],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        )
        assert told.stdout.decode() == GOLDEN_ID


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": "another-name"},
        {"recipe": ""},
        {"data": DataSpec(fingerprint=FINGERPRINT, dataset="/home/anna/digits")},
        {"data": DataSpec(fingerprint=FINGERPRINT, dataset="")},
    ],
)
def test_names_and_places_are_no_part_of_an_id(changes: dict[str, Any]) -> None:
    assert trial_of(float32("mlp"), **changes).id == GOLDEN_ID


def test_the_name_and_description_of_a_recipe_are_no_part_of_an_id() -> None:
    recipe = with_settings(float32("mlp"), {"name": "mine", "description": "My own."}, "test")
    assert trial_of(recipe).id == GOLDEN_ID


ELSEWHERE: list[dict[str, Any]] = [
    {"data": DataSpec(fingerprint="f" * 64)},
    {"data": DataSpec()},
    {"data": DataSpec(fingerprint=FINGERPRINT, validation=4_999)},
    {"data": DataSpec(fingerprint=FINGERPRINT, split_seed=29)},
    {"seed": 1},
    {"threads": 2},
    {"engine_version": ENGINE_VERSION + 1},
    {"model": resolve_recipe("cnn").model},
    {"training": resolve_recipe("mlp").training},
]


@pytest.mark.parametrize("changes", ELSEWHERE)
def test_whatever_else_a_trial_says_decides_its_id(changes: dict[str, Any]) -> None:
    assert trial_of(float32("mlp"), **changes).id != GOLDEN_ID


@pytest.mark.parametrize("name", ["mlp", "deep-cnn"])
def test_every_setting_of_the_model_and_the_training_decides_the_id(name: str) -> None:
    recipe, others = float32(name), OTHERS[name]
    settable = leaves({"model": recipe.to_values()["model"]}) - {"model.family"}
    if name == "mlp":
        settable |= leaves({"training": recipe.to_values()["training"]})
    assert set(others) == settable, "a setting was added: vary it here, too"
    changed = [trial_of(with_settings(recipe, {path: other}, "test")) for path, other in others.items()]
    assert len({trial_of(recipe).id, *(trial.id for trial in changed)}) == len(others) + 1


def test_every_later_setting_decides_the_id() -> None:
    recipe, others = float32("best"), OTHERS["best"]
    assert recipe.training.augmentation
    settable = set(type(recipe.training.augmentation).model_fields)
    named = {path.removeprefix("training.augmentation.") for path in others if "augmentation." in path}
    assert named == settable, "a setting was added: vary it here, too"
    changed = [trial_of(with_settings(recipe, {path: other}, "test")) for path, other in others.items()]
    assert len({trial_of(recipe).id, *(trial.id for trial in changed)}) == len(others) + 1


@pytest.mark.parametrize("path", [*sorted(LATER), "normalization"])
def test_a_setting_that_came_later_is_no_part_of_an_older_id(path: str) -> None:
    later = float32("cnn")
    assert path not in later.training.to_values() | later.model.to_values()


def test_the_order_of_layers_decides_the_id() -> None:
    wide, narrow = ([64, 32], [32, 64])
    ids = {trial_of(with_settings(float32("mlp"), {"model.hidden": h}, "test")).id for h in (wide, narrow)}
    assert len(ids) == 2


def test_a_whole_number_where_a_real_one_belongs_gives_the_same_id() -> None:
    ids = {
        trial_of(with_settings(float32("mlp"), {"training.learning_rate": rate}, "test")).id
        for rate in (1, 1.0)
    }
    assert len(ids) == 1


@given(seed=st.integers(0, 2**32 - 1), threads=st.integers(1, 1024), validation=st.integers(10, 1_000_000))
def test_a_trial_keeps_its_id_through_json_and_toml(seed: int, threads: int, validation: int) -> None:
    data = DataSpec(fingerprint=FINGERPRINT, validation=validation)
    trial = trial_of(float32("cnn"), seed=seed, threads=threads, data=data)
    for again in (Trial.from_json(trial.to_json()), Trial.from_toml(trial.to_toml())):
        assert again == trial
        assert again.id == trial.id


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"seed": -1}, "seed: expected a whole number from 0 to 4294967295, received -1"),
        ({"seed": 2**32}, "seed: expected a whole number from 0 to 4294967295, received 4294967296"),
        ({"seed": True}, "seed: expected a whole number from 0 to 4294967295, received True"),
        ({"threads": 0}, "threads: expected a whole number from 1 to 1024, received 0"),
        ({"threads": 1025}, "threads: expected a whole number from 1 to 1024, received 1025"),
        ({"engine_version": 0}, "engine_version: expected a whole number from 1 to 1000000, received 0"),
        (
            {"data": {"validation": 9}},
            "data.validation: expected a whole number from 10 to 1000000, received 9",
        ),
        (
            {"data": {"validation": 1_000_001}},
            "data.validation: expected a whole number from 10 to 1000000, received 1000001",
        ),
        (
            {"data": {"split_seed": "28"}},
            "data.split_seed: expected a whole number from 0 to 4294967295, received '28'",
        ),
        (
            {"data": {"fingerprint": "0" * 63 + "G"}},
            f"data.fingerprint: expected a SHA-256 of 64 hexadecimal digits, received {'0' * 63 + 'G'!r}",
        ),
    ],
)
def test_a_trial_out_of_range_is_refused_by_field_range_and_value(
    values: dict[str, Any], message: str, refusal: Any
) -> None:
    whole = trial_of(float32("mlp")).to_values() | values
    assert refusal(Trial.from_values, whole, "here") == f"here: {message}"


def settings_of(name: str) -> list[tuple[str, str, Any]]:
    return [(name, path, other) for path, other in OTHERS[name].items()]


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_trials_that_differ_in_their_epochs_alone_are_of_one_family(one: int, other: int) -> None:
    trials = [of_epochs(trial_of(float32("mlp")), epochs) for epochs in (one, other)]
    assert trials[0].prefix_group == trials[1].prefix_group
    assert (trials[0].id == trials[1].id) == (one == other)


@pytest.mark.parametrize(("name", "path", "other"), settings_of("mlp") + settings_of("deep-cnn"))
def test_every_setting_but_the_epochs_decides_the_family(name: str, path: str, other: Any) -> None:
    recipe = float32(name)
    changed = trial_of(with_settings(recipe, {path: other}, "test"))
    assert (changed.prefix_group == trial_of(recipe).prefix_group) == (path == "training.epochs")


@pytest.mark.parametrize("schedule", ["cosine", "one-cycle"])
def test_with_a_schedule_a_shorter_trial_is_no_beginning_of_a_longer_one(schedule: str) -> None:
    recipe = with_settings(float32("mlp"), {"training.schedule": schedule}, "test")
    trials = [of_epochs(trial_of(recipe), epochs) for epochs in (5, 10)]
    assert trials[0].prefix_group != trials[1].prefix_group


@pytest.mark.parametrize("changes", ELSEWHERE)
def test_whatever_else_decides_an_id_decides_the_family(changes: dict[str, Any]) -> None:
    assert trial_of(float32("mlp"), **changes).prefix_group != trial_of(float32("mlp")).prefix_group


def test_names_and_places_are_no_part_of_a_family() -> None:
    elsewhere = DataSpec(fingerprint=FINGERPRINT, dataset="/home/anna/digits")
    changed = trial_of(float32("mlp"), recipe="another-name", data=elsewhere)
    assert changed.prefix_group == trial_of(float32("mlp")).prefix_group


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        (1, (1,)),
        (2, (1, 2)),
        (3, (1, 2, 3)),
        (5, (1, 2, 5)),
        (10, (1, 2, 5, 10)),
        (11, (1, 2, 5, 10, 11)),
        (100, (1, 2, 5, 10, 20, 50, 100)),
        (10_000, (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)),
    ],
)
def test_predictions_are_kept_after_1_2_5_10_20_50_and_the_last_epoch(
    epochs: int, expected: tuple[int, ...]
) -> None:
    recipe = with_settings(float32("mlp"), {"training.epochs": epochs}, "test")
    assert trial_of(recipe).checkpoints == checkpoints(epochs) == expected


@given(st.integers(1, 10_000))
def test_a_trial_that_ends_at_a_checkpoint_has_its_own_checkpoints_where_the_longer_one_has_them(
    epochs: int,
) -> None:
    """What cutting a longer result to a shorter trial rests on."""
    kept = checkpoints(epochs)
    for shorter in kept:
        assert checkpoints(shorter) == tuple(epoch for epoch in kept if epoch <= shorter)

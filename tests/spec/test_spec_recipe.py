from __future__ import annotations

import json
import tomllib
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab.errors import SpecError
from digitlab.spec import CNN, MLP, Convolution, ModelSpec, Recipe, TrainingSpec
from digitlab.spec.library import recipe_names, resolve_recipe
from digitlab.spec.recipe import IMAGE_SIDE, Activation, Augmentation
from digitlab.spec.study import with_settings

ACTIVATIONS = st.sampled_from(get_args(Activation))
WIDTHS = st.lists(st.integers(1, 16384), max_size=16).map(tuple)
DROPOUTS = st.floats(0, 1, exclude_max=True)
MLPS = st.builds(MLP, hidden=WIDTHS, activation=ACTIVATIONS, dropout=DROPOUTS)
AUGMENTATIONS = st.builds(
    Augmentation,
    rotation=st.floats(0, 180),
    elastic=st.floats(0, 14),
    light=st.floats(0, 0.9),
    strokes=st.floats(0, 0.9),
)
TRAININGS = st.builds(
    TrainingSpec,
    schedule=st.sampled_from([None, "one-cycle", "cosine"]),
    weight_decay=st.none() | st.floats(0, 1),
    average=st.none() | st.floats(0, 1, exclude_max=True),
    augmentation=st.none() | AUGMENTATIONS,
    epochs=st.integers(1, 10_000),
    batch_size=st.integers(1, 60_000),
    optimizer=st.sampled_from(["adam", "sgd"]),
    learning_rate=st.floats(0, 10, exclude_min=True),
    loss=st.sampled_from(["crossentropy", "mse"]),
    precision=st.sampled_from(["auto", "float32", "mixed_bfloat16"]),
)


@st.composite
def cnns(draw: st.DrawFn) -> CNN:
    """Draw block after block for as long as the map has pixels for another."""
    side, blocks = IMAGE_SIDE, []
    for _ in range(draw(st.integers(1, 6))):
        padding = draw(st.sampled_from(["valid", "same"]))
        kernel_size = draw(st.integers(1, IMAGE_SIDE if padding == "same" else side))
        convolved = side if padding == "same" else side - kernel_size + 1
        pool = draw(st.integers(1, min(8, convolved)))
        values = {"filters": draw(st.integers(1, 1024)), "kernel_size": kernel_size}
        blocks.append(Convolution.from_values(values | {"padding": padding, "pool": pool}, "drawn"))
        side = convolved // pool
    return CNN(
        convolutions=tuple(blocks), dropout=draw(DROPOUTS), dense=draw(WIDTHS), activation=draw(ACTIVATIONS)
    )


RECIPES = st.builds(
    Recipe,
    name=st.from_regex(r"[a-z0-9][a-z0-9-]{0,63}", fullmatch=True),
    description=st.text(),
    model=st.one_of(MLPS, cnns()),
    training=TRAININGS,
)

WIDE = with_settings(
    resolve_recipe("deep-cnn"),
    {"model.convolutions": [{"filters": 8, "kernel_size": 3, "padding": "same", "pool": 1}]},
    "a CNN whose kernel may be as large as the image",
)
RANGES = [
    (resolve_recipe("mlp"), "model.hidden.0", 1, 16384, "a whole number from 1 to 16384"),
    (resolve_recipe("mlp"), "training.epochs", 1, 10_000, "a whole number from 1 to 10000"),
    (resolve_recipe("mlp"), "training.batch_size", 1, 60_000, "a whole number from 1 to 60000"),
    (WIDE, "model.convolutions.0.filters", 1, 1024, "a whole number from 1 to 1024"),
    (WIDE, "model.convolutions.0.kernel_size", 1, 28, "a whole number from 1 to 28"),
    (WIDE, "model.convolutions.0.pool", 1, 8, "a whole number from 1 to 8"),
    (WIDE, "model.dense.1", 1, 16384, "a whole number from 1 to 16384"),
]
REALS = [
    (resolve_recipe("mlp"), "model.dropout", [0, 0.5, 0.999], [-0.001, 1, 1.0], "a number from 0 below 1"),
    (WIDE, "model.dropout", [0, 0.999], [-1, 1], "a number from 0 below 1"),
    (
        resolve_recipe("mlp"),
        "training.learning_rate",
        [1e-12, 1, 10],
        [0, 0.0, -0.1, 10.001],
        "a number above 0 up to 10",
    ),
]
NO_NUMBERS = [True, "3", [], {}, {"a": 3}, None, float("nan"), float("inf"), float("-inf"), 10**5000]


@pytest.mark.parametrize("name", ["mlp", "cnn", "deep-cnn"])
def test_each_recipe_in_the_package_is_one_under_its_own_name_with_a_sentence(name: str) -> None:
    recipe = resolve_recipe(name)
    assert name in recipe_names()
    assert recipe.name == name
    assert recipe.description.endswith(".")


def test_the_recipes_are_the_classrooms_networks() -> None:
    mlp, cnn, deep = (resolve_recipe(name) for name in ("mlp", "cnn", "deep-cnn"))
    assert mlp.model == MLP(hidden=(128,))
    assert (mlp.training.epochs, mlp.training.batch_size) == (10, 200)
    assert cnn.model == CNN(convolutions=(Convolution(filters=8, kernel_size=3),), dropout=0.2, dense=(128,))
    assert deep.model == CNN(
        convolutions=(Convolution(filters=30, kernel_size=5), Convolution(filters=15, kernel_size=3)),
        dropout=0.2,
        dense=(128, 50),
    )


@given(RECIPES)
def test_a_recipe_written_as_toml_or_json_reads_back_equal(recipe: Recipe) -> None:
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert Recipe.from_json(recipe.to_json()) == recipe


@given(RECIPES)
def test_what_is_written_is_toml_and_json_that_anyone_reads_alike(recipe: Recipe) -> None:
    assert tomllib.loads(recipe.to_toml()) == json.loads(recipe.to_json()) == recipe.to_values()


@given(RECIPES)
def test_every_map_of_a_valid_cnn_keeps_a_pixel(recipe: Recipe) -> None:
    side = IMAGE_SIDE
    for block in recipe.model.convolutions if isinstance(recipe.model, CNN) else ():
        side = block.output_side(side)
        assert 1 <= side <= IMAGE_SIDE


@pytest.mark.parametrize(("recipe", "path", "low", "high", "words"), RANGES)
def test_a_whole_number_is_taken_from_end_to_end_of_its_range_and_not_beyond(
    recipe: Recipe, path: str, low: int, high: int, words: str, refusal: Any
) -> None:
    for value in (low, high):
        with_settings(recipe, {path: value}, "here")
    for value in (low - 1, high + 1, -(10**30), low + 0.5, float(low), *NO_NUMBERS):
        message = refusal(with_settings, recipe, {path: value}, "here")
        assert message.startswith(f"here: {path}: expected {words}, received ")


@pytest.mark.parametrize(("recipe", "path", "inside", "outside", "words"), REALS)
def test_a_number_is_taken_within_its_range_and_not_outside(
    recipe: Recipe, path: str, inside: list[float], outside: list[float], words: str, refusal: Any
) -> None:
    for value in inside:
        with_settings(recipe, {path: value}, "here")
    for value in (*outside, *NO_NUMBERS):
        message = refusal(with_settings, recipe, {path: value}, "here")
        assert message.startswith(f"here: {path}: expected {words}, received ")


@pytest.mark.parametrize(
    ("recipe", "path", "words"),
    [
        ("mlp", "model.activation", "'relu', 'tanh', 'sigmoid', 'gelu', 'elu', 'leaky_relu' or 'silu'"),
        ("mlp", "training.optimizer", "'adam', 'sgd', 'adamw', 'rmsprop', 'nadam' or 'muon'"),
        ("mlp", "training.loss", "'crossentropy' or 'mse'"),
        ("mlp", "training.precision", "'auto', 'float32' or 'mixed_bfloat16'"),
        ("cnn", "model.convolutions.0.padding", "'valid' or 'same'"),
        ("mlp", "model.family", "one of 'mlp', 'cnn', 'python'"),
        ("mlp", "name", "a name of at most 64 small letters, digits and hyphens"),
    ],
)
def test_a_choice_that_is_none_is_refused_with_all_that_are(
    recipe: str, path: str, words: str, refusal: Any
) -> None:
    message = refusal(with_settings, resolve_recipe(recipe), {path: "Relu?"}, "here")
    assert message == f"here: {path}: expected {words}, received 'Relu?'"


@pytest.mark.parametrize(
    "name", ["", "-mlp", "MLP", "a b", "../mlp", "a/b", "mlp\n", "ünder", "a" * 65, ".", 7]
)
def test_a_name_that_could_not_be_a_files_name_is_refused(name: Any, refusal: Any) -> None:
    message = refusal(Recipe.from_values, {"name": name, "model": {"family": "mlp"}}, "here")
    assert message.startswith("here: name: expected a name of at most 64 small letters, digits and hyphens")


@pytest.mark.parametrize(
    ("recipe", "path", "values", "words"),
    [
        ("mlp", "model.hidden", [1] * 17, "expected 0 to 16 values, received 17"),
        ("cnn", "model.dense", [1] * 17, "expected 0 to 16 values, received 17"),
        ("cnn", "model.convolutions", [], "expected 1 to 16 values, received 0"),
        (
            "cnn",
            "model.convolutions",
            [{"filters": 1, "kernel_size": 1, "pool": 1}] * 17,
            "expected 1 to 16 values, received 17",
        ),
        ("mlp", "model.hidden", "128", "expected a list, received '128'"),
        ("cnn", "model.convolutions", [8], "expected a table of settings, received 8"),
    ],
)
def test_a_list_of_a_wrong_length_or_of_no_list_is_refused(
    recipe: str, path: str, values: Any, words: str, refusal: Any
) -> None:
    message = refusal(with_settings, resolve_recipe(recipe), {path: values}, "here")
    assert message.startswith(f"here: {path}")
    assert message.endswith(words)


def test_a_network_without_hidden_layers_is_one() -> None:
    assert MLP(hidden=()).hidden == ()
    assert CNN(convolutions=(Convolution(filters=1, kernel_size=28, pool=1),), dense=()).dense == ()


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([(28, "valid", 2)], "block 0: expected a kernel_size and pool that leave a pixel of the 28x28 map"),
        (
            [(5, "valid", 2), (13, "valid", 1)],
            "block 1: * of the 12x12 map, received kernel_size 13 and pool 1",
        ),
        ([(3, "same", 8), (1, "same", 4)], "block 1: * of the 3x3 map, received kernel_size 1 and pool 4"),
    ],
)
def test_a_convolution_that_leaves_no_pixel_is_refused_with_the_map_it_meets(
    blocks: list[tuple[int, str, int]], words: str, refusal: Any
) -> None:
    keys = ("kernel_size", "padding", "pool")
    convolutions = [{"filters": 4, **dict(zip(keys, block, strict=True))} for block in blocks]
    values = {"name": "x", "model": {"family": "cnn", "convolutions": convolutions}}
    message = refusal(Recipe.from_values, values, "here")
    begin, _, end = words.partition("*")
    assert message.startswith(f"here: model.convolutions: {begin}")
    assert end in message


def test_convolutions_that_leave_one_pixel_are_taken() -> None:
    blocks = tuple(Convolution(filters=1, kernel_size=3, padding="same", pool=2) for _ in range(4))
    assert CNN(convolutions=blocks).convolutions[3].output_side(3) == 1
    with pytest.raises(ValueError, match="block 4"):
        CNN(convolutions=(*blocks, blocks[0]))


@pytest.mark.parametrize("place", [(), ("model",), ("training",), ("model", "convolutions", 0)])
@pytest.mark.parametrize("key", ["epoch", "mlp", "cnn", "table", "__class__", "model_config"])
def test_an_unknown_key_anywhere_is_refused_by_its_path(place: tuple, key: str) -> None:
    values: Any = resolve_recipe("cnn").to_values()
    at = values
    for step in place:
        at = at[step]
    at[key] = 1
    with pytest.raises(SpecError) as caught:
        Recipe.from_values(values, "here")
    path = ".".join(map(str, (*place, key)))
    assert str(caught.value) == f"here: {path}: there is no such setting; check the spelling"


@pytest.mark.parametrize(
    ("recipe", "place", "key", "path"),
    [
        ("mlp", (), "name", "name"),
        ("mlp", (), "model", "model"),
        ("mlp", ("model",), "family", "model.family"),
        ("cnn", ("model",), "convolutions", "model.convolutions"),
        ("cnn", ("model", "convolutions", 0), "filters", "model.convolutions.0.filters"),
    ],
)
def test_a_missing_key_is_named_by_its_path(
    recipe: str, place: tuple, key: str, path: str, refusal: Any
) -> None:
    values: Any = resolve_recipe(recipe).to_values()
    at = values
    for step in place:
        at = at[step]
    del at[key]
    message = refusal(Recipe.from_values, values, "here")
    assert message == f"here: {path}: this setting is missing; add it"


def test_a_spec_cannot_be_changed() -> None:
    spec: ModelSpec = MLP()
    with pytest.raises(ValueError, match="frozen"):
        spec.dropout = 0.5


def test_label_smoothing_belongs_to_cross_entropy() -> None:
    with pytest.raises(SpecError, match="label_smoothing: expected the loss 'crossentropy'"):
        TrainingSpec.from_values({"label_smoothing": 0.1, "loss": "mse"}, "test")


@pytest.mark.parametrize(
    ("kernel_size", "padding", "stride", "pool", "side"),
    [(5, "valid", 2, 1, 12), (5, "valid", 1, 2, 12), (3, "same", 3, 1, 10), (28, "valid", 4, 1, 1)],
)
def test_the_side_of_a_map_after_a_strided_block(
    kernel_size: int, padding: Any, stride: int, pool: int, side: int
) -> None:
    block = Convolution(filters=1, kernel_size=kernel_size, padding=padding, stride=stride, pool=pool)
    assert block.output_side(28) == side


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"optimizer": "adam", "momentum": 0.9},
            "momentum: expected the optimizer 'sgd' or 'rmsprop' or 'muon'",
        ),
        ({"optimizer": "rmsprop", "nesterov": True}, "nesterov: expected the optimizer 'sgd' or 'muon'"),
        ({"patience": 3, "schedule": "cosine"}, "patience: expected no schedule with it"),
        ({"patience": 3, "fade": 0.5}, "patience: expected no fade with it"),
        ({"patience": 0}, "patience: expected a whole number from 1 to 10000, received 0"),
        ({"l2": -1.0}, "l2: expected a number from 0 up to 1, received -1.0"),
    ],
)
def test_settings_of_the_training_must_go_together(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        TrainingSpec.from_values(settings, "test")


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"residual": 3}, "block 1: expected residual of 2 or less"),
        ({"residual": 2}, "block 1: expected padding 'same' and pool 1 in the blocks of a shortcut"),
        ({"residual": 1, "pool": 2}, "block 1: expected padding 'same' and pool 1"),
    ],
)
def test_a_shortcut_goes_around_blocks_that_keep_the_map(block: dict[str, Any], message: str) -> None:
    first = {"filters": 4, "kernel_size": 3}
    last = {"filters": 4, "kernel_size": 3, "padding": "same", "pool": 1, **block}
    with pytest.raises(SpecError, match=message):
        CNN.from_values({"convolutions": [first, last]}, "test")


def test_new_settings_change_no_older_id() -> None:
    assert "pooling" not in Convolution(filters=1, kernel_size=3).to_json()
    assert not {"momentum", "l2", "patience"} & TrainingSpec().to_values().keys()

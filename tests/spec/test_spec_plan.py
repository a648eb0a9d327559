from __future__ import annotations

import itertools
from collections.abc import Iterable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab.errors import SpecError
from digitlab.spec import CNN, MLP, Plan, Recipe, Study, Trial, covering_runs, make_plan, minimal_runs
from digitlab.spec.library import resolve_recipe, resolve_study
from digitlab.spec.study import single
from small_study import of_epochs

FINGERPRINT = "0123456789abcdef" * 4
WIDTHS = {"path": "model.hidden.0", "values": [8, 16]}
RATES = {"path": "training.learning_rate", "values": [0.1, 0.01, 0.001]}


def plan_of(*axes: dict[str, Any], recipe: str = "mlp", precision: str = "float32", **changes: Any) -> Plan:
    values = {"name": "asked", "question": "Which?", "recipe": recipe, "axes": list(axes)} | changes
    return make_plan(Study.from_values(values, "test"), resolve_recipe(recipe), FINGERPRINT, precision)


def epochs_axis(*values: int) -> dict[str, Any]:
    return {"path": "training.epochs", "values": list(values)}


def test_each_level_is_trained_with_the_same_seeds() -> None:
    plan = plan_of(WIDTHS, seeds=3)
    for cell in plan.cells:
        assert [trial.seed for trial in cell.trials] == [0, 1, 2]
    models: list[Any] = [cell.trials[0].model for cell in plan.cells]
    assert [model.hidden for model in models] == [(8,), (16,)]


def test_the_trials_come_by_seed_so_that_an_interrupted_study_has_complete_ones() -> None:
    plan = plan_of(WIDTHS, seeds=3)
    models: list[Any] = [trial.model for trial in plan.trials]
    levels = [model.hidden[0] for model in models]
    assert list(zip([trial.seed for trial in plan.trials], levels, strict=True)) == [
        (0, 8), (0, 16), (1, 8), (1, 16), (2, 8), (2, 16),
    ]  # fmt: skip


def test_a_trial_carries_all_that_the_plan_decided() -> None:
    trial = plan_of(WIDTHS, data={"dataset": "mnist", "validation": 1000, "split_seed": 3}).trials[0]
    assert (trial.recipe, trial.threads, trial.data.fingerprint) == ("mlp", 1, FINGERPRINT)
    assert (trial.data.validation, trial.data.split_seed) == (1000, 3)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_the_precision_auto_becomes_what_it_means_on_this_machine(precision: str) -> None:
    assert {trial.training.precision for trial in plan_of(WIDTHS, precision=precision).trials} == {precision}
    asked = plan_of(WIDTHS, precision=precision, overrides={"training.precision": "float32"})
    assert {trial.training.precision for trial in asked.trials} == {"float32"}


def test_levels_that_come_to_the_same_training_are_trained_once() -> None:
    plan = plan_of({"path": "training.precision", "values": ["auto", "float32"]}, seeds=2)
    assert [len(cell.trials) for cell in plan.cells] == [2, 2]
    assert len(plan.trials) == 2


def test_two_studies_that_ask_for_the_same_training_share_its_trial() -> None:
    widths = {trial.id for trial in plan_of(WIDTHS).trials}
    rates = {trial.id for trial in plan_of(RATES, overrides={"model.hidden": [16]}).trials}
    assert len(widths & rates) == 3  # 16 neurons at 0.001, once a seed


def test_overrides_hold_for_every_level_and_an_axis_goes_before_them() -> None:
    plan = plan_of(WIDTHS, overrides={"training": {"epochs": 3}, "model.hidden": [99, 7]})
    for cell in plan.cells:
        trial = cell.trials[0]
        assert trial.training.epochs == 3
        assert trial.model == MLP(hidden=(int(single(cell.levels[0])), 7))


def test_axes_are_crossed_and_the_last_varies_fastest() -> None:
    plan = plan_of(WIDTHS, RATES, seeds=2)
    assert [cell.levels for cell in plan.cells] == [
        (8, 0.1), (8, 0.01), (8, 0.001), (16, 0.1), (16, 0.01), (16, 0.001),
    ]  # fmt: skip
    assert len(plan.trials) == 12
    assert plan.cells[1].label == "8 × 0.01"
    for cell in plan.cells:
        trial = cell.trials[1]
        assert (trial.model, trial.training.learning_rate) == (
            MLP(hidden=(int(single(cell.levels[0])),)),
            cell.levels[1],
        )


def test_the_reference_is_the_first_level_unless_the_study_says_another() -> None:
    assert plan_of(WIDTHS, RATES).reference == (8, 0.1)
    assert plan_of(WIDTHS, RATES | {"reference": 0.001}).reference == (8, 0.001)
    losses = {"path": "training.loss", "values": ["crossentropy", "mse"], "reference": "mse"}
    assert plan_of(losses).reference == ("mse",)
    rates = {"path": "model.dropout", "values": [0.5, 0.25, 0.0], "reference": 0.0}
    assert plan_of(rates).reference == (0.0,)


def lengths(trials: Iterable[Trial]) -> list[tuple[int, int]]:
    """Seed and epochs of each."""
    return [(trial.seed, trial.training.epochs) for trial in trials]


def test_a_study_over_epochs_asks_for_trials_of_their_own_lengths() -> None:
    plan = plan_of(epochs_axis(5, 1, 10), seeds=2)
    assert lengths(plan.trials) == [(0, 5), (0, 1), (0, 10), (1, 5), (1, 1), (1, 10)]
    assert [lengths(cell.trials) for cell in plan.cells] == [
        [(0, 5), (1, 5)], [(0, 1), (1, 1)], [(0, 10), (1, 10)],
    ]  # fmt: skip
    assert len({trial.id for trial in plan.trials}) == 6


def test_of_a_study_over_epochs_the_longest_is_trained_once_a_seed() -> None:
    plan = plan_of(epochs_axis(1, 2, 5, 10, 20, 50), seeds=2)
    assert lengths(minimal_runs(plan.trials)) == [(0, 50), (1, 50)]
    training = covering_runs(plan.trials)
    for cell in plan.cells:
        assert lengths(training[trial.id] for trial in cell.trials) == [(0, 50), (1, 50)]


def test_a_length_that_is_no_checkpoint_of_the_longest_is_trained_for_itself() -> None:
    plan = plan_of(epochs_axis(3, 10), seeds=1)
    assert lengths(minimal_runs(plan.trials)) == [(0, 3), (0, 10)]
    assert [training.id for training in covering_runs(plan.trials).values()] == [t.id for t in plan.trials]


def test_epochs_crossed_with_widths_train_the_longest_of_each_width() -> None:
    plan = plan_of(WIDTHS, epochs_axis(2, 5, 7), seeds=2)
    assert lengths(plan.trials) == [
        (seed, epochs) for seed in (0, 1) for _ in WIDTHS["values"] for epochs in (2, 5, 7)
    ]
    trainings = minimal_runs(plan.trials)
    models: list[Any] = [trial.model for trial in trainings]
    assert [model.hidden[0] for model in models] == [8, 16] * 2
    assert lengths(trainings) == [(0, 7), (0, 7), (1, 7), (1, 7)]


def test_a_study_that_varies_no_epochs_trains_what_it_asks_for() -> None:
    plan = plan_of(WIDTHS, RATES, seeds=2)
    assert minimal_runs(plan.trials) == plan.trials


def test_the_longest_run_is_the_one_that_another_study_trains_anyway() -> None:
    assert {t.id for t in minimal_runs(plan_of(epochs_axis(1, 10)).trials)} <= {
        t.id for t in plan_of(WIDTHS | {"values": [128]}).trials
    }


def test_where_nothing_is_asked_for_nothing_is_trained() -> None:
    assert minimal_runs([]) == ()
    assert covering_runs([]) == {}


BASE = plan_of(WIDTHS, seeds=2).trials
"""Trials of four families: two widths, two seeds."""


@st.composite
def asked_trials(draw: st.DrawFn) -> list[Trial]:
    """Trials of a few families and many lengths in any order, some of them twice."""
    length = st.sampled_from([1, 2, 3, 5, 7, 10, 12, 20, 50, 100]) | st.integers(1, 120)
    pairs = draw(st.lists(st.tuples(st.sampled_from(BASE), length), max_size=8))
    return [of_epochs(trial, epochs) for trial, epochs in pairs]


def gives(training: Trial, trial: Trial) -> bool:
    """Whether a trial can be read off a training, from first principles."""
    same = of_epochs(training, trial.training.epochs) == trial
    return same and trial.training.epochs in training.checkpoints


@given(asked_trials())
def test_every_trial_asked_for_is_read_off_a_training_of_its_own_that_keeps_its_last_epoch(
    asked: list[Trial],
) -> None:
    training = covering_runs(asked)
    assert list(training) == list(dict.fromkeys(trial.id for trial in asked))
    for trial in asked:
        assert gives(training[trial.id], trial)
        assert training[trial.id] in asked


@given(asked_trials())
def test_no_fewer_trainings_would_do_and_none_is_superfluous(asked: list[Trial]) -> None:
    trainings = minimal_runs(asked)
    assert len({trial.id for trial in trainings}) == len(trainings)
    for training in trainings:
        assert not any(gives(other, training) for other in trainings if other.id != training.id)
    for fewer in itertools.combinations(asked, max(len(trainings) - 1, 0)):
        assert not asked or not all(any(gives(each, trial) for each in fewer) for trial in asked)


@given(asked_trials())
def test_trainings_come_in_the_order_in_which_they_are_first_needed(asked: list[Trial]) -> None:
    training = covering_runs(asked)
    first_needed = list(dict.fromkeys(training[trial.id].id for trial in asked))
    assert [each.id for each in minimal_runs(iter(asked))] == first_needed


@given(asked_trials(), st.randoms(use_true_random=False))
def test_the_order_of_asking_does_not_decide_what_is_trained(asked: list[Trial], random: Random) -> None:
    shuffled = random.sample(asked, len(asked))
    assert {trial.id for trial in minimal_runs(shuffled)} == {trial.id for trial in minimal_runs(asked)}


@given(asked_trials())
def test_trainings_of_trainings_are_themselves(asked: list[Trial]) -> None:
    assert minimal_runs(minimal_runs(asked)) == minimal_runs(asked)


@given(st.lists(st.integers(1, 120), min_size=1, max_size=6, unique=True), st.integers(1, 3))
def test_a_study_over_any_epochs_trains_the_longest_and_what_is_no_checkpoint_of_it(
    asked: list[int], seeds: int
) -> None:
    plan = plan_of(epochs_axis(*asked), seeds=seeds)
    assert len(plan.trials) == seeds * len(asked)
    for length, cell in zip(asked, plan.cells, strict=True):
        assert lengths(cell.trials) == [(seed, length) for seed in range(seeds)]
    longest = next(trial for trial in plan.trials if trial.training.epochs == max(asked))
    read_off = sum(length in longest.checkpoints for length in asked)
    trainings = minimal_runs(plan.trials)
    assert len(trainings) == seeds * (1 + len(asked) - read_off)
    assert [trial.seed for trial in trainings] == sorted(trial.seed for trial in trainings)


@given(
    st.lists(st.integers(1, 16384), min_size=1, max_size=4, unique=True),
    st.lists(st.floats(1e-300, 10), min_size=1, max_size=3, unique=True),
    st.sampled_from(["float32", "mixed_bfloat16"]),
)
def test_a_plan_kept_as_json_comes_back_with_the_same_trials(
    widths: list[int], rates: list[float], precision: str
) -> None:
    plan = plan_of(WIDTHS | {"values": widths}, RATES | {"values": rates}, precision=precision, seeds=2)
    again = Plan.from_json(plan.to_json())
    assert again == plan
    assert [trial.id for trial in again.trials] == [trial.id for trial in plan.trials]
    assert again.reference == plan.reference


def test_a_plan_of_a_recipe_written_out_comes_back_as_well() -> None:
    recipe = resolve_recipe("cnn")
    study = resolve_study("mlp-neurons").model_copy(
        update={"recipe": recipe, "axes": resolve_study("mlp-neurons").axes}
    )
    values = study.to_values() | {"axes": [{"path": "model.dropout", "values": [0.0, 0.25]}]}
    plan = make_plan(Study.from_values(values, "test"), recipe, FINGERPRINT, "float32")
    assert isinstance(plan.study.recipe, Recipe)
    again = Plan.from_json(plan.to_json())
    assert [trial.id for trial in again.trials] == [trial.id for trial in plan.trials]
    assert all(isinstance(trial.model, CNN) for trial in again.trials)


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        (
            WIDTHS | {"values": [8, 0]},
            "study asked: model.hidden.0: expected a whole number from 1 to 16384, received 0",
        ),
        (
            RATES | {"values": [0.1, float("nan")]},
            "study asked: training.learning_rate: expected a number above 0 up to 10, received nan",
        ),
        (
            epochs_axis(1) | {"values": [5, True]},
            "study asked: training.epochs: expected a whole number from 1 to 10000, received True",
        ),
        (
            epochs_axis(1, 10_001),
            "study asked: training.epochs: expected a whole number from 1 to 10000, received 10001",
        ),
        (
            epochs_axis(1) | {"values": [1, "2"]},
            "study asked: training.epochs: expected a whole number from 1 to 10000, received '2'",
        ),
        (
            {"path": "model.hidden.1", "values": [8]},
            "study asked: model.hidden.1: there is no setting '1'; expected a position from 0 to 0",
        ),
        (
            {"path": "model.hidden", "values": [8]},
            "study asked: model.hidden: expected a list, received 8",
        ),
    ],
)
def test_an_impossible_level_is_refused_before_anything_runs(
    axis: dict[str, Any], message: str, refusal: Any
) -> None:
    assert refusal(plan_of, axis) == message


def test_an_impossible_combination_of_levels_is_refused(refusal: Any) -> None:
    kernels = {"path": "model.convolutions.0.kernel_size", "values": [3, 27]}
    pools = {"path": "model.convolutions.0.pool", "values": [2, 4]}
    message = refusal(lambda: plan_of(kernels, pools, recipe="cnn"))
    assert message == (
        "study asked: model.convolutions: block 0: expected a kernel_size and pool that leave a pixel of the "
        "28x28 map, received kernel_size 27 and pool 4"
    )


def test_an_impossible_override_is_refused_as_one(refusal: Any) -> None:
    message = refusal(lambda: plan_of(WIDTHS, overrides={"training.epochs": 0}))
    assert message == (
        "study asked: overrides: training.epochs: expected a whole number from 1 to 10000, received 0"
    )


@pytest.mark.parametrize(
    ("fingerprint", "precision"), [("", "float32"), (FINGERPRINT, "auto"), ("0" * 63, "float32")]
)
def test_a_plan_is_made_only_for_known_data_and_a_resolved_precision(
    fingerprint: str, precision: str, refusal: Any
) -> None:
    study = resolve_study("mlp-neurons")
    message = refusal(make_plan, study, resolve_recipe("mlp"), fingerprint, precision)
    assert message.startswith("study mlp-neurons: ")


def test_plans_that_ask_the_same_share_their_content_whatever_the_machine_the_seeds_and_the_words() -> None:
    study, recipe = resolve_study("mlp-neurons"), resolve_recipe("mlp")
    plan = make_plan(study, recipe, "0" * 64, "float32")
    said = study.model_copy(update={"description": "In other words.", "seeds": 9})
    same = make_plan(said, recipe, "0" * 64, "mixed_bfloat16")
    assert plan.differences(same) == ()
    assert plan.content == same.content
    other = make_plan(study.model_copy(update={"question": "Why?"}), recipe, "0" * 64, "float32")
    assert plan.differences(other) == ("question",)
    assert plan.content != other.content


def test_a_plan_with_other_seeds_has_the_trials_of_those_seeds() -> None:
    plan = make_plan(resolve_study("mlp-neurons"), resolve_recipe("mlp"), "0" * 64, "float32")
    assert len(plan.trials) == 24
    assert len(plan.with_seeds(2).trials) == 16
    assert plan.with_seeds(2).with_seeds(3) == plan
    with pytest.raises(SpecError, match="study mlp-neurons: seeds: expected a whole number from 1 to 1000"):
        plan.with_seeds(0)

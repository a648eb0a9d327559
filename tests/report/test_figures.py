"""The numbers behind the figures, worked by hand on synthetic results and counted on real digits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from digitlab.report import error_by_level, first_kernels, learning_curves, most_misread
from digitlab.report.figures import Misread
from digitlab.report.metric import SQUARED_ERROR
from digitlab.spec import Axis

OPTIMIZER = Axis(path="training.optimizer", values=("adam", "sgd"), label="optimizer")
SIZE = Axis(path="training.batch_size", values=(100, 200), label="batch size")
NEURONS = Axis(path="model.hidden.0", values=(8, 16, 128), label="neurons")


def test_a_study_of_one_axis_is_one_line(make_material) -> None:
    data = error_by_level(make_material(test=lambda cell, seed: 4 - cell + 0.5 * seed))
    (series,) = data.series
    assert (data.axis, data.levels, data.others, series.label) == ("neurons", (8, 16, 128), "", "")
    assert [estimate.mean for estimate in series.test] == pytest.approx([4.5, 3.5, 2.5])
    assert series.singles[0] == pytest.approx((4.0, 4.5, 5.0))
    assert [estimate.mean for estimate in series.validation] == pytest.approx([9.1, 4.6, 3.1])
    assert data.seeds == "n = 3"


def test_of_two_axes_the_second_makes_the_lines(make_material) -> None:
    # Cells in the order of the plan: (8, adam), (8, sgd), (16, adam), ...
    data = error_by_level(make_material(NEURONS, OPTIMIZER, test=lambda cell, seed: 1.0 + cell))
    assert [series.label for series in data.series] == ["adam", "sgd"]
    assert data.others == "optimizer"
    assert [estimate.mean for estimate in data.series[0].test] == pytest.approx([1, 3, 5])
    assert [estimate.mean for estimate in data.series[1].test] == pytest.approx([2, 4, 6])


def test_of_three_axes_the_others_are_combined(make_material) -> None:
    data = error_by_level(make_material(NEURONS, OPTIMIZER, SIZE))
    assert data.others == "optimizer × batch size"
    assert [series.label for series in data.series] == ["adam × 100", "adam × 200", "sgd × 100", "sgd × 200"]


@pytest.mark.parametrize(
    ("path", "levels", "scale"),
    [
        ("model.hidden.0", (8, 16, 64), "linear"),  # a factor of 8 is not more than 8
        ("model.hidden.0", (8, 65), "log"),
        ("training.learning_rate", (0.0001, 0.01), "log"),
        ("model.dropout", (0.0, 0.1, 0.9), "linear"),  # nought has no logarithm
        ("training.optimizer", ("adam", "sgd"), "category"),
    ],
)
def test_the_scale_follows_from_the_levels(make_material, path: str, levels: tuple, scale: str) -> None:
    assert error_by_level(make_material(Axis(path=path, values=levels))).scale == scale


def test_levels_that_differ_in_seeds_say_so(make_material) -> None:
    material = make_material(missing={(0, 1), (1, 0), (1, 1), (1, 2)})
    assert error_by_level(material).seeds == "n = 2 to 3"
    assert [estimate.n for estimate in error_by_level(material).series[0].test] == [2, 0, 3]


def test_a_learning_curve_is_the_mean_between_the_least_and_the_greatest_seed(make_table) -> None:
    table = make_table(validation=lambda cell, seed: [1.0, 2.0, 6.0][seed], training=0.5)
    level = learning_curves(table).levels[0]
    assert (level.label, level.n) == ("8", 3)
    assert level.epochs.tolist() == list(range(1, 11))
    assert (level.validation.mean[-1], level.validation.low[-1], level.validation.high[-1]) == pytest.approx(
        (3.0, 1.0, 6.0)
    )
    assert level.training.mean[[0, -1]] == pytest.approx([1.0, 0.5])


def test_of_levels_read_off_one_training_the_longest_has_the_curve(make_table) -> None:
    epochs = Axis(path="training.epochs", values=(1, 2, 5), label="epochs")
    (level,) = learning_curves(make_table(epochs)).levels
    assert (level.label, level.epochs.tolist()) == ("5", [1, 2, 3, 4, 5])
    both = learning_curves(make_table(epochs, NEURONS)).levels
    assert [level.label for level in both] == ["5 × 8", "5 × 16", "5 × 128"]


def test_a_longer_training_with_fewer_seeds_does_not_hide_a_shorter_one(make_table) -> None:
    epochs = Axis(path="training.epochs", values=(1, 2, 5), label="epochs")
    (level,) = learning_curves(make_table(epochs, missing={(2, 0)})).levels
    assert (level.label, level.n) == ("2", 3)


def test_the_squared_error_has_the_same_figures(make_material) -> None:
    material = make_material(mse=lambda cell, seed: [0.004, 0.003, 0.002][cell] + 0.001 * seed)
    (series,) = error_by_level(material, SQUARED_ERROR).series
    assert series.singles[0] == pytest.approx((0.004, 0.005, 0.006))
    assert [estimate.mean for estimate in series.test] == pytest.approx([0.005, 0.004, 0.003])
    assert series.validation[0].mean == pytest.approx(0.01)
    level = learning_curves(material.table, SQUARED_ERROR).levels[0]
    assert level.training.mean[-1] == pytest.approx(0.005)
    assert (level.validation.mean[0], level.validation.mean[-1]) == pytest.approx((0.02, 0.01))


def test_a_level_without_results_has_no_learning_curve(make_table) -> None:
    table = make_table(missing={(1, seed) for seed in range(3)})
    assert [level.label for level in learning_curves(table).levels] == ["8", "128"]


def test_misread_images_are_ranked_by_how_many_networks_were_wrong() -> None:
    labels = np.array([4, 7, 1, 0], np.uint8)
    predictions = [np.array(classes, np.uint8) for classes in ([9, 7, 2, 0], [9, 7, 7, 0], [8, 1, 7, 0])]
    assert most_misread(predictions, labels) == (
        Misread(index=0, truth=4, wrong=3, total=3, usual=9),
        Misread(index=2, truth=1, wrong=3, total=3, usual=7),
        Misread(index=1, truth=7, wrong=1, total=3, usual=1),
    )
    assert [each.index for each in most_misread(predictions, labels, count=2)] == [0, 2]


def test_of_equally_misread_images_that_comes_first_on_which_most_agree() -> None:
    labels = np.zeros(2, np.uint8)
    predictions = [np.array(classes, np.uint8) for classes in ([1, 5], [2, 5], [3, 5])]
    assert [each.index for each in most_misread(predictions, labels)] == [1, 0]


def test_known_corrections_are_noted() -> None:
    labels = np.zeros(3, np.uint8)
    found = most_misread([np.ones(3, np.uint8)], labels, corrections={1: 6, 9: 4})
    assert [(each.index, each.corrected) for each in found] == [(0, None), (1, 6), (2, None)]


def test_without_networks_or_mistakes_nothing_is_misread() -> None:
    labels = np.array([4, 7], np.uint8)
    assert most_misread([], labels) == ()
    assert most_misread([labels, labels], labels) == ()


def test_predictions_of_another_test_set_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected predictions of shape \(2,\), received \(3,\)"):
        most_misread([np.zeros(3, np.uint8)], np.zeros(2, np.uint8))


@given(
    arrays(np.uint8, (4, 12), elements=st.integers(0, 9)), arrays(np.uint8, 12, elements=st.integers(0, 9))
)
def test_every_misread_image_is_found_once_with_the_right_count(
    votes: np.ndarray, labels: np.ndarray
) -> None:
    found = most_misread(list(votes), labels)
    wrong = (votes != labels).sum(axis=0)
    assert {each.index: each.wrong for each in found} == {i: n for i, n in enumerate(wrong) if n}
    assert [each.wrong for each in found] == sorted((each.wrong for each in found), reverse=True)
    for each in found:
        answers = votes[:, each.index].tolist()
        assert each.usual != each.truth == labels[each.index]
        assert answers.count(each.usual) == max(answers.count(d) for d in range(10) if d != each.truth)


def test_on_real_digits_the_misread_ones_are_those_that_all_classifiers_got_wrong(mnist, predictions) -> None:
    found = most_misread(predictions, mnist.y_test)
    assert len(found) == 24
    for each in found:
        answers = [int(classes[each.index]) for classes in predictions]
        assert each.truth == mnist.y_test[each.index]
        assert each.truth not in answers
        assert (each.wrong, each.total) == (5, 5)


KERNEL = ((0.5, -0.25), (0.0, 1.0))
NETWORK = Axis(path="recipe", values=("mlp", "cnn", "deep-cnn"), label="network", reference="cnn")


def test_kernels_are_those_of_the_first_network_of_each_level_that_has_some(make_material) -> None:
    material = make_material(NETWORK, kernels=lambda cell: [(), (KERNEL,), (KERNEL, KERNEL)][cell])
    found = first_kernels(material)
    assert [(each.label, each.seed, len(each.weights)) for each in found] == [
        ("cnn", 0, 1),
        ("deep-cnn", 0, 2),
    ]
    assert found[0].weights[0].tolist() == [[0.5, -0.25], [0.0, 1.0]]
    assert found[0].epochs == found[0].asked


def test_a_level_read_off_a_longer_training_shows_the_kernels_of_that(make_material) -> None:
    one = Axis(path="recipe", values=("cnn",), label="network")
    short = make_material(one, overrides={"training.epochs": 2})
    longer = make_material(one, overrides={"training.epochs": 5}, kernels=lambda cell: (KERNEL,))
    assert first_kernels(short) == ()
    (found,) = first_kernels(short, longer.results.values())
    assert (found.label, found.epochs, found.asked) == ("cnn", 5, 2)

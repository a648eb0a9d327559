from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from digitlab.results.metrics import calibration_error, score, wilson_interval
from digitlab.results.record import Scores
from real_digits import read_mnist


@st.composite
def predictions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities in float32 as a network gives them."""
    labels = draw(hnp.arrays(np.uint8, st.integers(1, 40), elements=st.integers(0, 9)))
    weights = draw(hnp.arrays(np.float64, (len(labels), 10), elements=st.floats(0.001, 1)))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32), labels


def test_a_perfect_prediction_of_the_test_set_has_no_error_of_any_kind() -> None:
    labels = read_mnist().y_test
    scores = score(np.eye(10, dtype=np.float32)[labels], labels)
    assert (scores.images, scores.correct) == (10_000, 10_000)
    assert (scores.accuracy, scores.error_percent) == (1.0, 0.0)
    assert (scores.mse, scores.log_loss, scores.calibration_error) == (0.0, 0.0, 0.0)
    assert [scores.confusion[digit][digit] for digit in range(10)] == np.bincount(labels).tolist()
    assert scores.recall == (1.0,) * 10


def test_equal_probabilities_of_the_test_set_score_as_worked_out_by_hand() -> None:
    labels = read_mnist().y_test
    scores = score(np.full((10_000, 10), 0.1), labels)
    zeros = int((labels == 0).sum())
    assert scores.correct == zeros == 980  # of equal ones the first is chosen
    assert scores.error_percent == pytest.approx(90.2)
    assert scores.mse == pytest.approx((0.9**2 + 9 * 0.1**2) / 10)
    assert scores.log_loss == pytest.approx(math.log(10))
    assert scores.calibration_error == pytest.approx(0.1 - 0.098)
    assert [row[0] for row in scores.confusion] == np.bincount(labels).tolist()
    assert scores.recall == (1.0, *[0.0] * 9)


def test_three_pictures_score_as_worked_out_by_hand() -> None:
    probabilities = np.zeros((3, 10))
    probabilities[0, [3, 5]] = 0.75, 0.25  # a 3, read as 3
    probabilities[1, [3, 5]] = 0.75, 0.25  # a 5, read as 3
    probabilities[2, [7, 1]] = 0.5, 0.5  # a 7, read as 1
    scores = score(probabilities, np.array([3, 5, 7], np.uint8))
    assert (scores.images, scores.correct) == (3, 1)
    assert scores.accuracy == pytest.approx(1 / 3)
    assert scores.error_percent == pytest.approx(200 / 3)
    squares = (0.25**2 + 0.25**2) + (0.75**2 + 0.75**2) + (0.5**2 + 0.5**2)
    assert scores.mse == pytest.approx(squares / 30)
    assert scores.log_loss == pytest.approx(-(math.log(0.75) + math.log(0.25) + math.log(0.5)) / 3)
    # Bin of 0.75: two pictures, accuracy 1/2; bin of 0.5: one picture, accuracy 0.
    assert scores.calibration_error == pytest.approx(2 / 3 * abs(0.75 - 0.5) + 1 / 3 * abs(0.5 - 0))
    assert (scores.confusion[3][3], scores.confusion[5][3], scores.confusion[7][1]) == (1, 1, 1)
    assert sum(map(sum, scores.confusion)) == 3
    assert scores.recall[3:8:2] == (1.0, 0.0, 0.0)
    assert all(math.isnan(scores.recall[digit]) for digit in (0, 1, 2, 4, 6, 8, 9))


def test_a_certain_mistake_costs_much_and_not_infinitely_much() -> None:
    scores = score(np.eye(10)[[1]], np.array([2], np.uint8))
    assert scores.log_loss == pytest.approx(-math.log(1e-7))
    assert scores.mse == pytest.approx(0.2)
    assert scores.calibration_error == 1.0


@given(predictions())
def test_every_image_is_counted_once(given_predictions: tuple[np.ndarray, np.ndarray]) -> None:
    probabilities, labels = given_predictions
    scores = score(probabilities, labels)
    assert sum(map(sum, scores.confusion)) == scores.images == len(labels)
    assert [sum(row) for row in scores.confusion] == np.bincount(labels, minlength=10).tolist()
    columns = [sum(column) for column in zip(*scores.confusion, strict=True)]
    assert columns == np.bincount(probabilities.argmax(axis=1), minlength=10).tolist()
    assert sum(scores.confusion[digit][digit] for digit in range(10)) == scores.correct
    assert scores.error_percent == pytest.approx(100 * (1 - scores.accuracy))


@given(predictions())
def test_every_score_stays_in_its_range(given_predictions: tuple[np.ndarray, np.ndarray]) -> None:
    scores = score(*given_predictions)
    assert 0 <= scores.mse <= 0.2 + 1e-6
    assert 0 <= scores.log_loss <= -math.log(1e-7)
    assert 0 <= scores.calibration_error <= 1


@given(predictions(), st.randoms(use_true_random=False))
def test_the_order_of_the_images_does_not_matter(
    given_predictions: tuple[np.ndarray, np.ndarray], random: Random
) -> None:
    probabilities, labels = given_predictions
    order = list(range(len(labels)))
    random.shuffle(order)
    ordered, shuffled = score(probabilities, labels), score(probabilities[order], labels[order])
    assert shuffled.confusion == ordered.confusion
    assert shuffled.mse == pytest.approx(ordered.mse)
    assert shuffled.log_loss == pytest.approx(ordered.log_loss)
    assert shuffled.calibration_error == pytest.approx(ordered.calibration_error, abs=1e-12)


@given(predictions())
def test_parts_of_a_set_add_up_to_the_whole(given_predictions: tuple[np.ndarray, np.ndarray]) -> None:
    probabilities, labels = (np.concatenate([part, part]) for part in given_predictions)
    half = len(labels) // 2
    whole, parts = score(probabilities, labels), [score(*given_predictions)] * 2
    assert whole.images == sum(part.images for part in parts) == 2 * half
    assert whole.correct == sum(part.correct for part in parts)
    assert whole.mse == pytest.approx(parts[0].mse)
    assert whole.calibration_error == pytest.approx(parts[0].calibration_error)


@given(predictions())
def test_scores_come_back_from_json_as_they_were(given_predictions: tuple[np.ndarray, np.ndarray]) -> None:
    scores = score(*given_predictions)
    assert Scores.from_json(scores.to_json()) == scores


def test_a_network_as_right_as_it_is_sure_is_calibrated() -> None:
    # 200,000 answers, right as often as they say, some 15,000 in each bin: the gap of a bin has a standard
    # deviation of at most sqrt(0.25 / 15,000) = 0.004.
    random = np.random.default_rng(28)
    confidence = random.uniform(0.1, 1, 200_000)
    right = random.uniform(size=confidence.size) < confidence
    assert calibration_error(confidence, right) < 0.008
    assert calibration_error(confidence, ~right) > 0.3


def test_confidence_is_binned_in_fifteenths_with_its_upper_end_in_the_last() -> None:
    right = np.array([True, False])
    together = np.array([0.90, 0.92])  # both in the bin from 13/15 to 14/15: gaps cancel
    apart = np.array([0.93, 0.94])  # on either side of 14/15
    assert calibration_error(together, right) == pytest.approx(abs(0.90 - 1 + 0.92) / 2)
    assert calibration_error(apart, right) == pytest.approx((0.07 + 0.94) / 2)
    assert calibration_error(np.array([1.0, 1.0000001]), np.array([True, True])) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("shape", [(2, 10), (4, 10), (3,), (3, 10, 1), (0, 10)])
def test_anything_but_a_row_of_probabilities_for_each_label_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected probabilities of shape \(3, classes\), received"):
        score(np.full(shape, 0.1), np.zeros(3, np.uint8))


def test_a_label_beyond_the_probabilities_is_refused() -> None:
    with pytest.raises(ValueError, match="expected labels of 3 classes, received label 3"):
        score(np.full((2, 3), 1 / 3), np.array([0, 3], np.uint8))


def test_scores_are_of_as_many_classes_as_there_are_probabilities() -> None:
    scores = score(np.eye(3)[[0, 1, 1, 2]], np.array([0, 1, 2, 2], np.uint8))
    assert scores.confusion == ((1, 0, 0), (0, 1, 0), (0, 1, 1))
    assert scores.mse == pytest.approx(2 / 12)


def test_no_images_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="expected probabilities of shape"):
        score(np.zeros((0, 10)), np.zeros(0, np.uint8))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_probabilities_that_are_no_numbers_are_refused(value: float) -> None:
    probabilities = np.full((3, 10), 0.1, np.float32)
    probabilities[1, 4] = value
    with pytest.raises(ValueError, match="expected finite probabilities"):
        score(probabilities, np.zeros(3, np.uint8))


def test_a_share_of_few_trials_has_a_wide_interval() -> None:
    # By hand for 8 of 10: (0.8 + 0.19207 +- 1.959964 * sqrt(0.016 + 0.0096036)) / 1.384146.
    assert wilson_interval(8, 10) == pytest.approx((0.49016, 0.94331), abs=1e-4)
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert wilson_interval(0, 5)[0] == 0.0
    assert wilson_interval(5, 5)[1] == 1.0


@given(st.integers(1, 500), st.data())
def test_a_share_lies_within_its_interval(count: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, count))
    low, high = wilson_interval(hits, count)
    assert 0 <= low <= high <= 1
    assert low - 1e-12 <= hits / count <= high + 1e-12

"""How the benchmarks count what was read, and that nothing they write was trained on."""

from __future__ import annotations

import numpy as np
import pytest
from outcomes import Outcome, accepted_shares, calibration_error, shares, wilson
from pen import validation_part

from digitlab.bundle.files import check_bundle, find_bundle, shipped_names
from digitlab.bundle.rows_runtime import load_row_network
from digitlab.data import stratified_split
from real_digits import read_mnist


def read(truth: str, text: str, confidence: float = 0.9) -> Outcome:
    return Outcome(truth, text, bool(text) and "?" not in text, confidence)


def test_a_question_mark_and_an_empty_text_are_refusals_and_not_wrong() -> None:
    counted = shares([read("12", "12"), read("12", "1?"), read("12", ""), read("12", "13")])
    assert (counted["read"], counted["refused"], counted["wrong"]) == (25, 50, 25)


def test_a_number_that_lost_a_digit_and_claims_to_be_whole_is_shorter() -> None:
    assert [read("120", text).shorter for text in ("12", "1?", "121", "1200", "120", "")] == [
        True,
        *[False] * 5,
    ]
    assert read("1\n2", "1").shorter


def test_where_there_is_no_number_any_digit_is_wrong() -> None:
    assert read("", "").right
    assert read("", "?").right
    assert not read("", "1").right
    assert read("", "1").wrong
    assert not read("", "1").shorter


def test_the_most_confident_come_first_and_the_refused_last() -> None:
    ones = [read("1", "1", 0.99), read("1", "7", 0.4), read("1", "1", 0.8), read("1", "?", 1.0)]
    trusted = accepted_shares(ones)
    assert trusted["accepted"] == 75
    assert trusted["wrong_accepted"] == pytest.approx(100 / 3)
    assert trusted["right_50"] == 100


def test_the_calibration_error_is_the_gap_between_confidence_and_truth() -> None:
    assert calibration_error([0.75] * 4, [True, True, True, False]) == pytest.approx(0)
    assert calibration_error([0.9] * 4, [True, True, False, False]) == pytest.approx(40)
    assert calibration_error([], []) == 0


def test_the_interval_holds_the_share_and_stays_within_0_and_100() -> None:
    low, high = wilson(95, 100)
    assert (round(low, 1), round(high, 1)) == (88.8, 97.8)
    assert wilson(0, 50)[0] == 0
    assert wilson(50, 50)[1] == 100
    assert wilson(0, 0) == (0, 100)


def test_the_digits_that_benchmarks_write_were_set_aside_by_the_networks_trainings() -> None:
    trained = [check_bundle(find_bundle(name)).card.trial.data for name in shipped_names()]
    trained.append(load_row_network("numbers").card.result.trial.data)
    mnist = read_mnist()
    images, labels = validation_part(mnist)
    for data in trained:
        _, held_out = stratified_split(mnist.y_train, data.validation, data.split_seed)
        np.testing.assert_array_equal(images, mnist.x_train[held_out])
        np.testing.assert_array_equal(labels, mnist.y_train[held_out])

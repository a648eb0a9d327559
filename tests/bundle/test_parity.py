from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from digitlab.bundle.card import ParityReport
from digitlab.bundle.parity import EXACT, QUANTIZED, compare
from digitlab.bundle.rows_writing import largest_difference

SURE = np.eye(10, dtype=np.float32)


def compared(expected: np.ndarray, answered: np.ndarray, tolerance: float = EXACT) -> ParityReport:
    return compare(expected, answered, runtime="a runtime", tolerance=tolerance, files={"file": "0" * 64})


def test_equal_answers_are_a_proof() -> None:
    proof = compared(SURE, SURE)
    assert proof.failure is None
    assert (proof.images, proof.largest_difference, proof.other_labels) == (10, 0, ())


def test_one_difference_anywhere_is_enough_to_fail() -> None:
    answered = SURE.copy()
    answered[7, 3] += 2e-4
    proof = compared(SURE, answered)
    assert proof.largest_difference == pytest.approx(2e-4, rel=1e-3)
    assert proof.failure is not None
    assert "expected probabilities within 0.0001 of Keras's on 10 images" in proof.failure
    assert compared(SURE, answered, QUANTIZED).failure is None


def test_another_label_is_stated_with_the_lead_that_it_had() -> None:
    expected = np.full((3, 10), 0.05, np.float32)
    expected[:, 0] = 0.55
    expected[1, :2] = 0.303, 0.297
    answered = expected.copy()
    answered[1, :2] = 0.297, 0.303
    proof = compared(expected, answered, QUANTIZED)
    assert proof.failure is None
    assert proof.other_labels == (1,)
    assert proof.largest_lead == pytest.approx(0.006, abs=1e-6)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_an_answer_that_is_no_number_fails(wrong: float) -> None:
    answered = SURE.copy()
    answered[2, 2] = wrong
    assert compared(SURE, answered).failure is not None


@given(
    hnp.arrays(np.float64, (6, 10), elements=st.floats(0, 1)),
    hnp.arrays(np.float64, (6, 10), elements=st.floats(-1, 1)),
    st.sampled_from([EXACT, QUANTIZED]),
)
def test_a_proof_leaves_other_labels_to_near_ties_only(
    expected: np.ndarray, noise: np.ndarray, tolerance: float
) -> None:
    proof = compared(expected, expected + 0.99 * tolerance * noise, tolerance)
    assert proof.failure is None
    assert proof.largest_lead <= 2 * tolerance


def test_a_row_without_numbers_is_the_largest_difference_wherever_it_stands() -> None:
    same, broken = np.zeros((2, 12), np.float32), np.full((2, 12), np.nan, np.float32)
    assert largest_difference([same, same], [same, same + 0.25]) == 0.25
    assert np.isnan(largest_difference([same, same], [same + 0.25, broken]))

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from digitlab.results.permutation import RANDOM_FLIPS, sign_flip_test

# Heights of Darwin's maize, crossed minus self-fertilized, in eighths of an inch. R. A. Fisher, The Design of
# Experiments (1935), section 21: of the 2^15 sums of these differences with either sign, 1726 are as far from
# 0 as the observed one or farther.
MAIZE = (49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48)

# Error rates differ in steps of one image, so that ties are common.
STEPS = st.lists(st.integers(-5, 5), min_size=2, max_size=8)


def test_fishers_permutation_test_of_darwins_maize_comes_out_as_published() -> None:
    assert sign_flip_test(MAIZE) == (1726 / 2**15, 2 / 2**15)


@settings(max_examples=50)
@given(STEPS)
def test_the_exact_test_counts_what_scipy_counts(steps: list[int]) -> None:
    theirs = stats.permutation_test(
        (np.array(steps),), np.sum, permutation_type="samples", n_resamples=2 ** len(steps)
    )
    assert sign_flip_test(steps).p == pytest.approx(float(theirs.pvalue))
    assert sign_flip_test([step / 100 for step in steps]).p == sign_flip_test(steps).p


@pytest.mark.parametrize("n", [2, 3, 5, 10, 16, 17, 40])
def test_the_smallest_p_is_reached_when_all_signs_agree_and_never_undercut(n: int) -> None:
    agreeing = [0.1 + 0.01 * i for i in range(n)]
    found = sign_flip_test(agreeing)
    assert found.smallest_p == (2 / 2**n if n <= 16 else 1 / (RANDOM_FLIPS + 1))
    assert found.p == pytest.approx(found.smallest_p, abs=2 / RANDOM_FLIPS)
    assert sign_flip_test([-agreeing[0], *agreeing[1:]]).p >= found.smallest_p


def test_random_flips_come_near_the_exact_test_and_the_same_seed_draws_the_same() -> None:
    # Two seeds that differ by nothing leave the exact p as it is and make 17 differences.
    drawn = sign_flip_test([*MAIZE, 0, 0])
    assert drawn == sign_flip_test([*MAIZE, 0, 0])
    exact = 1726 / 2**15
    assert drawn.p == pytest.approx(exact, abs=3 * math.sqrt(exact * (1 - exact) / RANDOM_FLIPS))
    assert drawn.p != sign_flip_test([*MAIZE, 0, 0], seed=1).p


def test_no_difference_anywhere_is_no_evidence() -> None:
    assert sign_flip_test([0.0] * 5) == (1.0, 0.0625)
    assert sign_flip_test([0.3]) == (1.0, 1.0)
    assert all(math.isnan(value) for value in sign_flip_test([]))


def test_a_difference_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="expected finite differences"):
        sign_flip_test([0.1, float("nan")])

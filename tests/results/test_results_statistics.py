from __future__ import annotations

import math
import statistics
import sys

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from digitlab.errors import MissingExtraError
from digitlab.results.aggregate import PERCENT, t_interval

# Differences in hours of sleep between two drugs in ten patients: Student, "The probable error of a mean",
# Biometrika 6 (1908). The interval is what R prints for t.test(extra ~ group, data = sleep, paired = TRUE).
STUDENT_1908 = (1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4)

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20)


def test_students_own_example_has_the_interval_that_is_published_for_it() -> None:
    estimate = t_interval(STUDENT_1908)
    assert estimate.n == 10
    assert estimate.mean == pytest.approx(1.58)
    assert estimate.sd == pytest.approx(1.2299955)
    assert (estimate.low, estimate.high) == pytest.approx((0.7001142, 2.4598858), abs=5e-8)


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_the_interval_covers_the_true_mean_as_often_as_it_says(n: int) -> None:
    trials, confidence = 4_000, 0.95
    random = np.random.default_rng(1908)
    samples = random.normal(1.5, 0.2, size=(trials, n)).tolist()
    covered = sum(each.low <= 1.5 <= each.high for each in map(t_interval, samples))
    # Three standard deviations of a share of 4,000; the normal quantile 1.96 would cover 70 % at n = 2.
    assert covered / trials == pytest.approx(confidence, abs=3 * math.sqrt(0.95 * 0.05 / trials))


@given(VALUES)
def test_the_mean_lies_in_the_middle_and_the_spread_is_that_of_a_sample(values: list[float]) -> None:
    estimate = t_interval(values)
    assume(estimate.sd > 0)
    assert estimate.low <= estimate.mean <= estimate.high
    assert estimate.mean == pytest.approx(statistics.fmean(values), abs=1e-9)
    assert estimate.sd == pytest.approx(statistics.stdev(values), rel=1e-6, abs=1e-6)
    assert estimate.high - estimate.mean == pytest.approx(estimate.mean - estimate.low, rel=1e-6, abs=1e-6)


@given(VALUES, st.floats(0.01, 0.9))
def test_more_confidence_gives_a_wider_interval(values: list[float], confidence: float) -> None:
    narrow, wide = t_interval(values, confidence), t_interval(values, confidence + 0.09)
    assume(narrow.sd > 0)
    assert wide.high - wide.low >= narrow.high - narrow.low


@pytest.mark.parametrize("value", [0.0, 1.5, 89.47, 100.0])
def test_equal_values_have_no_interval(value: float) -> None:
    n, mean, sd, *ends = t_interval([value] * 3, limits=PERCENT)
    assert (n, mean, sd) == (3, pytest.approx(value), 0.0)
    assert all(map(math.isnan, ends))


def test_values_that_only_binary_fractions_tell_apart_have_no_interval() -> None:
    estimate = t_interval([0.3, 0.1 + 0.2])
    assert estimate.sd == 0
    assert math.isnan(estimate.low)


def test_the_interval_of_a_share_ends_at_0_and_100() -> None:
    # Two seeds, 1 and 2: mean 1.5, s / sqrt(2) = 0.5, t(1) = 12.706: -4.85 to 7.85.
    assert t_interval([1.0, 2.0], limits=PERCENT)[3:] == (0.0, pytest.approx(7.853, abs=1e-3))
    assert t_interval([98.0, 99.0], limits=PERCENT)[3:] == (pytest.approx(92.147, abs=1e-3), 100.0)
    assert t_interval([2.1, 90.2], limits=PERCENT)[3:] == (0.0, 100.0)


def test_cut_ends_cover_as_often_as_uncut_ones() -> None:
    random, runs = np.random.default_rng(3), 2_000
    shares = random.beta(0.5, 20, (runs, 3)) * 100  # near 0, skewed, and never beyond it
    mean = 100 * 0.5 / 20.5
    covered = {
        limits: sum(
            each.low <= mean <= each.high
            for each in (t_interval(values, limits=limits) for values in shares.tolist())
        )
        for limits in (PERCENT, (-math.inf, math.inf))
    }
    assert len(set(covered.values())) == 1


def test_one_value_has_a_mean_and_no_interval() -> None:
    n, mean, *unknown = t_interval([1.5])
    assert (n, mean) == (1, 1.5)
    assert all(math.isnan(value) for value in unknown)


def test_no_value_has_nothing() -> None:
    n, *unknown = t_interval([])
    assert n == 0
    assert all(math.isnan(value) for value in unknown)


def test_without_scipy_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(MissingExtraError, match=r'scipy is not installed; .*pip install -e "\.\[report\]"'):
        t_interval([1.0, 2.0])

from __future__ import annotations

import math
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from digitlab.data import Dataset, load
from digitlab.results.resampling import RANDOM_FLIPS, bootstrap_difference, sign_flip_test
from digitlab.results.statistics import mcnemar, paired_difference

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


@pytest.fixture(scope="module")
def made_up() -> tuple[np.ndarray, np.ndarray]:
    """Answers of 4 x 2 networks to 60 images, some of them harder than others."""
    random = np.random.default_rng(5)
    hard = random.beta(0.5, 1.5, 60)
    return random.random((4, 60)) > hard, random.random((4, 60)) > 0.6 * hard


def test_drawing_kinds_of_images_is_drawing_images(made_up: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = made_up
    random, draws = np.random.default_rng(6), 20_000
    gaps = 100 * (b.astype(float) - a)
    rows, columns = random.integers(0, 4, (draws, 4)), random.integers(0, 60, (draws, 60))
    plain = np.array([gaps[np.ix_(r, c)].mean() for r, c in zip(rows, columns, strict=True)])
    found = bootstrap_difference(a, b, draws)
    assert found.difference == pytest.approx(gaps.mean())
    # The 2.5 % quantile of 20,000 draws has a standard error of 0.019 sd; of two such, three times that.
    low, high = np.quantile(plain, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high), abs=3 * math.sqrt(2) * 0.019 * plain.std())


def test_the_bootstrap_knows_no_order_and_turns_with_its_levels(
    made_up: tuple[np.ndarray, np.ndarray],
) -> None:
    a, b = made_up
    found, order = bootstrap_difference(a, b), np.random.default_rng(1).permutation(60)
    assert found == bootstrap_difference(a, b)
    assert found == bootstrap_difference(a[:, order], b[:, order])
    assert found != bootstrap_difference(a, b, seed=1)
    back = bootstrap_difference(b, a)
    assert back.difference == -found.difference
    width = found.high - found.low
    assert (-back.high, -back.low) == pytest.approx((found.low, found.high), abs=0.1 * width)


def test_levels_that_answer_alike_differ_by_nothing(made_up: tuple[np.ndarray, np.ndarray]) -> None:
    assert bootstrap_difference(made_up[0], made_up[0]) == (0, 0, 0)


def test_one_seed_says_nothing_of_other_seeds(made_up: tuple[np.ndarray, np.ndarray]) -> None:
    found = bootstrap_difference(made_up[0][:1], made_up[1][:1])
    assert math.isfinite(found.difference)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


@pytest.mark.parametrize("shape", [(3, 60), (4, 59), (240,)])
def test_answers_that_are_not_paired_are_refused(
    made_up: tuple[np.ndarray, np.ndarray], shape: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"two equal shapes \[seeds, images\], received \(4, 60\)"):
        bootstrap_difference(made_up[0], np.ones(shape, bool))


@pytest.mark.parametrize("error", [0.01, 0.5])
def test_a_whole_level_is_bootstrapped_at_once_and_in_little_memory(error: float) -> None:
    random = np.random.default_rng(0)
    a, b = (random.random((5, 10_000)) > error for _ in range(2))
    begin = time.perf_counter()
    found = bootstrap_difference(a, b)
    assert time.perf_counter() - begin < 2  # it takes 0.02 s, and 0.08 s where every answer is a coin
    assert found.low < 0 < found.high
    tracemalloc.start()
    bootstrap_difference(a, b)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 2**20


def nearest_mean(mnist: Dataset, tests: np.ndarray, images: int, seed: int) -> np.ndarray:
    """Classes of the test images by the nearest class mean of some training images."""
    chosen = np.random.default_rng((images, seed)).choice(len(mnist.y_train), images, replace=False)
    x, y = mnist.x_train[chosen].reshape(images, 784).astype(np.float32), mnist.y_train[chosen]
    means = np.stack([x[y == label].mean(axis=0) for label in range(10)])
    return (tests @ means.T - (means**2).sum(axis=1) / 2).argmax(axis=1)


def test_on_real_digits_all_evidence_agrees_that_more_training_images_are_better() -> None:
    mnist = load("mnist")
    labels, tests = mnist.y_test, mnist.x_test.reshape(10_000, 784).astype(np.float32)
    few, many = ([nearest_mean(mnist, tests, images, seed) for seed in range(5)] for images in (200, 2_000))
    few_right, many_right = np.stack(few) == labels, np.stack(many) == labels
    few_errors, many_errors = ((100 * (1 - right.mean(axis=1))).tolist() for right in (few_right, many_right))
    paired = paired_difference(many_errors, few_errors)
    drawn = bootstrap_difference(many_right, few_right)
    assert drawn.difference == pytest.approx(paired.mean)
    assert paired.high < 0
    assert drawn.high < 0
    assert paired.p < 0.01
    assert sign_flip_test([a - b for a, b in zip(many_errors, few_errors, strict=True)]).p == 0.0625
    single = mcnemar(many[0], few[0], labels)
    assert single.p < 1e-6
    assert single.only_a_right - single.only_b_right == many_right[0].sum() - few_right[0].sum()

"""The difference to expect on new digits: a variance of the seeds, and one of the images beside it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from digitlab.data import Dataset
from digitlab.results.crossed import crossed_difference
from digitlab.results.permutation import sign_flip_test
from digitlab.results.statistics import mcnemar, paired_difference
from real_digits import read_mnist


def errors(right: np.ndarray) -> list[float]:
    """Error in percent, one a seed."""
    return (100 * (1 - right.mean(axis=1))).tolist()


@pytest.fixture(scope="module")
def made_up() -> tuple[np.ndarray, np.ndarray]:
    """Answers of 4 x 2 networks to 60 images, some of them harder than others."""
    random = np.random.default_rng(5)
    hard = random.beta(0.5, 1.5, 60)
    return random.random((4, 60)) > hard, random.random((4, 60)) > 0.6 * hard


def test_the_variances_are_those_of_a_table_that_one_works_out_by_hand() -> None:
    # Three seeds, four images; a misreads image 0 always and image 1 with seeds 0 and 1, b nothing. By
    # seed the gaps are 2/4, 2/4, 1/4, by image 1, 2/3, 0, 0; the mean is 5/12.
    a = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 1, 1, 1]], bool)
    found = crossed_difference(a, np.ones((3, 4), bool))
    of_seeds = np.var([0.5, 0.5, 0.25], ddof=1) / 3
    # Sums of squares: 5 in all, less 12 x (5/12)^2 = 35/12; by seed 1/6, by image 3 x (1 + 4/9) - 25/12 =
    # 9/4; left 1/2, over 2 x 3. An image's mean square is 3/4, of which 1/12 is noise: 8/12 over 12 answers.
    of_images = (9 / 4 / 3 - 1 / 2 / 6) / 12
    half = math.sqrt(stats.t.ppf(0.975, 2) ** 2 * of_seeds + stats.t.ppf(0.975, 3) ** 2 * of_images)
    assert found.difference == pytest.approx(100 * 5 / 12)
    assert found.low == pytest.approx(100 * (5 / 12 - half))
    assert found.high == 100.0  # cut: 5/12 + half is more


@settings(max_examples=60)
@given(st.integers(2, 6), st.integers(1, 40), st.integers(0, 2**32 - 1), st.floats(0.02, 0.98))
def test_the_interval_on_new_digits_is_never_narrower_than_the_one_on_these(
    seeds: int, images: int, seed: int, share: float
) -> None:
    random = np.random.default_rng(seed)
    a, b = random.random((seeds, images)) > share, random.random((seeds, images)) > share / 2
    found, paired = crossed_difference(a, b), paired_difference(errors(a), errors(b), 100)
    assert found.difference == pytest.approx(paired.mean, abs=1e-9)
    if math.isnan(paired.p):
        assert math.isnan(found.low)
        assert math.isnan(found.p)
        return
    assert found.low <= paired.low + 1e-9
    assert found.high >= paired.high - 1e-9
    assert found.p >= paired.p - 1e-6  # near p = 1 the interval has no width, nor a sharp end
    assert -100 <= found.low <= found.high <= 100
    if abs(found.p - 0.05) > 1e-6:
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)


def test_where_only_the_images_vary_the_interval_is_that_of_the_images() -> None:
    # Every seed misreads the same 300 of 10,000 images; one answer differs, so that seeds have a spread at
    # all.
    right = np.ones((30, 10_000), bool)
    worse = right.copy()
    worse[:, :300] = False
    worse[0, 300] = False
    found = crossed_difference(worse, right)
    assert found.difference == pytest.approx(3.0, abs=1e-3)
    # 1.96 * sqrt(0.03 * 0.97 / 10,000) = 0.334 points to either side.
    assert (found.low, found.high) == pytest.approx((2.666, 3.334), abs=2e-3)


def test_neither_order_nor_side_matters(made_up: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = made_up
    found, order = crossed_difference(a, b), np.random.default_rng(1).permutation(60)
    assert crossed_difference(a[:, order], b[:, order]) == pytest.approx(found)
    back = crossed_difference(b, a)
    assert (-back.difference, -back.high, -back.low, back.p) == pytest.approx(found)


def test_seeds_that_differ_alike_say_nothing_of_other_seeds(made_up: tuple[np.ndarray, np.ndarray]) -> None:
    for a, b in ((made_up[0], made_up[0]), (made_up[0][:1], made_up[1][:1])):
        found = crossed_difference(a, b)
        assert math.isfinite(found.difference)
        assert all(map(math.isnan, found[1:]))


@pytest.mark.parametrize("shape", [(3, 60), (4, 59), (240,)])
def test_answers_that_are_not_paired_are_refused(
    made_up: tuple[np.ndarray, np.ndarray], shape: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"two equal shapes \[seeds, images\], received \(4, 60\)"):
        crossed_difference(made_up[0], np.ones(shape, bool))


def nearest_mean(mnist: Dataset, tests: np.ndarray, images: int, seed: int) -> np.ndarray:
    """Classes of the test images by the nearest class mean of some training images."""
    chosen = np.random.default_rng((images, seed)).choice(len(mnist.y_train), images, replace=False)
    x, y = mnist.x_train[chosen].reshape(images, 784).astype(np.float32), mnist.y_train[chosen]
    means = np.stack([x[y == label].mean(axis=0) for label in range(10)])
    return (tests @ means.T - (means**2).sum(axis=1) / 2).argmax(axis=1)


def test_on_real_digits_all_evidence_agrees_that_more_training_images_are_better() -> None:
    mnist = read_mnist()
    labels, tests = mnist.y_test, mnist.x_test.reshape(10_000, 784).astype(np.float32)
    few, many = ([nearest_mean(mnist, tests, images, seed) for seed in range(5)] for images in (200, 2_000))
    few_right, many_right = np.stack(few) == labels, np.stack(many) == labels
    few_errors, many_errors = errors(few_right), errors(many_right)
    paired = paired_difference(many_errors, few_errors)
    expected = crossed_difference(many_right, few_right)
    assert expected.difference == pytest.approx(paired.mean)
    assert paired.high < 0
    assert expected.high < 0
    assert paired.p < 0.01
    assert sign_flip_test([a - b for a, b in zip(many_errors, few_errors, strict=True)]).p == 0.0625
    single = mcnemar(many[0], few[0], labels)
    assert single.p < 1e-6
    assert single.only_a_right - single.only_b_right == many_right[0].sum() - few_right[0].sum()

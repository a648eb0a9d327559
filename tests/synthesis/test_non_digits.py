from __future__ import annotations

import numpy as np
import pytest

from digitlab.synthesis.non_digits import draw_non_digits
from real_digits import read_mnist


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    mnist = read_mnist()
    return mnist.x_test[:500], mnist.y_test[:500]


def test_it_is_drawn_in_mnist_form(digits: tuple[np.ndarray, np.ndarray]) -> None:
    images, weights = draw_non_digits(*digits, 1000, seed=0)
    assert images.shape[1:] == (28, 28)
    assert images.dtype == np.uint8
    assert len(weights) == len(images) == pytest.approx(1000, rel=0.1)
    assert weights.sum() == pytest.approx(1)
    ink = images > 60
    assert ink.any(axis=(1, 2)).mean() > 0.99
    tall, wide = ink.any(axis=2).sum(axis=1), ink.any(axis=1).sum(axis=1)
    assert np.quantile(np.maximum(tall, wide), 0.95) <= 21


def test_the_same_seed_draws_the_same(digits: tuple[np.ndarray, np.ndarray]) -> None:
    first, again, other = (draw_non_digits(*digits, 1000, seed=seed)[0] for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_digits_that_are_all_ones_or_blank_are_no_obstacle() -> None:
    stroke = np.zeros((4, 28, 28), np.uint8)
    stroke[:, 4:24, 13:16] = 255
    stroke[3] = 0
    images, weights = draw_non_digits(stroke, np.ones(4, np.uint8), 1000, seed=0)
    assert len(images) == len(weights)
    assert np.isfinite(weights).all()

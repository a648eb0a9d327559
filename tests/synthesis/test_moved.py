from __future__ import annotations

import numpy as np

from digitlab.bundle.runtime import load_classifier
from digitlab.data.dataset import Dataset
from digitlab.synthesis.moved import move_digits


def test_moved_digits_differ_and_are_still_the_same_digits(mnist: Dataset) -> None:
    digits, labels = mnist.x_test[:500], mnist.y_test[:500]
    moved = move_digits(digits, seed=1)
    assert moved.shape == digits.shape
    assert moved.dtype == np.uint8
    assert np.abs(moved.astype(int) - digits).mean(axis=(1, 2)).min() > 1
    network = load_classifier("best")
    assert (network.probabilities(moved).argmax(axis=1) == labels).mean() > 0.97


def test_the_same_seed_moves_digits_alike(mnist: Dataset) -> None:
    digits = mnist.x_test[:20]
    assert np.array_equal(move_digits(digits, seed=1), move_digits(digits, seed=1))
    assert not np.array_equal(move_digits(digits, seed=1), move_digits(digits, seed=2))


def test_ink_stays_where_it_is_but_for_a_little(mnist: Dataset) -> None:
    square = np.zeros((200, 28, 28), np.uint8)
    square[:, 10:18, 10:18] = 255
    moved = move_digits(square, seed=0)
    places = np.arange(28)
    for axis in (1, 2):
        mass = moved.sum(axis=axis)
        middles = mass @ places / mass.sum(axis=1)
        assert np.abs(middles - 13.5).max() <= 1.6
        assert np.ptp(middles) > 2

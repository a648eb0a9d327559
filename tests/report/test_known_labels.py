"""The labels of MNIST's test set that are known to be wrong."""

from __future__ import annotations

import pytest

from digitlab.data.known_labels import MNIST_CORRECTIONS, known_corrections

PUBLISHED = {947: 8, 1621: 0, 1901: 9, 2462: 2, 2597: 5, 3558: 5, 5937: 5, 6651: 0, 6783: 1, 9729: 5}


def test_the_ten_are_those_whose_published_label_is_another(mnist) -> None:
    assert {index: mnist.y_test[index] for index in MNIST_CORRECTIONS} == PUBLISHED
    assert all(0 <= digit <= 9 and digit != PUBLISHED[index] for index, digit in MNIST_CORRECTIONS.items())


def test_they_hold_for_mnist_and_for_no_other_data(mnist) -> None:
    assert known_corrections(mnist.fingerprint) == MNIST_CORRECTIONS
    assert known_corrections("a" * 64) == {}


def test_nobody_can_change_them() -> None:
    with pytest.raises(TypeError):
        MNIST_CORRECTIONS[0] = 1  # pyright: ignore[reportIndexIssue]

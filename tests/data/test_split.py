from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab.data.dataset import Dataset
from digitlab.data.split import stratified_split, stratified_subset
from digitlab.errors import DataError


def test_mnist_gives_5000_in_the_proportion_of_its_classes(mnist: Dataset) -> None:
    train, validation = stratified_split(mnist.y_train, 5000, seed=0)
    assert (train.dtype, validation.dtype) == (np.int64, np.int64)
    assert (len(train), len(validation)) == (55_000, 5_000)
    exact = np.bincount(mnist.y_train) * 5000 / 60_000
    assert np.all(np.abs(np.bincount(mnist.y_train[validation]) - exact) < 1)


@given(
    labels=st.lists(st.integers(0, 9), min_size=11, max_size=300),
    part=st.floats(0, 1),
    seed=st.integers(0, 2**70),
)
def test_a_split_has_each_index_once_and_the_exact_sizes(labels: list[int], part: float, seed: int) -> None:
    size = 10 + round(part * (len(labels) - 11))
    train, validation = stratified_split(np.array(labels), size, seed)
    assert (len(train), len(validation)) == (len(labels) - size, size)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, validation])), np.arange(len(labels)))
    assert np.all(np.diff(train) > 0)
    assert np.all(np.diff(validation) > 0)
    for label, count in zip(*np.unique(labels, return_counts=True), strict=True):
        assert abs(np.count_nonzero(np.array(labels)[validation] == label) - count * size / len(labels)) < 1


def test_the_seed_decides_the_split(mnist: Dataset) -> None:
    first, again, other = (stratified_split(mnist.y_train, 5000, seed)[1] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    # Two independent draws of 5,000 from 60,000 share about 417.
    assert len(np.intersect1d(first, other)) < 600


def test_the_largest_remainders_get_what_is_left() -> None:
    labels = np.repeat([0, 1, 2], [16, 15, 9])  # shares of 10: 4, 3.75, 2.25
    _, validation = stratified_split(labels, 10, seed=0)
    assert np.bincount(labels[validation]).tolist() == [4, 4, 2]


@pytest.mark.parametrize("validation", [-1, 0, 9, 100, 101])
def test_a_size_that_is_no_split_is_refused_with_the_allowed_range(validation: int) -> None:
    with pytest.raises(DataError, match=rf"10\.\.99 of 100 images, received {validation}"):
        stratified_split(np.arange(100) % 10, validation, seed=0)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(DataError, match="expected 0 or more, received -1"):
        stratified_split(np.arange(100) % 10, 10, seed=-1)


@given(
    labels=st.lists(st.integers(0, 9), min_size=1, max_size=300),
    parts=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    seed=st.integers(0, 2**70),
)
def test_a_smaller_subset_is_part_of_a_larger_one_and_both_are_stratified(
    labels: list[int], parts: tuple[float, float], seed: int
) -> None:
    sizes = sorted(1 + round(part * (len(labels) - 1)) for part in parts)
    smaller, larger = (stratified_subset(np.array(labels), size, seed) for size in sizes)
    assert [len(smaller), len(larger)] == sizes
    assert set(smaller) <= set(larger)
    for chosen, size in ((smaller, sizes[0]), (larger, sizes[1])):
        assert np.all(np.diff(chosen) > 0)
        for label, count in zip(*np.unique(labels, return_counts=True), strict=True):
            share = count * size / len(labels)
            assert abs(np.count_nonzero(np.array(labels)[chosen] == label) - share) <= 1 + 1e-9


def test_a_subset_of_mnist_has_each_class_in_proportion(mnist: Dataset) -> None:
    chosen = stratified_subset(mnist.y_train, 1000, seed=28)
    exact = np.bincount(mnist.y_train) / 60
    assert np.all(np.abs(np.bincount(mnist.y_train[chosen]) - exact) < 1)


def test_more_images_than_there_are_cannot_be_chosen() -> None:
    with pytest.raises(DataError, match=r"training_size: expected at most 3, .* received 4"):
        stratified_subset(np.array([1, 2, 3]), 4, seed=0)

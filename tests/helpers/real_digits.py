"""MNIST, read once in each process: to read it takes longer than most tests."""

from __future__ import annotations

from functools import cache

from digitlab.data import Dataset, load


@cache
def load_once(name: str) -> Dataset:
    """Load a data set, whose arrays cannot be changed, as all tests share them."""
    dataset = load(name)
    for array in (dataset.x_train, dataset.y_train, dataset.x_test, dataset.y_test):
        array.setflags(write=False)
    return dataset


def read_mnist() -> Dataset:
    return load_once("mnist")

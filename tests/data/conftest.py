from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digitlab.data.catalog import FILE_NAMES
from digitlab.data.dataset import Dataset, load
from digitlab.data.idx import write_idx

WriteFolder = Callable[..., Path]


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    return load("mnist")


@pytest.fixture(scope="session")
def digit(mnist: Dataset) -> np.ndarray:
    """A real digit, no square and not alike in its mirror: uint8 [26, 28]."""
    return mnist.x_test[0, :26]


@pytest.fixture(scope="session")
def small(mnist: Dataset) -> dict[str, np.ndarray]:
    """The four arrays of a data set of 300 and 100 real digits."""
    return {
        "train-images": mnist.x_train[:300],
        "train-labels": mnist.y_train[:300],
        "test-images": mnist.x_test[:100],
        "test-labels": mnist.y_test[:100],
    }


@pytest.fixture
def write_folder(tmp_path: Path, small: dict[str, np.ndarray]) -> WriteFolder:
    """Write the small data set into a folder, under other names or with some of its arrays exchanged."""

    def write(names: dict[str, str] = FILE_NAMES, **changed: np.ndarray) -> Path:
        folder = tmp_path / "set"
        folder.mkdir()
        arrays = small | {role.replace("_", "-"): array for role, array in changed.items()}
        for role, name in names.items():
            write_idx(folder / name, arrays[role])
        return folder

    return write

from __future__ import annotations

import numpy as np
import pytest

from digitlab.data.dataset import Dataset


@pytest.fixture(scope="session")
def digit(mnist: Dataset) -> np.ndarray:
    """A real digit, no square and not alike in its mirror: uint8 [26, 28]."""
    return mnist.x_test[0, :26]

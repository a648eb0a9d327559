from __future__ import annotations

import pytest

from digitlab.data.dataset import Dataset, load


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    return load("mnist")

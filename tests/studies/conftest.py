from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from digitlab.results.store import Store
from digitlab.spec import Study
from small_study import small_study, write_digits


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data set of few real digits."""
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder)
    return folder


@pytest.fixture(scope="session")
def study(digits: Path) -> Study:
    """Two levels, two seeds, two epochs."""
    return small_study(digits)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store.sqlite") as opened:
        yield opened

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from digitlab.results.store import Store


@pytest.fixture(params=[Store], ids=["sqlite"])
def store_class(request: pytest.FixtureRequest) -> type[Store]:
    return request.param


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results" / "store"


@pytest.fixture
def store(store_class: type[Store], path: Path) -> Iterator[Store]:
    with store_class(path) as opened:
        yield opened

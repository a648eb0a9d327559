"""Predictions as the store keeps them, and stores that kept them otherwise."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab.results.packing import pack, unpack
from digitlab.results.record import Result
from digitlab.results.store import Store
from digitlab.spec import DataSpec, Trial, resolve_recipe


@given(
    st.integers(1, 100).flatmap(
        lambda classes: st.lists(
            st.binary(min_size=1, max_size=40).map(lambda text: bytes(byte % classes for byte in text)),
            min_size=1,
            max_size=5,
        )
    )
)
def test_whatever_is_packed_is_unpacked(rows: list[bytes]) -> None:
    shortest = min(map(len, rows))
    by_epoch = {epoch: row[:shortest] for epoch, row in enumerate(rows, 1)}
    packed = pack(by_epoch)
    last = packed[max(packed)]
    for epoch, row in by_epoch.items():
        assert unpack(packed[epoch], last).tobytes() == row
        assert unpack(row, row).tobytes() == row  # as it was kept before


def test_four_checkpoints_of_ten_thousand_digits_take_a_fifth_of_their_bytes() -> None:
    random = np.random.default_rng(0)
    last = random.integers(0, 10, 10_000).astype(np.uint8)
    by_epoch = {10: last.tobytes()}
    for epoch in (1, 2, 5):
        changed = np.where(random.random(10_000) < 0.03, random.integers(0, 10, 10_000), last)
        by_epoch[epoch] = changed.astype(np.uint8).tobytes()
    assert sum(map(len, pack(by_epoch).values())) < 8_500


@pytest.fixture
def result(make_result: Any) -> Result:
    recipe = resolve_recipe("mlp")
    data = DataSpec(fingerprint="0" * 64)
    return make_result(Trial(recipe="mlp", model=recipe.model, training=recipe.training, data=data))


def rewrite_as_version_2(path: Path, result: Result) -> None:
    """Make of a store what the digitlab before would have written."""
    with closing(sqlite3.connect(path)) as database:
        for epoch, classes in result.predictions.items():
            database.execute("UPDATE predictions SET classes = ? WHERE epoch = ?", (classes.tobytes(), epoch))
        database.execute("PRAGMA user_version = 2")
        database.commit()


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA user_version").fetchone()[0]


@pytest.mark.parametrize("writes", [False, True])
def test_a_store_of_the_version_before_is_read_and_is_of_this_one_once_it_is_changed(
    tmp_path: Path, result: Result, writes: bool
) -> None:
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        store.finish(result)
    rewrite_as_version_2(path, result)
    with Store(path) as store:
        if writes:
            store.start(result.trial)
        np.testing.assert_array_equal(
            store.predictions([result.trial])[result.trial.id],
            result.predictions[result.trial.training.epochs],
        )
        assert set(store.results([result.trial])) == {result.trial.id}
    assert version(path) == (3 if writes else 2)

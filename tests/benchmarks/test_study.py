"""The classroom against keras.fit, from a sample of its networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from run_log import RunLog
from study import SAMPLE, TOGETHER, Network, measure_sample, nearest, study_rows, study_table

from digitlab.errors import UserError
from digitlab.spec import DataSpec, Trial, resolve_recipe
from digitlab.spec.study import with_settings


def networks(fit: float, worker: float) -> list[Network]:
    """Every sampled network, each with the same seconds an epoch."""
    return [
        Network(
            name,
            with_settings(resolve_recipe(base), settings, name),
            {"fit": [fit, fit], "1": [worker, worker], "2": [worker / 2, worker / 2]},
            {"fit": 900.0, "1": 700.0, "2": 700.0},
        )
        for name, (base, settings) in SAMPLE.items()
    ]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """Of a sample in which an epoch takes `fit` 2 s and a worker half a second."""
    return study_rows(networks(fit=2.0, worker=0.5))


def test_a_ratio_is_of_each_round() -> None:
    network = networks(1.0, 1.0)[0]._replace(seconds={"fit": [2.0, 20.0, 3.0], "1": [1.0, 10.0, 1.0]})
    assert network.times_fit("1") == 2.0  # and not 3.0, of the medians
    assert network.median("1") == 1.0


def test_the_classroom_together_is_extrapolated_from_its_networks(rows: list[dict[str, Any]]) -> None:
    together = {row["by"]: row for row in rows if row["network"] == TOGETHER}
    assert together["1 worker"]["times_fit"] == pytest.approx(4.0)
    assert together["2 workers"]["trial_epochs_a_second"] == pytest.approx(4.0)
    assert together["keras.fit"]["trainings"] > 50
    assert together["keras.fit"]["seconds"] == pytest.approx(4 * together["1 worker"]["seconds"])


def test_a_part_of_the_sample_does_not_stand_for_the_classroom() -> None:
    rows = study_rows(networks(2.0, 0.5)[:3])
    assert TOGETHER not in {row["network"] for row in rows}


def test_the_table_has_a_row_a_network_and_a_ratio_by_worker_count(rows: list[dict[str, Any]]) -> None:
    table = study_table(rows)
    columns = ("trial-epochs a second", "keras.fit", "1 worker", "times fit", "2 workers", "times fit")
    assert table.columns == columns
    assert table.rows[0] == ("mlp", "0.50", "2.00", "4.0", "4.00", "8.0")
    assert [row[0] for row in table.rows] == [*SAMPLE, TOGETHER]


def test_a_training_counts_as_the_sampled_network_nearest_to_it() -> None:
    sample = networks(1.0, 1.0)
    for base, settings, expected in [
        ("mlp", {"model.hidden.0": 512}, "mlp, 1024 neurons"),
        ("mlp", {"training.batch_size": 50}, "mlp, batch 32"),
        ("deep-cnn", {"training.epochs": 3}, "deep-cnn"),
        ("cnn", {"model.dense.0": 480}, "cnn, dense 512"),
    ]:
        recipe = with_settings(resolve_recipe(base), settings, "test")
        trial = Trial(model=recipe.model, training=recipe.training, data=DataSpec())
        assert nearest(trial, sample).name == expected


def test_a_network_that_is_not_of_the_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="network 'best': expected one of: mlp; "):
        measure_sample(["best"], [1], 1, 2, RunLog(tmp_path / "study.json", {}))

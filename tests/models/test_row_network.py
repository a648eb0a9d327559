"""The network that reads rows: what it takes, what it gives, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlab.errors import SpecError
from digitlab.spec.library import find_row_recipe, recipe_names, resolve_recipe, row_recipe_names
from digitlab.spec.rows import RowModel, RowRecipe, Stage

TINY = RowModel(
    stages=(Stage(filters=4), Stage(filters=8, convolutions=2, residual=1), Stage(filters=8, pool=(2, 1))),
    width=8,
    blocks=(3,),
)


@pytest.fixture(scope="module")
def numbers() -> RowRecipe:
    found = find_row_recipe("numbers")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def network(numbers: RowRecipe) -> Any:
    from digitlab.training.process import prepare_process

    prepare_process(1)
    from digitlab.models.rows import build_rows

    return build_rows(numbers.model)


@pytest.mark.slow  # TensorFlow takes seconds to import
def test_the_shipped_reader_has_at_most_a_million_weights(network: Any) -> None:
    assert sum(int(np.prod(weight.shape)) for weight in network.weights) < 1_000_000


@pytest.mark.slow  # TensorFlow takes seconds to import
@pytest.mark.parametrize("width", [32, 48, 224])
def test_a_row_of_any_width_gives_probabilities_for_each_four_pixels(network: Any, width: int) -> None:
    rows = np.random.default_rng(0).integers(0, 256, (2, 32, width)).astype(np.float32)
    answers = np.asarray(network(rows, training=False))
    assert answers.shape == (2, width // 4, 12)
    assert np.allclose(answers.sum(axis=2), 1, atol=1e-5)


@pytest.mark.slow  # TensorFlow takes seconds to import
def test_a_row_is_read_the_same_however_light_it_is(network: Any) -> None:
    rows = np.random.default_rng(0).integers(0, 100, (1, 32, 64)).astype(np.float32)
    answers = [np.asarray(network(some, training=False)) for some in (rows, 50 + 2 * rows)]
    assert np.allclose(*answers, atol=0.01)


@pytest.mark.slow  # TensorFlow takes seconds to import
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning:keras")
def test_a_saved_reader_loads_with_plain_keras(network: Any, tmp_path: Path) -> None:
    import keras

    network.save(tmp_path / "model.keras")
    loaded: Any = keras.saving.load_model(tmp_path / "model.keras")
    rows = np.full((1, 32, 80), 9, np.float32)
    assert np.array_equal(loaded(rows), network(rows))


@pytest.mark.slow  # TensorFlow takes seconds to import
def test_the_same_seed_gives_the_same_weights() -> None:
    from digitlab.models.rows import build_rows

    one, same, other = (build_rows(TINY, initialization=seed).get_weights() for seed in (1, 1, 2))
    assert all(map(np.array_equal, one, same))
    assert not all(map(np.array_equal, one, other))


def test_pools_that_leave_no_quarter_of_the_width_are_refused() -> None:
    values = {"stages": [{"filters": 8, "pool": [2, 2]}]}
    with pytest.raises(SpecError, match="expected pools that leave a quarter of a row's width"):
        RowModel.from_values(values, "here")


def test_a_recipe_that_reads_rows_is_none_that_classifies() -> None:
    assert "numbers" in row_recipe_names()
    assert "numbers" not in recipe_names()
    with pytest.raises(SpecError, match="expected a network that classifies one digit, received one that re"):
        resolve_recipe("numbers")


def test_a_recipe_that_reads_rows_is_found_in_a_file(numbers: RowRecipe, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(numbers.to_toml(), "utf-8")
    assert find_row_recipe(str(file)) == numbers
    assert find_row_recipe("best") is None

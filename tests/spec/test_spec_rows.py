from __future__ import annotations

from pathlib import Path

import pytest

from digitlab.errors import SpecError
from digitlab.spec.library import find_row_recipe, resolve_recipe, row_recipe_names
from digitlab.spec.rows import RowModel, Stage
from digitlab.spec.study import with_settings


def test_the_reader_of_rows_that_ships_is_a_recipe_of_its_own_kind() -> None:
    assert row_recipe_names() == ("numbers",)
    recipe = find_row_recipe("numbers")
    assert recipe is not None
    assert recipe.model.rows_left == 4
    assert find_row_recipe("mlp") is None


def test_a_reader_of_rows_is_no_network_of_single_digits_and_the_line_says_what_trains_it() -> None:
    with pytest.raises(SpecError, match="digitlab train numbers"):
        resolve_recipe("numbers")


def test_a_file_of_the_family_rows_is_found_and_its_faults_are_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n[model]\nfamily = "rows"\nstages = [{filters = 4}, {filters = 8}]\n')
    recipe = find_row_recipe(str(path))
    assert recipe is not None
    assert recipe.model.stages[1].filters == 8
    path.write_text('name = "mine"\n[model]\nfamily = "rows"\nstages = [{filters = 4}]\n')
    with pytest.raises(SpecError, match="a quarter of a row's width"):
        find_row_recipe(str(path))


def test_settings_of_a_reader_of_rows_change_by_path() -> None:
    recipe = find_row_recipe("numbers")
    assert recipe is not None
    assert with_settings(recipe, {"training.steps": 5}, "test").training.steps == 5
    with pytest.raises(SpecError, match="epochs"):
        with_settings(recipe, {"training.epochs": 5}, "test")


def test_rows_have_the_height_of_row_form() -> None:
    recipe = find_row_recipe("numbers")
    assert recipe is not None
    with pytest.raises(SpecError, match=r"model.height: expected 32, received 24"):
        with_settings(recipe, {"model.height": 24}, "--set")


def test_pools_must_leave_a_quarter_of_the_width() -> None:
    stages = (Stage(filters=4), Stage(filters=4, pool=(2, 2)), Stage(filters=4, pool=(2, 1)))
    assert RowModel(stages=stages).rows_left == 4

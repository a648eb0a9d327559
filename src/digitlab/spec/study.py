"""A study: a question, a recipe, the axes that are varied, and the seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Annotated, Any, Self, TypeVar, get_args

from pydantic import (
    Discriminator,
    Field,
    JsonValue,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from digitlab.errors import SpecError
from digitlab.spec.base import Spec, shown
from digitlab.spec.fields import IntRange, Items, Name, NoTable
from digitlab.spec.function_source import recipe_from_function
from digitlab.spec.recipe import Recipe
from digitlab.spec.rows import RowRecipe
from digitlab.spec.trial import DataSpec

R = TypeVar("R", Recipe, RowRecipe)

MAX_TRIALS = 100_000

RECIPE_PATH = "recipe"
"""Path of the axis that varies the recipe as a whole."""

TRAINING_SIZE_PATH = "data.training_size"
"""Path of the axis that varies the number of training images."""

SingleLevel = bool | int | float | str
Level = Annotated[SingleLevel | tuple[SingleLevel, ...], NoTable()]
"""A value that an axis takes; a list, as of the neurons of several layers, is a tuple."""


def _written_as(recipe: object) -> str:
    return "name" if isinstance(recipe, str) else "table"


RecipeOrName = Annotated[
    Annotated[str, Tag("name")] | Annotated[Recipe, Tag("table")], Discriminator(_written_as)
]


class Axis(Spec):
    """One setting that is varied.

    Attributes:
        path: the setting, as a dotted path into the recipe: `training.batch_size`,
            `model.hidden`, `model.hidden.0`, `model.convolutions.0.kernel_size`; or `recipe`, whose levels
            are names of recipes or their files; or `data.training_size`.
        values: the levels, in the order of the report.
        label: label of the axis in the report, with the unit; the path where it is empty.
        reference: level that the others are compared with; None is the first.
    """

    path: str
    values: Annotated[tuple[Level, ...], Items(1, 1000)]
    label: str = ""
    reference: Level | None = None

    @field_validator("path")
    @classmethod
    def _setting_matters(cls, path: str) -> str:
        is_setting = path.startswith(("model.", "training."))
        if not is_setting and path not in (RECIPE_PATH, TRAINING_SIZE_PATH):
            raise ValueError(
                "expected recipe, data.training_size, or a setting of the model or the training, as in "
                f"training.batch_size, received {shown(path)}"
            )
        return path

    @field_validator("values")
    @classmethod
    def _levels_differ(cls, values: tuple[Level, ...]) -> tuple[Level, ...]:
        for i, value in enumerate(values):
            if value in values[:i]:
                raise ValueError(f"expected different levels, received {_shown(value)} again")
        return values

    @field_validator("reference")
    @classmethod
    def _reference_is_a_level(cls, reference: Level | None, info: ValidationInfo) -> Level | None:
        values = info.data.get("values", (reference,))  # absent where they were refused
        if reference is not None and reference not in values:
            raise ValueError(f"expected one of {_shown(values)}, received {_shown(reference)}")
        return reference

    @property
    def title(self) -> str:
        """The label, or the path where there is none."""
        return self.label or self.path


def _shown(level: Any) -> str:
    """Return a level, or several, for a message: lists as they are written in a study file."""
    return shown(_as_written(level))


def _as_written(level: Any) -> Any:
    return [_as_written(value) for value in level] if isinstance(level, tuple) else level


def level_text(level: Level) -> str:
    """Format one level as in the study file, on one line."""
    if isinstance(level, tuple):
        return f"[{', '.join(level_text(value) for value in level)}]"
    if isinstance(level, bool):
        return str(level).lower()  # true, as TOML writes it
    return " ".join(str(level).split())


def single(level: Level) -> SingleLevel:
    """Return a level as a single value, for tables of single values: a list is written as text."""
    return level_text(level) if isinstance(level, tuple) else level


def levels_text(levels: Iterable[Level]) -> str:
    """Format a combination of levels without their axes: `128 × relu`."""
    return " × ".join(level_text(level) for level in levels)


def settings_text(axes: Sequence[Axis], levels: Sequence[Level]) -> str:
    """Format a combination of levels with their axes: `batch size = 200, optimizer = adam`."""
    pairs = zip(axes, levels, strict=True)
    return ", ".join(f"{axis.title} = {level_text(level)}" for axis, level in pairs)


class Study(Spec):
    """A question and the trials that answer it.

    Attributes:
        name: name on the command line.
        question: one sentence that ends in a question mark.
        description: text for the reader before the table.
        recipe: name of a recipe, a recipe written out, or a function that builds a network; the levels of an
            axis over `recipe` replace it.
        overrides: settings that differ from the recipe's, by dotted path.
        axes: settings that are varied; several axes are crossed.
        seeds: number of networks trained for each level, with seeds that follow each other.
        first_seed: first of these seeds.
        data: data that all trials learn from.
    """

    name: Name
    question: str
    description: str = ""
    recipe: RecipeOrName
    overrides: dict[str, JsonValue] = Field(default_factory=dict)
    axes: Annotated[tuple[Axis, ...], Items(1, 8)]
    seeds: Annotated[int, IntRange(1, 1000)] = 3
    first_seed: Annotated[int, IntRange(0, 1_000_000)] = 0
    data: DataSpec = DataSpec()

    @property
    def seed_range(self) -> range:
        """The seeds of each level's networks."""
        return range(self.first_seed, self.first_seed + self.seeds)

    @property
    def seeds_text(self) -> str:
        """The seeds as text: `0 to 4`, or `7`."""
        first, last = self.seed_range[0], self.seed_range[-1]
        return str(first) if first == last else f"{first} to {last}"

    @field_validator("recipe", mode="before")
    @classmethod
    def _of_a_function(cls, recipe: Any) -> Any:
        """Take a function that builds a network, too."""
        return recipe_from_function(recipe) if callable(recipe) else recipe

    @field_validator("axes")
    @classmethod
    def _axes_differ(cls, axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
        paths = [axis.path for axis in axes]
        if len(set(paths)) < len(paths):
            raise ValueError(f"expected different paths, received {shown(paths)}")
        return axes

    @model_validator(mode="after")
    def _can_be_planned(self) -> Self:
        trials = math.prod(len(axis.values) for axis in self.axes) * self.seeds
        if trials > MAX_TRIALS:
            raise ValueError(
                f"expected at most {MAX_TRIALS:,} trials, received {trials:,}: the levels of all axes, "
                "crossed, times the seeds"
            )
        return self


class Collection(Spec):
    """Several studies that are run as one and reported on one page.

    Attributes:
        name: name on the command line.
        title: title of the page.
        description: text for the reader before the first study.
        studies: names of studies, or their files, in the order of the page.
    """

    name: Name
    title: str
    description: str = ""
    studies: Annotated[tuple[str, ...], Items(1, 100)]


def recipes_named(study: Study) -> tuple[str, ...]:
    """List the recipes that the levels of a study's axis over `recipe` name; empty without such an axis."""
    for axis in study.axes:
        if axis.path == RECIPE_PATH:
            return tuple(str(level) for level in axis.values)
    return ()


def with_settings(recipe: R, settings: dict[str, Any], source: str) -> R:
    """Return a recipe with settings changed, by dotted path.

    Args:
        recipe: recipe to change.
        settings: dotted path to new value; a whole number in a path counts into a list from 0, a table
            changes only the settings that it names, and a table that the recipe does not set begins with
            its own defaults.
        source: origin of the settings, with which error messages begin.

    Raises:
        SpecError: a path leads nowhere, or a value is out of range.
    """
    values = recipe.model_dump(mode="json")
    for path, value in settings.items():
        _set(values, path, value, source)
    return type(recipe).from_values(values, source)


def _set(values: dict[str, Any], path: str, value: Any, source: str) -> None:
    """Set a setting in the plain values of a recipe; a table sets only what it names."""
    steps = path.split(".")
    table: Any = values  # or a list
    for i, step in enumerate(steps[:-1], start=1):
        key = _key(table, step, path, source)
        if table[key] is None:
            table[key] = _unset_table(steps[:i])
        table = table[key]
    key = _key(table, steps[-1], path, source)
    if isinstance(value, dict) and table[key] is None:
        table[key] = _unset_table(steps)
    if isinstance(value, dict) and isinstance(table[key], dict):
        for step, inner in value.items():  # TOML writes  training.epochs = 5  as a table
            _set(values, f"{path}.{step}", inner, source)
    else:
        table[key] = deepcopy(value)  # a later path may lead into it, and it is the caller's


def _unset_table(steps: Sequence[str]) -> dict[str, Any] | None:
    """Return the defaults of a table that a recipe leaves unset; None where the setting is no table."""
    spec: type[Spec] = Recipe
    for step in steps:
        field = spec.model_fields.get(step)
        if field is None:
            return None
        tables = []
        for kind in (field.annotation, *get_args(field.annotation)):  # `Augmentation | None` has two
            if isinstance(kind, type) and issubclass(kind, Spec):
                tables.append(kind)
        if len(tables) != 1:
            return None
        spec = tables[0]
    return spec.model_validate({}).model_dump(mode="json")


def _key(table: Any, step: str, path: str, source: str) -> str | int:
    """Return the key or the position that a step of a path names in a table or a list."""
    if isinstance(table, dict):
        if step in table:
            return step
        known = f"one of {', '.join(table)}" if table else "none, the table is empty: set it there first"
    elif isinstance(table, list):
        positions = [str(i) for i in range(len(table))]
        if step in positions:  # compared as text: 01, +1 and ² are no positions
            return int(step)
        known = f"a position from 0 to {len(table) - 1}" if table else "none, the list is empty"
    else:
        known = "no dot after a single value"
    raise SpecError(f"{source}: {path}: there is no setting {shown(step)}; expected {known}")

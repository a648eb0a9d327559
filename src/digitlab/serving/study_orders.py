"""Requests to run a study: one of the library, or one that the client describes; never a file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from digitlab.data.catalog import CATALOG
from digitlab.errors import SpecError
from digitlab.serving.refusals import RefusalError
from digitlab.spec.library import collection_names, recipe_names, resolve_recipe, resolve_study, study_names
from digitlab.spec.plan import make_plan
from digitlab.spec.recipe import PythonModel, Recipe
from digitlab.spec.study import RECIPE_PATH, Study

_MOST = {"seeds": 1000, "workers": 1024}

ORDER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "study": {
            "anyOf": [{"type": "string"}, {"type": "object"}],
            "description": "A study's name, or its values as GET /api/studies/schema describes them.",
        },
        **{name: {"type": "integer", "minimum": 1, "maximum": most} for name, most in _MOST.items()},
    },
    "required": ["study"],
}

_FIELD = re.compile(r"^study[^:]*: ([\w.]+): ")


@dataclass(frozen=True)
class Order:
    """Request to run a study.

    Attributes:
        name: name of the study or the collection.
        study: study that the client described; None for one of the library.
        options: command-line options of `digitlab study run`.
    """

    name: str
    study: Study | None
    options: tuple[str, ...]


def read_order(values: Any) -> Order:
    """Parse a request to run a study, and refuse an impossible one before anything starts.

    Args:
        values: the parsed JSON body.

    Raises:
        RefusalError: the request is invalid, or names something unknown; `field` is the field at fault.
    """
    if not isinstance(values, dict) or not isinstance(values.get("study"), (str, dict)):
        raise RefusalError(422, 'expected {"study": a name, or a study\'s values}', field="study")
    options = tuple(_options(values))
    asked = values["study"]
    if isinstance(asked, dict):
        study = _described(asked)
        return Order(study.name, study, options)
    if asked not in (*study_names(), *collection_names()):
        raise RefusalError(422, f"study: expected one of the library, received {asked[:80]!r}", field="study")
    return Order(asked, None, options)


def _options(values: dict[str, Any]) -> Iterable[str]:
    for name, most in _MOST.items():
        value = values.get(name)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise RefusalError(422, f"{name}: expected a whole number from 1 to {most}", field=name)
        yield f"--{name}={value}"


def _described(values: dict[str, Any]) -> Study:
    try:
        study = Study.from_values(values, "study")
        if study.name in (*study_names(), *collection_names()):
            raise RefusalError(
                409,
                f"name: expected a new name, received that of a library study, {study.name!r}",
                field="name",
            )
        _refuse_paths(study)
        _check_levels(study)
    except SpecError as error:
        field = _FIELD.match(str(error))
        raise RefusalError(422, str(error), field=field[1] if field else None) from None
    return study


def _refuse_paths(study: Study) -> None:
    """Raise if a name is not one of digitlab's own: a client must not reach this machine's files."""
    if study.data.dataset not in CATALOG:
        raise SpecError(f"study: data.dataset: expected one of {', '.join(CATALOG)}")
    named = [level for axis in study.axes if axis.path == RECIPE_PATH for level in axis.values]
    if isinstance(study.recipe, str):
        named.append(study.recipe)
    for name in named:
        if name not in recipe_names():
            raise SpecError(f"study: recipe: expected one of {', '.join(recipe_names())}")


def _check_levels(study: Study) -> None:
    """Build every trial once, so that an impossible level is refused now."""
    recipes = {name: resolve_recipe(name) for name in recipe_names()}
    fingerprint = CATALOG[study.data.dataset].fingerprint
    recipe = study.recipe if isinstance(study.recipe, Recipe) else resolve_recipe(study.recipe)
    if isinstance(recipe.model, PythonModel):
        raise SpecError(
            "study: recipe.model.family: expected mlp or cnn, received python: only the command line and "
            "Python run a user's own code"
        )
    make_plan(study, recipe, fingerprint, "float32", recipes)


def examples() -> dict[str, Any]:
    """Return the library's studies as plain values, by name, with which a form can begin."""
    return {name: resolve_study(name).to_values() for name in study_names()}

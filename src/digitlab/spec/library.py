"""Recipes and studies by name, from the package, or from a user's file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from digitlab.errors import SpecError
from digitlab.spec.base import Spec
from digitlab.spec.function_source import recipe_from_function
from digitlab.spec.python_code import capture
from digitlab.spec.recipe import PythonModel, Recipe
from digitlab.spec.rows import RowRecipe
from digitlab.spec.study import Collection, Study

S = TypeVar("S", bound=Spec)

MAX_BYTES = 1_000_000

MOST_LISTED = 12
"""Largest number of names that a message lists; of more it shows those that a wrong name resembles."""


def recipe_names() -> tuple[str, ...]:
    """List the recipes in the package, sorted."""
    return _names(_recipes())


def row_recipe_names() -> tuple[str, ...]:
    """List the recipes of row readers in the package, sorted."""
    return _names(_row_recipes())


def study_names() -> tuple[str, ...]:
    """List the studies in the package, sorted."""
    return _names(_studies())


def resolve_recipe(recipe: str | Recipe | Callable[..., Any], folder: Path | None = None) -> Recipe:
    """Look up a recipe.

    Args:
        recipe: name in the package, path of a TOML or JSON file, the recipe itself, or a function that
            builds a network.
        folder: folder that a relative path starts from; the current one by default.

    Raises:
        SpecError: no recipe has that name, the file is not a recipe, or the function cannot be described.
    """
    if isinstance(recipe, Recipe):
        return _with_code(recipe, folder)
    if not isinstance(recipe, str):
        return recipe_from_function(recipe)
    name = recipe
    if folder and _is_file_name(recipe):
        name = str(folder / recipe)
    if name in row_recipe_names():
        raise SpecError(
            f"recipe {name!r}: expected a network that classifies one digit, received one that reads rows; "
            f"it is trained by  digitlab train {name}"
        )
    found = _find(Recipe, name, _recipes(), "recipe", also=row_recipe_names())
    return _with_code(found, Path(name).parent)


def _with_code(recipe: Recipe, folder: Path | None) -> Recipe:
    """Return a recipe whose network, if a user's own function builds it, has its code."""
    if not isinstance(recipe.model, PythonModel):
        return recipe
    return recipe.model_copy(update={"model": capture(recipe.model, folder)})


def find_row_recipe(recipe: str) -> RowRecipe | None:
    """Look up a row reader's recipe: a name in the package, or a file whose model is of the family `rows`.

    Args:
        recipe: name in the package, or path of a TOML or JSON file.

    Returns:
        The recipe; None where it is another kind of recipe, or unknown.

    Raises:
        SpecError: the file is of that family, but not a valid recipe.
    """
    if recipe in row_recipe_names():
        return _find(RowRecipe, recipe, _row_recipes(), "recipe")
    if recipe in recipe_names() or not _is_file_name(recipe):
        return None
    path = Path(recipe)
    if not _is_of_rows(path):
        return None
    return _read(RowRecipe, path, "recipe")


def study_folder(study: str | Study) -> Path | None:
    """Return the folder of a study's file; None where the study is not a file."""
    if isinstance(study, str) and study not in study_names() and _is_file_name(study):
        return Path(study).parent
    return None


def resolve_study(study: str | Study) -> Study:
    """Look up a study: a name in the package, the path of a TOML or JSON file, or the study itself.

    In a study's file, the path of a recipe is relative to the file's folder.

    Raises:
        SpecError: no study has that name, or the file is not a study.
    """
    if isinstance(study, Study):
        return study
    result = _find(Study, study, _studies(), "study", also=collection_names())
    folder = study_folder(study)
    recipe = result.recipe
    if folder is None or (isinstance(recipe, str) and not _is_file_name(recipe)):
        return result
    # Written out, since only here the folder is known from which its path starts.
    return result.model_copy(update={"recipe": resolve_recipe(recipe, folder)})


def collection_names() -> tuple[str, ...]:
    """List the collections of studies in the package, sorted."""
    return _names(_collections())


def resolve_collection(name: str) -> Collection:
    """Look up a collection in the package by its name.

    Raises:
        SpecError: no collection has that name.
    """
    return _find(Collection, name, _collections(), "collection")


def _collections() -> Traversable:
    return files("digitlab") / "studies" / "collections"


def _recipes() -> Traversable:
    return files("digitlab") / "recipes"


def _row_recipes() -> Traversable:
    return files("digitlab") / "recipes" / "rows"


def _is_of_rows(path: Path) -> bool:
    """Whether a file's model is of the family `rows`; a file that cannot be read is not."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES).decode("utf-8-sig")
        values = json.loads(content) if _suffix(path) == ".json" else tomllib.loads(content)
        return values["model"]["family"] == "rows"
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _studies() -> Traversable:
    return files("digitlab") / "studies" / "library"


def _names(folder: Traversable) -> tuple[str, ...]:
    names = []
    for entry in folder.iterdir():
        if entry.name.endswith(".toml"):
            names.append(entry.name.removesuffix(".toml"))
    return tuple(sorted(names))


def _is_file_name(name: str) -> bool:
    return _suffix(name) in {".toml", ".json"}


def _suffix(name: str | Path) -> str:
    """Return a file name's suffix in lower case, without blanks at its end."""
    return Path(name).suffix.strip().lower()


def _find(kind: type[S], name: str, folder: Traversable, word: str, also: tuple[str, ...] = ()) -> S:
    known = _names(folder)
    if name in known:
        text = (folder / f"{name}.toml").read_text("utf-8")
        return kind.from_toml(text, f"{word} {name}")
    if _is_file_name(name):
        return _read(kind, Path(name), word)
    names = _names_for(name, (*also, *known), word)
    raise SpecError(f"{word} {name!r}: expected {names}, or the path of a .toml or .json file")


def _names_for(name: str, known: Sequence[str], word: str) -> str:
    """List the known names, or where there are many those that a wrong name resembles."""
    if len(known) <= MOST_LISTED:
        return f"one of {', '.join(known)}"
    close = get_close_matches(name, known)
    shown = f" ({', '.join(close)}?)" if close else ""
    return f"a name that `digitlab {word} list` shows{shown}"


def _read(kind: type[S], path: Path, word: str) -> S:
    where = f"{word} {str(path)!r}"
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        cause = error.strerror if isinstance(error, OSError) else error
        raise SpecError(f"{where}: cannot be read: {cause}; check the path") from None
    if len(content) > MAX_BYTES:
        raise SpecError(f"{where}: expected at most {MAX_BYTES:,} bytes; is it a {word}?")
    try:
        text = content.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError:
        raise SpecError(f"{where}: expected UTF-8 text; save it as such") from None
    if _suffix(path) == ".json":
        return kind.from_json(text, where)
    return kind.from_toml(text, where)

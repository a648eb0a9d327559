"""The vocabulary: frozen, validated values, and the plan; TOML and JSON in and out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitlab.spec.base import Spec
    from digitlab.spec.library import recipe_names, resolve_recipe, resolve_study, study_names
    from digitlab.spec.plan import Cell, Entry, Plan, make_plan
    from digitlab.spec.recipe import CNN, MLP, Convolution, ModelSpec, Recipe, TrainingSpec
    from digitlab.spec.study import Axis, Study
    from digitlab.spec.trial import DataSpec, Trial

_HOMES = {
    "Spec": "base",
    "recipe_names": "library",
    "resolve_recipe": "library",
    "resolve_study": "library",
    "study_names": "library",
    "Cell": "plan",
    "Entry": "plan",
    "Plan": "plan",
    "make_plan": "plan",
    "CNN": "recipe",
    "MLP": "recipe",
    "Convolution": "recipe",
    "ModelSpec": "recipe",
    "Recipe": "recipe",
    "TrainingSpec": "recipe",
    "Axis": "study",
    "Study": "study",
    "DataSpec": "trial",
    "Trial": "trial",
}

__all__ = [
    "CNN",
    "MLP",
    "Axis",
    "Cell",
    "Convolution",
    "DataSpec",
    "Entry",
    "ModelSpec",
    "Plan",
    "Recipe",
    "Spec",
    "Study",
    "TrainingSpec",
    "Trial",
    "make_plan",
    "recipe_names",
    "resolve_recipe",
    "resolve_study",
    "study_names",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

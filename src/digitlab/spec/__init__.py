"""The vocabulary: frozen, validated values, and the plan; TOML and JSON in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlab.lazy import lazy_exports

if TYPE_CHECKING:
    from digitlab.spec.base import Spec
    from digitlab.spec.library import recipe_names, resolve_recipe, resolve_study, study_names
    from digitlab.spec.plan import Cell, Entry, Plan, make_plan
    from digitlab.spec.recipe import CNN, MLP, Convolution, ModelSpec, Recipe, TrainingSpec
    from digitlab.spec.study import Axis, Study
    from digitlab.spec.trial import DataSpec, Trial

__getattr__ = lazy_exports(
    __name__,
    {
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
    },
)

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

"""Frozen, validated specs of recipes, trials and studies, in TOML and JSON; and the plan of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlab.lazy import lazy_exports

if TYPE_CHECKING:
    from digitlab.spec.base import Spec
    from digitlab.spec.library import (
        collection_names,
        recipe_names,
        resolve_collection,
        resolve_recipe,
        resolve_study,
        study_names,
    )
    from digitlab.spec.plan import Cell, Plan, cover, coverage, make_plan
    from digitlab.spec.recipe import CNN, MLP, Convolution, ModelSpec, Recipe, TrainingSpec
    from digitlab.spec.study import Axis, Collection, Study
    from digitlab.spec.trial import DataSpec, Trial

__getattr__ = lazy_exports(
    __name__,
    {
        "Spec": "base",
        "collection_names": "library",
        "recipe_names": "library",
        "resolve_collection": "library",
        "resolve_recipe": "library",
        "resolve_study": "library",
        "study_names": "library",
        "Cell": "plan",
        "Plan": "plan",
        "cover": "plan",
        "coverage": "plan",
        "make_plan": "plan",
        "CNN": "recipe",
        "MLP": "recipe",
        "Convolution": "recipe",
        "ModelSpec": "recipe",
        "Recipe": "recipe",
        "TrainingSpec": "recipe",
        "Axis": "study",
        "Collection": "study",
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
    "Collection",
    "Convolution",
    "DataSpec",
    "ModelSpec",
    "Plan",
    "Recipe",
    "Spec",
    "Study",
    "TrainingSpec",
    "Trial",
    "collection_names",
    "cover",
    "coverage",
    "make_plan",
    "recipe_names",
    "resolve_collection",
    "resolve_recipe",
    "resolve_study",
    "study_names",
]

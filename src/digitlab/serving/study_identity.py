"""Which plan in a store is of which study: a study's name alone does not say."""

from __future__ import annotations

from functools import cache

from digitlab.data.catalog import CATALOG
from digitlab.errors import SpecError
from digitlab.spec.library import resolve_recipe, resolve_study, study_names
from digitlab.spec.plan import Plan
from digitlab.spec.study import Study, recipes_named


@cache
def library_studies() -> dict[str, Study]:
    """Return the studies of the library by name."""
    return {name: resolve_study(name) for name in study_names()}


def with_own_data(plan: Plan) -> Plan:
    """Mark a plan that an older digitlab kept, if it is on other data than the library's study."""
    study = library_studies().get(plan.study.name)
    if plan.own_data is not None or study is None or _is_on_data_of(plan, study):
        return plan
    return plan.on_data_instead_of(study.data)


def is_run_as_written(plan: Plan, study: Study) -> bool:
    """Return whether a plan is of a study as it is written, on the study's own data."""
    return _is_on_data_of(plan, study) and is_same_study(plan, study)


def is_same_study(plan: Plan, study: Study) -> bool:
    """Return whether a plan is of a study as it is written, on any data and with any number of seeds."""
    try:
        return not plan.differences(_as_planned(study, plan))
    except SpecError:  # the study names recipes that are not here
        return False


def _is_on_data_of(plan: Plan, study: Study) -> bool:
    entry = CATALOG.get(study.data.dataset)
    if entry is None:
        return plan.study.data.dataset == study.data.dataset
    return plan.fingerprint == entry.fingerprint


def _as_planned(study: Study, plan: Plan) -> Plan:
    """Return the plan that a study would have on the data of another plan."""
    recipes = {name: resolve_recipe(name) for name in recipes_named(study)}
    if plan.own_data is not None:
        study = study.model_copy(update={"data": plan.study.data})
    return Plan(
        study=study,
        recipe=resolve_recipe(study.recipe),
        recipes=recipes,
        fingerprint=plan.fingerprint,
        precision=plan.precision,
    )

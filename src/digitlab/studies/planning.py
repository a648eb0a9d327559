"""Plans of studies: made for this machine, or found again in a store."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from digitlab.data import CATALOG, Dataset, load, stratified_split
from digitlab.data.naming import SHORT, contents, data_title, known_fingerprint, locate, require_folder
from digitlab.errors import DataError
from digitlab.results.store import Store
from digitlab.spec.library import resolve_recipe, resolve_study, study_folder, study_names
from digitlab.spec.plan import Plan, make_plan
from digitlab.spec.recipe import Recipe
from digitlab.spec.study import Study, recipes_named
from digitlab.spec.trial import DataSpec, engine_version_of, fitting_validation
from digitlab.training.process import native_precision
from digitlab.training.run import check_drawn_digits, training_indices

_FINGERPRINT = re.compile(f"[0-9a-f]{{{SHORT},64}}")


class _ResolvedStudy(NamedTuple):
    """A study with its recipes, and with its data under a name that is valid everywhere."""

    study: Study
    recipe: Recipe
    recipes: Mapping[str, Recipe]

    def on(self, data: DataSpec, fingerprint: str, precision: str) -> Plan:
        """Return the study's plan on some data, which may be its own."""
        own = self.study.data
        study = self.study.model_copy(update={"data": data})
        other = None if data.dataset == own.dataset else own
        return make_plan(study, self.recipe, fingerprint, precision, self.recipes, other)


class _ResolvedData(NamedTuple):
    """The requested data, with remarks on it."""

    spec: DataSpec
    fingerprint: str
    remarks: list[str]


class StoredPlan(NamedTuple):
    """A plan that fits the results in a store.

    Attributes:
        plan: the study's plan.
        remarks: remarks for a reader of its table, one line each.
    """

    plan: Plan
    remarks: tuple[str, ...]


def plan_study(
    study: str | Study,
    *,
    seeds: int | None = None,
    first_seed: int | None = None,
    data: str | None = None,
    load: Callable[[str], Dataset] = load,
) -> Plan:
    """Plan a study for this machine.

    Args:
        study: name, file, or the study itself.
        seeds: number of networks per level (None: the study's own number).
        first_seed: first of their seeds (None: the study's own).
        data: name in the catalogue or folder of the data (None: the study's own data).
        load: function that loads a data set by its name or folder.

    Raises:
        SpecError: there is no such study, or one of its levels is impossible.
        DataError: there is no such data, its validation part is too large, or digits would be generated among
            images of other classes.
    """
    resolved = _resolve(study, seeds, first_seed)
    if data is None:
        written = resolve_study(study).data.dataset  # as the user wrote it, for the message
        require_folder(resolved.study.data.dataset, written, study_folder(study))
    spec, dataset = _load_data(resolved.study.data, data, load)
    stratified_split(dataset.y_train, spec.validation, spec.split_seed)  # raises before anything is trained
    plan = resolved.on(spec, dataset.fingerprint, native_precision())
    for trial in plan.trials:
        check_drawn_digits(trial, dataset)
    by_size = {trial.data.training_size: trial.data for trial in plan.trials}
    for size, sized in by_size.items():
        if size is not None:
            training_indices(sized, dataset.y_train)  # raises before anything is trained
    return plan


def stored_plan(
    study: str,
    store: Store,
    *,
    seeds: int | None = None,
    data: str | None = None,
    load: Callable[[str], Dataset] = load,
) -> StoredPlan:
    """Find the plan of a study whose results are read from a store.

    A study that has not changed since its last run on the data gets the seeds and the precision of that run.
    One that has changed, or was never run, is planned anew; results that the store has of its trials are
    found nevertheless.

    Args:
        study: name in the library, file, or name under which a user's study was run.
        store: store to search.
        seeds: number of networks per level (None: that of the last run).
        data: name in the catalogue, folder, or first digits of the fingerprint of data that the study was run
            on (None: the study's own data).
        load: function that loads a data set by its name or folder.

    Raises:
        SpecError: there is no such study, or one of its levels is impossible.
        DataError: there is no such data, and the study was never run on data of that name.
    """
    if study in study_names() or study_folder(study) is not None:
        resolved = _resolve(study)
        kept = store.plans(resolved.study.name)
        resolved_data = _resolve_data(resolved.study, kept, data, load)
        return _stored(resolved, resolved_data, kept, store, seeds)
    kept = store.plans(study)
    if not kept:
        resolve_study(study)  # raises, and lists the known studies
    last = next((plan for plan in kept if plan.own_data is None), kept[0])
    if data is None:
        own = last.own_data
        remarks = [] if own is None else [_elsewhere(kept, own.dataset, own.fingerprint)]
        return _as_trained(last, store, seeds, remarks)
    resolved_data = _resolve_data(last.own_study, kept, data, load)
    run = _last_on(kept, resolved_data.fingerprint)
    if run is not None:  # the last run on this data counts, even if one on other data is newer
        return _as_trained(run, store, seeds, resolved_data.remarks)
    resolved = _ResolvedStudy(last.own_study, last.recipe, last.recipes)
    return _stored(resolved, resolved_data, kept, store, seeds)


def _last_on(kept: Iterable[Plan], fingerprint: str) -> Plan | None:
    """Return the plan of the last run on some data (None: there was none)."""
    return next((plan for plan in kept if plan.fingerprint == fingerprint), None)


def _stored(
    resolved: _ResolvedStudy, data: _ResolvedData, kept: Sequence[Plan], store: Store, seeds: int | None
) -> StoredPlan:
    plan = resolved.on(data.spec, data.fingerprint, native_precision())
    remarks = [*data.remarks]
    last = _last_on(kept, data.fingerprint)
    if last is None:
        if kept:
            remarks.append(_elsewhere(kept, data.spec.dataset, data.fingerprint))
        return _as_trained(plan, store, seeds, remarks)
    differences = plan.differences(last)
    if differences:
        remarks.append(
            f"study {resolved.study.name}: differs from the last run of that name on "
            f"{data_title(data.spec.dataset)} (other {', '.join(differences)}); its results in the store "
            "are shown"
        )
    else:
        plan = plan.as_run(last).with_seeds(last.study.seeds, last.study.first_seed)
    return _as_trained(plan, store, seeds, remarks)


def replaced(kept: Plan, plan: Plan) -> str:
    """Describe what is hidden when a plan replaces another one of its name and data.

    Args:
        kept: plan of the last run.
        plan: plan of this run.

    Returns:
        One line (empty: nothing is hidden).
    """
    parts = list(plan.differences(kept))
    if kept.precision != plan.precision:
        parts.append(f"precision, {kept.precision} before")
    if kept.engine_versions != plan.engine_versions:
        parts.append(f"engine version, {max(kept.engine_versions)} before")
    if not set(kept.study.seed_range) <= set(plan.study.seed_range):
        parts.append(f"seeds, {kept.study.seeds_text} before")
    if not parts:
        return ""
    data = data_title(plan.study.data.dataset, plan.fingerprint)
    return (
        f"study {plan.study.name} on {data}: replaces the last run of that name "
        f"(other {', '.join(parts)}); the trials of both are kept"
    )


def _resolve(study: str | Study, seeds: int | None = None, first_seed: int | None = None) -> _ResolvedStudy:
    written = resolve_study(study)
    folder = study_folder(study)
    values = written.to_values()
    values["data"]["dataset"] = locate(written.data.dataset, folder)
    if seeds is not None:
        values["seeds"] = seeds
    if first_seed is not None:
        values["first_seed"] = first_seed
    resolved = Study.from_values(values, f"study {written.name}")  # validates the seeds, too
    recipes = {name: resolve_recipe(name, folder) for name in recipes_named(resolved)}
    return _ResolvedStudy(resolved, resolve_recipe(resolved.recipe), recipes)


def _load_data(own: DataSpec, data: str | None, load: Callable[[str], Dataset]) -> tuple[DataSpec, Dataset]:
    """Load a study's own data, or other data with a validation part that fits it."""
    if data is None:
        path = own.dataset
    else:
        path = locate(data)
        require_folder(path, data)
    dataset = load(path)
    entry = CATALOG.get(own.dataset)
    if entry is None:
        is_own = Path(path).resolve() == Path(own.dataset).resolve()
    else:  # a copy of the files in a folder is the study's own data, too
        is_own = entry.fingerprint == dataset.fingerprint
    class_count = contents(dataset)["class_count"]
    if is_own:
        return own.model_copy(update={"class_count": class_count}), dataset
    fitting = min(own.validation, fitting_validation(len(dataset.y_train)))
    changes = {"dataset": path, "validation": fitting, "class_count": class_count}
    return own.model_copy(update=changes), dataset


def _resolve_data(
    study: Study, kept: Iterable[Plan], data: str | None, load: Callable[[str], Dataset]
) -> _ResolvedData:
    """Find the requested data; if it is not available any more, use the plan of a run on it."""
    own = study.data
    # A folder may have a name of hexadecimal digits; it comes first.
    if data is not None and _FINGERPRINT.fullmatch(data) and not Path(data).is_dir():
        for plan in kept:
            if plan.fingerprint.startswith(data):
                return _ResolvedData(plan.study.data, plan.fingerprint, [])
    try:
        if data is None and own.dataset in CATALOG:
            return _ResolvedData(own, known_fingerprint(own.dataset), [])
        spec, dataset = _load_data(own, data, load)
        return _ResolvedData(spec, dataset.fingerprint, [])
    except DataError as error:
        path = own.dataset if data is None else locate(data)
        for plan in kept:
            if locate(plan.study.data.dataset) == path:
                remark = f"study {study.name}: {error}; shown as last run"
                return _ResolvedData(plan.study.data, plan.fingerprint, [remark])
        raise


def _elsewhere(kept: Sequence[Plan], path: str, fingerprint: str | None) -> str:
    """Return a line on the other data that a study was run on, and the options that show those runs."""
    runs = []
    for plan in kept:
        dataset = plan.study.data.dataset
        option = dataset
        if locate(dataset) == path:  # the same path had other contents then: only the fingerprint tells
            option = plan.fingerprint[:SHORT]
        runs.append(f"on {data_title(dataset, plan.fingerprint)}, which --data {option} shows")
    name = kept[0].study.name
    data = data_title(path, fingerprint)
    return f"study {name}: was not run on {data}, but {'; and '.join(runs)}"


def _as_trained(plan: Plan, store: Store, seeds: int | None, remarks: Iterable[str]) -> StoredPlan:
    """Return the plan, in another engine version or precision if only that has results."""
    if seeds is not None:
        plan = plan.with_seeds(seeds)
    shown = _trained(plan, store)
    lines = [*remarks]
    if shown.precision != plan.precision:
        lines.append(
            f"study {plan.study.name}: shown in {shown.precision}, as trained on another machine; the store "
            f"has no results in {plan.precision}"
        )
    lines += _older_engine(shown)
    return StoredPlan(shown, tuple(lines))


def _trained(plan: Plan, store: Store) -> Plan:
    """Return the plan in the engine version and precision that have most results, its own before others.

    Networks of one study may have different engine versions, so that one with some results is not enough.
    """
    other = "float32" if plan.precision != "float32" else "mixed_bfloat16"
    best, most = plan, 0
    for version in range(plan.engine_version, 0, -1):
        for precision in (plan.precision, other):
            candidate = plan.with_engine(version).with_precision(precision)
            count = len(store.find_runs(candidate.trials))
            if count == len(candidate.trials):
                return candidate
            if count > most:
                best, most = candidate, count
    return best


def _older_engine(plan: Plan) -> tuple[str, ...]:
    """Return a line if the results are from an older engine version, else nothing."""
    present: dict[int, int] = {}  # by the older version
    for trial in plan.trials:
        version = engine_version_of(trial.model)
        if trial.engine_version < version:
            present[trial.engine_version] = version
    if not present:
        return ()
    oldest = min(present)
    return (
        f"study {plan.study.name}: trained by engine version {oldest}, older than the present "
        f"{present[oldest]};  digitlab study run  trains it anew",
    )

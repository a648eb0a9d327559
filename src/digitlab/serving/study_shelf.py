"""All known studies: those of the library, those in the store, and those described to this service."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from digitlab.data.catalog import CATALOG
from digitlab.data.naming import SHORT, data_title, locate
from digitlab.errors import SpecError
from digitlab.marks import read_mark
from digitlab.report.place import report_path
from digitlab.results.aggregate import aggregate
from digitlab.results.store import KeptPlan, Store, reasons
from digitlab.serving.files import signature
from digitlab.serving.replies import RefusalError
from digitlab.serving.study_view import StudyView
from digitlab.spec.library import (
    collection_names,
    resolve_collection,
    resolve_recipe,
    resolve_study,
    study_names,
)
from digitlab.spec.plan import Plan
from digitlab.spec.study import Collection, Study, recipes_named
from digitlab.workspace import Workspace


class Shelved(NamedTuple):
    """A study that was run, on one data set.

    Attributes:
        key: identifier of the study: its name, or `NAME@DIGITS`, with the first digits of the data's
            fingerprint, where its data or its plan is not what the name stands for.
        changed: time of its last run, ISO 8601.
        view: contents of the store on the study.
    """

    key: str
    changed: str
    view: StudyView


class StudyShelf:
    """Reader of studies in the library, the store and the folder `studies` beside it; threads may share it.

    Args:
        store: path of the store; it need not exist yet.

    Attributes:
        store: path of the store.
        folder: folder for the files of studies that are described here.
    """

    def __init__(self, store: Path) -> None:
        self.store = store
        self._workspace = Workspace.of(store)
        self.folder = self._workspace.studies
        self._views: dict[tuple[str, str], tuple[str, StudyView]] = {}
        self._tables: WeakKeyDictionary[StudyView, tuple[object, dict[str, Any]]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def signature(self) -> tuple[int, ...]:
        """Return a value that changes whenever the store does, without opening it."""
        # SQLite writes to its log first, and to the file itself much later.
        return signature((self.store, Path(f"{self.store}-wal")))

    def list(self) -> list[dict[str, Any]]:
        """Return all studies as plain values: those that were run, the latest first, then the others."""
        written = self._written()
        shelved = self._shelved(written)
        shown = [self._stored(each) for each in shelved.values()]
        shown += [self._collection(resolve_collection(name), shelved) for name in collection_names()]
        return shown + [self._fresh(study) for name, study in written.items() if name not in shelved]

    def summary(self, key: str) -> dict[str, Any]:
        """Return one study as plain values.

        Raises:
            RefusalError: no study has that key.
        """
        found = self._find(key)
        if found is not None:
            return self._stored(found)
        if key in collection_names():
            return self._collection(resolve_collection(key), self._shelved(self._written()))
        written = self._written()
        if key in written:
            return self._fresh(written[key])
        raise RefusalError(404, f"no study {key[:80]!r}: GET /api/studies lists the studies")

    def view(self, key: str) -> StudyView | None:
        """Return the contents of the store on a study (None: it was never run).

        Raises:
            RefusalError: no study has that key.
        """
        found = self._find(key)
        if found is None:
            self.summary(key)
            return None
        return found.view

    def plan(self, key: str) -> Plan | None:
        """Return the plan of a study's last run (None: it was never run)."""
        found = self._find(key)
        return None if found is None else found.view.plan

    def known(self, name: str) -> Iterable[Study]:
        """Yield all studies of a name: the one in the library or described here, and those that were run."""
        written = self._written().get(name)
        if written is not None:
            yield written
        for _, view in self._refreshed(name):
            yield view.plan.own_study

    def _written(self) -> dict[str, Study]:
        """Return the studies of the library, and those that were described here, by name."""
        found = dict(_library())
        for path in sorted(self.folder.glob("*.toml")):
            with suppress(SpecError):  # the file is no study
                study = resolve_study(str(path))
                data = study.data.model_copy(update={"dataset": locate(study.data.dataset, path.parent)})
                found.setdefault(study.name, study.model_copy(update={"data": data}))
        return found

    def file(self, name: str) -> Path | None:
        """Return the file of a study that was described here (None: it is in the library, or unknown)."""
        if name in study_names() or name in collection_names():
            return None
        for path in sorted(self.folder.glob("*.toml")):
            with suppress(SpecError):
                if resolve_study(str(path)).name == name:
                    return path
        return None

    def _find(self, key: str) -> Shelved | None:
        name, _, digits = key.partition("@")
        shelved = self._shelved(self._written(), name)
        if key in shelved or not digits:
            return shelved.get(key)
        own = shelved.get(name)  # its key with the digits is accepted, too
        return own if own and own.view.plan.fingerprint.startswith(digits) else None

    def _shelved(self, written: Mapping[str, Study], only: str | None = None) -> dict[str, Shelved]:
        """Return the studies in the store by key, the latest first."""
        refreshed = self._refreshed(only)
        shelved: dict[str, Shelved] = {}
        own: dict[str, StudyView] = {}
        for _, view in refreshed:  # the latest first
            name = view.plan.study.name
            if name in written:
                if name not in own and _is_same(view.plan, written[name]):
                    own[name] = view
            elif name not in own or (view.plan.own_data is None and own[name].plan.own_data is not None):
                own[name] = view
        for changed, view in refreshed:
            name, fingerprint = view.plan.study.name, view.plan.fingerprint
            key = name if own.get(name) is view else f"{name}@{fingerprint[:SHORT]}"
            shelved[key] = Shelved(key, changed, view)
        return shelved

    def detail(self, key: str) -> dict[str, Any]:
        """Return all that is known of a study, as plain values.

        Raises:
            RefusalError: no study has that key.
            MissingExtraError: SciPy is not installed.
        """
        summary, view = self.summary(key), self.view(key)
        if view is None:
            found = resolve_collection(key) if summary["kind"] == "collection" else self._written()[key]
            return {**summary, **_asked(found), **_NOTHING}
        progress = view.progress()
        return {
            **summary,
            **_asked(view.plan.study),
            **progress,
            **self._table(view, progress["state"] == "finished"),
            "trials": view.trials(),
        }

    def _table(self, view: StudyView, finished: bool) -> dict[str, Any]:
        """Return the rows of a study's table, and its verdicts once it is finished; cached for each state."""
        key = finished, len(view.results), tuple(view.statuses.items())
        known = self._tables.get(view)
        if known is None or known[0] != key:
            from digitlab.report.verdicts import verdicts

            failed, interrupted = (reasons(view.statuses, state) for state in ("failed", "interrupted"))
            table = aggregate(view.plan, view.results, failed, interrupted)
            rows = [{"label": row.label, **row.to_values()} for row in table.rows]
            known = key, {"rows": rows, "verdicts": verdicts(table, view.results) if finished else ()}
            self._tables[view] = known
        return known[1]

    def report(self, key: str) -> Path | None:
        """Return the path of a study's report (None: none was written)."""
        plan = self.plan(key)
        if plan is None and key not in collection_names():
            return None
        path = self._report_path(plan.study.name if plan else key, plan)
        return path if _is_report_of(path, plan) else None

    def _report_path(self, name: str, plan: Plan | None) -> Path:
        return report_path(self._workspace, name, () if plan is None else (plan,))

    def _refreshed(self, only: str | None = None) -> list[tuple[str, StudyView]]:
        """Read the studies in the store again; return each one's last run and view, the latest first."""
        if not self.store.exists():
            return []
        with self._lock, Store(self.store, create=False) as store:
            kept = store.studies()
            for each in kept:
                if only is None or each.study == only:
                    self._refresh(store, each)
            places = [each[:2] for each in kept]
            self._views = {place: self._views[place] for place in places if place in self._views}
            return [view for (name, _), view in self._views.items() if only is None or name == only]

    def _refresh(self, store: Store, kept: KeptPlan) -> None:
        place = kept[:2]
        changed, view = self._views.get(place, ("", None))
        if view is None or changed != kept.changed:
            plan = store.plan(*place)
            if plan is None:
                return  # plans are replaced and never removed
            view = StudyView(_with_own_data(plan))
        view.refresh(store)
        self._views[place] = kept.changed, view

    def _stored(self, shelved: Shelved) -> dict[str, Any]:
        plan = shelved.view.plan
        return {
            **_named(plan.study, plan.fingerprint),
            "key": shelved.key,
            "state": shelved.view.state,
            **shelved.view.counts(),
            "changed": shelved.changed,
            "report": _report_address(shelved.key, self._report_path(plan.study.name, plan), plan),
        }

    def _fresh(self, study: Study) -> dict[str, Any]:
        values = _named(study)
        total = values["levels"] * values["seeds"]
        counts = {"state": "new", "done": 0, "failed": 0, "total": total}
        return {**values, **counts, "changed": None, "report": None}

    def _collection(self, collection: Collection, shelved: Mapping[str, Shelved]) -> dict[str, Any]:
        members = [
            self._stored(shelved[name]) if name in shelved else self._fresh(_library()[name])
            for name in collection.studies
        ]
        counts = {name: sum(member[name] for member in members) for name in ("done", "failed", "total")}
        states = {member["state"] for member in members}
        state = next(iter(states)) if len(states) == 1 else "running" if "running" in states else "paused"
        return {
            "key": collection.name,
            "name": collection.name,
            "question": collection.title,
            "kind": "collection",
            "origin": "library",
            "data": "; ".join(dict.fromkeys(member["data"] for member in members)),
            "levels": sum(member["levels"] for member in members),
            "seeds": max(member["seeds"] for member in members),
            "state": state,
            **counts,
            "changed": max((member["changed"] or "" for member in members), default="") or None,
            "report": _report_address(collection.name, self._report_path(collection.name, None), None),
        }


def _report_address(key: str, path: Path, plan: Plan | None) -> str | None:
    return f"/studies/{key}/report" if _is_report_of(path, plan) else None


def _is_report_of(path: Path, plan: Plan | None) -> bool:
    """Return whether a file is the report of a plan; two plans of one name write to the same path."""
    if not path.is_file():
        return False
    mark = read_mark(path)
    return plan is None or mark is None or mark.content in ("", plan.content)


@cache
def _library() -> dict[str, Study]:
    return {name: resolve_study(name) for name in study_names()}


def _with_own_data(plan: Plan) -> Plan:
    """Mark a plan that an older digitlab kept, if it is on other data than the library's study."""
    study = _library().get(plan.study.name)
    if plan.own_data is not None or study is None or _is_on_data_of(plan, study):
        return plan
    return plan.on_data_instead_of(study.data)


def _is_on_data_of(plan: Plan, study: Study) -> bool:
    entry = CATALOG.get(study.data.dataset)
    if entry is None:
        return plan.study.data.dataset == study.data.dataset
    return plan.fingerprint == entry.fingerprint


def _is_same(plan: Plan, study: Study) -> bool:
    """Return whether a plan is of a study as it is written, on the study's own data."""
    return _is_on_data_of(plan, study) and is_same_study(plan, study)


def is_same_study(plan: Plan, study: Study) -> bool:
    """Return whether a plan is of a study as it is written, on any data and with any number of seeds."""
    try:
        return not plan.differences(_as_planned(study, plan))
    except SpecError:  # the study names recipes that are not here
        return False


def _as_planned(study: Study, plan: Plan) -> Plan:
    recipes = {name: resolve_recipe(name) for name in recipes_named(study)}
    return Plan(
        study=study.model_copy(update={"data": plan.study.data}) if plan.own_data else study,
        recipe=resolve_recipe(study.recipe),
        recipes=recipes,
        fingerprint=plan.fingerprint,
        precision=plan.precision,
    )


_NOTHING: dict[str, Any] = {
    "best": None,
    "seconds_left": None,
    "curves": [],
    "rows": [],
    "verdicts": [],
    "trials": [],
}


def _named(study: Study, fingerprint: str | None = None) -> dict[str, Any]:
    return {
        "key": study.name,
        "name": study.name,
        "question": study.question,
        "kind": "study",
        "origin": "library" if study.name in study_names() else "user",
        "data": data_title(study.data.dataset, fingerprint),
        "levels": math.prod(len(axis.values) for axis in study.axes),
        "seeds": study.seeds,
    }


def _asked(spec: Study | Collection) -> dict[str, Any]:
    if isinstance(spec, Collection):
        return {"description": spec.description, "recipe": None, "axes": [], "studies": list(spec.studies)}
    recipe = spec.recipe if isinstance(spec.recipe, str) else spec.recipe.name
    axes = [{"path": axis.path, "title": axis.title, "values": list(axis.values)} for axis in spec.axes]
    return {"description": spec.description, "recipe": recipe, "axes": axes}

"""All known studies: those of the library, those in the store, and those described to this service."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from digitlab.data.naming import SHORT, data_title, locate
from digitlab.errors import SpecError
from digitlab.marks import read_mark
from digitlab.report.output import report_path
from digitlab.results.aggregate import aggregate
from digitlab.results.store import KeptPlan, Store, reasons
from digitlab.serving.files import signature
from digitlab.serving.refusals import RefusalError
from digitlab.serving.study_identity import is_run_as_written, library_studies, with_own_data
from digitlab.serving.study_view import StudyView
from digitlab.spec.library import (
    collection_names,
    resolve_collection,
    resolve_study,
    study_names,
)
from digitlab.spec.plan import Plan
from digitlab.spec.study import Collection, Study
from digitlab.workspace import Workspace


class StoredStudy(NamedTuple):
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


class StudyCatalog:
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
        described = self._described()
        stored = self._stored_studies(described)
        values = [self._stored_values(study) for study in stored.values()]
        for name in collection_names():
            values.append(self._collection_values(resolve_collection(name), stored))
        for name, study in described.items():
            if name not in stored:
                values.append(self._new_values(study))
        return values

    def summary(self, key: str) -> dict[str, Any]:
        """Return one study as plain values.

        Raises:
            RefusalError: no study has that key.
        """
        stored = self._find(key)
        if stored is not None:
            return self._stored_values(stored)
        described = self._described()
        if key in collection_names():
            return self._collection_values(resolve_collection(key), self._stored_studies(described))
        if key in described:
            return self._new_values(described[key])
        raise RefusalError(404, f"no study {key[:80]!r}: GET /api/studies lists the studies")

    def view(self, key: str) -> StudyView | None:
        """Return the contents of the store on a study (None: it was never run).

        Raises:
            RefusalError: no study has that key.
        """
        stored = self._find(key)
        if stored is None:
            self.summary(key)  # raises, unless a study that was never run has that key
            return None
        return stored.view

    def plan(self, key: str) -> Plan | None:
        """Return the plan of a study's last run (None: it was never run)."""
        stored = self._find(key)
        return None if stored is None else stored.view.plan

    def known(self, name: str) -> Iterable[Study]:
        """Yield all studies of a name: the one in the library or described here, and those that were run."""
        described = self._described().get(name)
        if described is not None:
            yield described
        for _, view in self._refreshed(name):
            yield view.plan.own_study

    def _described(self) -> dict[str, Study]:
        """Return the studies of the library, and those that were described here, by name."""
        studies = dict(library_studies())
        for path in sorted(self.folder.glob("*.toml")):
            with suppress(SpecError):  # the file is no study
                study = resolve_study(str(path))
                dataset = locate(study.data.dataset, path.parent)
                data = study.data.model_copy(update={"dataset": dataset})
                studies.setdefault(study.name, study.model_copy(update={"data": data}))
        return studies

    def file(self, name: str) -> Path | None:
        """Return the file of a study that was described here (None: it is in the library, or unknown)."""
        if name in study_names() or name in collection_names():
            return None
        for path in sorted(self.folder.glob("*.toml")):
            with suppress(SpecError):
                if resolve_study(str(path)).name == name:
                    return path
        return None

    def _find(self, key: str) -> StoredStudy | None:
        name, _, digits = key.partition("@")
        stored = self._stored_studies(self._described(), name)
        if key in stored or not digits:
            return stored.get(key)
        own = stored.get(name)  # its key with the digits is accepted, too
        if own is None or not own.view.plan.fingerprint.startswith(digits):
            return None
        return own

    def _stored_studies(
        self, described: Mapping[str, Study], only: str | None = None
    ) -> dict[str, StoredStudy]:
        """Return the studies in the store by key, the latest first.

        Args:
            described: studies of the library and those described here, by name.
            only: name of the only study to return (None: all).
        """
        refreshed = self._refreshed(only)
        own = _views_of_names([view for _, view in refreshed], described)
        stored: dict[str, StoredStudy] = {}
        for changed, view in refreshed:
            name = view.plan.study.name
            key = name
            if own.get(name) is not view:
                key = f"{name}@{view.plan.fingerprint[:SHORT]}"
            stored[key] = StoredStudy(key, changed, view)
        return stored

    def detail(self, key: str) -> dict[str, Any]:
        """Return all that is known of a study, as plain values.

        Raises:
            RefusalError: no study has that key.
            MissingExtraError: SciPy is not installed.
        """
        summary = self.summary(key)
        view = self.view(key)
        if view is None:
            is_collection = summary["kind"] == "collection"
            spec = resolve_collection(key) if is_collection else self._described()[key]
            return {**summary, **_spec_values(spec), **_NO_RESULTS}
        progress = view.progress()
        return {
            **summary,
            **_spec_values(view.plan.study),
            **progress,
            **self._table(view, progress["state"] == "finished"),
            "trials": view.trials(),
        }

    def _table(self, view: StudyView, finished: bool) -> dict[str, Any]:
        """Return the rows of a study's table, and its verdicts once it is finished; cached for each state."""
        from digitlab.report.sentences import study_sentences

        state = finished, len(view.results), tuple(view.statuses.items())
        cached_state, values = self._tables.get(view, (None, {}))
        if cached_state == state:
            return values
        failed = reasons(view.statuses, "failed")
        interrupted = reasons(view.statuses, "interrupted")
        table = aggregate(view.plan, view.results, failed, interrupted)
        values = {
            "rows": [{"label": row.label, **row.to_values()} for row in table.rows],
            "verdicts": study_sentences(table, view.results) if finished else (),
        }
        self._tables[view] = state, values
        return values

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
            kept = store.studies()  # the latest first
            views = {}
            for item in kept:
                if only is None or item.study == only:
                    self._refresh(store, item)
                name_and_data = item.study, item.fingerprint
                if name_and_data in self._views:
                    views[name_and_data] = self._views[name_and_data]
            self._views = views
            return [view for (name, _), view in views.items() if only is None or name == only]

    def _refresh(self, store: Store, kept: KeptPlan) -> None:
        name_and_data = kept.study, kept.fingerprint
        changed, view = self._views.get(name_and_data, ("", None))
        if view is None or changed != kept.changed:
            plan = store.plan(kept.study, kept.fingerprint)
            if plan is None:
                return  # plans are replaced and never removed
            view = StudyView(with_own_data(plan))
        view.refresh(store)
        self._views[name_and_data] = kept.changed, view

    def _stored_values(self, stored: StoredStudy) -> dict[str, Any]:
        plan = stored.view.plan
        path = self._report_path(plan.study.name, plan)
        return {
            **_head_values(plan.study, plan.fingerprint),
            "key": stored.key,
            "state": stored.view.state,
            **stored.view.counts(),
            "changed": stored.changed,
            "report": _report_address(stored.key, path, plan),
        }

    def _new_values(self, study: Study) -> dict[str, Any]:
        values = _head_values(study)
        total = values["levels"] * values["seeds"]
        counts = {"state": "new", "done": 0, "failed": 0, "total": total}
        return {**values, **counts, "changed": None, "report": None}

    def _collection_values(self, collection: Collection, stored: Mapping[str, StoredStudy]) -> dict[str, Any]:
        members = []
        for name in collection.studies:
            if name in stored:
                members.append(self._stored_values(stored[name]))
            else:
                members.append(self._new_values(library_studies()[name]))
        data = dict.fromkeys(member["data"] for member in members)
        # ISO times of one zone sort as text; the time of a study that was never run is None.
        changed = max((member["changed"] or "" for member in members), default="")
        path = self._report_path(collection.name, None)
        return {
            "key": collection.name,
            "name": collection.name,
            "question": collection.title,
            "kind": "collection",
            "origin": "library",
            "data": "; ".join(data),
            "levels": sum(member["levels"] for member in members),
            "seeds": max(member["seeds"] for member in members),
            "state": _common_state({member["state"] for member in members}),
            "done": sum(member["done"] for member in members),
            "failed": sum(member["failed"] for member in members),
            "total": sum(member["total"] for member in members),
            "changed": changed or None,
            "report": _report_address(collection.name, path, None),
        }


def _views_of_names(views: Iterable[StudyView], described: Mapping[str, Study]) -> dict[str, StudyView]:
    """Find the views that names alone stand for; the others have the digits of their data beside the name.

    Args:
        views: views of the studies in the store, the latest first.
        described: studies of the library and those described here, by name.
    """
    own: dict[str, StudyView] = {}
    for view in views:
        name = view.plan.study.name
        if name in described:  # the name stands for what is described, on its own data
            if name not in own and is_run_as_written(view.plan, described[name]):
                own[name] = view
        elif name not in own or (view.plan.own_data is None and own[name].plan.own_data is not None):
            own[name] = view  # the latest on the study's own data, else the latest
    return own


def _common_state(states: set[str]) -> str:
    """Return the state of a collection from those of its studies."""
    if len(states) == 1:
        (state,) = states
        return state
    return "running" if "running" in states else "paused"


def _report_address(key: str, path: Path, plan: Plan | None) -> str | None:
    return f"/studies/{key}/report" if _is_report_of(path, plan) else None


def _is_report_of(path: Path, plan: Plan | None) -> bool:
    """Return whether a file is the report of a plan; two plans of one name write to the same path."""
    if not path.is_file():
        return False
    mark = read_mark(path)
    if plan is None or mark is None:
        return True
    return mark.content in ("", plan.content)


_NO_RESULTS: dict[str, Any] = {
    "best": None,
    "seconds_left": None,
    "curves": [],
    "rows": [],
    "verdicts": [],
    "trials": [],
}


def _head_values(study: Study, fingerprint: str | None = None) -> dict[str, Any]:
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


def _spec_values(spec: Study | Collection) -> dict[str, Any]:
    if isinstance(spec, Collection):
        return {"description": spec.description, "recipe": None, "axes": [], "studies": list(spec.studies)}
    recipe = spec.recipe if isinstance(spec.recipe, str) else spec.recipe.name
    axes = []
    for axis in spec.axes:
        axes.append({"path": axis.path, "title": axis.title, "values": list(axis.values)})
    return {"description": spec.description, "recipe": recipe, "axes": axes}

"""All studies that there are: those of the library, those that the store has seen, those written here."""

from __future__ import annotations

import math
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from digitlab.errors import SpecError
from digitlab.results.aggregate import aggregate
from digitlab.results.store import Store, reasons
from digitlab.serving.files import signature
from digitlab.serving.replies import RefusalError
from digitlab.serving.study_view import StudyView
from digitlab.spec.library import collection_names, resolve_collection, resolve_study, study_names
from digitlab.spec.study import Collection, Study
from digitlab.workspace import Workspace


class StudyShelf:
    """Reads studies from the library, the store and the folder `studies` beside it; threads may share it.

    Args:
        store: path of the store; it need not be there yet.

    Attributes:
        store: path of the store.
        folder: for the files of studies that are described here.
    """

    def __init__(self, store: Path) -> None:
        self.store = store
        self._workspace = Workspace.of(store)
        self.folder = self._workspace.studies
        self._views: dict[str, tuple[str, StudyView]] = {}
        self._tables: WeakKeyDictionary[StudyView, tuple[object, dict[str, Any]]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def signature(self) -> tuple[int, ...]:
        """Give what changes whenever the store does, without opening it."""
        return signature((self.store, Path(f"{self.store}-wal")))

    def list(self) -> list[dict[str, Any]]:
        """Give all studies as plain values: those that were run, the latest first, then the library's."""
        views = self._refreshed()
        shown = [self._stored(name, changed, view) for name, (changed, view) in views.items()]
        shown += [self._collection(resolve_collection(name), views) for name in collection_names()]
        return shown + [self._fresh(study) for name, study in self._others().items() if name not in views]

    def summary(self, name: str) -> dict[str, Any]:
        """Give one study as plain values.

        Raises:
            RefusalError: there is none of that name.
        """
        views = self._refreshed(name)
        if name in views:
            return self._stored(name, *views[name])
        if name in collection_names():
            return self._collection(resolve_collection(name), self._refreshed())
        others = self._others()
        if name in others:
            return self._fresh(others[name])
        raise RefusalError(404, f"there is no study {name[:80]!r}: GET /api/studies lists what there is")

    def view(self, name: str) -> StudyView | None:
        """Read what the store has of a study (None: it was never run).

        Raises:
            RefusalError: there is no study of that name at all.
        """
        views = self._refreshed(name)
        if name not in views:
            self.summary(name)
            return None
        return views[name][1]

    def study(self, name: str) -> Study | None:
        """Give a study as it was last run, or is to be (None: there is none of that name)."""
        views = self._refreshed(name)
        return views[name][1].plan.study if name in views else self._others().get(name)

    def _others(self) -> dict[str, Study]:
        """The studies of the library, and those that were described here, by name."""
        found = {name: resolve_study(name) for name in study_names()}
        for path in sorted(self.folder.glob("*.toml")):
            with suppress(SpecError):  # somebody else's file
                study = resolve_study(str(path))
                found.setdefault(study.name, study)
        return found

    def detail(self, name: str) -> dict[str, Any]:
        """Give all that is known of a study as plain values.

        Raises:
            RefusalError: there is none of that name.
            MissingExtraError: SciPy is not installed.
        """
        summary, view = self.summary(name), self.view(name)
        if view is None:
            found = resolve_collection(name) if summary["kind"] == "collection" else self._others()[name]
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
        """The rows of a study's table, and what they prove once it is finished; computed once a state."""
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

    def report(self, name: str) -> Path | None:
        """Find the report of a study (None: none was written)."""
        path = self._workspace.report(name)
        return path if path.is_file() else None

    def _refreshed(self, only: str | None = None) -> dict[str, tuple[str, StudyView]]:
        """The studies in the store, read anew, by name."""
        if not self.store.exists():
            return {}
        with self._lock, Store(self.store, create=False) as store:
            found = store.studies()
            for name, changed in found.items():
                if only is None or name == only:
                    self._refresh(store, name, changed)
            self._views = {name: self._views[name] for name in found if name in self._views}
            return {name: view for name, view in self._views.items() if only is None or name == only}

    def _refresh(self, store: Store, name: str, changed: str) -> None:
        known, view = self._views.get(name, ("", None))
        if view is None or known != changed:
            plan = store.plan(name)
            assert plan is not None  # plans are replaced and never removed
            view = StudyView(plan)
        view.refresh(store)
        self._views[name] = changed, view

    def _stored(self, name: str, changed: str, view: StudyView) -> dict[str, Any]:
        study = view.plan.study
        return {
            **_named(study),
            "state": view.state,
            **view.counts(),
            "changed": changed,
            "report": self._report_address(name),
        }

    def _fresh(self, study: Study) -> dict[str, Any]:
        values = _named(study)
        total = values["levels"] * values["seeds"]
        counts = {"state": "new", "done": 0, "failed": 0, "total": total}
        return {**values, **counts, "changed": None, "report": None}

    def _collection(self, collection: Collection, views: dict[str, tuple[str, StudyView]]) -> dict[str, Any]:
        members = [
            self._stored(name, *views[name]) if name in views else self._fresh(resolve_study(name))
            for name in collection.studies
        ]
        counts = {key: sum(member[key] for member in members) for key in ("done", "failed", "total")}
        states = {member["state"] for member in members}
        state = next(iter(states)) if len(states) == 1 else "running" if "running" in states else "paused"
        return {
            "name": collection.name,
            "question": collection.title,
            "kind": "collection",
            "origin": "library",
            "levels": sum(member["levels"] for member in members),
            "seeds": max(member["seeds"] for member in members),
            "state": state,
            **counts,
            "changed": max((member["changed"] or "" for member in members), default="") or None,
            "report": self._report_address(collection.name),
        }

    def _report_address(self, name: str) -> str | None:
        return f"/studies/{name}/report" if self.report(name) else None


_NOTHING: dict[str, Any] = {
    "best": None,
    "seconds_left": None,
    "curves": [],
    "rows": [],
    "verdicts": [],
    "trials": [],
}


def _named(study: Study) -> dict[str, Any]:
    return {
        "name": study.name,
        "question": study.question,
        "kind": "study",
        "origin": "library" if study.name in study_names() else "user",
        "levels": math.prod(len(axis.values) for axis in study.axes),
        "seeds": study.seeds,
    }


def _asked(spec: Study | Collection) -> dict[str, Any]:
    if isinstance(spec, Collection):
        return {"description": spec.description, "recipe": None, "axes": [], "studies": list(spec.studies)}
    recipe = spec.recipe if isinstance(spec.recipe, str) else spec.recipe.name
    axes = [{"path": axis.path, "title": axis.title, "values": list(axis.values)} for axis in spec.axes]
    return {"description": spec.description, "recipe": recipe, "axes": axes}

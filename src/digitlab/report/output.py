"""The file of a report: its path, and its writing from what a store has of its studies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from digitlab.data.catalog import CATALOG
from digitlab.data.dataset import Dataset
from digitlab.errors import DataError
from digitlab.marks import replaced_by
from digitlab.report.study_data import read_study_data, report_mark
from digitlab.results.store import Store
from digitlab.spec.library import collection_names, resolve_collection
from digitlab.spec.plan import Plan
from digitlab.workspace import Workspace


class ReportFile(NamedTuple):
    """File of a report that can be written.

    Attributes:
        path: path of the file.
        form: file format, `html` or `md`.
        name: name of the report: that of the collection, or of the study.
        title: title of the report (empty: the question of the study).
        description: introduction for the reader (empty: the study's own).
        replaced: sentence on the report that it replaces (empty: none, or one of the same studies).
    """

    path: Path
    form: str
    name: str
    title: str
    description: str
    replaced: str


def report_file(
    study: str, plans: Sequence[Plan], workspace: Workspace, form: str = "html", out: Path | None = None
) -> ReportFile:
    """Find the file of a report, and check that it may be written, before any work is done for it.

    Args:
        study: name of a collection, or of a study or its file.
        plans: plan of the study, or plans of all studies of the collection.
        workspace: workspace that holds the results.
        form: file format, `html` or `md`.
        out: path of the file (None: `report_path`).

    Raises:
        OutputError: something other than a report by digitlab is there.
    """
    name, title, description = plans[0].study.name, "", ""
    if study in collection_names():
        collection = resolve_collection(study)
        name, title, description = study, collection.title, collection.description
    path = out or report_path(workspace, name, plans, form)
    replaced = replaced_by(report_mark(plans, name), path)
    return ReportFile(path, form, name, title, description, replaced)


def write_stored_report(
    file: ReportFile, plans: Sequence[Plan], store: Store, load: Callable[[str], Dataset]
) -> Path:
    """Write the report of one study or of a collection from what a store has of it.

    Args:
        file: file of the report, from `report_file`.
        plans: plans of the studies, as for `report_file`.
        store: store of their results.
        load: function that loads a data set by its name or folder; studies of a collection share theirs, so
            it should keep what it has loaded.

    Returns:
        The path.

    Raises:
        OutputError: a file cannot be written, or is there and is no report.
        MissingExtraError: Matplotlib, Jinja or SciPy is not installed.
    """
    from digitlab.report.markdown import write_markdown
    from digitlab.report.page import write_report

    studies = []
    for plan in plans:
        try:
            data = load(plan.study.data.dataset)
        except DataError:  # gone, or seen from another folder: the report does without pictures
            data = None
        studies.append(read_study_data(plan, store, data))
    write = write_markdown if file.form == "md" else write_report
    return write(studies, file.path, name=file.name, title=file.title, description=file.description)


def report_path(workspace: Workspace, name: str, plans: Sequence[Plan], form: str = "html") -> Path:
    """Return the path of a report; a run on other data than the studies' own has a separate report.

    Args:
        workspace: workspace that holds the results.
        name: name of the study or the collection.
        plans: plan of the study, or plans of all studies of the collection.
        form: file format, `html` or `md`.
    """
    for plan in plans:
        if plan.own_data is None:
            continue
        # The studies of a collection that is run on other data are all run on the same.
        data = plan.study.data.dataset
        fingerprint = None if data in CATALOG else plan.fingerprint  # a known name needs no fingerprint
        return workspace.report(name, form, data=data, fingerprint=fingerprint)
    return workspace.report(name, form)

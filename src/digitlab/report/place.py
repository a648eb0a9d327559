"""Path of the report of a study or a collection."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from digitlab.data.catalog import CATALOG
from digitlab.spec.plan import Plan
from digitlab.workspace import Workspace


def report_path(workspace: Workspace, name: str, plans: Sequence[Plan], form: str = "html") -> Path:
    """Return the path of a report; a run on other data than the studies' own has a separate report.

    Args:
        workspace: workspace that holds the results.
        name: name of the study or the collection.
        plans: plan of the study, or plans of all studies of the collection.
        form: file format, `html` or `md`.
    """
    other = next((plan for plan in plans if plan.own_data is not None), None)
    if other is None:
        return workspace.report(name, form)
    data = other.study.data.dataset
    fingerprint = None if data in CATALOG else other.fingerprint
    return workspace.report(name, form, data=data, fingerprint=fingerprint)

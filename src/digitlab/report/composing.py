"""Composition of a report from what is known of its studies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from digitlab.report.content import Report
from digitlab.report.methods import method_notes
from digitlab.report.section import study_section
from digitlab.report.study_data import StudyData
from digitlab.results.aggregate import StudyTable
from digitlab.results.record import Result

MISREAD_ALONE = 24
MISREAD_BESIDE_OTHERS = 12
"""Numbers of misread digits shown per study, alone in its report and beside other studies."""


def compose(studies: Sequence[StudyData], title: str = "", description: str = "") -> Report:
    """Compose the report of one study or several.

    Args:
        studies: results, predictions and data of each study, at least one.
        title: title of the report; if empty, the question of the first study.
        description: introduction for the reader; if empty, a single study's own description.
    """
    tables = [study_data.table for study_data in studies]
    trained: list[Result] = []
    for study_data in studies:
        trained += study_data.results.values()
    is_alone = len(studies) == 1
    misread = MISREAD_ALONE if is_alone else MISREAD_BESIDE_OTHERS
    first = tables[0].plan.study
    if is_alone and not description:
        description = first.description
    sections = []
    for study_data, key in zip(studies, _keys(tables), strict=True):
        sections.append(study_section(study_data, key, misread=misread, trained=trained))
    return Report(
        title=title or first.question,
        description=description,
        sections=tuple(sections),
        methods=method_notes(tables),
    )


def _keys(tables: Sequence[StudyTable]) -> Iterator[str]:
    """Yield a unique key for each study: its name, numbered if the name was used before."""
    seen: Counter[str] = Counter()
    for table in tables:
        name = table.plan.study.name
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name}.{seen[name]}"

"""Composition of a report from the material of its studies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from digitlab.report.content import Report
from digitlab.report.material import Material
from digitlab.report.measured import facts
from digitlab.report.section import study_section
from digitlab.results.aggregate import StudyTable

MISREAD_ALONE = 24
MISREAD_BESIDE_OTHERS = 12
"""Numbers of misread digits shown per study, alone in its report and beside other studies."""


def compose(studies: Sequence[Material], title: str = "", description: str = "") -> Report:
    """Compose the report of one study or several.

    Args:
        studies: material of each study, at least one.
        title: title of the report; if empty, the question of the first study.
        description: introduction for the reader; if empty, a single study's own description.
    """
    tables = [material.table for material in studies]
    trained = [result for material in studies for result in material.results.values()]
    digits = MISREAD_ALONE if len(studies) == 1 else MISREAD_BESIDE_OTHERS
    first = tables[0].plan.study
    return Report(
        title=title or first.question,
        description=description or (first.description if len(studies) == 1 else ""),
        sections=tuple(
            study_section(material, key, digits=digits, trained=trained)
            for material, key in zip(studies, _keys(tables), strict=True)
        ),
        facts=facts(tables),
    )


def _keys(tables: Sequence[StudyTable]) -> Iterator[str]:
    """Yield a unique key for each study: its name, numbered if the name was used before."""
    seen: Counter[str] = Counter()
    for name in (table.plan.study.name for table in tables):
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name}.{seen[name]}"

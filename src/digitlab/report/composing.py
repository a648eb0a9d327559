"""From the material of studies to a report."""

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
"""Misread digits to show of a study, alone in its report or one of several."""


def compose(studies: Sequence[Material], title: str = "", description: str = "") -> Report:
    """Say all that is known of some studies.

    Args:
        studies: the material of each, at least one.
        title: of the whole; of one study its question, unless given.
        description: what a reader should know first; of one study its own, unless given.
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
    """Name each study once: a second of the same name gets a number."""
    seen: Counter[str] = Counter()
    for name in (table.plan.study.name for table in tables):
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name}.{seen[name]}"

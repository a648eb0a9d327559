"""Output of `digitlab study run` and `show`: tables and sentences, or a JSON object for each level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from digitlab.cli.console import print_json, stdout
from digitlab.cli.streams import replacing

if TYPE_CHECKING:
    from digitlab.report import Evidence, Material, TextTable
    from digitlab.results.store import Store
    from digitlab.spec.plan import Plan


def print_studies(plans: Sequence[Plan], store: Store, as_json: bool) -> None:
    """Print the results of studies in a store.

    Args:
        plans: plans of the studies.
        store: store of their results.
        as_json: whether to print a JSON object on a line for each level, instead of tables and sentences.
    """
    from digitlab.data.naming import data_title
    from digitlab.report import Material
    from digitlab.report.metric import metrics_of
    from digitlab.studies.runner import read_table

    for plan in plans:
        # Metrics other than the error are read from whole results, which no other table takes.
        results = store.results(plan.trials) if len(metrics_of(plan)) > 1 else {}
        material = Material(read_table(plan, store, curves=False), results)
        if as_json:
            _print_levels(material)
            continue
        data = data_title(plan.study.data.dataset, plan.fingerprint)
        stdout().print(f"{plan.study.name} on {data}: {plan.study.question}")
        _print_tables(material)


def _print_levels(material: Material) -> None:
    from digitlab.report import evidence_of

    table, evidence = material.table, evidence_of(material)
    for i, row in enumerate(table.rows):
        print_json(
            {
                "study": table.plan.study.name,
                "data": table.plan.study.data.name,
                "fingerprint": table.plan.fingerprint,
                **row.to_values(),
                "reference": row.levels == table.plan.reference,
                "evidence": [comparison for item in evidence for comparison in _of_level(item, i)],
            }
        )


def _of_level(evidence: Evidence, level: int) -> list[dict[str, Any]]:
    """Return a level's comparison with the reference level, by one metric; none for the reference itself."""
    return [
        {
            "metric": evidence.metric.name,
            "verdict": evidence.verdict(each),
            "test_images": evidence.images,
            "n": each.paired.n,
            "failed": evidence.trials[level].failed,
            "reference_failed": evidence.trials[evidence.reference].failed,
            "difference": _known(each.paired.mean),
            "low": _known(each.paired.low),
            "high": _known(each.paired.high),
            "p": _known(each.paired.p),
            "holm_p": _known(each.holm_p),
            "sign_flip_p": _known(each.sign_flip.p),
            "would_have_seen": _known(each.detectable),
            "seeds_needed": each.seeds_needed,
            "too_few_seeds": each.too_few,
            "sd": _known(each.spreads.level),
            "reference_sd": _known(each.spreads.reference),
            "wide_spread": each.wide,
        }
        for each in evidence.comparisons
        if each.level == level
    ]


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _print_tables(material: Material) -> None:
    from digitlab.report import evidence_of, evidence_table, notes, sentences, study_table

    print_table(study_table(material.table))
    for note in notes(material.table):
        stdout().print(note)
    for evidence in evidence_of(material):
        if evidence.tested:
            print_table(evidence_table(evidence))
        for sentence in sentences(evidence):
            stdout().print(sentence)


def print_table(text: TextTable) -> None:
    """Print a table; its titles wrap if the terminal is narrow, its cells never do.

    Args:
        text: table to print.
    """
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table

    console = stdout()
    text = _encodable(text, console.encoding)
    narrow = _width(text) > console.width
    drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 0 if narrow else 1))
    for place, (title, right) in enumerate(zip(text.columns, text.right, strict=True)):
        # Titles may wrap between words, and after a hyphen where there is little room; cells may not.
        shown = title.replace("-", "-\n") if narrow else title
        widest = max(map(cell_len, (*shown.split(), *(cells[place] for cells in text.rows))))
        drawn.add_column(
            shown,
            justify="right" if right else "left",
            min_width=widest,
            max_width=widest if narrow else None,
        )
    for cells in text.rows:
        drawn.add_row(*cells)
    console.print(drawn, crop=False)  # a figure without its last digits would be another figure


def _encodable(text: TextTable, encoding: str) -> TextTable:
    columns = tuple(replacing(title, encoding) for title in text.columns)
    rows = tuple(tuple(replacing(cell, encoding) for cell in cells) for cells in text.rows)
    return text._replace(columns=columns, rows=rows)


def _width(text: TextTable) -> int:
    """Return the smallest width of a table in characters, with a gap of three between its columns."""
    from rich.cells import cell_len

    width = 1
    for title, *cells in zip(text.columns, *text.rows, strict=True):
        widest = max(map(cell_len, (*title.split(), *cells)))
        width += widest + 3
    return width

"""Output of `digitlab study run` and `show`: tables and sentences, or a JSON object for each level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from digitlab.cli.console import print_json, stdout
from digitlab.cli.streams import replacing

if TYPE_CHECKING:
    from digitlab.report import LevelComparisons, StudyData, TextTable
    from digitlab.results.statistics import Comparison
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
    from digitlab.report import StudyData
    from digitlab.report.metric import metrics_of
    from digitlab.studies.runner import read_table

    for plan in plans:
        # Metrics other than the error are read from whole results, which no other table takes.
        results = store.results(plan.trials) if len(metrics_of(plan)) > 1 else {}
        table = read_table(plan, store, curves=False)
        study_data = StudyData(table, results)
        if as_json:
            _print_levels(study_data)
            continue
        data = data_title(plan.study.data.dataset, plan.fingerprint)
        stdout().print(f"{plan.study.name} on {data}: {plan.study.question}")
        _print_tables(study_data)


def print_trials(plans: Sequence[Plan], store: Store, as_json: bool) -> None:
    """Print each trial of studies with its id, state and error.

    Args:
        plans: plans of the studies.
        store: store of their results.
        as_json: whether to print a JSON object on a line for each trial, instead of tables.
    """
    from digitlab.data.naming import data_title
    from digitlab.report import trial_rows, trials_table

    for plan in plans:
        errors = {id_: figures.test_error for id_, figures in store.figures(plan.trials).items()}
        states = {id_: status.state for id_, status in store.statuses(t.id for t in plan.trials).items()}
        rows = trial_rows(plan, errors, states)
        if as_json:
            for row in rows:
                print_json({"study": plan.study.name, "fingerprint": plan.fingerprint, **row.to_values()})
            continue
        data = data_title(plan.study.data.dataset, plan.fingerprint)
        stdout().print(f"{plan.study.name} on {data}: {plan.study.question}")
        print_table(trials_table(plan, rows))


def _print_levels(study_data: StudyData) -> None:
    from digitlab.report import compare_levels

    table = study_data.table
    plan = table.plan
    by_metric = compare_levels(study_data)
    for i, row in enumerate(table.rows):
        evidence = []
        for comparisons in by_metric:
            for comparison in comparisons.by_level:
                if comparison.level == i:  # the reference has none
                    evidence.append(_comparison_values(comparisons, comparison))
        values = {
            "study": plan.study.name,
            "data": plan.study.data.name,
            "fingerprint": plan.fingerprint,
            **row.to_values(),
            "reference": row.levels == plan.reference,
            "evidence": evidence,
        }
        print_json(values)


def _comparison_values(comparisons: LevelComparisons, comparison: Comparison) -> dict[str, Any]:
    """Return the comparison of a level with the reference level, by one metric, as plain values."""
    paired = comparison.paired
    return {
        "metric": comparisons.metric.name,
        "verdict": comparisons.verdict(comparison),
        "test_images": comparisons.images,
        "n": paired.n,
        "failed": comparisons.trials[comparison.level].failed,
        "reference_failed": comparisons.trials[comparisons.reference].failed,
        "difference": _finite(paired.mean),
        "low": _finite(paired.low),
        "high": _finite(paired.high),
        "p": _finite(paired.p),
        "holm_p": _finite(comparison.holm_p),
        "sign_flip_p": _finite(comparison.sign_flip.p),
        "would_have_seen": _finite(comparison.detectable),
        "seeds_needed": comparison.seeds_needed,
        "too_few_seeds": comparison.too_few,
        "sd": _finite(comparison.spreads.level),
        "reference_sd": _finite(comparison.spreads.reference),
        "wide_spread": comparison.wide,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None  # JSON has neither nan nor infinity


def _print_tables(study_data: StudyData) -> None:
    from digitlab.report import compare_levels, comparison_sentences, comparison_table, notes, study_table

    print_table(study_table(study_data.table))
    for note in notes(study_data.table):
        stdout().print(note)
    for comparisons in compare_levels(study_data):
        if comparisons.tested:
            print_table(comparison_table(comparisons))
        for sentence in comparison_sentences(comparisons):
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
    for i, title in enumerate(text.columns):
        # Titles may wrap between words, and after a hyphen where there is little room; cells may not.
        shown = title.replace("-", "-\n") if narrow else title
        cells = [row[i] for row in text.rows]
        widest = max(map(cell_len, (*shown.split(), *cells)))
        drawn.add_column(
            shown,
            justify="right" if text.right[i] else "left",
            min_width=widest,
            max_width=widest if narrow else None,
        )
    for row in text.rows:
        drawn.add_row(*row)
    console.print(drawn, crop=False)  # a figure without its last digits would be another figure


def _encodable(text: TextTable, encoding: str) -> TextTable:
    columns = tuple(replacing(title, encoding) for title in text.columns)
    rows = tuple(tuple(replacing(cell, encoding) for cell in row) for row in text.rows)
    return text._replace(columns=columns, rows=rows)


def _width(text: TextTable) -> int:
    """Return the smallest width of a table in characters, with a gap of three between its columns."""
    from rich.cells import cell_len

    width = 1
    for title, *cells in zip(text.columns, *text.rows, strict=True):
        widest = max(map(cell_len, (*title.split(), *cells)))
        width += widest + 3
    return width

"""The one sentence that answers a study, and the choice behind it."""

from __future__ import annotations

from digitlab.report.text import interval, number, seeds_text, settings_text
from digitlab.results.aggregate import Row, StudyTable


def lead(table: StudyTable) -> str:
    """Answer a study in one sentence: the level of least validation error, and its error on the test set.

    Args:
        table: the study's answer in figures.
    """
    best = best_row(table)
    if best is None:
        return "No trial of this study is done yet."
    where = settings_text(table.plan.study.axes, best.levels)
    so_far = "" if table.complete else "so far, "
    if len(table.rows) == 1:
        sentence = f"{so_far}the test error at {where} is {_test_error(best)}."
    else:
        candidates = sum(row.test_error.n == best.test_error.n for row in table.rows)
        among = (
            "" if candidates == len(table.rows) else f"among levels with {seeds_text([best.test_error.n])}, "
        )
        sentence = (
            f"{so_far}{among}the validation error is lowest at {where} "
            f"({number(best.validation_error.mean)} %); the test error there is {_test_error(best)}."
        )
    return sentence[0].upper() + sentence[1:]


def best_row(table: StudyTable) -> Row | None:
    """Choose a level: the least validation error, the first of equal ones (None: nothing is done).

    Validation chooses, the test set never does. Levels that lack seeds which others have are no candidates.

    Args:
        table: the study's answer in figures.
    """
    most = max(row.test_error.n for row in table.rows)
    candidates = [row for row in table.rows if most and row.test_error.n == most]
    return min(candidates, key=lambda row: row.validation_error.mean, default=None)


def _test_error(row: Row) -> str:
    estimate = row.test_error
    seeds = seeds_text([estimate.n])
    if estimate.n < 2:
        return f"{number(estimate.mean)} % ({seeds})"
    return f"{number(estimate.mean)} % (95 % interval {interval(estimate)}, {seeds})"

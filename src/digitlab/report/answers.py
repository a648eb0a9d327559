"""The sentence that answers a study, and the choice of its best level."""

from __future__ import annotations

from digitlab.report.text import interval, number, seeds_text
from digitlab.results.aggregate import LevelSummary, StudyTable
from digitlab.spec.study import settings_text


def headline(table: StudyTable) -> str:
    """Return the answer of a study in one sentence: the level of least validation error, and its test error.

    Args:
        table: the study's results, one row per level.
    """
    best = best_row(table)
    if best is None:
        return "No trial of this study is done yet."
    where = settings_text(table.plan.study.axes, best.levels)
    test_error = _test_error(best)
    if len(table.rows) == 1:
        sentence = f"the test error at {where} is {test_error}"
    else:
        sentence = (
            f"{_among(table, best)}the validation error is lowest at {where} "
            f"({number(best.validation_error.mean)} %); the test error there is {test_error}"
        )
    if not table.complete:
        sentence = f"so far, {sentence}"
    if best.failed:
        sentence += f"; {len(best.failed)} of {table.plan.study.seeds} seeds failed there and are excluded"
    return f"{sentence[0].upper()}{sentence[1:]}."


def _among(table: StudyTable, best: LevelSummary) -> str:
    """Return a phrase on the levels that the best was chosen from (empty: from all of them)."""
    candidates = table.rows
    if not best.failed:  # if even the best has failed seeds, none was left out for its own
        candidates = tuple(row for row in table.rows if not row.failed)
    which = ""
    if any(row.test_error.n < best.test_error.n for row in candidates):
        which += f" with {seeds_text([best.test_error.n])}"
    if len(candidates) < len(table.rows):
        which += " without failed seeds"
    if not which:
        return ""
    return f"among levels{which}, "


def best_row(table: StudyTable) -> LevelSummary | None:
    """Return the level of least validation error, the first of equal ones (None: no trial is done).

    The test set is not used. Levels that lack seeds which others have are no candidates, nor are levels with
    failed seeds, unless every level has some.

    Args:
        table: the study's results, one row per level.
    """
    return min(_candidates(table), key=lambda row: row.validation_error.mean, default=None)


def _candidates(table: StudyTable) -> list[LevelSummary]:
    done = [row for row in table.rows if row.test_error.n]
    stable = [row for row in done if not row.failed]
    candidates = stable or done
    most = max((row.test_error.n for row in candidates), default=0)
    return [row for row in candidates if row.test_error.n == most]


def _test_error(row: LevelSummary) -> str:
    estimate = row.test_error
    mean = f"{number(estimate.mean)} %"
    seeds = seeds_text([estimate.n])
    if estimate.n < 2:
        return f"{mean} ({seeds})"
    if not estimate.sd > 0:
        return f"{mean} ({seeds}, all equal: no interval)"
    return f"{mean} (95 % interval {interval(estimate)}, {seeds})"

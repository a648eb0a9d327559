"""The trials of a study with their ids, by which each can be trained again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from digitlab.report.metric import ERROR
from digitlab.report.tables import TextTable
from digitlab.report.text import NONE, is_numeric, number
from digitlab.results.aggregate import StudyTable
from digitlab.spec.plan import Plan
from digitlab.spec.study import Level, level_text

WAITING = "not done"
"""State of a trial that was never started."""


class TrialRow(NamedTuple):
    """One trial of a study.

    Attributes:
        levels: levels of its cell, one per axis.
        seed: the trial's seed.
        id: the trial's id.
        state: `done`, `failed`, `interrupted`, `running` or `not done`.
        test_error: error on the test set in percent (None: it is not done).
    """

    levels: tuple[Level, ...]
    seed: int
    id: str
    state: str
    test_error: float | None

    def to_values(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "levels": list(self.levels),
            "seed": self.seed,
            "trial": self.id,
            "state": self.state,
            "test_error_percent": self.test_error,
        }


def trial_rows(plan: Plan, errors: Mapping[str, float], states: Mapping[str, str]) -> list[TrialRow]:
    """List the trials of a plan, level by level and seed by seed.

    Args:
        plan: the study's plan.
        errors: errors on the test set in percent of the trials that are done, by id; a longer training may
            have yielded them.
        states: states of the trials in the store, by id.
    """
    rows = []
    for cell in plan.cells:
        for trial in cell.trials:
            state = "done" if trial.id in errors else states.get(trial.id, WAITING)
            rows.append(TrialRow(cell.levels, trial.seed, trial.id, state, errors.get(trial.id)))
    return rows


def trials_of(table: StudyTable) -> list[TrialRow]:
    """List the trials of a study that are done, from its table of results."""
    errors: dict[str, float] = {}
    for row, cell in zip(table.rows, table.plan.cells, strict=True):
        by_seed = dict(zip(row.seeds, row.test_errors, strict=True))
        errors |= {trial.id: by_seed[trial.seed] for trial in cell.trials if trial.seed in by_seed}
    return [row for row in trial_rows(table.plan, errors, {}) if row.state == "done"]


def trials_table(plan: Plan, rows: Sequence[TrialRow]) -> TextTable:
    """Return the trials as a table of text.

    Args:
        plan: the study's plan.
        rows: the trials.
    """
    axes = plan.study.axes
    cells = []
    for row in rows:
        error = NONE if row.test_error is None else number(row.test_error, ERROR.decimals)
        cells.append((*map(level_text, row.levels), str(row.seed), row.id, row.state, error))
    return TextTable(
        columns=(*(axis.title for axis in axes), "seed", "trial", "state", "test error %"),
        rows=tuple(cells),
        right=(*(is_numeric(axis.values) for axis in axes), True, False, False, True),
        heads=len(axes) + 1,
    )

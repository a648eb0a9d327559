"""What is known of a study: its table, and the results, predictions and data of its trials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from digitlab.data.dataset import Dataset
from digitlab.marks import Mark
from digitlab.report.metric import ERROR, Metric
from digitlab.results.aggregate import LevelSummary, StudyTable, aggregate
from digitlab.results.record import Result
from digitlab.results.store import Store, reasons
from digitlab.spec.plan import Cell, Plan


@dataclass(frozen=True)
class StudyData:
    """A study's table, and the stored results, predictions and data of its trials.

    Parts of a report that need what is not there are left out.

    Attributes:
        table: the study's results, one row per level.
        results: results of the trials that are done, by trial id (empty: not read).
        predictions: classes predicted for the test images after the last epoch, uint8 [n], by trial id
            (empty: not read).
        digits: data set that the trials were trained on (None: it is not available any more).
    """

    table: StudyTable
    results: Mapping[str, Result] = field(default_factory=dict)
    predictions: Mapping[str, np.ndarray] = field(default_factory=dict)
    digits: Dataset | None = None

    @property
    def classes(self) -> tuple[str, ...] | None:
        """Names of the classes (None: the data does not name them, or is not available any more)."""
        return self.digits.classes if self.digits else None

    def levels(self) -> tuple[tuple[LevelSummary, Cell], ...]:
        """Return each level's row of the table with its cell of the plan."""
        return tuple(zip(self.table.rows, self.table.plan.cells, strict=True))

    def results_of(self, row: LevelSummary, cell: Cell) -> tuple[Result, ...]:
        """Return the results of the seeds from which a level's row was computed."""
        results = []
        for trial in cell.trials:
            if trial.seed in row.seeds and trial.id in self.results:
                results.append(self.results[trial.id])
        return tuple(results)

    def by_seed(self, row: LevelSummary, cell: Cell, metric: Metric = ERROR) -> dict[int, float]:
        """Return a metric on the test set, by seed."""
        if metric is ERROR:  # in every table, even where results were not read
            return dict(zip(row.seeds, row.test_errors, strict=True))
        results = self.results_of(row, cell)
        return {result.trial.seed: metric.of_scores(result.final_test) for result in results}


def report_mark(plans: Iterable[Plan], name: str = "") -> Mark:
    """Return the mark of the report of one study or several.

    Args:
        plans: plans of the studies.
        name: name of the report; if empty, the names of its studies.
    """
    plans = list(plans)
    names = dict.fromkeys(plan.study.name for plan in plans)
    data = {plan.fingerprint: plan.study.data.name for plan in plans}
    return Mark(
        kind="report",
        study=name or ", ".join(names),
        data=", ".join(data.values()),
        fingerprint=", ".join(fingerprint[:16] for fingerprint in data),
        content=", ".join(plan.content for plan in plans),
    )


def read_study_data(plan: Plan, store: Store, data: Dataset | None) -> StudyData:
    """Read what a store holds of a study.

    Args:
        plan: the study's plan.
        store: store to read.
        data: data set that now has the name of the study's data (None: not available); it is left out unless
            its fingerprint is that of the data that the trials were trained on.
    """
    statuses = store.statuses(trial.id for trial in plan.trials)
    failed = reasons(statuses, "failed")
    interrupted = reasons(statuses, "interrupted")
    results = store.results(plan.trials)
    predictions = store.predictions(result.trial for result in results.values())
    table = aggregate(plan, results, failed, interrupted)
    if data is not None and data.fingerprint != plan.fingerprint:
        data = None
    return StudyData(table, results, predictions, data)

"""What the report of a study is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from digitlab.data.dataset import Dataset
from digitlab.marks import Mark
from digitlab.report.metric import ERROR, Metric
from digitlab.results.aggregate import Row, StudyTable
from digitlab.results.record import Result
from digitlab.results.store import Store
from digitlab.spec.plan import Cell, Plan


@dataclass(frozen=True)
class Material:
    """A study's answer in figures, and what else is kept of its trials.

    Attributes:
        table: the answer in figures.
        results: of the trials that are done, by id (empty: what needs them is left out).
        predictions: classes given to the test images after the last epoch, uint8 [n], by trial id (likewise).
        digits: the data that the trials learned from (None: it is not at hand any more, likewise).
    """

    table: StudyTable
    results: Mapping[str, Result] = field(default_factory=dict)
    predictions: Mapping[str, np.ndarray] = field(default_factory=dict)
    digits: Dataset | None = None

    @property
    def classes(self) -> tuple[str, ...] | None:
        """What the classes are called (None: the data does not tell, or is not at hand any more)."""
        return self.digits.classes if self.digits else None

    def levels(self) -> tuple[tuple[Row, Cell], ...]:
        """Pair each level's figures with its trials."""
        return tuple(zip(self.table.rows, self.table.plan.cells, strict=True))

    def results_of(self, row: Row, cell: Cell) -> tuple[Result, ...]:
        """Give the results of the seeds that a level's figures are of."""
        trials = (trial for trial in cell.trials if trial.seed in row.seeds)
        return tuple(self.results[trial.id] for trial in trials if trial.id in self.results)

    def by_seed(self, row: Row, cell: Cell, metric: Metric = ERROR) -> dict[int, float]:
        """Give a metric on the test set by seed."""
        if metric is ERROR:
            return dict(zip(row.seeds, row.test_errors, strict=True))
        return {
            result.trial.seed: metric.of_scores(result.final_test) for result in self.results_of(row, cell)
        }


def report_mark(plans: Iterable[Plan], name: str = "") -> Mark:
    """Make the mark of the report of one study or several.

    Args:
        plans: of the studies.
        name: that the report goes by; of one study its own, unless given.
    """
    plans = list(plans)
    names = {plan.study.name: None for plan in plans}
    data = {plan.fingerprint: plan.study.data.name for plan in plans}
    fingerprints = ", ".join(fingerprint[:16] for fingerprint in data)
    content = ", ".join(plan.content for plan in plans)
    return Mark("report", name or ", ".join(names), ", ".join(data.values()), fingerprints, content)


def read_material(table: StudyTable, store: Store, data: Dataset | None) -> Material:
    """Read what a store keeps of a study beside its table.

    Args:
        table: the study's answer in figures.
        store: from which it was made.
        data: what goes by the name of the study's data now; if it is not what the trials learned from any
            more, or is not at hand (None), the material has none.
    """
    results = store.results(table.plan.trials)
    predictions = {trial: store.predictions(result.trial) for trial, result in results.items()}
    same = data is not None and data.fingerprint == table.plan.fingerprint
    return Material(table, results, predictions, data if same else None)

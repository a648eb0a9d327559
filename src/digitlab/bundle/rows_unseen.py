"""Rows of digits that were not trained on, for choosing, verifying and scoring readers of rows."""

from __future__ import annotations

from digitlab.data import Dataset, stratified_split
from digitlab.spec.rows import RowTrial
from digitlab.synthesis.rows import RowComposer


def unseen_rows(trial: RowTrial, dataset: Dataset) -> RowComposer:
    """Return a composer of rows from the validation part's digits, with the shapes and papers of training.

    Args:
        trial: trial of the reader of rows.
        dataset: data set named in the trial.
    """
    _, held_out = stratified_split(dataset.y_train, trial.data.validation, trial.data.split_seed)
    return RowComposer(dataset.x_train[held_out], dataset.y_train[held_out])

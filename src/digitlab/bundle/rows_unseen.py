"""Rows of digits that no training saw: what readers of rows are chosen, proved and scored on."""

from __future__ import annotations

from digitlab.data import Dataset, stratified_split
from digitlab.spec.rows import RowTrial
from digitlab.synthesis.rows import RowComposer


def unseen_rows(trial: RowTrial, dataset: Dataset) -> RowComposer:
    """Give what composes rows of the validation part's digits, with the shapes and papers of training.

    Args:
        trial: of the reader of rows.
        dataset: that the trial names.
    """
    _, held_out = stratified_split(dataset.y_train, trial.data.validation, trial.data.split_seed)
    return RowComposer(dataset.x_train[held_out], dataset.y_train[held_out])

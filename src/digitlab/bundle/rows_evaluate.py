"""Scoring a reader of rows on rows that are composed for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digitlab.bundle.rows_runtime import RowNetwork
from digitlab.data import Dataset, stratified_split
from digitlab.errors import DataError
from digitlab.results.metrics import wilson_interval
from digitlab.results.rows import greedy_texts, share_right
from digitlab.synthesis.row_form import row_form
from digitlab.synthesis.rows import ComposedRow, RowComposer

ROWS = 1_000
"""Of each kind; about nine in ten are numbers."""
SEED = 3


@dataclass(frozen=True)
class RowScore:
    """How many rows of one kind were read right as a whole.

    Attributes:
        kind: of rows.
        right: rows read right.
        rows: rows that are numbers.
    """

    kind: str
    right: int
    rows: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share."""
        return wilson_interval(self.right, self.rows)


def evaluate_rows(network: RowNetwork, dataset: Dataset) -> list[RowScore]:
    """Read rows composed of the digits that a network's training never saw, greedily, at one width.

    Args:
        network: the reader of rows.
        dataset: that its card names.

    Raises:
        DataError: the data is another.
    """
    trial = network.card.result.trial
    if trial.data.fingerprint != dataset.fingerprint:
        raise DataError(
            f"data {dataset.name}: expected that of the network's training, {trial.data.dataset}, received "
            "other contents: its validation part is what no training saw"
        )
    _, held_out = stratified_split(dataset.y_train, trial.data.validation, trial.data.split_seed)
    scores = []
    for kind, held_back in (("as in training", False), ("held-back shapes and papers", True)):
        composer = RowComposer(dataset.x_train[held_out], dataset.y_train[held_out], held_back=held_back)
        rows = composer.rows(ROWS, SEED)
        scores.append(RowScore(kind, *share_right([row.text for row in rows], _read(network, rows))))
    return scores


def _read(network: RowNetwork, rows: list[ComposedRow]) -> list[str]:
    forms = [row_form(row.image) for row in rows]
    texts = [""] * len(rows)
    for width in sorted({form.shape[1] for form in forms}):
        places = [i for i, form in enumerate(forms) if form.shape[1] == width]
        read = greedy_texts(network.probabilities(np.stack([forms[i] for i in places])))
        for i, text in zip(places, read, strict=True):
            texts[i] = text
    return texts

"""Scoring a reader of rows on rows that are composed for it."""

from __future__ import annotations

from dataclasses import dataclass

from digitlab.bundle.rows_runtime import RowNetwork
from digitlab.bundle.rows_unseen import unseen_rows
from digitlab.data import Dataset
from digitlab.errors import DataError
from digitlab.results.metrics import wilson_interval
from digitlab.results.rows import greedy_texts, share_right
from digitlab.synthesis.row_form import by_width, row_form

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
    composer = unseen_rows(trial, dataset)
    kinds = {"as in training": composer, "held-back shapes and papers": composer.holding_back()}
    scores = []
    for kind, composed in kinds.items():
        rows = composed.rows(ROWS, SEED)
        forms = [row_form(row.image) for row in rows]
        read = greedy_texts(by_width(forms, network.probabilities))
        scores.append(RowScore(kind, *share_right([row.text for row in rows], read)))
    return scores

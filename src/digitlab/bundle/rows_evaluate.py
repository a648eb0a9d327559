"""Scoring of a reader of rows on composed rows."""

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
"""Number of rows of each kind; about nine in ten are numbers."""
SEED = 3


@dataclass(frozen=True)
class RowScore:
    """Number of rows of one kind that were read correctly as a whole.

    Attributes:
        kind: name of the kind of rows.
        right: number of rows read correctly.
        rows: number of rows that are numbers.
    """

    kind: str
    right: int
    rows: int

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the share of rows read correctly, 0..1."""
        return wilson_interval(self.right, self.rows)


def evaluate_rows(network: RowNetwork, dataset: Dataset) -> list[RowScore]:
    """Read rows composed of digits that a network was not trained on, with greedy decoding, at one width.

    Args:
        network: the reader of rows.
        dataset: data set named in the network's card.

    Raises:
        DataError: the data set is not that of the network's training.
    """
    trial = network.card.result.trial
    if trial.data.fingerprint != dataset.fingerprint:
        raise DataError(
            f"data {dataset.name}: expected that of the network's training, {trial.data.dataset}, received "
            "other contents: only its validation part was not trained on"
        )
    composer = unseen_rows(trial, dataset)
    kinds = {"as in training": composer, "held-back shapes and papers": composer.holding_back()}
    scores = []
    for kind, kind_composer in kinds.items():
        rows = kind_composer.rows(ROWS, SEED)
        texts = [row.text for row in rows]
        forms = [row_form(row.image) for row in rows]
        texts_read = greedy_texts(by_width(forms, network.probabilities))
        right, counted = share_right(texts, texts_read)
        scores.append(RowScore(kind, right, counted))
    return scores

"""Results of training a row reader, greedy decoding of its outputs, and their accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from digitlab.spec.base import Spec
from digitlab.spec.rows import ALPHABET, BLANK, RowTrial


class RowValidation(Spec):
    """Accuracy of a row reader on validation rows, at one step of its training.

    Attributes:
        step: step of the training.
        loss: running mean of the training loss, in nats per row.
        right: number of rows read correctly as a whole, among `rows`.
        rows: number of rows that are numbers, with the shapes and papers of the training.
        held_back_right: number of rows read correctly as a whole, among `held_back_rows`.
        held_back_rows: number of rows that are numbers, with shapes and papers that training never draws.
    """

    step: int
    loss: float
    right: int
    rows: int
    held_back_right: int
    held_back_rows: int


class RowResult(Spec):
    """Result of training a row reader.

    Attributes:
        trial: the trial that was trained.
        validation: accuracy at intervals, by greedy decoding; the last is that of the network that is kept.
        train_seconds: time spent in training, in all its sessions, in seconds.
        sittings: number of sessions, each started or resumed.
        environment: library versions, processor and operating system of the last session.
        commit: commit of the clone whose code trained it, the last of several; None outside a clone.
        clean: whether the code of every session was its commit's, without changes; None if unknown.
    """

    trial: RowTrial
    validation: tuple[RowValidation, ...]
    train_seconds: float
    sittings: int
    environment: dict[str, str]
    commit: str | None = None
    clean: bool | None = None


def greedy_texts(probabilities: Iterable[np.ndarray]) -> list[str]:
    """Decode rows greedily: the likeliest character of each column, repeats merged and blanks removed.

    Args:
        probabilities: probabilities of each row, float [columns, 12].
    """
    return [_text(row.argmax(axis=1)) for row in probabilities]


def share_right(texts: Sequence[str], read: Sequence[str]) -> tuple[int, int]:
    """Count the rows that are numbers, and those of them that were read correctly as a whole.

    Args:
        texts: true text of each row; rows that are not numbers, or contain `?`, are left out.
        read: text of each row as it was read.

    Returns:
        Number of rows read correctly, and number of rows that are numbers.
    """
    right = 0
    numbers = 0
    for text, text_read in zip(texts, read, strict=True):
        if text.isdigit():
            numbers += 1
            right += text == text_read
    return right, numbers


def _text(best: np.ndarray) -> str:
    """Return the text of the likeliest output of each column, int [columns]."""
    is_new = np.concatenate([[True], best[1:] != best[:-1]])
    # Blanks go last: between two equal characters, a blank tells that they are two.
    characters = best[is_new & (best != BLANK)]
    return "".join(ALPHABET[i] for i in characters)

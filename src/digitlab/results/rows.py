"""What the training of a reader of rows gave, what the reader says, and how often it is right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from digitlab.spec.base import Spec
from digitlab.spec.rows import ALPHABET, BLANK, RowTrial


class RowValidation(Spec):
    """Rows of the validation part that were read right at one step.

    Attributes:
        step: of the training.
        loss: running mean of the training's loss, nats a row.
        right: rows read right as a whole, of those with the shapes and papers of training.
        rows: of these that are numbers.
        held_back_right: rows read right, of those with shapes and papers that training never draws.
        held_back_rows: of these that are numbers.
    """

    step: int
    loss: float
    right: int
    rows: int
    held_back_right: int
    held_back_rows: int


class RowResult(Spec):
    """What the training of a reader of rows gave.

    Attributes:
        trial: what was trained.
        validation: at intervals, by greedy reading; the last is of the network that is kept.
        train_seconds: spent in training, in all its sittings.
        sittings: how often it was begun or gone on with.
        environment: versions, processor and system of the last sitting.
        commit: of the clone whose code trained it, the last where several did; None outside of one.
        clean: whether the code of every sitting was its commit's own; None as above.
    """

    trial: RowTrial
    validation: tuple[RowValidation, ...]
    train_seconds: float
    sittings: int
    environment: dict[str, str]
    commit: str | None = None
    clean: bool | None = None


def greedy_texts(probabilities: Iterable[np.ndarray]) -> list[str]:
    """Read the likeliest character of each column: repeats are one, blanks are nothing.

    Args:
        probabilities: of rows, each float [columns, 12].
    """
    return [_text(row.argmax(axis=1)) for row in probabilities]


def share_right(texts: Sequence[str], read: Sequence[str]) -> tuple[int, int]:
    """Count rows that are numbers, and those of them that were read right as a whole.

    Args:
        texts: what each row says; what is no number, or has `?` in it, is left out.
        read: what was read.

    Returns:
        Rows read right, and rows that are numbers.
    """
    pairs = [(text, said) for text, said in zip(texts, read, strict=True) if text.isdigit()]
    return sum(text == said for text, said in pairs), len(pairs)


def _text(best: np.ndarray) -> str:
    new = np.concatenate([[True], best[1:] != best[:-1]])
    return "".join(ALPHABET[at] for at in best[new & (best != BLANK)])

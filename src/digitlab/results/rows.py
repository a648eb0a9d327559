"""What a reader of rows says, and how often it is right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digitlab.spec.rows import ALPHABET, BLANK


def greedy_texts(probabilities: np.ndarray) -> list[str]:
    """Read the likeliest character of each column: repeats are one, blanks are nothing.

    Args:
        probabilities: of rows, float [n, columns, 12].
    """
    return [_text(best) for best in probabilities.argmax(axis=2)]


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

"""Choosing which pieces of ink to join, by how much they look like digits apart and together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digitlab.recognition.segment import Writing

_LEFT_OUT = 1.5  # nats for ink that is too small for a digit and joins none


def choose(writing: Writing, apart: np.ndarray, together: np.ndarray) -> list[tuple[int, bool]]:
    """Choose pieces and joins so that every piece is in one, or is left out for being small.

    Args:
        writing: with n pieces and m joins.
        apart: how likely each piece is a digit, 0..1, [n].
        together: how likely each join is a digit, 0..1, [m].

    Returns:
        Numbers, each of a piece (False) or of a join (True).
    """
    tall = [writing.is_tall(piece) for piece in writing.pieces]
    cost = np.where(tall, _nats(apart), _LEFT_OUT)
    mass = np.array([piece.mass for piece in writing.pieces], float)
    gains = [
        float(np.average(cost[list(one.members)], weights=mass[list(one.members)])) - nats - one.doubt
        for one, nats in zip(writing.joins, _nats(together), strict=True)
    ]
    taken: set[int] = set()
    chosen: list[tuple[int, bool]] = []
    for number in np.argsort(gains)[::-1]:
        one = writing.joins[number]
        members = list(one.members)
        if not taken.isdisjoint(members) or (one.beside and together[number] <= apart[members].max()):
            continue
        left_out = not any(tall[member] for member in members) and writing.is_tall_together(members)
        if gains[number] > 0 or left_out:
            taken.update(members)
            chosen.append((int(number), True))
    chosen += [(number, False) for number, large in enumerate(tall) if large and number not in taken]
    return chosen


def _nats(likely: Sequence[float] | np.ndarray) -> np.ndarray:
    return -np.log(np.maximum(likely, 1e-3))

"""Lines of writing: which pieces of ink stand beside each other, also where a line climbs or falls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digitlab.recognition.pieces import Piece

_STEEPEST = np.tan(np.deg2rad(25))
_OVERLAP = 0.35  # of the lower of two pieces, seen along the line, that makes them neighbours in it


def find_lines(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Group pieces into lines, from the top, each from left to right.

    Args:
        pieces: digits.
    """
    if len(pieces) < 2:
        return [list(pieces)] if pieces else []
    tall = np.array([piece.height for piece in pieces])
    x, y = np.array([piece.centre for piece in pieces]).T
    y = y - _slope(x, y, float(np.median(tall))) * x
    order = np.argsort(x, kind="stable")
    lines: list[list[int]] = []
    for number in order:
        line = _line_of(number, lines, y, tall)
        if line is None:
            lines.append([number])
        else:
            line.append(number)
    lines.sort(key=lambda line: float(np.mean(y[line])))
    return [[pieces[number] for number in line] for line in lines]


def _slope(x: np.ndarray, y: np.ndarray, height: float) -> float:
    """Of the lines, as the median over the pieces of the way to the nearest neighbour on the right."""
    right, down = x[None, :] - x[:, None], y[None, :] - y[:, None]
    beside = (right > 0.2 * height) & (np.abs(down) < _STEEPEST * right + 0.15 * height)
    far = np.where(beside, right + 2 * np.abs(down), np.inf)
    nearest = far.argmin(axis=1)
    first = np.flatnonzero(np.isfinite(far.min(axis=1)))
    if not len(first):
        return 0.0
    steps = nearest[first]
    slopes = down[first, steps] / right[first, steps]
    return float(np.median(slopes))


def _line_of(number: int, lines: list[list[int]], y: np.ndarray, tall: np.ndarray) -> list[int] | None:
    """The line whose end a piece stands beside; the pieces come from left to right."""
    best, most = None, _OVERLAP
    for line in lines:
        last = line[-3:]
        middle, high = float(np.mean(y[last])), float(np.mean(tall[last]))
        top = max(middle - high / 2, y[number] - tall[number] / 2)
        bottom = min(middle + high / 2, y[number] + tall[number] / 2)
        overlap = (bottom - top) / min(high, tall[number])
        if overlap > most:
            best, most = line, overlap
    return best

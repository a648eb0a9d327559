"""Cutting ink in which digits touch: where it may be cut, and which cuts leave digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from digitlab.recognition.pieces import INK, Piece, connected_pieces, join

_ROWS = 40  # of the reduced picture in which cuts are sought
_MOST_CUTS = 6
_CUT = 0.4  # nats that speak against any cut
_NARROW = 2.0  # nats for each height by which the piece is narrower than two digits usually are
_TWO_DIGITS = 1.1  # of the height: their width
_STROKE = 1.5  # nats for each further stroke that a cut goes through
_LEAST_WIDTH = 0.12  # of the height of the piece, of what a cut leaves
_LEAST_HEIGHT = 0.55  # likewise
_LEAST_LIKELY = 1e-3
_GOOD = 0.6  # a slice that is less likely a digit is none


@dataclass(frozen=True, eq=False)
class Slice:
    """What lies between two cuts.

    Attributes:
        piece: its ink.
        first: number of the cut on its left; 0 is the left edge.
        last: number of the cut on its right; the highest is the right edge.
    """

    piece: Piece
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class Cutting:
    """Ways to cut a piece of ink from top to bottom.

    Attributes:
        doubt: what speaks against cutting it at all, in nats; below 0 where its width speaks for it.
        doubts: what speaks against each cut; 0 for the edges, which are the first and the last.
        slices: what lies between any two cuts, by the first of them; the whole piece is not among them.
    """

    doubt: float
    doubts: tuple[float, ...]
    slices: tuple[Slice, ...]


def cuttings(piece: Piece) -> Cutting:
    """Find where a piece may be cut: along the paths from top to bottom that cross the least ink."""
    paths, doubts = _paths(piece)
    edges = [np.zeros(piece.height, int), *paths, np.full(piece.height, piece.width)]
    slices = [
        Slice(between, first, last)
        for first in range(len(edges) - 1)
        for last in range(first + 1, len(edges))
        if (first, last) != (0, len(edges) - 1)
        and (between := _between(piece, edges[first], edges[last])) is not None
    ]
    return Cutting(_doubt(piece), (0.0, *doubts, 0.0), tuple(slices))


def may_be_cut(piece: Piece, whole: float) -> bool:
    """Whether any cut at all could be better than the piece as it is, which looks that likely, 0..1."""
    return _doubt(piece) + _CUT < -np.log(max(whole, _LEAST_LIKELY))


def _doubt(piece: Piece) -> float:
    return _NARROW * max(-0.5, _TWO_DIGITS - piece.width / piece.height)


def best_slices(cutting: Cutting, likely: Sequence[float], whole: float) -> list[int]:
    """Choose slices that make up the piece.

    Args:
        cutting: of a piece.
        likely: how likely each slice is a digit, 0..1.
        whole: how likely the piece as it is is one.

    Returns:
        Numbers of slices from left to right; empty when the piece had better stay whole.
    """
    total = sum(part.piece.mass for part in cutting.slices if part.last == part.first + 1) or 1
    least = [0.0] + [np.inf] * (len(cutting.doubts) - 1)
    came = [-1] * len(cutting.doubts)
    for number, part in enumerate(cutting.slices):
        if likely[number] < _GOOD:
            continue
        doubt = cutting.doubts[part.last] + (_CUT if part.last + 1 < len(cutting.doubts) else 0)
        nats = -np.log(max(likely[number], _LEAST_LIKELY)) * part.piece.mass / total
        if least[part.first] + nats + doubt < least[part.last]:
            least[part.last], came[part.last] = least[part.first] + nats + doubt, number
    if not np.isfinite(least[-1]) or least[-1] + cutting.doubt >= -np.log(max(whole, _LEAST_LIKELY)):
        return []
    path, at = [], len(cutting.doubts) - 1
    while at:
        path.append(came[at])
        at = cutting.slices[came[at]].first
    return path[::-1]


def _paths(piece: Piece) -> tuple[list[np.ndarray], list[float]]:
    scale = min(1.0, _ROWS / piece.height)
    size = max(3, round(piece.width * scale)), max(3, round(piece.height * scale))
    small = cv2.resize(piece.strength, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    cost = np.minimum(small, 1) + 0.01
    down, from_above = _cheapest(cost)
    up, from_below = _cheapest(cost[::-1])
    middle = len(cost) // 2
    through = down[middle] + up[::-1][middle] - cost[middle]
    stroke = max(1.0, float(np.median(_runs(small > 0.4))))
    paths, doubts = [], []
    for column in _minima(through, max(2, round(_LEAST_WIDTH * len(cost)))):
        path = np.concatenate(
            [
                _follow(from_above[: middle + 1], column),
                _follow(from_below[: len(cost) - middle], column)[::-1][1:],
            ]
        )
        rows = np.minimum(np.arange(piece.height) * len(cost) // piece.height, len(cost) - 1)
        paths.append(np.rint((path[rows] + 0.5) * piece.width / size[0]).astype(int))
        doubts.append(_STROKE * max(0.0, float(cost[np.arange(len(cost)), path].sum()) / stroke - 1))
    return paths, doubts


def _cheapest(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every place the cost of the cheapest path from the first row, and the step by which it came."""
    total, step = cost.copy(), np.zeros(cost.shape, np.int8)
    for row in range(1, len(cost)):
        padded = np.pad(total[row - 1], 1, constant_values=np.inf)
        ways = np.stack([padded[:-2] + 0.02, padded[1:-1], padded[2:] + 0.02])
        step[row] = ways.argmin(axis=0) - 1
        total[row] += ways.min(axis=0)
    return total, step


def _follow(steps: np.ndarray, column: int) -> np.ndarray:
    """The columns of a path that ends in the last row at a column."""
    path = np.empty(len(steps), int)
    for row in range(len(steps) - 1, -1, -1):
        path[row] = column
        column += int(steps[row, column])
    return path


def _runs(mask: np.ndarray) -> np.ndarray:
    """Lengths of the runs of ink along the rows."""
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1).ravel()
    begins, ends = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
    return ends - begins if len(begins) else np.array([1.0])


def _minima(values: np.ndarray, apart: int) -> list[int]:
    """The lowest columns, from the left, each lower than its neighbourhood and away from the edges."""
    columns = []
    inner = values.copy()
    inner[:apart] = inner[len(inner) - apart :] = np.inf
    while len(columns) < _MOST_CUTS and np.isfinite(inner).any():
        column = int(inner.argmin())
        columns.append(column)
        inner[max(0, column - apart) : column + apart + 1] = np.inf
    return sorted(columns)


def _between(piece: Piece, left: np.ndarray, right: np.ndarray) -> Piece | None:
    columns = np.arange(piece.width)
    inside = (columns >= left[:, None]) & (columns < right[:, None])
    strength = np.where(inside, piece.strength, 0).astype(np.uint8)
    if (strength >= INK).sum() < 3:
        return None
    parts = connected_pieces(strength, smallest=3)
    if not parts:
        return None
    most = max(part.mass for part in parts)
    whole = join([part for part in parts if part.mass > 0.1 * most])
    if whole.height < _LEAST_HEIGHT * piece.height:
        return None
    return Piece(whole.strength, whole.left + piece.left, whole.top + piece.top, whole.mass)

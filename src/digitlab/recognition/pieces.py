"""Pieces of ink: what is connected in a picture, and what is made of it by joining and cutting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

SOLID = 128
"""Some of the ink of a piece is as strong as this."""
INK = 64
"""From this strength on a pixel belongs to a stroke; what is fainter is its soft edge, or paper."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Some of the ink of a picture.

    Attributes:
        strength: of its ink alone, uint8 [h, w], 0 paper .. 255 full ink.
        left: its first column in the ink's picture.
        top: its first row there.
        mass: pixels of ink.
    """

    strength: np.ndarray
    left: int
    top: int
    mass: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.strength.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.strength.shape[1]

    @property
    def right(self) -> int:
        """The column after its last."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The row after its last."""
        return self.top + self.height

    @property
    def centre(self) -> tuple[float, float]:
        """Of its box: x and y."""
        return self.left + self.width / 2, self.top + self.height / 2


def connected_pieces(strength: np.ndarray, smallest: int) -> list[Piece]:
    """Take ink apart into what is connected, also over corners; each with the soft edge of its strokes.

    Args:
        strength: of ink, uint8 [h, w].
        smallest: pixels of ink; what has fewer is left out.
    """
    ink = cv2.threshold(strength, INK - 1, 1, cv2.THRESH_BINARY)[1]
    across, down, width, height = cv2.boundingRect(ink)
    # With two more on every side: the soft edge of the strokes, and no ink at the borders.
    padded = cv2.copyMakeBorder(strength, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=0)
    padded = padded[down : down + height + 4, across : across + width + 4]
    mask = cv2.threshold(padded, INK - 1, 1, cv2.THRESH_BINARY)[1]
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    pieces = []
    for label in np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] >= smallest) + 1:
        left, top, width, height, mass = (int(value) for value in stats[label])
        window = slice(top - 1, top + height + 1), slice(left - 1, left + width + 1)
        own = np.where(labels[window] == label, np.uint8(255), np.uint8(0))
        if cv2.minMaxLoc(padded[window], own)[1] < SOLID:
            continue
        near = cv2.dilate(own, np.ones((3, 3), np.uint8))
        near[(labels[window] != 0) & (own == 0)] = 0
        near = cv2.bitwise_and(padded[window], near)
        # The padding moved everything by two, and the edge begins one before the ink.
        pieces.append(Piece(near, across + left - 3, down + top - 3, mass))
    return pieces


def join(pieces: Sequence[Piece]) -> Piece:
    """Put pieces together, each where it is."""
    if len(pieces) == 1:
        return pieces[0]
    left, top = min(piece.left for piece in pieces), min(piece.top for piece in pieces)
    right, bottom = max(piece.right for piece in pieces), max(piece.bottom for piece in pieces)
    strength = np.zeros((bottom - top, right - left), np.uint8)
    for piece in pieces:
        rows = slice(piece.top - top, piece.bottom - top)
        columns = slice(piece.left - left, piece.right - left)
        np.maximum(strength[rows, columns], piece.strength, out=strength[rows, columns])
    return Piece(strength, left, top, sum(piece.mass for piece in pieces))

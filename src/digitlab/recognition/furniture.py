"""What stands on paper and is no writing: ruled lines, underlines, frames, the edges of the sheet."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from digitlab.recognition.pieces import Piece

_SMALLEST = 40  # pixels: in smaller pictures a digit may come within a pixel of the edges
_LONG = 1.5  # of the height of the other pieces: a lying stroke that is longer is an underline


def without_furniture(pieces: Sequence[Piece], size: tuple[int, ...]) -> list[Piece]:
    """Leave out frames around other pieces, lines along the edges, and long straight strokes that lie.

    Args:
        pieces: of one picture.
        size: of the picture: rows, columns.
    """
    boxes = np.array([(p.left, p.top, p.right, p.bottom) for p in pieces], float).reshape(-1, 4)
    kept = [piece for piece in pieces if not (_is_edge(piece, size) or _is_frame(piece, boxes))]
    bars = [_is_bar(piece) for piece in kept]
    others = [piece.height for piece, bar in zip(kept, bars, strict=True) if not bar]
    shortest = _LONG * float(np.percentile(others, 90)) if others else np.inf
    return [piece for piece, bar in zip(kept, bars, strict=True) if piece.width < shortest or not bar]


def _is_edge(piece: Piece, size: tuple[int, ...]) -> bool:
    """Thin ink along three edges of the picture, or along all of one: a border, or the table."""
    if piece.mass > 0.5 * piece.width * piece.height and min(piece.width, piece.height) > 0.1 * min(size[:2]):
        return False
    near = 1 if min(size[:2]) >= _SMALLEST else 0
    right, bottom = size[1] - near, size[0] - near
    edges = (piece.left <= near, piece.top <= near, piece.right >= right, piece.bottom >= bottom)
    spans_width, spans_height = edges[0] and edges[2], edges[1] and edges[3]
    flat = piece.height < 0.1 * size[0] or piece.width < 0.1 * size[1]
    return sum(edges) >= 3 or ((spans_width or spans_height) and flat)


def _is_frame(piece: Piece, boxes: np.ndarray) -> bool:
    """Thin ink around pieces that are not small beside it."""
    if piece.mass > 0.3 * piece.width * piece.height:
        return False
    inside = (boxes[:, :2] > (piece.left, piece.top)).all(axis=1)
    inside &= (boxes[:, 2:] < (piece.right, piece.bottom)).all(axis=1)
    share = 0.2 if piece.width > 2 * piece.height else 0.33
    return bool((inside & (boxes[:, 3] - boxes[:, 1] > share * piece.height)).any())


def _is_bar(piece: Piece) -> bool:
    """Whether it is straight, thin and lies: no 1, which stands."""
    if piece.width < 3 * piece.height:
        return False
    points = cv2.findNonZero((piece.strength > 0).view(np.uint8))
    _, sides, _ = cv2.minAreaRect(points)
    return 8 * min(sides) < max(sides)

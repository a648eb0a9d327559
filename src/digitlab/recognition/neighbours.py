"""Which pieces of ink lie beside each other, and how far apart."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from digitlab.recognition.pieces import INK, Piece


def gaps(pieces: Sequence[Piece], reach: float) -> dict[tuple[int, int], float]:
    """Measure the gaps between pieces with no other piece in between.

    Args:
        pieces: of one picture.
        reach: the widest gap that matters, in pixels.

    Returns:
        By the numbers of two pieces, the lower first, the least distance of their ink in pixels.
    """
    found: dict[tuple[int, int], float] = {}
    for group in _clusters(pieces, reach):
        if len(group) > 1:
            found.update(_gaps_within(pieces, group, reach))
    return found


def _clusters(pieces: Sequence[Piece], reach: float) -> list[list[int]]:
    """Pieces whose boxes come near each other; only among them distances need be measured."""
    boxes = np.array([(p.left, p.top, p.right, p.bottom) for p in pieces], float)
    across = np.maximum(boxes[:, None, 0], boxes[None, :, 0]) - np.minimum(
        boxes[:, None, 2], boxes[None, :, 2]
    )
    down = np.maximum(boxes[:, None, 1], boxes[None, :, 1]) - np.minimum(boxes[:, None, 3], boxes[None, :, 3])
    near = (across < reach) & (down < reach)
    left = set(range(len(pieces)))
    clusters = []
    while left:
        group, front = [], [min(left)]
        left.remove(front[0])
        while front:
            number = front.pop()
            group.append(number)
            joined = [int(other) for other in np.flatnonzero(near[number]) if other in left]
            left.difference_update(joined)
            front.extend(joined)
        clusters.append(sorted(group))
    return clusters


def _gaps_within(pieces: Sequence[Piece], group: Sequence[int], reach: float) -> dict[tuple[int, int], float]:
    """Grow all pieces at once until they meet: how far they have grown is how far they are apart."""
    left, top = min(pieces[n].left for n in group), min(pieces[n].top for n in group)
    right, bottom = max(pieces[n].right for n in group), max(pieces[n].bottom for n in group)
    owner = np.zeros((bottom - top, right - left), np.int32)
    for number in group:
        piece = pieces[number]
        part = owner[piece.top - top : piece.bottom - top, piece.left - left : piece.right - left]
        part[piece.strength >= INK] = number + 1
    free = (owner == 0).view(np.uint8)
    distance, nearest = cv2.distanceTransformWithLabels(free, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    table = np.zeros(int(nearest.max()) + 1, np.int32)
    inked = owner > 0
    table[nearest[inked]] = owner[inked]
    area = table[nearest]
    found: dict[tuple[int, int], float] = {}
    for one, other, reach_one, reach_other in (
        (area[:, :-1], area[:, 1:], distance[:, :-1], distance[:, 1:]),
        (area[:-1], area[1:], distance[:-1], distance[1:]),
    ):
        met = (one != other) & (one > 0) & (other > 0)
        gap = reach_one[met] + reach_other[met]
        close = gap <= reach
        for a, b, size in zip(one[met][close] - 1, other[met][close] - 1, gap[close], strict=True):
            pair = (int(min(a, b)), int(max(a, b)))
            found[pair] = min(found.get(pair, np.inf), float(size))
    return found

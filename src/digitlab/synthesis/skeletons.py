"""Skeletons of digit images: paths of the pen without its width, to be drawn again by another pen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

_FINE = 2
"""Factor of the resolution at which images are thinned."""
_INK = 100
"""Smallest grey level of ink."""
_BOX = 20
"""Height of a digit in MNIST form, in pixels."""
_CHUNK = 1_000
"""Number of images thinned at once, which fit into the processor's cache."""
_SMOOTHINGS = 3
_NEIGHBOURS = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
"""Offsets, rows and columns, of the neighbours of a pixel: north, then clockwise."""


@dataclass(frozen=True, eq=False)
class Skeletons:
    """Lines through the middle of the strokes of many digits.

    Attributes:
        points: points of all digits, float32 [k, 2] of (x, y); y is 0 at the head and 1 at the foot of a
            digit of the usual height, x is 0 at its left.
        edges: pairs of points joined by a line, int32 [m, 2], as indices within their digit.
        first_point: index of each digit's first point, int64 [n + 1].
        first_edge: index of each digit's first edge, int64 [n + 1].
    """

    points: np.ndarray
    edges: np.ndarray
    first_point: np.ndarray
    first_edge: np.ndarray

    def __len__(self) -> int:
        return len(self.first_point) - 1

    def __getitem__(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Return one digit's points [k, 2] and edges [m, 2]."""
        points = self.points[self.first_point[i] : self.first_point[i + 1]]
        return points, self.edges[self.first_edge[i] : self.first_edge[i + 1]]


def skeletonize(images: np.ndarray) -> Skeletons:
    """Thin digits to lines one pixel wide, and return these as points joined by lines.

    Args:
        images: digits in MNIST form, white ink on black, uint8 [n, 28, 28].

    Source:
        Zhang and Suen 1984, A fast parallel algorithm for thinning digital patterns.
    """
    parts = [_graph(_thin(chunk)) for chunk in _fine_ink(images)]
    points = np.concatenate([part[0] for part in parts])
    point_counts = np.concatenate([part[1] for part in parts])
    edges = np.concatenate([part[2] for part in parts])
    edge_counts = np.concatenate([part[3] for part in parts])
    first_point, first_edge = (np.concatenate([[0], np.cumsum(n)]) for n in (point_counts, edge_counts))
    return Skeletons(_upright(points, point_counts), edges, first_point, first_edge)


def _fine_ink(images: np.ndarray) -> Iterator[np.ndarray]:
    """Yield ink at the fine resolution with a border of paper: uint8 0 or 1, [n, rows, columns] a chunk."""
    side = _FINE * images.shape[1]
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK]
        fine = np.zeros((len(chunk), side + 2, side + 2), np.uint8)
        for i, image in enumerate(chunk):
            larger = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
            fine[i, 1:-1, 1:-1] = larger >= _INK
        yield fine


def _deletions() -> np.ndarray:
    """Return for each sub-iteration and pattern of neighbours whether a pixel is deleted: bool [2, 256]."""
    goes = np.zeros((2, 256), bool)
    for pattern in range(256):
        p = [pattern >> bit & 1 for bit in range(8)]
        rises = sum(not p[i] and p[(i + 1) % 8] for i in range(8))
        north, east, south, west = p[0], p[2], p[4], p[6]
        if 2 <= sum(p) <= 6 and rises == 1:
            goes[0, pattern] = not (north and east and south) and not (east and south and west)
            goes[1, pattern] = not (north and east and west) and not (north and south and west)
    return goes


_GOES = _deletions()


def _thin(ink: np.ndarray) -> np.ndarray:
    """Thin ink [n, rows, columns] whose border is paper, in place, until nothing more is deleted."""
    inside = ink[:, 1:-1, 1:-1]
    rows, columns = inside.shape[1:]
    changed = True
    while changed:
        changed = False
        for goes in _GOES:
            pattern = np.zeros_like(inside)
            for bit, (down, right) in enumerate(_NEIGHBOURS):
                near = ink[:, 1 + down : 1 + down + rows, 1 + right : 1 + right + columns]
                pattern |= near << bit
            deleted = goes[pattern] & (inside > 0)
            if deleted.any():
                inside[deleted] = 0
                changed = True
    return ink


def _graph(skeleton: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return points and edges of skeletons [n, rows, columns], each with their number in every image."""
    image, y, x = np.nonzero(skeleton)
    index = np.full(skeleton.shape, -1, np.int32)
    index[image, y, x] = np.arange(len(image))
    ink = skeleton > 0
    pairs = [_pairs(index, 0, 1), _pairs(index, 1, 0)]
    # A diagonal is no edge where two straight ones lead the same way.
    for right in (1, -1):
        pairs.append(_pairs(np.where(_has_corner(ink, right), -1, index), 1, right, index))
    edges = np.concatenate(pairs)
    points = _smooth(np.stack([x, y], axis=1).astype(np.float32), edges)
    owner = image[edges[:, 0]]
    order = np.argsort(owner, kind="stable")
    point_counts = np.bincount(image, minlength=len(skeleton))
    edge_counts = np.bincount(owner, minlength=len(skeleton))
    first = np.concatenate([[0], np.cumsum(point_counts)])
    within = edges[order] - first[owner[order]][:, None]
    return points, point_counts, within.astype(np.int32), edge_counts


def _pairs(index: np.ndarray, down: int, right: int, other: np.ndarray | None = None) -> np.ndarray:
    """Return pairs of points, [m, 2], of which the second lies `down` and `right` pixels from the first."""
    other = index if other is None else other
    rows, columns = index.shape[1:]
    one = index[:, : rows - down, max(0, -right) : columns - max(0, right)]
    two = other[:, down:, max(0, right) : columns + min(0, right)]
    both = (one >= 0) & (two >= 0)
    return np.stack([one[both], two[both]], axis=1)


def _has_corner(ink: np.ndarray, right: int) -> np.ndarray:
    """Return where a pixel has ink below it, or beside it on one side."""
    corner = np.zeros_like(ink)
    corner[:, :-1] |= ink[:, 1:]
    if right > 0:
        corner[:, :, :-1] |= ink[:, :, 1:]
    else:
        corner[:, :, 1:] |= ink[:, :, :-1]
    return corner


def _smooth(points: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Move points within lines towards their neighbours; ends and crossings stay."""
    count = len(points)
    degree = np.bincount(edges.ravel(), minlength=count)
    moves = degree == 2
    for _ in range(_SMOOTHINGS):
        near = np.zeros_like(points)
        for axis in (0, 1):
            near[:, axis] = np.bincount(edges[:, 0], points[edges[:, 1], axis], count)
            near[:, axis] += np.bincount(edges[:, 1], points[edges[:, 0], axis], count)
        points = np.where(moves[:, None], 0.5 * points + 0.25 * near, points)
    return points


def _upright(points: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Bring each digit's points into its frame: left and head at 0, the usual height 1."""
    filled = counts > 0
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])[filled]
    low = np.minimum.reduceat(points, starts, axis=0)
    return (points - np.repeat(low, counts[filled], axis=0)) / np.float32(_FINE * _BOX - _FINE)

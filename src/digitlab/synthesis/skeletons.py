"""Skeletons of digit images: paths of the pen without its width, to be drawn again by another pen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

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
"""Number of passes that smooth the steps of the pixels out of lines."""
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
    graphs = [_graph(_thin(chunk)) for chunk in _fine_ink(images)]
    points = np.concatenate([graph.points for graph in graphs])
    point_counts = np.concatenate([graph.point_counts for graph in graphs])
    edges = np.concatenate([graph.edges for graph in graphs])
    edge_counts = np.concatenate([graph.edge_counts for graph in graphs])
    first_point = np.concatenate([[0], np.cumsum(point_counts)])
    first_edge = np.concatenate([[0], np.cumsum(edge_counts)])
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
    deletions = np.zeros((2, 256), bool)
    for pattern in range(256):
        ink = [pattern >> bit & 1 for bit in range(8)]
        # One rise from paper to ink round the pixel: its neighbours stay connected without it.
        rises = sum(not ink[i] and ink[(i + 1) % 8] for i in range(8))
        north, east, south, west = ink[0], ink[2], ink[4], ink[6]
        # A pixel with a single neighbour is the end of a line; one with seven or eight is within a stroke.
        if 2 <= sum(ink) <= 6 and rises == 1:
            deletions[0, pattern] = not (north and east and south) and not (east and south and west)
            deletions[1, pattern] = not (north and east and west) and not (north and south and west)
    return deletions


_DELETIONS = _deletions()


def _thin(ink: np.ndarray) -> np.ndarray:
    """Thin ink [n, rows, columns] whose border is paper, in place, until nothing more is deleted."""
    inside = ink[:, 1:-1, 1:-1]
    rows, columns = inside.shape[1:]
    changed = True
    while changed:
        changed = False
        for deletions in _DELETIONS:
            pattern = np.zeros_like(inside)
            for bit, (down, right) in enumerate(_NEIGHBOURS):
                neighbour = ink[:, 1 + down : 1 + down + rows, 1 + right : 1 + right + columns]
                pattern |= neighbour << bit
            deleted = deletions[pattern] & (inside > 0)
            if deleted.any():
                inside[deleted] = 0
                changed = True
    return ink


class _Graph(NamedTuple):
    """Points and edges of the skeletons of a chunk, with their numbers in every image."""

    points: np.ndarray
    point_counts: np.ndarray
    edges: np.ndarray
    edge_counts: np.ndarray


def _graph(skeleton: np.ndarray) -> _Graph:
    """Join the pixels of skeletons, [n, rows, columns], to their neighbours."""
    image, y, x = np.nonzero(skeleton)
    index = np.full(skeleton.shape, -1, np.int32)
    index[image, y, x] = np.arange(len(image))
    ink = skeleton > 0
    pairs = [_pairs(index, 0, 1), _pairs(index, 1, 0)]
    # A diagonal is no edge where two straight ones lead the same way.
    for right in (1, -1):
        without_corners = np.where(_has_corner(ink, right), -1, index)
        pairs.append(_pairs(without_corners, 1, right, index))
    edges = np.concatenate(pairs)
    points = _smooth(np.stack([x, y], axis=1).astype(np.float32), edges)
    point_counts = np.bincount(image, minlength=len(skeleton))
    owner = image[edges[:, 0]]
    edge_counts = np.bincount(owner, minlength=len(skeleton))
    # Edges are sorted by their image, and their indices are counted from the image's first point.
    order = np.argsort(owner, kind="stable")
    first_point = np.concatenate([[0], np.cumsum(point_counts)])
    edges_within = edges[order] - first_point[owner[order]][:, None]
    return _Graph(points, point_counts, edges_within.astype(np.int32), edge_counts)


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
    is_within_line = degree == 2
    one, other = edges.T
    for _ in range(_SMOOTHINGS):
        sum_of_neighbours = np.zeros_like(points)
        for axis in (0, 1):
            sum_of_neighbours[:, axis] = np.bincount(one, points[other, axis], count)
            sum_of_neighbours[:, axis] += np.bincount(other, points[one, axis], count)
        moved = 0.5 * points + 0.25 * sum_of_neighbours
        points = np.where(is_within_line[:, None], moved, points)
    return points


def _upright(points: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Bring each digit's points into its frame: left and head at 0, the usual height 1."""
    # Images without ink are left out, since `reduceat` would give them the next image's point.
    has_points = counts > 0
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])[has_points]
    low = np.minimum.reduceat(points, starts, axis=0)
    from_corner = points - np.repeat(low, counts[has_points], axis=0)
    return from_corner / np.float32(_FINE * _BOX - _FINE)

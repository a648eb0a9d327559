"""Connected components of ink, their boxes and areas."""

# OpenCV's annotations reject scalar arguments, and declare its masks and labels as arrays of floats.
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True, eq=False)
class Components:
    """The n components of ink on a page, pixels being connected over corners, too.

    Attributes:
        labels: label of each pixel, int32 [h, w]: 1 more than the index of its component, 0 on paper.
        boxes: left, top, right and bottom of each component in pixels, int [n, 4]; right and bottom are the
            column and the row after the last.
        areas: number of pixels of each component, int [n].
    """

    labels: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray

    def __len__(self) -> int:
        return len(self.areas)

    @property
    def widths(self) -> np.ndarray:
        """Width of each component in pixels, int [n]."""
        return self.boxes[:, 2] - self.boxes[:, 0]

    @property
    def heights(self) -> np.ndarray:
        """Height of each component in pixels, int [n]."""
        return self.boxes[:, 3] - self.boxes[:, 1]

    def cut_off(self, indices: Sequence[int], size: tuple[int, ...]) -> float:
        """Return the share of components that touch an edge of the page, 0..1: the largest of the four edges.

        Args:
            indices: indices of the components to consider, one or more.
            size: the page's size: rows, columns.
        """
        rows, columns = size
        lefts, tops, rights, bottoms = self.boxes[list(indices)].T
        touching = (lefts == 0, tops == 0, rights == columns, bottoms == rows)
        return max(float(np.mean(components)) for components in touching)

    def mask(self, index: int) -> np.ndarray:
        """Return the mask of one component within its box, uint8 [h, w] of 0 and 1."""
        left, top, right, bottom = self.boxes[index].tolist()
        return (self.labels[top:bottom, left:right] == index + 1).view(np.uint8)


def find_components(mask: np.ndarray, smallest: int) -> Components:
    """Find the connected components of a mask.

    Args:
        mask: mask of ink, uint8 [h, w], 0 on paper.
        smallest: number of pixels below which a component is a speck and left out.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    kept = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= smallest)
    kept = kept[kept > 0]  # without the background
    if len(kept) < len(stats) - 1:
        renumbered = np.zeros(len(stats), np.int32)
        renumbered[kept] = np.arange(1, len(kept) + 1)
        labels = renumbered[labels]
    boxes = stats[kept, :4].astype(int)
    boxes[:, 2:] += boxes[:, :2]  # from width and height to right and bottom
    return Components(labels, boxes, stats[kept, cv2.CC_STAT_AREA].astype(int))


def usual_height(components: Components, chosen: np.ndarray | None = None) -> float:
    """Estimate the height of the writing, in pixels: the median of the components' heights, weighted by area.

    Args:
        components: the page's components.
        chosen: mask of the components that count, bool [n]; all if None.

    Returns:
        The height; 0 without components.
    """
    heights, areas = components.heights, components.areas
    if chosen is not None:
        heights, areas = heights[chosen], areas[chosen]
    if not len(heights):
        return 0.0
    order = np.argsort(heights, kind="stable")
    total = np.cumsum(areas[order])
    return float(heights[order][np.searchsorted(total, total[-1] / 2)])

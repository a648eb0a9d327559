"""Connected ink: where each component of it is, and how large."""

# OpenCV's annotations know no scalars among its arguments and take its masks and labels for floats.
# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True, eq=False)
class Components:
    """Components of ink, connected over corners, too; `[n]` are of n components.

    Attributes:
        labels: 1 more than the index of the component of each pixel, 0 on paper, int32 [h, w].
        boxes: left, top, right and bottom, the last two being the column and row after, int [n, 4].
        areas: in pixels, int [n].
    """

    labels: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray

    def __len__(self) -> int:
        return len(self.areas)

    @property
    def widths(self) -> np.ndarray:
        """In pixels, int [n]."""
        return self.boxes[:, 2] - self.boxes[:, 0]

    @property
    def heights(self) -> np.ndarray:
        """In pixels, int [n]."""
        return self.boxes[:, 3] - self.boxes[:, 1]

    def cut_off(self, indices: Sequence[int], size: tuple[int, ...]) -> float:
        """Give the share of components that touch the edge of the page which most of them touch, 0..1.

        Args:
            indices: of the components, one or more.
            size: of the page: rows, columns.
        """
        rows, columns = size
        boxes = self.boxes[list(indices)]
        return max(float(np.mean(boxes[:, side] == end)) for side, end in enumerate((0, 0, columns, rows)))

    def mask(self, index: int) -> np.ndarray:
        """Give the pixels of one component in its box, uint8 [h, w] of 0 and 1."""
        left, top, right, bottom = self.boxes[index].tolist()
        return (self.labels[top:bottom, left:right] == index + 1).view(np.uint8)


def find_components(mask: np.ndarray, smallest: int) -> Components:
    """Take ink apart.

    Args:
        mask: uint8 [h, w], 0 on paper.
        smallest: pixels; what has fewer is a speck and left out.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    kept = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= smallest)
    kept = kept[kept > 0]
    if len(kept) < len(stats) - 1:
        renumbered = np.zeros(len(stats), np.int32)
        renumbered[kept] = np.arange(1, len(kept) + 1)
        labels = renumbered[labels]
    boxes = stats[kept, :4].astype(int)
    boxes[:, 2:] += boxes[:, :2]
    return Components(labels, boxes, stats[kept, cv2.CC_STAT_AREA].astype(int))


def usual_height(components: Components, chosen: np.ndarray | None = None) -> float:
    """Estimate the height of writing, in pixels: the median over the ink of the heights of components.

    Args:
        components: of a page.
        chosen: which of them count, bool [n]; all where it is None.
    """
    heights, areas = components.heights, components.areas
    if chosen is not None:
        heights, areas = heights[chosen], areas[chosen]
    if not len(heights):
        return 0.0
    order = np.argsort(heights, kind="stable")
    total = np.cumsum(areas[order])
    return float(heights[order][np.searchsorted(total, total[-1] / 2)])

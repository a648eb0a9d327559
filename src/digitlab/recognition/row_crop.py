"""Crops of rows from the grey page, straightened, with the mapping back to the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from digitlab.recognition.ink import Ink
from digitlab.recognition.page import Page
from digitlab.recognition.rows import Layout, Row

PALEST = 0.12
"""Share of full ink's contrast: with a floor of ink above it, pale strokes are lost in its noise."""
SHORTEST_PALE = 0.15
"""Length of a pale stroke, at least, in heights of a digit; shorter marks beside ink are its edges."""
MOST_PALE = 3
"""Largest number of pale strokes in a row; more are print."""
MARGIN = 0.18
"""Margin around a row's ink, in heights of the ink, as far as the page reaches."""


@dataclass(frozen=True, eq=False)
class RowCrop:
    """A straightened row.

    Attributes:
        grey: grey picture of the row, uint8 [h, w], in the page's polarity; dark on white if the row has pale
            strokes.
        labels: label of each pixel, int32 [h, w]: 1 more than the index of its component, 0 on paper and on
            other rows' ink.
        contrast: contrast of each pixel to the paper, uint8 [h, w].
        row: the row on the page.
        left: column of the page of the crop's first column.
        rise: row of the page of the top of each of the crop's columns, float [w].
    """

    grey: np.ndarray
    labels: np.ndarray
    contrast: np.ndarray
    row: Row
    left: int
    rise: np.ndarray

    def to_page(self, left: float, top: float, right: float, bottom: float) -> np.ndarray:
        """Map a box of the crop to the page: x and y of its corners, float [4, 2]."""
        columns = np.clip([left, right - 1], 0, len(self.rise) - 1).astype(int)
        left_rise, right_rise = self.rise[columns]
        page_left, page_right = self.left + left, self.left + right
        corners = [
            [page_left, left_rise + top],
            [page_right, right_rise + top],
            [page_right, right_rise + bottom],
            [page_left, left_rise + bottom],
        ]
        return np.array(corners, float)


def crop_row(page: Page, layout: Layout, row: Row, margin: float = MARGIN) -> RowCrop:
    """Crop a row from its page, straightened; ink of other rows that reaches into the crop is painted over.

    Args:
        page: the page.
        layout: the page's layout.
        row: a row of this layout.
        margin: margin around the row's ink, in heights of the ink.
    """
    rows, columns = page.grey.shape
    border = margin * (row.bottom - row.top)
    left, right = max(0, round(row.left - border)), min(columns, round(row.right + border))
    height = max(1, round(row.bottom - row.top + 2 * border))
    rise = row.middle(np.arange(left, right) + 0.5) + row.top - border
    grey, labels, contrast = page.grey, layout.components.labels, page.ink.contrast
    if np.ptp(rise) < 1:
        # The row is level: its pixels are kept as they are.
        top = max(0, round(float(rise[0])))
        bottom = min(rows, round(float(rise[0])) + height)
        window = slice(top, max(bottom, top + 1)), slice(left, right)
        grey, labels, contrast = grey[window], labels[window], contrast[window]
        rise = np.full(right - left, float(top))
    else:
        grey, labels, contrast = _straightened(page, labels, left, rise, height)
    own = _is_in_rows([row], len(layout.components))[labels]
    # Signs, specks and artifacts are not painted over: a frame may be connected to a digit that touches it.
    foreign = ~own & _is_in_rows(layout.rows, len(layout.components))[labels]
    if foreign.any():
        painted = _dilated(foreign, 5) & ~_dilated(own, 3)
        paper = grey[labels == 0]
        paper_level = np.uint8(np.median(paper) if paper.size else 255)
        grey = np.where(painted, paper_level, grey)
        contrast = np.where(painted, np.uint8(0), contrast)
    if has_pale_strokes(contrast, own, page.ink, row.height):
        # All contrast from twice the floor on is black: pale strokes are as dark as the others.
        grey = 255 - np.minimum(contrast * (255 / (2 * page.ink.floor)), 255).astype(np.uint8)
    return RowCrop(np.ascontiguousarray(grey), np.where(own, labels, 0), contrast, row, left, rise)


def has_pale_strokes(contrast: np.ndarray, own: np.ndarray, ink: Ink, height: float) -> bool:
    """Return whether strokes of digits are too pale to be in the mask of ink, as the bar of a 4 may be.

    These are few strokes, no longer than digits are high; print, squares and ruled lines are many or long.

    Args:
        contrast: contrast of the row's crop, uint8 [h, w].
        own: mask of the row's ink, bool [h, w].
        ink: the page's ink.
        height: height of the row's digits, in pixels.
    """
    if not own.any() or ink.floor > PALEST * ink.level:
        return False
    reach = 2 * round(max(2.0, 0.6 * ink.stroke_width)) + 1
    near = cv2.dilate(own.view(np.uint8), np.ones((reach, reach), np.uint8))
    rest = (contrast > ink.floor).view(np.uint8) & (1 - near)
    count, _, stats, _ = cv2.connectedComponentsWithStats(rest, connectivity=8, ltype=cv2.CV_32S)
    sizes = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    lengths = sizes.max(axis=1, initial=0)
    strokes = np.count_nonzero(lengths > SHORTEST_PALE * height)
    are_few = 0 < strokes <= MOST_PALE and count - 1 <= 4 * MOST_PALE
    return bool(are_few and (lengths < 1.5 * height).all())


def _is_in_rows(rows: Sequence[Row], component_count: int) -> np.ndarray:
    """Return which labels belong to components of rows, bool [n + 1]."""
    is_in_rows = np.zeros(component_count + 1, bool)
    for row in rows:
        is_in_rows[np.array(row.members, int) + 1] = True
    return is_in_rows


def _dilated(mask: np.ndarray, side: int) -> np.ndarray:
    return cv2.dilate(mask.view(np.uint8), np.ones((side, side), np.uint8)) > 0


def _straightened(
    page: Page, labels: np.ndarray, left: int, rise: np.ndarray, height: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return grey, labels and contrast of a crop, each column shifted up so that the row is level."""
    columns = left + np.arange(len(rise), dtype=np.float32)
    page_x = np.ascontiguousarray(np.broadcast_to(columns[None], (height, len(rise))))
    page_y = (rise[None] + np.arange(height)[:, None]).astype(np.float32)
    paper = page.grey[labels == 0]
    paper_level = float(np.median(paper)) if paper.size else 255.0

    def straightened(picture: np.ndarray, method: int, outside: float) -> np.ndarray:
        return cv2.remap(picture, page_x, page_y, method, None, cv2.BORDER_CONSTANT, (outside,))

    grey = straightened(page.grey, cv2.INTER_LINEAR, paper_level)
    contrast = straightened(page.ink.contrast, cv2.INTER_LINEAR, 0)
    # As floats, since OpenCV does not remap integers of 32 bits.
    float_labels = straightened(labels.astype(np.float32), cv2.INTER_NEAREST, 0)
    return grey, np.rint(float_labels).astype(np.int32), contrast

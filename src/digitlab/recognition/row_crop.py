"""Crops of rows from the grey page, straightened, with the mapping back to the page."""

from __future__ import annotations

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
        first, last = self.rise[columns]
        one, other = self.left + left, self.left + right
        return np.array(
            [[one, first + top], [other, last + top], [other, last + bottom], [one, first + bottom]], float
        )


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
        top, bottom = max(0, round(float(rise[0]))), min(rows, round(float(rise[0])) + height)
        window = slice(top, max(bottom, top + 1)), slice(left, right)
        grey, labels, contrast = grey[window], labels[window], contrast[window]
        rise = np.full(right - left, float(top))
    else:
        grey, labels, contrast = _warped(page, labels, left, rise, height)
    members = np.zeros(len(layout.components) + 1, bool)
    members[np.array(row.members, int) + 1] = True
    own = members[labels]
    foreign = ~own & _of_rows(layout)[labels]
    if foreign.any():
        near = cv2.dilate(foreign.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
        near &= ~(cv2.dilate(own.view(np.uint8), np.ones((3, 3), np.uint8)) > 0)
        paper = grey[labels == 0]
        grey = np.where(near, np.uint8(np.median(paper) if paper.size else 255), grey)
        contrast = np.where(near, np.uint8(0), contrast)
    if has_pale_strokes(contrast, own, page.ink, row.height):
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
    longest = stats[1:, 2:4].max(axis=1, initial=0)
    strokes = np.count_nonzero(longest > SHORTEST_PALE * height)
    few = 0 < strokes <= MOST_PALE and count - 1 <= 4 * MOST_PALE
    return bool(few and (longest < 1.5 * height).all())


def _of_rows(layout: Layout) -> np.ndarray:
    """Return which labels belong to components of rows, bool [n + 1].

    Signs, specks and artifacts are not painted over: a frame may be connected to a digit that touches it.
    """
    claimed = np.zeros(len(layout.components) + 1, bool)
    for row in layout.rows:
        claimed[np.array(row.members, int) + 1] = True
    return claimed


def _warped(
    page: Page, labels: np.ndarray, left: int, rise: np.ndarray, height: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return grey, labels and contrast of a crop, each column shifted up so that the row is level."""
    across = np.broadcast_to((left + np.arange(len(rise), dtype=np.float32))[None], (height, len(rise)))
    down = (rise[None] + np.arange(height)[:, None]).astype(np.float32)
    across = np.ascontiguousarray(across)
    paper = float(np.median(page.grey[labels == 0])) if (labels == 0).any() else 255.0

    def moved(picture: np.ndarray, method: int, outside: float) -> np.ndarray:
        return cv2.remap(
            picture, across, down, method, borderMode=cv2.BORDER_CONSTANT, borderValue=(outside,)
        )

    own = moved(labels.astype(np.float32), cv2.INTER_NEAREST, 0)
    return (
        moved(page.grey, cv2.INTER_LINEAR, paper),
        np.rint(own).astype(np.int32),
        moved(page.ink.contrast, cv2.INTER_LINEAR, 0),
    )

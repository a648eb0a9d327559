"""A row of writing cut out of the grey page and straightened, with the way back to the page."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from digitlab.recognition.ink import Ink
from digitlab.recognition.page import Page
from digitlab.recognition.rows import Layout, Row

PALEST = 0.12
"""Of the contrast of full ink: where paper is less quiet, paler strokes cannot be told from it."""
SHORTEST_PALE = 0.15
"""Heights of a digit: what is shorter beside its ink is an edge of it."""
MOST_PALE = 3
"""Pieces of pale strokes in a row: more are print."""
MARGIN = 0.18
"""Of the height of a row's ink: the paper around it, where the page has as much."""


@dataclass(frozen=True, eq=False)
class RowCrop:
    """A straightened row.

    Attributes:
        grey: as on the page, of either polarity, uint8 [h, w]; where it has pale strokes, dark on white.
        labels: 1 more than the index of the component of each pixel, 0 on paper and on other rows' ink, int32
            [h, w].
        contrast: of the ink to its paper, uint8 [h, w].
        row: where it is on the page.
        left: the page's column of its first column.
        rise: for each of its columns the page's row of its first row, float [w].
    """

    grey: np.ndarray
    labels: np.ndarray
    contrast: np.ndarray
    row: Row
    left: int
    rise: np.ndarray

    def to_page(self, left: float, top: float, right: float, bottom: float) -> np.ndarray:
        """Give the corners of a box on the page, x and y, float [4, 2]."""
        columns = np.clip([left, right - 1], 0, len(self.rise) - 1).astype(int)
        first, last = self.rise[columns]
        one, other = self.left + left, self.left + right
        return np.array(
            [[one, first + top], [other, last + top], [other, last + bottom], [one, first + bottom]], float
        )


def crop_row(page: Page, layout: Layout, row: Row, margin: float = MARGIN) -> RowCrop:
    """Cut a row out of its page; what of other rows reaches into it is painted over."""
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
    """Whether strokes of digits are so pale that they are no ink of theirs, as the bar of a 4 may be.

    A few strokes that are no longer than digits are; print, squares and ruled lines are many, or long.

    Args:
        contrast: of a row's crop, uint8 [h, w].
        own: its ink, bool [h, w].
        ink: of the page.
        height: of the row's digits, in pixels.
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
    """Which labels are of components in rows.

    Signs, specks and artifacts stay in sight: a frame may hang together with a digit that touches it.
    """
    claimed = np.zeros(len(layout.components) + 1, bool)
    for row in layout.rows:
        claimed[np.array(row.members, int) + 1] = True
    return claimed


def _warped(
    page: Page, labels: np.ndarray, left: int, rise: np.ndarray, height: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Move every column so far up that the row is level."""
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

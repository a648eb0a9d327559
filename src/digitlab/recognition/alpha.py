"""Compositing of pictures with transparent parts on a background on which their ink shows."""

from __future__ import annotations

import cv2
import numpy as np

from digitlab.pictures.decoder import Picture

_EVEN = 48.0  # grey levels: ink of one pen varies by less, ink on its paper by more
_FEW = 6  # pixels: fewer that differ from the sheet are not ink
_FULL = 0.8  # share of the bounding box: a sheet fills more of it, strokes less
_THICK = 0.35  # share of the box's longer side: the widest circle in a sheet; no stroke is as fat


def composite(picture: Picture) -> np.ndarray:
    """Composite a picture on an opaque background.

    The opaque part may be the ink alone, of any grey level: then the opacity itself is returned, as dark ink
    on white. Or it is a sheet with ink on it: then the background has the sheet's own grey level.

    Args:
        picture: the decoded picture; one without an alpha channel is returned as it is.

    Returns:
        Grey picture, uint8 [h, w], 0 black .. 255 white.
    """
    if picture.alpha is None:
        return picture.grey
    opaque = picture.alpha > picture.alpha.max() // 2  # a whole picture may be half transparent
    if not opaque.any() or not _is_sheet(opaque):
        return 255 - picture.alpha
    # Without the edges, whose colours are blended with a former background.
    inner = cv2.erode(opaque.view(np.uint8), np.ones((5, 5), np.uint8)).view(bool)
    levels = picture.grey[inner if inner.any() else opaque]
    sheet_level = int(np.median(levels))
    is_ink = np.abs(levels - float(sheet_level)) >= _EVEN
    if np.count_nonzero(is_ink) < _FEW:
        return 255 - picture.alpha
    background = np.full_like(picture.grey, sheet_level)
    return cv2.add(
        cv2.multiply(picture.grey, picture.alpha, scale=1 / 255),
        cv2.multiply(background, 255 - picture.alpha, scale=1 / 255),
    )


def _is_sheet(opaque: np.ndarray) -> bool:
    """Return whether the opaque part is a sheet: it fills its box, or is fatter than any stroke."""
    left, top, width, height = cv2.boundingRect(opaque.view(np.uint8))
    box = opaque[top : top + height, left : left + width].view(np.uint8)
    if cv2.countNonZero(box) > _FULL * box.size:
        return True
    radius = cv2.distanceTransform(box, cv2.DIST_L2, 3).max()
    return bool(2 * radius > _THICK * max(width, height))

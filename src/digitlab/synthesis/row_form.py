"""Row form: a row of writing as the reader of rows sees it, 32 pixels high and of one of a few widths."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

import cv2
import numpy as np

ROW_HEIGHT = 32
"""Pixels."""
ROW_WIDTHS = (32, 48, 64, 80, 96, 112, 128, 144, 160, 192, 224, *range(256, 4097, 32))
"""Pixels. A reader is compiled for each width that it is trained on, so that there are few."""


def row_form(grey: np.ndarray, stretch: float = 1.0) -> np.ndarray:
    """Scale a picture of one row of writing; polarity, light and paper stay as they are.

    Args:
        grey: the row, uint8 [h, w], 1 pixel or more each way.
        stretch: how much wider than it is.

    Returns:
        uint8 [32, W], W the width of `ROW_WIDTHS` that is nearest in ratio.
    """
    height, width = grey.shape
    return scale_row(grey, nearest_width(ROW_HEIGHT * width / height * stretch))


def scale_row(grey: np.ndarray, width: int) -> np.ndarray:
    """Scale a picture of one row, uint8 [h, w], to a width of its own: uint8 [32, width]."""
    shrinks = grey.shape[0] > ROW_HEIGHT or grey.shape[1] > width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(grey, (width, ROW_HEIGHT), interpolation=method)


def nearest_width(width: float) -> int:
    """Give the width of `ROW_WIDTHS` that is nearest to another in ratio, in pixels."""
    at = bisect_left(ROW_WIDTHS, width)
    if at in (0, len(ROW_WIDTHS)):
        return ROW_WIDTHS[min(at, len(ROW_WIDTHS) - 1)]
    narrower, wider = ROW_WIDTHS[at - 1], ROW_WIDTHS[at]
    return narrower if width * width < narrower * wider else wider


def by_width(forms: Sequence[np.ndarray], read: Callable[[np.ndarray], np.ndarray]) -> list[np.ndarray]:
    """Let a network read rows, those of one width together.

    Args:
        forms: rows in row form, each uint8 [32, W].
        read: from rows of one width, uint8 [n, 32, W], to what they give, [n, ...].

    Returns:
        What each row gave, in the order of the rows.
    """
    places: dict[int, list[int]] = {}
    for i, form in enumerate(forms):
        places.setdefault(form.shape[1], []).append(i)
    given: list[np.ndarray] = [np.empty(0)] * len(forms)
    for same in places.values():
        for i, answer in zip(same, read(np.stack([forms[i] for i in same])), strict=True):
            given[i] = answer
    return given

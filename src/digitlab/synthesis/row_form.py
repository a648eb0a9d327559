"""Row form, the input of row readers: a row of writing, 32 pixels high and of one of a few widths."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

import cv2
import numpy as np

ROW_HEIGHT = 32
"""Height of row form, in pixels."""
ROW_WIDTHS = (32, 48, 64, 80, 96, 112, 128, 144, 160, 192, 224, *range(256, 4097, 32))
"""Widths of row form, in pixels; few, so that rows of one width can be read as a batch."""


def row_form(grey: np.ndarray, stretch: float = 1.0) -> np.ndarray:
    """Scale a picture of one row of writing to row form; polarity, light and paper stay as they are.

    Args:
        grey: grey picture of the row, uint8 [h, w], 1 pixel or more each way.
        stretch: factor by which the row is widened.

    Returns:
        Row form, uint8 [32, W]; W is the width of `ROW_WIDTHS` that is nearest in ratio.
    """
    height, width = grey.shape
    return scale_row(grey, nearest_width(ROW_HEIGHT * width / height * stretch))


def scale_row(grey: np.ndarray, width: int) -> np.ndarray:
    """Scale a picture of one row, uint8 [h, w], to a given width: uint8 [32, width]."""
    shrinks = grey.shape[0] > ROW_HEIGHT or grey.shape[1] > width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(grey, (width, ROW_HEIGHT), interpolation=method)


def nearest_width(width: float) -> int:
    """Return the width of `ROW_WIDTHS` that is nearest in ratio to a width in pixels."""
    i = bisect_left(ROW_WIDTHS, width)
    if i == 0:
        return ROW_WIDTHS[0]
    if i == len(ROW_WIDTHS):
        return ROW_WIDTHS[-1]
    narrower, wider = ROW_WIDTHS[i - 1], ROW_WIDTHS[i]
    # Nearest in ratio: on the near side of their geometric mean.
    return narrower if width * width < narrower * wider else wider


def by_width(forms: Sequence[np.ndarray], read: Callable[[np.ndarray], np.ndarray]) -> list[np.ndarray]:
    """Run a network on rows, those of one width as one batch.

    Args:
        forms: rows in row form, each uint8 [32, W].
        read: network, a function of rows of one width, uint8 [n, 32, W], that returns [n, ...].

    Returns:
        Output of each row, in the order of the rows.
    """
    indices_by_width: dict[int, list[int]] = {}
    for i, form in enumerate(forms):
        indices_by_width.setdefault(form.shape[1], []).append(i)
    outputs: list[np.ndarray] = [np.empty(0)] * len(forms)
    for indices in indices_by_width.values():
        batch = np.stack([forms[i] for i in indices])
        for i, output in zip(indices, read(batch), strict=True):
            outputs[i] = output
    return outputs

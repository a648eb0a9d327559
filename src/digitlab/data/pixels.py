"""The range of pixels: 0 is paper, 255 is full ink, and what is of another range is not taken for it."""

from __future__ import annotations

import numpy as np

BRIGHTEST = 255
"""Full ink in MNIST form."""

_UNIT_PEAK = 2  # scaling a picture of 0..1 with a cubic kernel takes it somewhat above 1


def of_unit_range(peaks: np.ndarray) -> np.ndarray:
    """Say which images are of 0..1, as those are that were divided by 255.

    To a network that takes 0..255 their ink is next to nothing, and it answers all the same. An image that is
    all zero is blank in either range.

    Args:
        peaks: the largest value of each image, of any type [n].

    Returns:
        bool [n].
    """
    return (peaks > 0) & (peaks < _UNIT_PEAK)


def range_problem(images: np.ndarray) -> str:
    """Say what is wrong with the range of some images.

    Args:
        images: uint8 or float32 [n, 28, 28]; n may be 0.

    Returns:
        What was expected, what was received and what to do; empty where each is of 0..255 or blank.
    """
    if not images.size:
        return ""
    peaks = images.reshape(len(images), -1).max(axis=1)
    # Of a value that is no number, both comparisons are false.
    if images.dtype != np.uint8 and not (images.min() >= 0 and peaks.max() <= BRIGHTEST):
        return "expected values in 0..255, 255 for ink, received others"
    small = of_unit_range(peaks)
    if not small.any():
        return ""
    which = f"image {int(small.argmax()) + 1} of {len(images)} has" if len(images) > 1 else "the image has"
    return f"expected values in 0..255, 255 for ink; {which} none of 2 or more: multiply by 255"

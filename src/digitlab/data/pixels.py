"""The range of pixels: 0 is paper, 255 is full ink; images of another range are detected."""

from __future__ import annotations

import numpy as np

BRIGHTEST = 255
"""Value of full ink in MNIST form."""

_UNIT_PEAK = 2  # scaling a picture of 0..1 with a cubic kernel takes it somewhat above 1


def of_unit_range(peaks: np.ndarray) -> np.ndarray:
    """Return which images are in 0..1, as if divided by 255.

    A network that expects 0..255 sees almost no ink in them, but returns probabilities all the same. An image
    that is all zero is blank in either range.

    Args:
        peaks: largest value of each image, any numeric type [n].

    Returns:
        Mask of the images in 0..1, bool [n].
    """
    return (peaks > 0) & (peaks < _UNIT_PEAK)


def range_problem(images: np.ndarray) -> str:
    """Return a message on images of a wrong range.

    Args:
        images: images, uint8 or float32 [n, 28, 28]; n may be 0.

    Returns:
        Message with what was expected, what was received and what to do; empty if each image is in 0..255 or
        blank.
    """
    if not images.size:
        return ""
    peaks = images.reshape(len(images), -1).max(axis=1)
    # Written so that NaN, for which both comparisons are false, is refused.
    if images.dtype != np.uint8 and not (images.min() >= 0 and peaks.max() <= BRIGHTEST):
        return "expected values in 0..255, 255 for ink, received others"
    small = of_unit_range(peaks)
    if not small.any():
        return ""
    which = "the image has"
    if len(images) > 1:
        which = f"image {int(small.argmax()) + 1} of {len(images)} has"
    return f"expected values in 0..255, 255 for ink; {which} none of 2 or more: multiply by 255"

"""Conversion of one piece of ink to the form of MNIST's digits."""

from __future__ import annotations

import cv2
import numpy as np

from digitlab.recognition.strokes import stroke_width

SIDE = 28
"""Side of a picture in MNIST form, in pixels."""
BOX = 20
"""Longer side of the digit in it, in pixels."""

_MIDDLE = 14.0  # index of the pixel on which MNIST's digits have their centre of mass
_FINE = 6  # pixels of the finer picture to one of MNIST's
_NARROWEST, _WIDEST = 1.8, 3.6  # pixels: stroke widths between which strokes keep theirs
_FINEST_OF_MNIST, _BROADEST_OF_MNIST = 1.0, 6.0  # pixels: stroke widths that occur in MNIST
_SEEN = 32  # of 255: paler pixels do not count for the bounding box


def to_mnist_form(intensity: np.ndarray) -> np.ndarray:
    """Convert a piece of ink to MNIST form.

    Args:
        intensity: intensity of the ink of one digit alone, uint8 [h, w], 0 none .. 255 full.

    Returns:
        Picture of the digit, uint8 [28, 28], white ink on black: the digit's longer side has 20 pixels, and
        its centre of mass is in the middle.
    """
    digit = _crop(intensity)
    # A digit that is in MNIST form already keeps its pixels.
    has_size = max(digit.shape) == BOX
    if has_size and _FINEST_OF_MNIST <= _soft_width(digit) <= _BROADEST_OF_MNIST:
        return _centre(digit, by_pixels=True)
    return _centre(_fit(digit), by_pixels=False)


def _crop(intensity: np.ndarray) -> np.ndarray:
    threshold = min(_SEEN, int(intensity.max()) // 2)
    _, seen = cv2.threshold(intensity, threshold, 1, cv2.THRESH_BINARY)
    left, top, width, height = cv2.boundingRect(seen)
    return intensity[top : top + height, left : left + width]


def _soft_width(digit: np.ndarray) -> float:
    _, mask = cv2.threshold(digit, 127, 1, cv2.THRESH_BINARY)
    return stroke_width(mask)


def _fit(digit: np.ndarray) -> np.ndarray:
    """Resize to the box by way of a finer picture, in which strokes are brought to MNIST's width."""
    fine = _to_fine(digit)
    _, solid = cv2.threshold(fine, int(fine.max()) // 2, 1, cv2.THRESH_BINARY)
    width = stroke_width(solid) / _FINE
    target_width = min(max(width, _NARROWEST), _WIDEST)
    change = (target_width - width) / 2 * _FINE  # of the outline, outwards, in fine pixels
    inside = cv2.distanceTransform(solid, cv2.DIST_L2, 5)
    change = max(change, _NARROWEST / 2 * _FINE - inside.max())  # of ragged ink, too, something is left
    outside = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    # The signed distance from the new outline, which is a soft edge one pixel wide.
    shape = np.clip((inside - outside + change) * 255 + 127, 0, 255).astype(np.uint8)
    shape = _crop(shape)
    return _resize(shape, BOX / max(shape.shape))


def _to_fine(digit: np.ndarray) -> np.ndarray:
    """Resize to the finer picture, with a margin for strokes that become wider."""
    ratio = _FINE * BOX / max(digit.shape)
    if ratio < 1:
        # Strokes under 1.5 fine pixels would fade when they are scaled down: they are made wider before.
        missing_width = 1.5 / ratio - _soft_width(digit)
        if missing_width > 0:
            size = round(missing_width) | 1
            digit = _with_margin(digit, size)
            digit = cv2.dilate(digit, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    return _with_margin(_resize(digit, ratio), 2 * _FINE)


def _with_margin(image: np.ndarray, margin: int) -> np.ndarray:
    return cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)


def _resize(image: np.ndarray, ratio: float) -> np.ndarray:
    height, width = image.shape
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC)


def _centre(digit: np.ndarray, by_pixels: bool) -> np.ndarray:
    """Move the centre of mass to the middle; by whole pixels, as MNIST's was, if nothing was resized."""
    # Taken of the uint8 array: OpenCV takes a float32 array of two columns, as of a 1, for a list of points.
    moments = cv2.moments(digit)
    mass = moments["m00"] or 1.0
    right = _MIDDLE - moments["m10"] / mass
    down = _MIDDLE - moments["m01"] / mass
    if by_pixels:
        right, down = round(right), round(down)
    translation = np.array([[1, 0, right], [0, 1, down]], np.float32)
    moved = cv2.warpAffine(digit.astype(np.float32), translation, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    return np.rint(moved).astype(np.uint8)

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
_USUAL = 1.0, 6.0  # pixels: stroke widths that occur in MNIST
_SEEN = 32  # of 255: paler pixels do not count for the bounding box


def to_mnist_form(strength: np.ndarray) -> np.ndarray:
    """Convert a piece of ink to MNIST form.

    Args:
        strength: intensity of the ink of one digit alone, uint8 [h, w], 0 none .. 255 full.

    Returns:
        Picture of the digit, uint8 [28, 28], white ink on black: the digit's longer side has 20 pixels, and
        its centre of mass is in the middle.
    """
    piece = _crop(strength)
    if max(piece.shape) == BOX and _USUAL[0] <= _soft_width(piece) <= _USUAL[1]:
        return _centre(piece, by_pixels=True)
    return _centre(_fit(piece), by_pixels=False)


def _crop(strength: np.ndarray) -> np.ndarray:
    seen = min(_SEEN, int(strength.max()) // 2)
    left, top, width, height = cv2.boundingRect(cv2.threshold(strength, seen, 1, cv2.THRESH_BINARY)[1])
    return strength[top : top + height, left : left + width]


def _soft_width(piece: np.ndarray) -> float:
    return stroke_width(cv2.threshold(piece, 127, 1, cv2.THRESH_BINARY)[1])


def _fit(piece: np.ndarray) -> np.ndarray:
    """Resize to the box by way of a finer picture, in which strokes are brought to MNIST's width."""
    fine = _to_fine(piece)
    solid = cv2.threshold(fine, int(fine.max()) // 2, 1, cv2.THRESH_BINARY)[1]
    width = stroke_width(solid) / _FINE
    change = (min(max(width, _NARROWEST), _WIDEST) - width) / 2 * _FINE
    inside = cv2.distanceTransform(solid, cv2.DIST_L2, 5)
    change = max(change, _NARROWEST / 2 * _FINE - inside.max())  # of ragged ink, too, something is left
    outside = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    shape = np.clip((inside - outside + change) * 255 + 127, 0, 255).astype(np.uint8)
    shape = _crop(shape)
    return _resize(shape, BOX / max(shape.shape))


def _to_fine(piece: np.ndarray) -> np.ndarray:
    ratio = _FINE * BOX / max(piece.shape)
    if ratio < 1:
        thin = 1.5 / ratio - _soft_width(piece)
        if thin > 0:
            grow = round(thin) | 1
            piece = cv2.copyMakeBorder(piece, grow, grow, grow, grow, cv2.BORDER_CONSTANT, value=0)
            piece = cv2.dilate(piece, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (grow, grow)))
    room = 2 * _FINE
    return cv2.copyMakeBorder(_resize(piece, ratio), room, room, room, room, cv2.BORDER_CONSTANT, value=0)


def _resize(image: np.ndarray, ratio: float) -> np.ndarray:
    height, width = image.shape
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC)


def _centre(piece: np.ndarray, by_pixels: bool) -> np.ndarray:
    """Move the centre of mass to the middle; by whole pixels, as MNIST's was, if nothing was resized."""
    # Taken of the uint8 array: OpenCV takes a float32 array of two columns, as of a 1, for a list of points.
    moments = cv2.moments(piece)
    mass = moments["m00"] or 1.0
    right, down = _MIDDLE - moments["m10"] / mass, _MIDDLE - moments["m01"] / mass
    if by_pixels:
        right, down = round(right), round(down)
    move = np.array([[1, 0, right], [0, 1, down]], np.float32)
    warped = cv2.warpAffine(piece.astype(np.float32), move, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    return np.rint(warped).astype(np.uint8)

"""Accepted sources of pictures: files, bytes, arrays."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from digitlab.errors import ImageError
from digitlab.pictures.decoder import MAX_PIXELS, MAX_SIDE, Picture, decode_pages

Source = Path | str | bytes | np.ndarray | Picture | tuple[Picture, ...]
"""A file's path or bytes; an array uint8 [h, w], [h, w, 3] (RGB) or [h, w, 4] (RGBA); or a result of
`decode_image` or `decode_pages`."""

_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


def source_pages(image: Source) -> tuple[Picture, ...]:
    """Decode all pages of a picture, at least one, from any accepted source.

    Raises:
        ImageError: the source is not a readable picture.
    """
    if isinstance(image, Picture):
        return (image,)
    if isinstance(image, tuple):
        return image
    if isinstance(image, np.ndarray):
        return (_from_array(image),)
    return decode_pages(image if isinstance(image, bytes) else os.fspath(image))


def _from_array(pixels: np.ndarray) -> Picture:
    is_grey = pixels.ndim == 2
    is_colour = pixels.ndim == 3 and pixels.shape[2] in (3, 4)
    if pixels.dtype != np.uint8 or not (is_grey or is_colour):
        raise ImageError(
            "expected an array uint8 [h, w], [h, w, 3] or [h, w, 4], "
            f"received {pixels.dtype} {list(pixels.shape)}: {_conversion(pixels)}"
        )
    height, width = pixels.shape[:2]
    if not height or not width or height * width > MAX_PIXELS or max(height, width) > MAX_SIDE:
        raise ImageError(
            f"expected 1 to {MAX_PIXELS:,} pixels and at most {MAX_SIDE:,} a side, "
            f"received {width:,} x {height:,}: scale it down"
        )
    # Copies, since a picture's arrays are made read-only.
    if is_grey:
        return Picture(pixels.copy(), None, "array")
    rgb = pixels[..., :3]
    grey = np.rint(rgb @ _LUMINANCE).astype(np.uint8)
    has_clear_pixels = pixels.shape[2] == 4 and pixels[..., 3].min() < 255
    alpha = pixels[..., 3].copy() if has_clear_pixels else None
    return Picture(grey, alpha, "array", colour=rgb.copy())


def _conversion(pixels: np.ndarray) -> str:
    """Name a conversion of an array to uint8; a plain one would turn nearly all values of 0..1 into 0."""
    if pixels.dtype == bool:
        return "pass 255 * pixels.astype(numpy.uint8)"
    if pixels.dtype.kind == "f" and pixels.size and pixels.max() <= 1:
        return "pass (255 * pixels).round().astype(numpy.uint8)"
    return "convert it to uint8 in 0..255"

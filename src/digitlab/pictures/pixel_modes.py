"""Luminance and opacity of a decoded picture, in whatever mode Pillow holds it."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, TiffImagePlugin

from digitlab.errors import ImageError

MOST_COLOUR_PIXELS = 2_000_000
"""Largest number of colour pixels that are kept: no more are used, and a photograph's take long to copy."""

# Factors by which Pillow scales the samples of a PNG file, but not its transparent value, by raw mode.
_SPREAD = {"L;2": 85, "L;4": 17, "RGB;16B": 1 / 256}
_CUSTOMARY_MAXIMA = (1, 2**8 - 1, 2**16 - 1, 2**31 - 1, 2**32 - 1)  # of floats, bytes, and longer integers


def grey_and_alpha(image: Image.Image, raw_mode: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Turn a picture into grey and alpha.

    Args:
        image: picture decoded by Pillow.
        raw_mode: layout of the samples in the file, in Pillow's terms: `I;12` is 12 bits, `I;32N` unsigned 32
            bits.

    Returns:
        Luminance, uint8 [h, w], 0 black .. 255 white; and opacity, uint8 [h, w], 0 clear .. 255 opaque, or
        None when every pixel is opaque.

    Raises:
        ImageError: a pixel is NaN or infinite.
    """
    if image.mode.startswith(("I", "F")):
        grey = _deep_grey(image, raw_mode)
        alpha = _declared_alpha(image, raw_mode)
    elif image.mode in ("1", "L", "RGB"):
        grey = np.asarray(image.convert("L"))
        alpha = _declared_alpha(image, raw_mode)
    elif image.mode == "LAB":
        grey = np.asarray(image.getchannel("L"))
        alpha = None
    elif image.mode == "P":
        indices = np.asarray(image)
        grey_by_index, alpha_by_index = _palette(image)
        grey, alpha = grey_by_index[indices], alpha_by_index[indices]
    else:
        if image.mode == "PA":
            image = image.convert("RGBA")
        elif image.mode == "La":  # premultiplied by the opacity
            image = image.convert("LA")
        grey = np.asarray(image.convert("L"))
        alpha = np.asarray(image.getchannel("A")) if "A" in image.getbands() else None
    if alpha is not None and alpha.min() == 255:
        alpha = None
    return grey, alpha


def colour_of(image: Image.Image) -> np.ndarray | None:
    """Return the colour of a picture, reduced if the picture is large.

    Returns:
        RGB, uint8 [h / n, w / n, 3], with n = 1 up to 2 megapixels; None if the picture has no colour.
    """
    if image.mode in ("1", "L", "LA", "La", "LAB") or image.mode.startswith(("I", "F")):
        return None
    if image.mode in ("P", "PA") and not _has_colour(image):
        return None
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    factor = math.ceil(math.sqrt(image.width * image.height / MOST_COLOUR_PIXELS))
    if factor > 1:
        rgb = rgb.reduce(factor)
    return np.asarray(rgb)


def _has_colour(image: Image.Image) -> bool:
    """Return whether a palette has any entry that is not grey."""
    colours = np.asarray(image.getpalette() or [], np.uint8).reshape(-1, 3)
    return bool((colours != colours[:, :1]).any())


def _palette(image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Return luminance and opacity by index, uint8 [256] each: cheaper than converting every pixel."""
    # A picture with the same palette, in which each index occurs once.
    ramp = image.crop((0, 0, 256, 1))
    ramp.frombytes(bytes(range(256)))
    colors = ramp.convert("RGBA")
    return np.asarray(colors.convert("L"))[0], np.asarray(colors.getchannel("A"))[0]


def _declared_alpha(image: Image.Image, raw_mode: str) -> np.ndarray | None:
    """Return the opacity of a picture in which one grey or one colour is declared transparent."""
    transparent = image.info.get("transparency")
    if transparent is None:
        return None
    samples = np.asarray(image.convert("L") if image.mode == "1" else image)  # [h, w] or [h, w, 3]
    is_clear = samples == np.floor(np.multiply(transparent, _SPREAD.get(raw_mode, 1)))
    if is_clear.ndim == 3:
        is_clear = is_clear.all(axis=-1)
    return np.where(is_clear, 0, 255).astype(np.uint8)


def _deep_grey(image: Image.Image, raw_mode: str) -> np.ndarray:
    """Return samples of more than 8 bits, scaled so that white is 255."""
    samples = np.asarray(image)
    if samples.dtype.kind == "u":
        white = 2**12 - 1 if raw_mode == "I;12" else 2**16 - 1
        # By a table of all samples, which takes less than scaling every pixel.
        shares = np.minimum(np.arange(2**16) / white, 1)
        grey_by_sample = np.rint(shares * 255).astype(np.uint8)
        grey = grey_by_sample[samples]
    else:
        if raw_mode == "I;32N":
            samples = samples.view(np.uint32)
        grey = _by_range(samples.astype(np.float64))
    # Pillow inverts greys whose white is zero only up to 8 bits.
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        white_is_zero = image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 0) == 0
        if white_is_zero:
            return 255 - grey
    return grey


def _by_range(values: np.ndarray) -> np.ndarray:
    """Scale 32-bit integers and floats, whose files do not define white.

    White is the smallest customary maximum that no value exceeds; if some are negative, the largest value.
    """
    low, high = values.min(), values.max()
    if not np.isfinite((low, high)).all():
        raise ImageError("the TIFF file holds pixels that are no numbers")
    if low < 0:
        span = high - low or 1  # 1 for a picture of one value
        return np.rint((values - low) * (255 / span)).astype(np.uint8)
    white = next((maximum for maximum in _CUSTOMARY_MAXIMA if high <= maximum), high)
    return np.rint(values * (255 / white)).astype(np.uint8)

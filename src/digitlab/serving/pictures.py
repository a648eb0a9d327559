"""Encoding of images and arrays for JSON: PNG files as data URLs, and raw bytes in base64."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

PNG_URL = "data:image/png;base64,"
"""Prefix of the data URL of a PNG file."""


def data_url(png: bytes) -> str:
    """Encode a PNG file as a data URL."""
    return PNG_URL + base64.b64encode(png).decode("ascii")


def raw(values: np.ndarray) -> str:
    """Encode bytes in base64, row by row.

    Args:
        values: whole numbers in 0..255, of any shape and dtype.
    """
    return base64.b64encode(values.astype(np.uint8).tobytes()).decode("ascii")


def scaled(values: np.ndarray) -> dict[str, Any]:
    """Encode real numbers as bytes, from the lowest (0) to the highest (255).

    Args:
        values: float, of any shape, not empty.

    Returns:
        `maps`, the bytes in base64; `low` and `high`, the values that 0 and 255 stand for.
    """
    low, high = float(values.min()), float(values.max())
    spread = (high - low) or 1.0
    return {"maps": raw(np.rint((values - low) * (255 / spread))), "low": low, "high": high}

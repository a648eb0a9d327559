"""Arrays as they stand in JSON: PNG files as data URLs, and raw bytes in base 64."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

PNG_URL = "data:image/png;base64,"
"""What the data URL of a PNG file begins with."""


def data_url(png: bytes) -> str:
    """Write a PNG file as a data URL."""
    return PNG_URL + base64.b64encode(png).decode("ascii")


def raw(values: np.ndarray) -> str:
    """Write bytes, row by row, in base 64.

    Args:
        values: uint8, of any shape.
    """
    return base64.b64encode(values.astype(np.uint8).tobytes()).decode("ascii")


def scaled(values: np.ndarray) -> dict[str, Any]:
    """Write real numbers as bytes from the lowest (0) to the highest (255).

    Args:
        values: float, of any shape, at least one.

    Returns:
        `maps`, the bytes in base 64; `low` and `high`, what 0 and 255 stand for.
    """
    low, high = float(values.min()), float(values.max())
    spread = (high - low) or 1.0
    return {"maps": raw(np.rint((values - low) * (255 / spread))), "low": low, "high": high}

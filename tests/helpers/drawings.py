"""Pictures of real digits as files, as a page would send them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digitlab.recognition.explain import encode_png
from real_digits import read_mnist

SCALE = 6


def drawing(indices: Sequence[int]) -> bytes:
    """A PNG file with test digits side by side, black on white and enlarged."""
    digits = read_mnist().x_test[list(indices)]
    row = np.concatenate([np.pad(digit, 8) for digit in digits], axis=1)
    return encode_png(255 - np.kron(row, np.ones((SCALE, SCALE), np.uint8)))


def blank() -> bytes:
    """A PNG file of white paper."""
    return encode_png(np.full((200, 300), 255, np.uint8))

"""Letters drawn from handwriting fonts: what is no digit, and must not be read as one."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LETTERS = string.ascii_letters
LOOKALIKES = "BDGIOQSZbgiloqsz"
"""Letters that alone on a page a person takes for digits, too: 8 0 6 1 0 0 5 2 6 9 1 1 0 9 5 2."""
UNLIKE_DIGITS = "".join(letter for letter in LETTERS if letter not in LOOKALIKES)
"""Letters that a person does not take for digits."""
SIZES = (48, 96, 180)
"""Of the font, in pixels."""


def drawn(font: Path, characters: Sequence[str], seed: int = 0) -> Iterator[tuple[str, np.ndarray]]:
    """Draw each character in every size, as black ink on white or as white on black.

    Args:
        font: a TrueType or OpenType file.
        characters: characters to draw, which the font has.
        seed: seed of position and polarity.

    Returns:
        The character and its picture, uint8 [h, w].
    """
    chance = np.random.default_rng(seed)
    for size in SIZES:
        face = ImageFont.truetype(str(font), size)
        for character in characters:
            picture = Image.new("L", (3 * size, 3 * size), 255)
            left, top = chance.uniform(0.5, 1.2, 2) * size
            ink = int(chance.integers(0, 60))
            ImageDraw.Draw(picture).text((left, top), character, font=face, fill=ink)
            pixels = np.asarray(picture)
            is_inverted = chance.random() < 0.5
            yield character, 255 - pixels if is_inverted else pixels

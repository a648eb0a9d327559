"""Pictures that are hard to read, by kind, drawn by ourselves: `kind(name, seed, count)`.

A kind is what goes wrong with a reader of digits: ink at the edge, strokes that look like ruled lines, two
inks, a shape that it does not know. Beside a kind stands its `twin`, which is easy. Kinds whose right answer
is empty are no numbers, and must be rejected.
"""

from __future__ import annotations

import zlib

import numpy as np
from hard_digits import DIGITS
from hard_numbers import NUMBERS
from hard_pages import PAGES
from pen import Maker

KINDS: dict[str, Maker] = {**DIGITS, **NUMBERS, **PAGES}


def kind(name: str, seed: int, count: int) -> list[tuple[np.ndarray | bytes, str]]:
    """Draw pictures of one kind.

    Args:
        name: name of a kind, from `KINDS`.
        seed: 0 or more; the same name, seed and count give the same pictures, and a larger count more.
        count: number of pictures.

    Returns:
        Pictures, uint8 [h, w] or [h, w, 3] or a file's bytes, and the right answer of each: as `Reading.text`
        gives it, and empty where the picture must be rejected.
    """
    key = zlib.crc32(name.encode())
    return [KINDS[name](np.random.default_rng((seed, key, index))) for index in range(count)]

"""Images for fitting rejection, besides the validation part: drawn once, then kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from digitlab.errors import OutputError
from digitlab.files import whole_file
from digitlab.synthesis.fingerprint import synthesis_fingerprint
from digitlab.synthesis.moved import move_digits
from digitlab.synthesis.other_ink import draw_lookalikes, draw_other_ink
from digitlab.synthesis.strokes import draw_digits
from digitlab.workspace import cache_folder

DRAWN, OTHERS, LOOKALIKES = 10_000, 15_000, 640
"""Number of drawn digits, and approximate numbers of non-digits and of letters that resemble digits."""
SEED = 0
KEPT_FILES = 4
"""Number of sets that are kept, those used last; one takes about 5 MB."""


class RejectionImages(NamedTuple):
    """Images of digits and non-digits, to be distinguished by a network.

    Attributes:
        drawn: digits drawn in styles that are rare in MNIST, uint8 [10,000, 28, 28].
        moved: the given digits moved, turned, slanted and written with another pen, uint8 [n, 28, 28].
        others: non-digits (letters, scribbles, parts of digits ...), uint8 [m, 28, 28]; m is about 15,600.
        weights: weight of each non-digit, float64 [m], 1 in all.
    """

    drawn: np.ndarray
    moved: np.ndarray
    others: np.ndarray
    weights: np.ndarray


def rejection_images(digits: np.ndarray, labels: np.ndarray) -> RejectionImages:
    """Return the images, from the cache if they were drawn before.

    Args:
        digits: digits from which some of the non-digits are made, uint8 [n, 28, 28].
        labels: labels of the digits, uint8 [n], 0..9.

    Returns:
        The same images for the same digits and labels, cached or not. A cache that cannot be written is no
        error, and images are drawn again if the cached file cannot be read.
    """
    folder = cache_folder()
    if folder is None:
        return _draw(digits, labels)
    path = folder / f"rejection-{_key(digits, labels)}.npz"
    kept = _read(path, len(digits))
    if kept is not None:
        return kept
    images = _draw(digits, labels)
    _keep(path, images)
    return images


def _draw(digits: np.ndarray, labels: np.ndarray) -> RejectionImages:
    drawn, _ = draw_digits(DRAWN, SEED)
    others, weights = draw_other_ink(digits, labels, OTHERS, SEED)
    letters = draw_lookalikes(LOOKALIKES, SEED)
    # Non-digits begin with letters: one that resembles a digit weighs as much as another letter.
    weights = np.concatenate([weights, np.full(len(letters), weights[0])])
    return RejectionImages(
        drawn=drawn,
        moved=move_digits(digits, SEED),
        others=np.concatenate([others, letters]),
        weights=weights / weights.sum(),
    )


def _key(digits: np.ndarray, labels: np.ndarray) -> str:
    """Return a hash of everything that decides the images."""
    settings = f"{synthesis_fingerprint()} {DRAWN} {OTHERS} {LOOKALIKES} {SEED}"
    digest = hashlib.sha256(settings.encode())
    digest.update(digits.tobytes())
    digest.update(labels.tobytes())
    return digest.hexdigest()[:16]


def _read(path: Path, digits: int) -> RejectionImages | None:
    """Return the cached images; None if there are none, or if the file is damaged in any way.

    Args:
        path: file in the cache.
        digits: number of the given digits.
    """
    try:
        with path.open("rb") as file:
            kept = np.load(file, allow_pickle=False)
            images = RejectionImages(*(np.asarray(kept[name]) for name in RejectionImages._fields))
    except Exception:  # a damaged file raises errors of NumPy, zipfile and zlib alike
        return None
    others = len(images.weights)
    shapes = [(DRAWN, 28, 28), (digits, 28, 28), (others, 28, 28), (others,)]
    if [array.shape for array in images] != shapes or not others:
        return None
    if [array.dtype for array in images] != [np.uint8, np.uint8, np.uint8, np.float64]:
        return None
    with suppress(OSError):
        os.utime(path)  # the sets that are used are not the ones to remove
    return images


def _keep(path: Path, images: RejectionImages) -> None:
    """Write the images to the cache, and remove the sets that were not used for longest."""
    with suppress(OutputError), whole_file(path) as draft, draft.open("wb") as file:
        np.savez_compressed(file, **images._asdict())
    with suppress(OSError):
        newest_first = sorted(path.parent.glob("rejection-*.npz"), key=lambda file: -file.stat().st_mtime)
        for old in newest_first[KEPT_FILES:]:
            old.unlink()

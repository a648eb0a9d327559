"""Images for fitting rejection, besides the validation part: drawn once, then kept in the user's cache."""

from __future__ import annotations

import hashlib
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from digitlab.errors import OutputError
from digitlab.files import cache_folder, whole_file
from digitlab.spec.trial import SYNTHESIS_VERSION
from digitlab.synthesis.other_ink import draw_other_ink
from digitlab.synthesis.strokes import draw_digits

DRAWN, OTHERS = 10_000, 15_000
"""Number of drawn digits, and approximate number of non-digits."""
SEED = 0
KEPT_FILES = 4
"""Number of the newest sets that are kept; one takes about 5 MB."""


class RejectionImages(NamedTuple):
    """Images of digits and non-digits, to be distinguished by a network.

    Attributes:
        drawn: digits drawn in styles that are rare in MNIST, uint8 [10,000, 28, 28].
        others: non-digits (letters, scribbles, parts of digits ...), uint8 [m, 28, 28]; m is about 15,000.
        weights: weight of each non-digit, float64 [m], 1 in all.
    """

    drawn: np.ndarray
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
    path = _path(digits, labels)
    kept = _read(path)
    if kept is not None:
        return kept
    drawn, _ = draw_digits(DRAWN, SEED)
    images = RejectionImages(drawn, *draw_other_ink(digits, labels, OTHERS, SEED))
    with suppress(OutputError):
        with whole_file(path) as draft, draft.open("wb") as file:
            np.savez_compressed(file, **images._asdict())
        _remove_old(path.parent)
    return images


def _path(digits: np.ndarray, labels: np.ndarray) -> Path:
    """Return the path of the cached file, named by a hash of everything that decides its content."""
    known = hashlib.sha256(f"{SYNTHESIS_VERSION} {DRAWN} {OTHERS} {SEED} ".encode())
    known.update(digits.tobytes())
    known.update(labels.tobytes())
    return cache_folder() / f"rejection-{known.hexdigest()[:16]}.npz"


def _read(path: Path) -> RejectionImages | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            images = RejectionImages(**{name: kept[name] for name in RejectionImages._fields})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    shapes = images.drawn.shape, images.others.shape[1:], images.weights.shape
    expected = (DRAWN, 28, 28), (28, 28), images.others.shape[:1]
    return images if shapes == expected else None


def _remove_old(folder: Path) -> None:
    """Remove all but the newest sets: each version of the synthesis and each data set has its own."""
    with suppress(OSError):
        newest_first = sorted(folder.glob("rejection-*.npz"), key=lambda path: -path.stat().st_mtime)
        for path in newest_first[KEPT_FILES:]:
            path.unlink()

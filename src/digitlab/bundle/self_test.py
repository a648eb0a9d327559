"""What a network must answer before it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from digitlab.errors import BundleError
from digitlab.spec.recipe import CLASSES, IMAGE_SIDE

TOLERANCE = 1e-3
"""Between the probabilities of two processors; a damaged network is off by far more."""


def test_pictures() -> np.ndarray:
    """Draw the pictures of the self-test in whole numbers, so that they are the same everywhere.

    Returns:
        uint8 [4, 28, 28]: a bar, a ring, a slope of grey, and nothing.
    """
    rows, columns = np.mgrid[:IMAGE_SIDE, :IMAGE_SIDE]
    bar = 255 * ((abs(columns - 14) < 2) & (abs(rows - 14) < 10))
    squared_radius = (2 * rows - 27) ** 2 + (2 * columns - 27) ** 2
    ring = 255 * ((squared_radius > 10**2) & (squared_radius < 18**2))
    slope = 9 * columns
    return np.stack([bar, ring, slope, 0 * slope]).astype(np.uint8)


def run_self_test(
    classify: Callable[[np.ndarray], np.ndarray], known: Sequence[Sequence[float]] | None, what: str
) -> np.ndarray:
    """Let a network classify the pictures of the self-test.

    Args:
        classify: from uint8 [n, 28, 28] to probabilities [n, 10].
        known: the answers that are expected; None where they are yet to be known.
        what: is tested, for the message.

    Returns:
        The answers, float32 [4, 10].

    Raises:
        BundleError: they are not finite, no probabilities of ten classes, or not those that are known.
    """
    pictures = test_pictures()
    answers = classify(pictures)
    if answers.shape != (len(pictures), CLASSES):
        raise self_test_failed(what, f"expected ten outputs an image, received {list(answers.shape[1:])}")
    check_probabilities(answers, None if known is None else _array(known, what), what)
    return answers


def check_probabilities(answers: np.ndarray, known: np.ndarray | None, what: str) -> None:
    """Make sure that what a network answers are probabilities, and those that its card holds.

    Args:
        answers: of the network, float [..., classes].
        known: those of the card, of the same shape; None where they are yet to be known.
        what: is tested, for the message.

    Raises:
        BundleError: they are not finite, no probabilities, or others.
    """
    if not np.isfinite(answers).all():
        raise self_test_failed(what, "expected finite outputs, received some that are not")
    if answers.min() < 0 or abs(answers.sum(axis=-1) - 1).max() > TOLERANCE:
        raise self_test_failed(what, "expected probabilities that add up to 1, received others")
    if known is not None and abs(answers - known).max() > TOLERANCE:
        raise self_test_failed(what, "expected the answers that are written in its card, received others")


def _array(known: Sequence[Sequence[float]], what: str) -> np.ndarray:
    if {len(answer) for answer in known} != {CLASSES} or len(known) != len(test_pictures()):
        raise self_test_failed(what, "expected an answer of ten numbers to each test picture in its card")
    return np.array(known, np.float32)


def self_test_failed(what: str, cause: str) -> BundleError:
    """Say why a network may not be used."""
    return BundleError(f"{what}: the self-test failed: {cause}; train it again or get a whole copy")

"""The self-test that a network must pass before it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from digitlab.errors import BundleError
from digitlab.spec.recipe import CLASSES, IMAGE_SIDE

TOLERANCE = 1e-3
"""Largest allowed difference of probabilities between two processors; a damaged network exceeds it by far."""


def test_pictures() -> np.ndarray:
    """Draw the pictures of the self-test in integer arithmetic, so that they are the same everywhere.

    Returns:
        Pictures, uint8 [4, 28, 28]: a bar, a ring, a grey ramp, and a blank.
    """
    rows, columns = np.mgrid[:IMAGE_SIDE, :IMAGE_SIDE]
    bar = 255 * ((abs(columns - 14) < 2) & (abs(rows - 14) < 10))
    # In half pixels, since the middle of 28 pixels lies between two of them.
    squared_radius = (2 * rows - 27) ** 2 + (2 * columns - 27) ** 2
    ring = 255 * ((squared_radius > 10**2) & (squared_radius < 18**2))
    ramp = 9 * columns  # 0 to 243
    blank = 0 * columns
    return np.stack([bar, ring, ramp, blank]).astype(np.uint8)


def run_self_test(
    classify: Callable[[np.ndarray], np.ndarray],
    known: Sequence[Sequence[float]] | None,
    what: str,
    classes: int = CLASSES,
) -> np.ndarray:
    """Classify the pictures of the self-test with a network, and check the result.

    Args:
        classify: function from uint8 [n, 28, 28] to probabilities [n, classes].
        known: expected probabilities, [4][classes]; None to skip the comparison.
        what: name of the tested file, for the message.
        classes: number of classes of the network.

    Returns:
        The probabilities, float32 [4, classes].

    Raises:
        BundleError: the outputs are not finite, are no probabilities of the classes, or differ from the
            expected ones.
    """
    pictures = test_pictures()
    answers = classify(pictures)
    if answers.shape != (len(pictures), classes):
        received = list(answers.shape[1:])
        raise self_test_failed(what, f"expected {classes} outputs an image, received {received}")
    expected = None
    if known is not None:
        expected = _array(known, what, classes)
    check_probabilities(answers, expected, what)
    return answers


def check_probabilities(answers: np.ndarray, known: np.ndarray | None, what: str) -> None:
    """Check that a network's outputs are probabilities, and those in its card.

    Args:
        answers: outputs of the network, float [..., classes].
        known: probabilities in the card, of the same shape; None to skip the comparison.
        what: name of the tested file, for the message.

    Raises:
        BundleError: the outputs are not finite, are no probabilities, or differ from the card's.
    """
    if not np.isfinite(answers).all():
        raise self_test_failed(what, "expected finite outputs, received nan or inf")
    if answers.min() < 0 or abs(answers.sum(axis=-1) - 1).max() > TOLERANCE:
        raise self_test_failed(what, "expected probabilities that add up to 1, received others")
    if known is not None and abs(answers - known).max() > TOLERANCE:
        raise self_test_failed(what, "expected the outputs in its card, received others")


def _array(known: Sequence[Sequence[float]], what: str, classes: int) -> np.ndarray:
    lengths = {len(answer) for answer in known}
    if lengths != {classes} or len(known) != len(test_pictures()):
        raise self_test_failed(what, f"expected {classes} outputs for each test picture in its card")
    return np.array(known, np.float32)


def self_test_failed(what: str, cause: str) -> BundleError:
    """Return the error for a network that failed its self-test."""
    return BundleError(f"{what}: the self-test failed: {cause}; train it again or get a complete copy")

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from digitlab.data.dataset import Dataset
from digitlab.recognition import Recognizer
from real_digits import read_mnist

Write = Callable[..., np.ndarray]


@pytest.fixture(scope="session")
def reader() -> Recognizer:
    return Recognizer()


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return read_mnist()


@pytest.fixture(scope="session")
def write(digits: Dataset) -> Write:
    """Write numbers with real digits of the test set, black on white, uint8 [h, w].

    Arguments: the lines of text; a seed for the hand; the height of a digit, the gap between two and the
    fall of a line from left to right, all in pixels.
    """

    def draw(
        lines: Sequence[str], seed: int = 0, height: int = 60, gap: int = 14, fall: float = 0.0
    ) -> np.ndarray:
        chance = np.random.default_rng(seed)
        page = np.zeros(
            (
                int(2 * height * (len(lines) + 1) + abs(fall) * max(map(len, lines))),
                60 + max(map(len, lines)) * (height + gap),
            ),
            np.uint8,
        )
        for row, line in enumerate(lines):
            left = 30
            for number, label in enumerate(line):
                chosen = chance.choice(np.flatnonzero(digits.y_test[:3000] == int(label)))
                piece = cropped(digits.x_test[chosen], height)
                top = int(height * (0.5 + 1.7 * row) + fall * number + max(0, -fall) * len(line))
                page[top : top + height, left : left + piece.shape[1]] |= piece
                left += piece.shape[1] + gap
        return 255 - page

    return draw


def cropped(digit: np.ndarray, height: int) -> np.ndarray:
    """A digit without its margins, scaled to a height."""
    left, top, width, tall = cv2.boundingRect((digit > 60).astype(np.uint8))
    size = max(2, round(width * height / tall)), height
    return cv2.resize(digit[top : top + tall, left : left + width], size, interpolation=cv2.INTER_CUBIC)

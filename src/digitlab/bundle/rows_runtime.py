"""A reader of rows, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.bundle.files import ONNX
from digitlab.bundle.graph import PROBABILITIES
from digitlab.bundle.rows_card import RowCard, find_rows
from digitlab.bundle.rows_onnx import ROWS
from digitlab.bundle.runtime import open_session
from digitlab.bundle.self_test import check_probabilities, self_test_failed
from digitlab.errors import DataError
from digitlab.spec.rows import COLUMN, ROW_CLASSES

if TYPE_CHECKING:
    import onnxruntime

ReadRows = Callable[[np.ndarray], np.ndarray]
"""Function from rows, uint8 [n, height, W], to probabilities, float32 [n, W / 4, 12]."""

_BATCH_PIXELS = 64 * 32 * 128
"""Pixels of the rows in a batch; their feature maps take about 100 MB."""


def load_row_network(model: str | Path = "numbers", threads: int = 1) -> RowNetwork:
    """Load a reader of rows.

    Args:
        model: name of a reader that comes with digitlab, or the folder of its bundle.
        threads: number of threads that compute one batch, 1 or more.

    Raises:
        BundleError: no such bundle exists, its files do not match its card, or it fails its self-test.
    """
    folder, card = find_rows(model)
    network = RowNetwork(folder, card, threads)
    height = card.result.trial.model.height
    run_row_self_test(network.probabilities, card.answers, height, str(folder / ONNX))
    return network


class RowNetwork:
    """A network that reads rows; several threads may share it.

    Args:
        folder: the bundle's folder.
        card: the bundle's card, checked.
        threads: number of threads that compute one batch.

    Attributes:
        card: the bundle's card.
    """

    def __init__(self, folder: Path, card: RowCard, threads: int) -> None:
        self.card = card
        self._session = open_session(folder / ONNX, threads)

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """Compute the probabilities of the characters in each column.

        Args:
            rows: images in row form, uint8 or float32 [n, 32, W] in 0..255; W a multiple of 16, n may be 0.

        Returns:
            Probabilities of the digits 0..9, `?`, and the blank, float32 [n, W / 4, 12].

        Raises:
            DataError: the rows have another shape.
        """
        return _probabilities(self._session, self.card.result.trial.model.height, rows)


def rows_with(model: Path | bytes, height: int) -> ReadRows:
    """Return a function like `RowNetwork.probabilities` for an ONNX file or its content."""
    return partial(_probabilities, open_session(model), height)


def run_row_self_test(
    read: ReadRows, known: tuple[float, ...] | None, height: int, what: str
) -> tuple[float, ...]:
    """Run a network on the self-test rows: a grey ramp, bars, rings and a blank.

    Args:
        read: function from uint8 [n, height, W] to probabilities [n, W / 4, 12].
        known: expected probabilities, flattened; None to skip the comparison.
        height: height of the rows in pixels.
        what: name of the tested file, for the message.

    Returns:
        The probabilities, flattened and rounded to six decimals.

    Raises:
        BundleError: the outputs are not finite, are no probabilities, or differ from the expected ones.
    """
    rows = _test_rows(height)
    answers = read(rows)
    if answers.shape != (len(rows), 64 // COLUMN, ROW_CLASSES):
        raise self_test_failed(what, f"expected outputs [4, 16, 12], received {list(answers.shape)}")
    if known is not None and len(known) != answers.size:
        raise self_test_failed(
            what, f"expected {answers.size} numbers as outputs in its card, received {len(known)}"
        )
    expected = None
    if known is not None:
        expected = np.reshape(known, answers.shape)
    check_probabilities(answers, expected, what)
    return tuple(round(float(value), 6) for value in answers.ravel())


def _test_rows(height: int) -> np.ndarray:
    """Draw the rows of the self-test in integer arithmetic, the same everywhere: uint8 [4, height, 64]."""
    y, x = np.mgrid[:height, :64]
    ramp = 4 * x
    bars = 255 * ((x % 16 < 4) & (abs(2 * y - height) < height * 3 // 4))
    squared_radius = (2 * y - height) ** 2 + (2 * (x % 32) - 31) ** 2  # in half pixels, about two centres
    rings = 255 * ((squared_radius > 18**2) & (squared_radius < 26**2))
    blank = 0 * x
    return np.stack([ramp, 255 - bars, rings, blank]).astype(np.uint8)


def _probabilities(session: onnxruntime.InferenceSession, height: int, rows: np.ndarray) -> np.ndarray:
    has_shape = rows.ndim == 3 and rows.shape[1] == height
    if not has_shape or rows.shape[2] % 16 or not rows.shape[2]:
        raise DataError(
            f"expected rows as [n, {height}, W] with W a multiple of 16, received {list(rows.shape)}; "
            "bring them into row form first"
        )
    width = rows.shape[2]
    if not len(rows):
        return np.zeros((0, width // COLUMN, ROW_CLASSES), np.float32)
    batch = max(1, _BATCH_PIXELS // (height * width))
    parts = []
    for start in range(0, len(rows), batch):
        pixels = rows[start : start + batch].astype(np.float32, order="C", copy=False)
        computed: Any = session.run([PROBABILITIES], {ROWS: pixels})
        parts.append(computed[0])
    return np.concatenate(parts)

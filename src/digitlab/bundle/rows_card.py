"""The card of a reader of rows: what it is, where it comes from, and its scores."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

from digitlab.bundle.card import card_bytes
from digitlab.bundle.files import (
    MODEL,
    ONNX,
    PRETRAINED_ROWS,
    check_files,
    find_folder,
    is_reader_of_rows,
)
from digitlab.errors import BundleError
from digitlab.results.rows import RowResult
from digitlab.spec.base import Spec
from digitlab.spec.fields import FloatRange, Sha256

REQUIRED = frozenset({MODEL, ONNX})


class RowParity(Spec):
    """Parity of the ONNX file with the Keras network.

    Attributes:
        runtime: name and version of the runtime.
        rows: number of composed rows read by both networks.
        largest_difference: largest difference between two probabilities, 0..1.
        tolerance: largest difference that is allowed.
        other_texts: number of rows with different texts, decoded greedily.
    """

    runtime: str
    rows: int
    largest_difference: float
    tolerance: float
    other_texts: int


class RowCalibration(Spec):
    """Calibration of a row's posterior to the probability that the row was read correctly (Platt 1999).

    Attributes:
        slope: factor on the log-odds of the posterior.
        offset: term added to the log-odds.
        rows: number of composed rows of the validation part in the fit.
        error: expected calibration error on rows outside the fit, 0..1; None if not measured.
    """

    slope: Annotated[float, FloatRange(0, 100)] = 1.0
    offset: Annotated[float, FloatRange(-100, 100)] = 0.0
    rows: int = 0
    error: float | None = None

    def confidence(self, posterior: float) -> float:
        """Return the probability that a row was read correctly, 0..1, from its posterior, 0..1."""
        smallest = 1e-9  # keeps the log-odds finite
        clipped = min(max(posterior, smallest), 1 - smallest)
        log_odds = math.log(clipped / (1 - clipped))
        calibrated = self.slope * log_odds + self.offset
        return 1 / (1 + math.exp(-calibrated))


class RowCard(Spec):
    """Card of a reader of rows, written beside it.

    Attributes:
        recipe: name of the recipe.
        trial_id: ID of the trial.
        parameters: number of weights of the network.
        result: result of the training: trial, validation, seconds, versions, commit.
        calibration: calibration of a row's posterior.
        parity: parity of the ONNX file with the Keras network.
        written_by: commit of the clone whose code wrote the bundle; None outside a clone.
        written_clean: whether the writing code had no uncommitted changes; None if `written_by` is None.
        answers: probabilities of the ONNX file for the self-test rows, flattened.
        files: SHA-256 of every other file of the bundle, by name.
    """

    recipe: str
    trial_id: str
    parameters: int
    result: RowResult
    calibration: RowCalibration = RowCalibration()
    parity: RowParity
    written_by: str | None = None
    written_clean: bool | None = None
    answers: tuple[float, ...]
    files: dict[str, Sha256]

    def to_bytes(self) -> bytes:
        """Return the card as readable JSON."""
        return card_bytes(self)


def find_rows(model: str | Path) -> tuple[Path, RowCard]:
    """Find and check the bundle of a reader of rows, and return its folder and card.

    Args:
        model: name of a reader that comes with digitlab, or a folder written by `digitlab train`.

    Raises:
        BundleError: no such bundle exists, or its files do not match its card.
    """
    folder = find_folder(model, PRETRAINED_ROWS)
    return folder, check_files(folder, RowCard, REQUIRED)


def reads_rows(model: str | Path) -> bool:
    """Return whether a name or folder is that of a reader of rows; False if it is no bundle."""
    try:
        return is_reader_of_rows(find_folder(model, PRETRAINED_ROWS))
    except BundleError:
        return False

"""The card of a reader of rows: what it is, where it comes from, how well it reads."""

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
from digitlab.spec.fields import Real, Sha256

REQUIRED = frozenset({MODEL, ONNX})


class RowParity(Spec):
    """That the ONNX file reads as the Keras network does.

    Attributes:
        runtime: name and version.
        rows: composed ones, that both read.
        largest_difference: between two probabilities, 0..1.
        tolerance: the largest that is allowed.
        other_texts: rows whose text, read greedily, differed.
    """

    runtime: str
    rows: int
    largest_difference: float
    tolerance: float
    other_texts: int


class RowCalibration(Spec):
    """What a posterior is worth: how often rows that have it were read right (Platt 1999).

    Attributes:
        slope: of the log-odds of the posterior.
        offset: that is added.
        rows: composed ones of the validation part that it was fitted to.
        error: expected calibration error on rows that it was not fitted to, 0..1.
    """

    slope: Annotated[float, Real(0, 100)] = 1.0
    offset: Annotated[float, Real(-100, 100)] = 0.0
    rows: int = 0
    error: float | None = None

    def confidence(self, posterior: float) -> float:
        """Give the probability that a row is right, 0..1, from its posterior, 0..1."""
        certain = 1e-9  # log-odds have an end
        kept = min(max(posterior, certain), 1 - certain)
        odds = self.slope * math.log(kept / (1 - kept)) + self.offset
        return 1 / (1 + math.exp(-odds))


class RowCard(Spec):
    """What is written beside a reader of rows.

    Attributes:
        recipe: name of the recipe.
        trial_id: of the trial.
        parameters: weights of the network.
        result: what its training gave: trial, validation, seconds, versions, commit.
        calibration: of the posterior of a row.
        parity: of the ONNX file.
        written_by: commit of the clone whose code wrote the bundle; None outside of one.
        written_clean: whether that code was the commit's own; None as above.
        answers: probabilities that the ONNX file gave to the rows of the self-test, flat.
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
        """Write it as JSON that people read, too."""
        return card_bytes(self)


def find_rows(model: str | Path) -> tuple[Path, RowCard]:
    """Find the folder of a reader of rows and check it.

    Args:
        model: the name of one that comes with digitlab, or a folder that `digitlab train` wrote.

    Raises:
        BundleError: there is none, or its files do not match its card.
    """
    folder = find_folder(model, PRETRAINED_ROWS)
    return folder, check_files(folder, RowCard, REQUIRED)


def reads_rows(model: str | Path) -> bool:
    """Whether a name or folder is that of a reader of rows; what is no bundle at all is none."""
    try:
        return is_reader_of_rows(find_folder(model, PRETRAINED_ROWS))
    except BundleError:
        return False

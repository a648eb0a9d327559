"""What the posterior of a row is worth: how often rows that have it are right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digitlab.bundle.rows_card import RowCalibration
from digitlab.recognition.row_reader import RowNetwork, RowReader
from digitlab.synthesis.rows import ComposedRow

_BINS = 10
_STEPS = 50
_CERTAIN = 1e-6


def calibrate_rows(
    network: RowNetwork, fitting: Sequence[ComposedRow], checking: Sequence[ComposedRow]
) -> RowCalibration:
    """Fit the probability that a row is right to the posterior of its text.

    Args:
        network: that reads rows.
        fitting: rows that it is fitted to, composed of digits that no training saw.
        checking: others, on which its error is measured.

    Source:
        Platt 1999, Probabilistic Outputs for Support Vector Machines.
    """
    slope, offset = _fit(*_read(network, fitting))
    calibration = RowCalibration(slope=slope, offset=offset, rows=len(fitting))
    posteriors, right = _read(network, checking)
    confidences = np.array([calibration.confidence(float(posterior)) for posterior in posteriors])
    return calibration.model_copy(update={"error": _error(confidences, right)})


def _read(network: RowNetwork, rows: Sequence[ComposedRow]) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors of the rows' likeliest texts, float [n], and whether these are right, bool [n]."""
    numbers = [row for row in rows if row.text.isdigit()]
    answers = RowReader(network).read([row.image for row in numbers])
    posteriors = np.array([answer.probability for answer in answers])
    right = np.array([answer.text == row.text for answer, row in zip(answers, numbers, strict=True)])
    return posteriors, right


def _fit(posteriors: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Logistic regression on the log-odds by Newton's method, with targets that are never quite 0 or 1."""
    kept = np.clip(posteriors, _CERTAIN, 1 - _CERTAIN)
    inputs = np.stack([np.log(kept / (1 - kept)), np.ones(len(kept))], axis=1)
    count = right.sum()
    targets = np.where(right, (count + 1) / (count + 2), 1 / (len(right) - count + 2))
    weights = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        predicted = 1 / (1 + np.exp(-inputs @ weights))
        curvature = inputs.T @ (inputs * (predicted * (1 - predicted))[:, None]) + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, inputs.T @ (targets - predicted))
        weights = weights + step
        if abs(step).max() < 1e-8:
            break
    return max(0.0, float(weights[0])), float(weights[1])


def _error(confidences: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error over ten groups of as many rows each, 0..1."""
    groups = np.array_split(np.argsort(confidences, kind="stable"), _BINS)
    gaps = [
        len(group) * abs(confidences[group].mean() - right[group].mean()) for group in groups if len(group)
    ]
    return float(sum(gaps) / len(confidences))

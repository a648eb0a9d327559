"""Calibration of the posterior of a row: the probability that a row with this posterior is right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digitlab.bundle.rows_card import RowCalibration
from digitlab.recognition.row_reader import FrameClassifier, RowReader
from digitlab.synthesis.rows import ComposedRow

_BINS = 10
_STEPS = 50
"""Number of steps of Newton's method, at most."""
_SMALLEST = 1e-8
"""Size of a step at which Newton's method ends."""
_AS_IT_IS = np.array([1.0, 0.0])
"""Slope and offset that leave a posterior unchanged."""
_PULL = 1e-6
"""Weight of the squared distance from `_AS_IT_IS` in the loss, so that rows that are all alike have a fit."""
_FARTHEST = 100.0
"""Largest slope and absolute offset that a card accepts."""
_CERTAIN = 1e-6
"""Distance of a posterior from 0 and from 1, at least, so that its log-odds are finite."""


def calibrate_rows(
    network: FrameClassifier, fitting: Sequence[ComposedRow], checking: Sequence[ComposedRow]
) -> RowCalibration:
    """Fit the probability that a row is right to the posterior of its text.

    Args:
        network: the network that reads rows.
        fitting: rows to fit the calibration to, composed of digits that were not used in training.
        checking: other rows, on which the calibration error is measured.

    Returns:
        The calibration with its expected calibration error.

    Source:
        Platt 1999, Probabilistic Outputs for Support Vector Machines.
    """
    slope, offset = fit_posterior(*_read(network, fitting))
    calibration = RowCalibration(slope=slope, offset=offset, rows=len(fitting))
    posteriors, right = _read(network, checking)
    confidences = np.array([calibration.confidence(float(posterior)) for posterior in posteriors])
    return calibration.model_copy(update={"error": _error(confidences, right)})


def fit_posterior(posteriors: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Fit a logistic regression on the log-odds by Newton's method, with smoothed targets (Platt 1999).

    A step that increases the loss is halved: if nearly all rows are read right, or nearly none, full steps
    diverge.

    Args:
        posteriors: posterior of each row's text, float [n], 0..1.
        right: whether each row was read right, bool [n].

    Returns:
        Slope and offset of the log-odds.
    """
    bounded = np.clip(posteriors, _CERTAIN, 1 - _CERTAIN)
    log_odds = np.log(bounded / (1 - bounded))
    inputs = np.stack([log_odds, np.ones(len(bounded))], axis=1)
    right_count = right.sum()
    wrong_count = len(right) - right_count
    targets = np.where(right, (right_count + 1) / (right_count + 2), 1 / (wrong_count + 2))

    def loss(weights: np.ndarray) -> float:
        odds = inputs @ weights
        away = weights - _AS_IT_IS
        return float((np.logaddexp(0, odds) - targets * odds).sum() + _PULL * away @ away / 2)

    weights = np.zeros(2)  # the curvature is largest here, so that the first steps are short
    for _ in range(_STEPS):
        predicted = np.exp(-np.logaddexp(0, -inputs @ weights))
        variance = predicted * (1 - predicted)
        curvature = inputs.T @ (inputs * variance[:, None]) + _PULL * np.eye(2)
        descent = inputs.T @ (targets - predicted) - _PULL * (weights - _AS_IT_IS)
        step = np.linalg.solve(curvature, descent)
        while loss(weights + step) > loss(weights) and abs(step).max() > _SMALLEST:
            step = step / 2
        weights = weights + step
        if abs(step).max() < _SMALLEST:
            break
    slope, offset = weights
    if slope <= 0:  # a larger posterior must not lower the probability: a constant is fitted
        share = targets.mean()
        return 0.0, float(np.log(share / (1 - share)))
    return float(slope.clip(max=_FARTHEST)), float(offset.clip(-_FARTHEST, _FARTHEST))


def _read(network: FrameClassifier, rows: Sequence[ComposedRow]) -> tuple[np.ndarray, np.ndarray]:
    """Read rows of digits: posteriors of their texts, float [n], and whether these are right, bool [n]."""
    numbers = [row for row in rows if row.text.isdigit()]
    answers = RowReader(network).read([row.image for row in numbers])
    posteriors = np.array([answer.probability for answer in answers])
    right = np.array([answer.text == row.text for answer, row in zip(answers, numbers, strict=True)])
    return posteriors, right


def _error(confidences: np.ndarray, right: np.ndarray) -> float:
    """Compute the expected calibration error over ten groups of equally many rows, 0..1."""
    total = 0.0
    for group in np.array_split(np.argsort(confidences, kind="stable"), _BINS):
        if len(group):
            gap = abs(confidences[group].mean() - right[group].mean())
            total += len(group) * gap
    return float(total / len(confidences))

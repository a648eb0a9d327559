"""What the posterior of a row is worth: how often rows that have it are right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digitlab.bundle.rows_card import RowCalibration
from digitlab.recognition.row_reader import RowNetwork, RowReader
from digitlab.synthesis.rows import ComposedRow

_BINS = 10
_STEPS = 50
_SMALLEST = 1e-8
"""Newton's method ends at a step of this size."""
_AS_IT_IS = np.array([1.0, 0.0])
"""Slope and offset that leave a posterior as it is."""
_PULL = 1e-6
"""Of the squared distance from there, so that rows that are all alike have a fit, too."""
_FARTHEST = 100.0
"""The largest slope and offset that a card holds."""
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
    slope, offset = fit_posterior(*_read(network, fitting))
    calibration = RowCalibration(slope=slope, offset=offset, rows=len(fitting))
    posteriors, right = _read(network, checking)
    confidences = np.array([calibration.confidence(float(posterior)) for posterior in posteriors])
    return calibration.model_copy(update={"error": _error(confidences, right)})


def fit_posterior(posteriors: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Fit a logistic regression on the log-odds by Newton's method, with targets that are never quite 0 or 1.

    A step that makes the loss larger is halved: where nearly all rows are read right, or nearly none, whole
    steps run away.

    Args:
        posteriors: of rows, float [n], 0..1.
        right: whether each was read right, bool [n].

    Returns:
        Slope and offset of the log-odds.
    """
    kept = np.clip(posteriors, _CERTAIN, 1 - _CERTAIN)
    inputs = np.stack([np.log(kept / (1 - kept)), np.ones(len(kept))], axis=1)
    count = right.sum()
    targets = np.where(right, (count + 1) / (count + 2), 1 / (len(right) - count + 2))

    def loss(weights: np.ndarray) -> float:
        odds = inputs @ weights
        away = weights - _AS_IT_IS
        return float((np.logaddexp(0, odds) - targets * odds).sum() + _PULL * away @ away / 2)

    weights = np.zeros(2)  # where the curvature is largest, so that steps are short
    for _ in range(_STEPS):
        predicted = np.exp(-np.logaddexp(0, -inputs @ weights))
        curvature = inputs.T @ (inputs * (predicted * (1 - predicted))[:, None]) + _PULL * np.eye(2)
        slope = inputs.T @ (targets - predicted) - _PULL * (weights - _AS_IT_IS)
        step = np.linalg.solve(curvature, slope)
        while loss(weights + step) > loss(weights) and abs(step).max() > _SMALLEST:
            step = step / 2
        weights = weights + step
        if abs(step).max() < _SMALLEST:
            break
    if weights[0] <= 0:  # a larger posterior never makes a row less likely: all are as likely as their mean
        share = targets.mean()
        return 0.0, float(np.log(share / (1 - share)))
    return float(weights[0].clip(max=_FARTHEST)), float(weights[1].clip(-_FARTHEST, _FARTHEST))


def _read(network: RowNetwork, rows: Sequence[ComposedRow]) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors of the rows' likeliest texts, float [n], and whether these are right, bool [n]."""
    numbers = [row for row in rows if row.text.isdigit()]
    answers = RowReader(network).read([row.image for row in numbers])
    posteriors = np.array([answer.probability for answer in answers])
    right = np.array([answer.text == row.text for answer, row in zip(answers, numbers, strict=True)])
    return posteriors, right


def _error(confidences: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error over ten groups of as many rows each, 0..1."""
    groups = np.array_split(np.argsort(confidences, kind="stable"), _BINS)
    gaps = [
        len(group) * abs(confidences[group].mean() - right[group].mean()) for group in groups if len(group)
    ]
    return float(sum(gaps) / len(confidences))

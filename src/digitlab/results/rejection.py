"""Rejection of images that are not digits, from a network's features and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from digitlab.spec.base import Spec

KEPT = 0.99
"""Share of validation digits that are accepted as digits."""

FITTED, KEPT_HALF = slice(0, None, 2), slice(1, None, 2)
"""The half of the validation digits that is fitted to, and the half that sets the threshold."""

_RIDGE = 1e-3  # added to the variance of each column, so that columns that depend on others have a solution
_SMALLEST = 1e-12  # probability in a logarithm: softmax can underflow to 0, whose logarithm is not finite


class NetworkOutputs(NamedTuple):
    """Features and probabilities that a network computes for images.

    Attributes:
        features: inputs of the logits layer, float [n, d].
        probabilities: probabilities of the digits 0..9, not calibrated, float [n, 10].
    """

    features: np.ndarray
    probabilities: np.ndarray


class Rejection(Spec):
    """Linear classifier of digits against other ink, on a network's features; stored in a bundle's card.

    Attributes:
        features: weight of each feature, [d].
        answers: weights of the logarithms of the three highest probabilities and of the entropy, [4].
        bias: constant that is added; the score is 0 at the threshold, and higher for digits.
    """

    features: tuple[float, ...]
    answers: tuple[float, ...]
    bias: float

    def likely(self, outputs: NetworkOutputs) -> np.ndarray:
        """Return the probabilities that images are digits at all.

        Args:
            outputs: features and probabilities of n images.

        Returns:
            Probabilities, float64 [n], 0..1; images of 0.5 and more are accepted as digits.
        """
        of_features = outputs.features @ np.array(self.features)
        of_answers = _answers(outputs.probabilities) @ np.array(self.answers)
        log_odds = np.clip(of_features + of_answers + self.bias, -30, 30)  # no exponential overflows
        return 1 / (1 + np.exp(-log_odds))


def fit_rejection(
    digits: NetworkOutputs, more_digits: Sequence[NetworkOutputs], others: NetworkOutputs, weights: np.ndarray
) -> Rejection:
    """Fit the rejection to digits and to other ink.

    Args:
        digits: outputs for digits of the validation part; one half is fitted to, and the threshold accepts
            99 % of the other half.
        more_digits: outputs for each further kind of digits, such as digits as they are written elsewhere
            (`digitlab.synthesis.strokes`).
        others: outputs for ink that is not a digit (`digitlab.synthesis.other_ink`).
        weights: weights of the other ink in the fit, [m].

    Source:
        Training with outliers: Hendrycks, Mazeika and Dietterich 2019, here on the features alone; the plane
        is fitted by least squares.
    """
    fitted = _half(digits, FITTED)
    kept = _half(digits, KEPT_HALF)
    kinds = (fitted, *more_digits)
    columns = np.concatenate([_columns(part) for part in (*kinds, others)])
    of_fitted = columns[: len(fitted.features)]
    middle = of_fitted.mean(axis=0)
    spread = of_fitted.std(axis=0)
    spread += 0.05 * spread.mean()  # bounds the scale of features that hardly vary
    columns -= middle
    columns /= spread
    target = np.ones(len(columns))
    target[-len(weights) :] = -1
    # Digits and other ink weigh the same, and so do the kinds of digits.
    share_of_kind = 0.5 / len(kinds)
    parts = []
    for part in kinds:
        images = len(part.features)
        parts.append(np.full(images, share_of_kind / images))
    parts.append(0.5 * weights / weights.sum())
    row_weights = np.concatenate(parts)
    plane, bias = _least_squares(columns, target, row_weights)
    scale = _platt_scale(columns @ plane + bias, target, row_weights)
    plane = scale * plane / spread
    # Set on columns that are not centred, so that it replaces the bias of the fit and the centring.
    threshold = float(np.quantile(_columns(kept) @ plane, 1 - KEPT))
    features = digits.features.shape[1]
    return Rejection(
        features=tuple(_short(plane[:features])),
        answers=tuple(_short(plane[features:])),
        bias=-threshold,
    )


def _half(outputs: NetworkOutputs, half: slice) -> NetworkOutputs:
    return NetworkOutputs(outputs.features[half], outputs.probabilities[half])


def _columns(outputs: NetworkOutputs) -> np.ndarray:
    return np.concatenate([outputs.features, _answers(outputs.probabilities)], axis=1)


def _answers(probabilities: np.ndarray) -> np.ndarray:
    logs = np.log(np.maximum(probabilities, _SMALLEST, dtype=np.float64))
    entropy = -(probabilities * logs).sum(axis=1, keepdims=True)
    three_highest = np.sort(logs, axis=1)[:, :-4:-1]  # the highest first
    return np.concatenate([three_highest, entropy], axis=1)


def _least_squares(
    columns: np.ndarray, target: np.ndarray, row_weights: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return the weights and the bias of a weighted ridge regression; the weights of the rows add up to 1."""
    means = row_weights @ columns
    mean_target = float(row_weights @ target)
    weighted = columns.T * row_weights
    covariance = weighted @ columns - np.outer(means, means)
    covariance[np.diag_indices(len(covariance))] += _RIDGE
    plane = np.linalg.solve(covariance, weighted @ target - means * mean_target)
    return plane, mean_target - float(means @ plane)


def _platt_scale(score: np.ndarray, target: np.ndarray, row_weights: np.ndarray) -> float:
    """Return the factor from scores to log odds: logistic regression in one dimension, by bisection.

    Source:
        Platt 1999, Probabilistic Outputs for Support Vector Machines, without the offset: a threshold is set
        in its place.
    """
    margins = target * score
    low = 0.0
    high = 20.0
    for _ in range(40):  # to 2e-11, far beyond the six digits that are stored
        middle = (low + high) / 2
        # The slope of the log likelihood, which is concave: above 0, the maximum lies above.
        slope = row_weights @ (margins / (1 + np.exp(np.clip(middle * margins, -30, 30))))
        if slope > 0:
            low = middle
        else:
            high = middle
    return low


def _short(values: np.ndarray) -> list[float]:
    """Round to six significant digits, so that the stored weights are those that are used."""
    return [float(f"{value:.6g}") for value in values]

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

_RIDGE = 1e-3
_SMALLEST = 1e-12


class Inside(NamedTuple):
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

    def likely(self, inside: Inside) -> np.ndarray:
        """Return the probabilities that images are digits at all.

        Args:
            inside: features and probabilities of n images.

        Returns:
            Probabilities, float64 [n], 0..1; images of 0.5 and more are accepted as digits.
        """
        score = inside.features @ np.array(self.features) + _answers(inside.probabilities) @ np.array(
            self.answers
        )
        return 1 / (1 + np.exp(-np.clip(score + self.bias, -30, 30)))


def fit_rejection(
    digits: Inside, more_digits: Sequence[Inside], others: Inside, weights: np.ndarray
) -> Rejection:
    """Fit the rejection to digits and to other ink.

    Args:
        digits: outputs for digits of the validation part; one half is fitted to, and the threshold accepts
            99 % of the other half.
        more_digits: outputs for each further kind of digits, such as digits as they are written elsewhere
            (`digitlab.synthesis.strokes`).
        others: outputs for ink that is not a digit (`digitlab.synthesis.non_digits`).
        weights: weights of the other ink in the fit, [m].

    Source:
        Training with outliers: Hendrycks, Mazeika and Dietterich 2019, here on the features alone; the plane
        is fitted by least squares.
    """
    fitted, kept = (Inside(digits.features[half], digits.probabilities[half]) for half in (FITTED, KEPT_HALF))
    kinds = (fitted, *more_digits)
    columns = np.concatenate([_columns(part) for part in (*kinds, others)])
    middle, spread = columns[: len(fitted.features)].mean(axis=0), columns[: len(fitted.features)].std(axis=0)
    spread += 0.05 * spread.mean()  # bounds the scale of features that hardly vary
    columns -= middle
    columns /= spread
    target = np.ones(len(columns))
    target[-len(weights) :] = -1
    # Digits and other ink weigh the same, and so do the kinds of digits.
    each = 0.5 / len(kinds)
    counts = np.concatenate(
        [np.full(len(part.features), each / len(part.features)) for part in kinds]
        + [0.5 * weights / weights.sum()]
    )
    plane, bias = _least_squares(columns, target, counts)
    scale = _steepness(columns @ plane + bias, target, counts)
    plane = scale * plane / spread
    # Set on columns that are not centred, so that it replaces the bias of the fit and the centring.
    threshold = float(np.quantile(_columns(kept) @ plane, 1 - KEPT))
    split = digits.features.shape[1]
    return Rejection(
        features=tuple(_short(plane[:split])), answers=tuple(_short(plane[split:])), bias=-threshold
    )


def _columns(inside: Inside) -> np.ndarray:
    return np.concatenate([inside.features, _answers(inside.probabilities)], axis=1)


def _answers(probabilities: np.ndarray) -> np.ndarray:
    logs = np.log(np.maximum(probabilities, _SMALLEST, dtype=np.float64))
    entropy = -(probabilities * logs).sum(axis=1, keepdims=True)
    return np.concatenate([np.sort(logs, axis=1)[:, :-4:-1], entropy], axis=1)  # the three highest first


def _least_squares(columns: np.ndarray, target: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the weights and the bias of a weighted ridge regression."""
    middle, mean = counts @ columns, float(counts @ target)
    weighted = columns.T * counts
    square = weighted @ columns - np.outer(middle, middle)
    square[np.diag_indices(len(square))] += _RIDGE
    plane = np.linalg.solve(square, weighted @ target - middle * mean)
    return plane, mean - float(middle @ plane)


def _steepness(score: np.ndarray, target: np.ndarray, counts: np.ndarray) -> float:
    """Return the factor from scores to log odds: logistic regression in one dimension, by bisection."""
    low, high = 0.0, 20.0
    for _ in range(40):
        middle = (low + high) / 2
        slope = counts @ (target * score / (1 + np.exp(np.clip(middle * target * score, -30, 30))))
        low, high = (middle, high) if slope > 0 else (low, middle)
    return low


def _short(values: np.ndarray) -> list[float]:
    """Round to six significant digits, so that the stored weights are those that are used."""
    return [float(f"{value:.6g}") for value in values]

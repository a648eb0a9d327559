"""Telling what is no digit from what a network makes of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from digitlab.spec.base import Spec

KEPT = 0.99
"""Share of validation digits that are taken for digits."""

_RIDGE = 1e-3
_SMALLEST = 1e-12


class Inside(NamedTuple):
    """What a network makes of images.

    Attributes:
        features: what the layer of the logits takes in, float [n, d].
        probabilities: of the digits 0..9, as the network gives them, float [n, 10].
    """

    features: np.ndarray
    probabilities: np.ndarray


class Rejection(Spec):
    """A plane between digits and other ink, in the space of a network's features; kept in a bundle's card.

    Attributes:
        features: weight of each feature, [d].
        answers: weights of the logarithms of the three highest probabilities and of the entropy, [4].
        bias: added to all; the sum is 0 where the threshold is, and higher for digits.
    """

    features: tuple[float, ...]
    answers: tuple[float, ...]
    bias: float

    def likely(self, inside: Inside) -> np.ndarray:
        """Say how likely images are digits at all.

        Args:
            inside: of n images.

        Returns:
            float64 [n], 0..1: those of 0.5 and more are taken for digits.
        """
        score = inside.features @ np.array(self.features) + _answers(inside.probabilities) @ np.array(
            self.answers
        )
        return 1 / (1 + np.exp(-np.clip(score + self.bias, -30, 30)))


def fit_rejection(digits: Inside, drawn: Inside, others: Inside, weights: np.ndarray) -> Rejection:
    """Fit to digits and to other ink.

    Args:
        digits: of the validation part; one half is fitted to, and of the other half 99 % are kept.
        drawn: digits as they are written elsewhere (`digitlab.synthesis.strokes`).
        others: ink that is no digit (`digitlab.synthesis.other_ink`).
        weights: how much each of the others counts, [m].

    Source:
        Training with outliers: Hendrycks, Mazeika and Dietterich 2019, here on the features alone; the plane
        is that of least squares.
    """
    fitted, kept = _half(digits, 0), _half(digits, 1)
    columns = np.concatenate([_columns(part) for part in (fitted, drawn, others)])
    middle, spread = columns[: len(fitted.features)].mean(axis=0), columns[: len(fitted.features)].std(axis=0)
    spread += 0.05 * spread.mean()
    columns -= middle
    columns /= spread
    target = np.ones(len(columns))
    target[-len(weights) :] = -1
    counts = np.concatenate(
        [np.full(len(part.features), 0.25 / len(part.features)) for part in (fitted, drawn)]
        + [0.5 * weights / weights.sum()]
    )
    plane, bias = _least_squares(columns, target, counts)
    scale = _steepness(columns @ plane + bias, target, counts)
    plane = scale * plane / spread
    threshold = float(np.quantile(_columns(kept) @ plane, 1 - KEPT))
    split = digits.features.shape[1]
    return Rejection(
        features=tuple(_short(plane[:split])), answers=tuple(_short(plane[split:])), bias=-threshold
    )


def _half(inside: Inside, which: int) -> Inside:
    return Inside(inside.features[which::2], inside.probabilities[which::2])


def _columns(inside: Inside) -> np.ndarray:
    return np.concatenate([inside.features, _answers(inside.probabilities)], axis=1)


def _answers(probabilities: np.ndarray) -> np.ndarray:
    logs = np.log(np.maximum(probabilities, _SMALLEST, dtype=np.float64))
    entropy = -(probabilities * logs).sum(axis=1, keepdims=True)
    return np.concatenate([np.sort(logs, axis=1)[:, :-4:-1], entropy], axis=1)


def _least_squares(columns: np.ndarray, target: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights and bias of the plane with the least weighted squares, slightly pulled towards 0."""
    middle, mean = counts @ columns, float(counts @ target)
    weighted = columns.T * counts
    square = weighted @ columns - np.outer(middle, middle)
    square[np.diag_indices(len(square))] += _RIDGE
    plane = np.linalg.solve(square, weighted @ target - middle * mean)
    return plane, mean - float(middle @ plane)


def _steepness(score: np.ndarray, target: np.ndarray, counts: np.ndarray) -> float:
    """The factor that makes log odds of a score: logistic regression in one dimension, by bisection."""
    low, high = 0.0, 20.0
    for _ in range(40):
        middle = (low + high) / 2
        slope = counts @ (target * score / (1 + np.exp(np.clip(middle * target * score, -30, 30))))
        low, high = (middle, high) if slope > 0 else (low, middle)
    return low


def _short(values: np.ndarray) -> list[float]:
    """Six significant digits: what is kept is what is used."""
    return [float(f"{value:.6g}") for value in values]

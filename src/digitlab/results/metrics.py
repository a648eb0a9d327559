"""Scores of predicted probabilities."""

from __future__ import annotations

import math

import numpy as np

from digitlab.results.record import Scores

CALIBRATION_BINS = 15
_NORMAL_95 = 1.959964  # standard deviations around the mean of a normal distribution that hold 95 % of it
SMALLEST_PROBABILITY = 1e-7  # Keras's epsilon: a certain mistake costs 16 nats and not infinity


def score(probabilities: np.ndarray, labels: np.ndarray) -> Scores:
    """Compute the scores of predictions, counting every image once.

    Args:
        probabilities: predicted probabilities, float [n, classes], each row adding up to 1.
        labels: true classes, uint8 [n] in 0..classes - 1.

    Raises:
        ValueError: there is not one row of finite probabilities for each label, a label is beyond them, or
            there is no label.
    """
    if probabilities.ndim != 2 or len(probabilities) != len(labels) or not len(labels):
        raise ValueError(
            f"expected probabilities of shape ({len(labels)}, classes), received {probabilities.shape}"
        )
    classes = probabilities.shape[1]
    if labels.max() >= classes:
        raise ValueError(f"expected labels of {classes} classes, received label {labels.max()}")
    if not np.isfinite(probabilities).all():
        raise ValueError("expected finite probabilities, received nan or inf")
    exact = probabilities.astype(np.float64)
    predicted = exact.argmax(axis=1)
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    if confusion.sum() != len(labels):  # no assert, which  python -O  leaves out: every image counts once
        raise ValueError(f"expected {len(labels)} images to be counted, received {confusion.sum()}")
    one_hot = np.eye(classes)[labels]
    squared_errors = np.square(exact - one_hot)
    of_truth = exact[np.arange(len(labels)), labels]
    log_losses = -np.log(of_truth.clip(SMALLEST_PROBABILITY, 1))
    confidence = exact.max(axis=1)
    return Scores(
        images=len(labels),
        correct=int(confusion.trace()),
        mse=float(squared_errors.mean()),
        log_loss=float(log_losses.mean()),
        calibration_error=calibration_error(confidence, predicted == labels),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Compute the mean gap between confidence and accuracy, over bins of equal width.

    Args:
        confidence: probability of the predicted class, float [n], 0..1.
        right: whether the predicted class is correct, bool [n].

    Source:
        Expected calibration error: Guo, Pleiss, Sun and Weinberger 2017, with 15 bins.
    """
    # A confidence of 1 belongs to the last bin.
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    # Sums and not means: a bin's gap weighs as much as it has images.
    gaps = np.bincount(bins, confidence - right, CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def wilson_interval(hits: int, count: int) -> tuple[float, float]:
    """Compute Wilson's 95 % interval of a proportion; 0 to 1 if there were no trials.

    Args:
        hits: number of trials with the outcome, 0..count.
        count: number of all trials.

    Source:
        Wilson 1927, Probable Inference, the Law of Succession, and Statistical Inference.
    """
    if not count:
        return 0.0, 1.0
    z = _NORMAL_95
    share = hits / count
    middle = share + z**2 / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    scale = 1 + z**2 / count
    low = max((middle - half) / scale, 0.0)
    high = min((middle + half) / scale, 1.0)
    # If all trials had one outcome, that end is exactly 0 or 1, and rounding must not move it.
    if hits == 0:
        low = 0.0
    if hits == count:
        high = 1.0
    return low, high

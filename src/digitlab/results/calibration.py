"""Calibration of probabilities by one temperature, fitted on the validation part."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from digitlab.results.metrics import calibration_error
from digitlab.results.rejection import Rejection
from digitlab.spec.base import Spec
from digitlab.spec.fields import FloatRange

LOWEST, HIGHEST = 0.05, 20.0
"""Range of the fitted temperature; without it, a network without mistakes on validation would get 0."""
SMALLEST = np.float32(1e-30)
"""Smallest probability in a logarithm: softmax can underflow to 0, whose logarithm is not finite."""


_HALVINGS = 60  # more than the digits of a float64 in this range


class Calibration(Spec):
    """Calibration of a network's probabilities, and its effect on the validation part.

    Attributes:
        temperature: divisor of the log probabilities: calibrated ones are softmax(ln(p) / temperature), which
            is less confident above 1.
        images: number of validation images that it was fitted on.
        log_loss_before: mean of -ln(probability of the true class) over these images, in nats.
        log_loss_after: log loss of the calibrated probabilities on these images, in nats.
        error_before: expected calibration error on these images, 0..1.
        error_after: expected calibration error of the calibrated probabilities on these images, 0..1.
        rejection: classifier of digits against other ink (None: it was not fitted).
    """

    temperature: Annotated[float, FloatRange(LOWEST, HIGHEST)]
    images: int
    log_loss_before: float
    log_loss_after: float
    error_before: float
    error_after: float
    rejection: Rejection | None = None


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Apply a temperature to probabilities: softmax(ln(p) / temperature).

    Args:
        probabilities: probabilities, float [n, classes], each row adding up to 1.
        temperature: divisor of the log probabilities, above 0; 1 changes nothing.

    Returns:
        Calibrated probabilities, float32 [n, classes], each row adding up to 1.
    """
    # e to the power of ln(p) / temperature, without the logarithm of 0.
    powers = np.power(probabilities, 1 / temperature, dtype=np.float32)
    return powers / powers.sum(axis=1, keepdims=True)


def fit_calibration(
    probabilities: np.ndarray, labels: np.ndarray, rejection: Rejection | None = None
) -> Calibration:
    """Fit the temperature of the least log loss.

    Args:
        probabilities: the network's probabilities on the validation part, float [n, classes].
        labels: true classes of the validation part, uint8 [n] in 0..classes - 1.
        rejection: rejection that was fitted on the same part, stored with the calibration.

    Raises:
        ValueError: there are no labels, or the probabilities have another shape.

    Source:
        Temperature scaling: Guo, Pleiss, Sun and Weinberger 2017.
    """
    if not len(labels) or probabilities.ndim != 2 or len(probabilities) != len(labels):
        raise ValueError(
            f"expected probabilities of shape ({len(labels)}, classes), received {probabilities.shape}"
        )
    temperature = _best_temperature(probabilities, labels)
    after = apply_temperature(probabilities, temperature)
    return Calibration(
        temperature=temperature,
        images=len(labels),
        log_loss_before=_log_loss(probabilities, labels),
        log_loss_after=_log_loss(after, labels),
        error_before=_error(probabilities, labels),
        error_after=_error(after, labels),
        rejection=rejection,
    )


def _best_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Bisect the slope of the log loss, which is convex in the inverse temperature."""
    logs = np.log(np.maximum(probabilities, SMALLEST).astype(np.float64))
    mean_of_truth = logs[np.arange(len(labels)), labels].mean()
    below_highest = logs - logs.max(axis=1, keepdims=True)  # 0 at most, so that no exponential overflows
    low = 1 / HIGHEST
    high = 1 / LOWEST
    for _ in range(_HALVINGS):
        inverse = (low + high) / 2
        calibrated = np.exp(inverse * below_highest)
        calibrated /= calibrated.sum(axis=1, keepdims=True)
        expected_mean = (calibrated * logs).sum(axis=1).mean()
        # The slope is this mean minus that of the true classes: below 0, the minimum lies above.
        if expected_mean < mean_of_truth:
            low = inverse
        else:
            high = inverse
    return float(np.clip(1 / high, LOWEST, HIGHEST))


def _log_loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(of_truth, SMALLEST)).mean())


def _error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    exact = probabilities.astype(np.float64)
    confidence = exact.max(axis=1)
    is_right = exact.argmax(axis=1) == labels
    return calibration_error(confidence, is_right)

"""Confidence that means what it says: one temperature, fitted on validation."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from digitlab.results.metrics import calibration_error
from digitlab.results.rejection import Rejection
from digitlab.spec.base import Spec
from digitlab.spec.fields import Real

LOWEST, HIGHEST = 0.05, 20.0
"""Temperatures that are fitted; a network that makes no mistake on validation would ask for 0."""
SMALLEST = np.float32(1e-30)
"""Below it a probability counts as this much: softmax underflows to 0, whose logarithm is no number."""


class Calibration(Spec):
    """How the probabilities of a network become confidences.

    Attributes:
        temperature: calibrated probabilities are softmax(ln(p) / temperature); above 1 they are more careful.
        images: of the validation part that it was fitted on.
        log_loss_before: mean of -ln(probability of the true class) there, in nats.
        log_loss_after: the same of the calibrated probabilities.
        error_before: expected calibration error there, 0..1.
        error_after: the same of the calibrated probabilities.
        rejection: what tells digits from other ink, if it was fitted.
    """

    temperature: Annotated[float, Real(LOWEST, HIGHEST)]
    images: int
    log_loss_before: float
    log_loss_after: float
    error_before: float
    error_after: float
    rejection: Rejection | None = None


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Soften or sharpen probabilities: softmax(ln(p) / temperature).

    Args:
        probabilities: float [n, 10], each row adding up to 1.
        temperature: above 0; 1 changes nothing.

    Returns:
        float32 [n, 10], each row adding up to 1.
    """
    powers = np.power(
        probabilities, 1 / temperature, dtype=np.float32
    )  # e to the power of ln(p) / temperature
    return powers / powers.sum(axis=1, keepdims=True)


def fit_calibration(
    probabilities: np.ndarray, labels: np.ndarray, rejection: Rejection | None = None
) -> Calibration:
    """Find the temperature of the least log loss.

    Args:
        probabilities: of the network on the validation part, float [n, 10].
        labels: of that part, uint8 [n] in 0..9.
        rejection: fitted on the same part, to be kept with it.

    Raises:
        ValueError: there are no images, or not one row of ten for each.

    Source:
        Temperature scaling: Guo, Pleiss, Sun and Weinberger 2017.
    """
    if not len(labels) or probabilities.shape != (len(labels), 10):
        raise ValueError(
            f"expected probabilities of shape ({len(labels)}, 10), received {probabilities.shape}"
        )
    temperature = _best_temperature(probabilities, labels)
    after = tempered(probabilities, temperature)
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
    low, high = 1 / HIGHEST, 1 / LOWEST
    for _ in range(60):
        inverse = (low + high) / 2
        weights = np.exp(inverse * (logs - logs.max(axis=1, keepdims=True)))
        weights /= weights.sum(axis=1, keepdims=True)
        if (weights * logs).sum(axis=1).mean() < mean_of_truth:
            low = inverse
        else:
            high = inverse
    return float(np.clip(1 / high, LOWEST, HIGHEST))


def _log_loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(of_truth, SMALLEST)).mean())


def _error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    exact = probabilities.astype(np.float64)
    return calibration_error(exact.max(axis=1), exact.argmax(axis=1) == labels)

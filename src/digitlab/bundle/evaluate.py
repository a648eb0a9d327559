"""Scoring of classifiers: on the test set, against its corrected labels, and on corrupted images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from digitlab.bundle.runtime import Classifier
from digitlab.data import Dataset
from digitlab.data.known_labels import known_corrections
from digitlab.errors import BundleError
from digitlab.results.calibration import apply_temperature
from digitlab.results.metrics import score
from digitlab.results.record import Scores
from digitlab.synthesis.corruptions import CORRUPTIONS, corrupt

CORRUPTION_SEED = 0
"""Seed of the corruptions; fixed, so that every classifier is scored on the same images."""
ENSEMBLE = "ensemble"
OnPart = Callable[[str], None]
"""Function called with the name of a pass over the test images, before it."""


@dataclass(frozen=True)
class Evaluation:
    """Scores of a classifier, or of the mean of several.

    Attributes:
        name: name under which the classifier was requested; `ensemble` for the mean of several.
        scores: scores on the test set with its published labels.
        corrected: scores against the labels as corrected by re-labelling; None if none is known to be wrong.
        temperature: temperature in the classifier's card; None for an ensemble, whose members have one each.
        calibrated_error: expected calibration error of the calibrated probabilities, 0..1.
        robustness: accuracy on the corrupted test set by corruption, 0..1; None if not measured.
    """

    name: str
    scores: Scores
    corrected: Scores | None
    temperature: float | None
    calibrated_error: float
    robustness: dict[str, float] | None

    @property
    def mean_robustness(self) -> float | None:
        """Mean accuracy over the corruptions, 0..1."""
        if self.robustness is None:
            return None
        return sum(self.robustness.values()) / len(self.robustness)

    def to_values(self) -> dict[str, Any]:
        """Return the scores as JSON-compatible values."""
        corrected = None
        if self.corrected is not None:
            corrected = {"correct": self.corrected.correct, "accuracy": self.corrected.accuracy}
        robustness = None
        if self.robustness is not None:
            robustness = {"mean": self.mean_robustness, "accuracy": self.robustness}
        return {
            "accuracy": self.scores.accuracy,
            **self.scores.to_values(),
            "corrected": corrected,
            "temperature": self.temperature,
            "calibrated_error": self.calibrated_error,
            "robustness": robustness,
        }


def evaluate_classifiers(
    classifiers: Sequence[Classifier],
    dataset: Dataset,
    *,
    robustness: bool = False,
    ensemble: bool = False,
    on_part: OnPart = lambda _: None,
) -> list[Evaluation]:
    """Score classifiers on the test images of a data set.

    Args:
        classifiers: one or more.
        dataset: data set with the test images to classify.
        robustness: whether to also classify the test images under each of fifteen corruptions.
        ensemble: whether to also score the mean of the classifiers' probabilities.
        on_part: callback before each pass over the test images, called with the name of the pass.

    Raises:
        BundleError: an ensemble of one is requested, or a classifier returns NaN or infinity.
    """
    if ensemble and len(classifiers) < 2:
        raise BundleError(f"an ensemble: expected two or more networks, received {len(classifiers)}")
    on_part("test images")
    predictions = [_predict(classifier, dataset.x_test) for classifier in classifiers]
    if ensemble:
        predictions.append(_mean_of(predictions))
    accuracies: list[dict[str, float] | None] = [None] * len(predictions)
    if robustness:
        accuracies = [*_robustness(classifiers, dataset, ensemble, on_part)]
    evaluations = []
    for item, accuracy in zip(predictions, accuracies, strict=True):
        evaluation = Evaluation(
            name=item.name,
            scores=score(item.probabilities, dataset.y_test),
            corrected=_corrected(item.probabilities, dataset),
            temperature=item.temperature,
            calibrated_error=score(item.calibrated, dataset.y_test).calibration_error,
            robustness=accuracy,
        )
        evaluations.append(evaluation)
    return evaluations


class _Predictions(NamedTuple):
    """Probabilities of a classifier for the test images, float32 [n, classes], plain and calibrated."""

    name: str
    temperature: float | None
    probabilities: np.ndarray
    calibrated: np.ndarray


def _predict(classifier: Classifier, images: np.ndarray) -> _Predictions:
    probabilities = _probabilities(classifier, images)
    temperature = classifier.card.calibration.temperature
    calibrated = apply_temperature(probabilities, temperature)
    return _Predictions(classifier.name, temperature, probabilities, calibrated)


def _mean_of(members: Sequence[_Predictions]) -> _Predictions:
    """Return the mean of the probabilities, and of those calibrated with each member's own temperature."""
    probabilities = np.mean([member.probabilities for member in members], axis=0)
    calibrated = np.mean([member.calibrated for member in members], axis=0)
    return _Predictions(ENSEMBLE, None, probabilities, calibrated)


def _probabilities(classifier: Classifier, images: np.ndarray) -> np.ndarray:
    probabilities = classifier.probabilities(images)
    if not np.isfinite(probabilities).all():
        raise BundleError(f"{classifier.name}: expected probabilities, received nan or inf; train it again")
    return probabilities


def _corrected(probabilities: np.ndarray, dataset: Dataset) -> Scores | None:
    """Score against the labels with the known mistakes corrected; None if none is known."""
    corrections = known_corrections(dataset.fingerprint)
    if not corrections:
        return None
    labels = dataset.y_test.copy()
    labels[list(corrections)] = list(corrections.values())
    return score(probabilities, labels)


def _robustness(
    classifiers: Sequence[Classifier], dataset: Dataset, ensemble: bool, on_part: OnPart
) -> list[dict[str, float]]:
    """Return the accuracy under each corruption of every classifier, and last of their mean if asked for."""
    accuracies: list[dict[str, float]] = [{} for _ in classifiers]
    if ensemble:
        accuracies.append({})
    # One corruption at a time, so that only one corrupted test set is in memory.
    for name in CORRUPTIONS:
        on_part(name)
        images = corrupt(name, dataset.x_test, CORRUPTION_SEED)
        predictions = [_probabilities(classifier, images) for classifier in classifiers]
        if ensemble:
            predictions.append(np.mean(predictions, axis=0))
        for by_corruption, probabilities in zip(accuracies, predictions, strict=True):
            is_right = probabilities.argmax(axis=1) == dataset.y_test
            by_corruption[name] = float(is_right.mean())
    return accuracies

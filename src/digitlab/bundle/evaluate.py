"""Scoring of classifiers: on the test set, against its corrected labels, and on corrupted images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

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
    names: list[str] = []
    temperatures: list[float | None] = []
    answers: list[np.ndarray] = []
    calibrated: list[np.ndarray] = []
    for classifier in classifiers:
        probabilities = _answer(classifier, dataset.x_test)
        temperature = classifier.card.calibration.temperature
        names.append(classifier.name)
        temperatures.append(temperature)
        answers.append(probabilities)
        calibrated.append(apply_temperature(probabilities, temperature))
    if ensemble:
        names.append(ENSEMBLE)
        temperatures.append(None)
        answers.append(np.mean(answers, axis=0))
        calibrated.append(np.mean(calibrated, axis=0))
    accuracies: list[dict[str, float] | None] = [None] * len(names)
    if robustness:
        accuracies = [*_robustness(classifiers, dataset, ensemble, on_part)]
    evaluations = []
    for i, name in enumerate(names):
        evaluation = Evaluation(
            name=name,
            scores=score(answers[i], dataset.y_test),
            corrected=_corrected(answers[i], dataset),
            temperature=temperatures[i],
            calibrated_error=score(calibrated[i], dataset.y_test).calibration_error,
            robustness=accuracies[i],
        )
        evaluations.append(evaluation)
    return evaluations


def _answer(classifier: Classifier, images: np.ndarray) -> np.ndarray:
    probabilities = classifier.probabilities(images)
    if not np.isfinite(probabilities).all():
        raise BundleError(f"{classifier.name}: expected probabilities, received nan or inf; train it again")
    return probabilities


def _corrected(probabilities: np.ndarray, dataset: Dataset) -> Scores | None:
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
    for name in CORRUPTIONS:
        on_part(name)
        images = corrupt(name, dataset.x_test, CORRUPTION_SEED)
        answers = [_answer(classifier, images) for classifier in classifiers]
        if ensemble:
            answers.append(np.mean(answers, axis=0))
        for by_corruption, answer in zip(accuracies, answers, strict=True):
            right = answer.argmax(axis=1) == dataset.y_test
            by_corruption[name] = float(right.mean())
    return accuracies

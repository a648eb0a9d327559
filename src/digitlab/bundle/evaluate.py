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
from digitlab.results.calibration import tempered
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
        return None if self.robustness is None else sum(self.robustness.values()) / len(self.robustness)

    def to_values(self) -> dict[str, Any]:
        """Return the scores as JSON-compatible values."""
        corrected = self.corrected and {
            "correct": self.corrected.correct,
            "accuracy": self.corrected.accuracy,
        }
        robustness = self.robustness and {"mean": self.mean_robustness, "accuracy": self.robustness}
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
    answers = [_answer(classifier, dataset.x_test) for classifier in classifiers]
    temperatures = [classifier.card.calibration.temperature for classifier in classifiers]
    calibrated = [tempered(*pair) for pair in zip(answers, temperatures, strict=True)]
    by_corruption = _robustness(classifiers, dataset, ensemble, on_part) if robustness else {}
    names = [classifier.name for classifier in classifiers]
    shown: list[float | None] = [*temperatures]
    if ensemble:
        names, shown = [*names, ENSEMBLE], [*shown, None]
        answers, calibrated = _with_mean(answers), _with_mean(calibrated)
    return [
        Evaluation(
            name=name,
            scores=score(answers[number], dataset.y_test),
            corrected=_corrected(answers[number], dataset),
            temperature=shown[number],
            calibrated_error=score(calibrated[number], dataset.y_test).calibration_error,
            robustness={way: found[number] for way, found in by_corruption.items()} if robustness else None,
        )
        for number, name in enumerate(names)
    ]


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
) -> dict[str, list[float]]:
    """Return the accuracies of the classifiers, and of their mean, by corruption."""
    found = {}
    for name in CORRUPTIONS:
        on_part(name)
        images = corrupt(name, dataset.x_test, CORRUPTION_SEED)
        answers = [_answer(classifier, images) for classifier in classifiers]
        everyone = _with_mean(answers) if ensemble else answers
        found[name] = [float((answer.argmax(axis=1) == dataset.y_test).mean()) for answer in everyone]
    return found


def _with_mean(answers: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [*answers, np.mean(answers, axis=0)]

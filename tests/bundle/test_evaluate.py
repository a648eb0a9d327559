"""Evaluation of the networks that come with digitlab, on real digits."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from digitlab.bundle.evaluate import CORRUPTION_SEED, evaluate_classifiers
from digitlab.bundle.runtime import Classifier, load_classifier
from digitlab.data import Dataset
from digitlab.data.known_labels import MNIST_CORRECTIONS
from digitlab.errors import BundleError
from digitlab.results.metrics import score
from digitlab.synthesis.corruptions import CORRUPTIONS, corrupt


@pytest.fixture(scope="module")
def few(mnist: Dataset) -> Dataset:
    """The first 300 test images of MNIST, whose wrong labels are others' business."""
    return dataclasses.replace(
        mnist, x_test=mnist.x_test[:300], y_test=mnist.y_test[:300], fingerprint="0" * 64
    )


@pytest.fixture(scope="module")
def mlp() -> Classifier:
    return load_classifier("mlp")


@pytest.fixture(scope="module")
def cnn() -> Classifier:
    return load_classifier("cnn")


def test_the_scores_are_those_of_the_card(mlp: Classifier, cnn: Classifier, mnist: Dataset) -> None:
    for classifier, found in zip([mlp, cnn], evaluate_classifiers([mlp, cnn], mnist), strict=True):
        assert found.name == classifier.name
        assert abs(found.scores.correct - classifier.card.test.correct) <= 2  # near-ties on another processor
        assert found.scores.mse == pytest.approx(classifier.card.test.mse, rel=1e-3)
        assert found.robustness is None
        assert found.mean_robustness is None


def test_corrected_labels_count_where_they_differ_and_nowhere_else(mlp: Classifier, mnist: Dataset) -> None:
    (found,) = evaluate_classifiers([mlp], mnist)
    answers = mlp.probabilities(mnist.x_test).argmax(axis=1)
    gained = sum(int(answers[index] == digit) for index, digit in MNIST_CORRECTIONS.items())
    lost = sum(int(answers[index] == mnist.y_test[index]) for index in MNIST_CORRECTIONS)
    assert found.corrected is not None
    assert found.corrected.correct == found.scores.correct + gained - lost


def test_a_data_set_without_known_mistakes_has_no_corrected_score(mlp: Classifier, few: Dataset) -> None:
    (found,) = evaluate_classifiers([mlp], few)
    assert found.corrected is None
    assert found.to_values()["corrected"] is None


def test_the_temperature_is_applied_to_the_calibrated_error_alone(mlp: Classifier, few: Dataset) -> None:
    (found,) = evaluate_classifiers([mlp], few)
    assert found.temperature == mlp.card.calibration.temperature
    calibrated = score(mlp.calibrated(few.x_test), few.y_test)
    assert found.calibrated_error == pytest.approx(calibrated.calibration_error)
    plain = score(mlp.probabilities(few.x_test), few.y_test)
    assert found.scores == plain


def test_every_corruption_has_its_accuracy_and_the_mean_is_theirs(mlp: Classifier, few: Dataset) -> None:
    parts: list[str] = []
    (found,) = evaluate_classifiers([mlp], few, robustness=True, on_part=parts.append)
    assert found.robustness is not None
    assert tuple(found.robustness) == CORRUPTIONS
    assert parts == ["test images", *CORRUPTIONS]
    assert found.mean_robustness == pytest.approx(np.mean(list(found.robustness.values())))
    sheared = mlp.probabilities(corrupt("shear", few.x_test, CORRUPTION_SEED)).argmax(axis=1)
    assert found.robustness["shear"] == (sheared == few.y_test).mean()


def test_an_ensemble_is_the_mean_of_its_members_probabilities(
    mlp: Classifier, cnn: Classifier, few: Dataset
) -> None:
    *alone, together = evaluate_classifiers([mlp, cnn], few, ensemble=True, robustness=True)
    assert [one.name for one in alone] == ["mlp", "cnn"]
    assert together.name == "ensemble"
    assert together.temperature is None
    mean = (mlp.probabilities(few.x_test) + cnn.probabilities(few.x_test)) / 2
    assert together.scores == score(mean, few.y_test)
    assert together.robustness is not None
    assert set(together.robustness) == set(CORRUPTIONS)


def test_an_ensemble_of_a_network_and_itself_is_the_network(mlp: Classifier, few: Dataset) -> None:
    one, _, both = evaluate_classifiers([mlp, mlp], few, ensemble=True)
    assert both.scores == one.scores
    assert both.calibrated_error == pytest.approx(one.calibrated_error)


def test_an_ensemble_of_one_is_refused(mlp: Classifier, few: Dataset) -> None:
    with pytest.raises(BundleError, match="expected two or more networks, received 1"):
        evaluate_classifiers([mlp], few, ensemble=True)

from __future__ import annotations

import numpy as np
import pytest

from digitlab.bundle.runtime import load_classifier
from digitlab.data.dataset import load
from digitlab.results.rejection import KEPT, NetworkOutputs, Rejection, fit_rejection
from digitlab.synthesis.other_ink import draw_other_ink
from digitlab.synthesis.strokes import draw_digits

Parts = tuple[NetworkOutputs, list[NetworkOutputs], NetworkOutputs, np.ndarray]


@pytest.fixture(scope="module")
def parts() -> Parts:
    """Real digits, drawn ones and other ink as the shipped classroom network sees them."""
    network, mnist = load_classifier("cnn"), load("mnist")

    def look(images: np.ndarray) -> NetworkOutputs:
        starts = range(0, len(images), 500)
        features = [network.activations(images[start : start + 500])["features"] for start in starts]
        return NetworkOutputs(np.concatenate(features), network.probabilities(images))

    images, labels = mnist.x_test[:1000], mnist.y_test[:1000]
    others, weights = draw_other_ink(images, labels, 1000, seed=1)
    return look(images), [look(draw_digits(500, seed=1)[0])], look(others), weights


@pytest.fixture(scope="module")
def fitted(parts: Parts) -> Rejection:
    return fit_rejection(*parts)


def test_as_many_digits_are_kept_as_promised(fitted: Rejection, parts: Parts) -> None:
    kept = fitted.likely(parts[0]) >= 0.5
    assert kept[1::2].mean() == pytest.approx(KEPT, abs=0.003)
    assert kept.mean() >= 0.95


def test_most_other_ink_is_rejected(fitted: Rejection, parts: Parts) -> None:
    # The classroom's network accepts 0.3 of it; the network that ships as `best` accepts 0.05.
    assert parts[3] @ (fitted.likely(parts[2]) >= 0.5) < 0.45


def test_a_card_keeps_it_exactly(fitted: Rejection, parts: Parts) -> None:
    again = Rejection.from_json(fitted.to_json())
    assert again == fitted
    np.testing.assert_array_equal(again.likely(parts[2]), fitted.likely(parts[2]))


def test_fitting_twice_gives_the_same(fitted: Rejection, parts: Parts) -> None:
    assert fit_rejection(*parts) == fitted


def test_no_images_are_judged_as_none(fitted: Rejection) -> None:
    nothing = NetworkOutputs(np.empty((0, len(fitted.features)), np.float32), np.empty((0, 10), np.float32))
    assert fitted.likely(nothing).shape == (0,)

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from digitlab.results.calibration import HIGHEST, LOWEST, Calibration, apply_temperature, fit_calibration
from digitlab.results.metrics import score

LOGITS = hnp.arrays(np.float64, st.tuples(st.integers(1, 20), st.just(10)), elements=st.floats(-30, 30))
TEMPERATURES = st.floats(LOWEST, HIGHEST)


def softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def drawn(seed: int, n: int, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are right on average once they are brought to the temperature, and labels."""
    random = np.random.default_rng(seed)
    logits = 3 * random.normal(size=(n, 10))
    truth = softmax(logits / temperature)
    labels = (truth.cumsum(axis=1) > random.random((n, 1))).argmax(axis=1).astype(np.uint8)
    return softmax(logits), labels


@pytest.mark.parametrize("temperature", [0.4, 1.0, 1.7, 5.0])
def test_the_temperature_that_labels_were_drawn_at_is_found(temperature: float) -> None:
    fitted = fit_calibration(*drawn(seed=3, n=20_000, temperature=temperature))
    assert fitted.temperature == pytest.approx(temperature, rel=0.03)
    assert fitted.error_after < 0.015
    assert fitted.error_after <= fitted.error_before + 0.005
    assert fitted.log_loss_after <= fitted.log_loss_before


@given(LOGITS, TEMPERATURES)
def test_a_temperature_divides_the_logits(logits: np.ndarray, temperature: float) -> None:
    np.testing.assert_allclose(
        apply_temperature(softmax(logits), temperature), softmax(logits / temperature), rtol=0, atol=2e-5
    )


@given(LOGITS, TEMPERATURES)
def test_it_gives_probabilities_and_keeps_their_order(logits: np.ndarray, temperature: float) -> None:
    probabilities = softmax(logits).astype(np.float32)
    after = apply_temperature(probabilities, temperature)
    assert after.dtype == np.float32
    np.testing.assert_allclose(after.sum(axis=1), 1, atol=1e-5)
    ordered = np.take_along_axis(after, probabilities.argsort(axis=1), axis=1)
    assert (np.diff(ordered, axis=1) >= 0).all()


def test_certainty_and_nothing_at_all_stay_what_they_are() -> None:
    certain = np.eye(10, dtype=np.float32)
    for temperature in (LOWEST, 1.0, HIGHEST):
        np.testing.assert_array_equal(apply_temperature(certain, temperature), certain)
        assert apply_temperature(certain[:0], temperature).shape == (0, 10)


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.floats(0.1, 10))
def test_fitting_never_makes_the_log_loss_worse(seed: int, n: int, temperature: float) -> None:
    probabilities, labels = drawn(seed, n, temperature)
    fitted = fit_calibration(probabilities, labels)
    assert LOWEST <= fitted.temperature <= HIGHEST
    assert fitted.log_loss_after <= fitted.log_loss_before + 1e-6
    assert fitted.images == n


def test_a_network_without_a_mistake_gets_a_low_temperature_and_one_that_only_errs_the_highest() -> None:
    sure = 0.9 * np.eye(10) + 0.01
    right = np.arange(10, dtype=np.uint8)
    assert LOWEST <= fit_calibration(sure, right).temperature < 0.2
    assert fit_calibration(sure, np.roll(right, 1)).temperature == pytest.approx(HIGHEST)


def test_its_errors_are_those_that_scores_have() -> None:
    probabilities, labels = drawn(seed=8, n=3000, temperature=2)
    fitted = fit_calibration(probabilities, labels)
    before = score(probabilities, labels)
    after = score(apply_temperature(probabilities, fitted.temperature), labels)
    assert fitted.error_before == pytest.approx(before.calibration_error)
    assert fitted.error_after == pytest.approx(after.calibration_error)
    assert fitted.log_loss_before == pytest.approx(before.log_loss)


@pytest.mark.parametrize(("shape", "labels"), [((0, 10), 0), ((3, 10), 4)])
def test_other_than_a_row_for_each_label_is_refused(shape: tuple[int, int], labels: int) -> None:
    with pytest.raises(ValueError, match="expected probabilities of shape"):
        fit_calibration(np.full(shape, 0.1), np.zeros(labels, np.uint8))


def test_it_is_read_back_from_json_as_it_was() -> None:
    fitted = fit_calibration(*drawn(seed=1, n=200, temperature=1.3))
    assert Calibration.from_json(fitted.to_json()) == fitted

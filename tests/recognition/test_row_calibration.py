from __future__ import annotations

import numpy as np
import pytest

from digitlab.bundle.rows_card import RowCalibration
from digitlab.bundle.rows_runtime import load_row_network
from digitlab.recognition.row_calibration import calibrate_rows, fit_posterior
from digitlab.synthesis.rows import RowComposer
from real_digits import read_mnist


@pytest.mark.slow  # reads hundreds of rows
def test_a_posterior_is_worth_what_it_was_worth_on_composed_rows() -> None:
    mnist = read_mnist()
    composer = RowComposer(mnist.x_train[-500:], mnist.y_train[-500:])
    calibration = calibrate_rows(load_row_network(), composer.rows(150, 8), composer.rows(150, 9))
    assert calibration.rows == 150
    assert calibration.error is not None
    assert calibration.error < 0.2
    sure = [calibration.confidence(posterior) for posterior in (0.0, 0.3, 0.9, 1.0)]
    assert sure == sorted(sure)
    assert sure[0] < 0.3
    assert sure[-1] > 0.7


@pytest.mark.parametrize("posterior", [0.0, 0.2, 0.5, 1.0])
def test_a_posterior_is_taken_as_it_is_where_nothing_was_fitted(posterior: float) -> None:
    assert RowCalibration().confidence(posterior) == pytest.approx(posterior, abs=1e-6)


@pytest.mark.parametrize("sure", [0.0, 1e-9, 0.4, 0.99, 1.0])
@pytest.mark.parametrize("right", [False, True])
def test_rows_that_are_all_read_wrong_or_all_right_have_a_fit(sure: float, right: bool) -> None:
    slope, offset = fit_posterior(np.full(300, sure), np.full(300, right))
    confidence = RowCalibration(slope=slope, offset=offset).confidence(min(max(sure, 1e-6), 1 - 1e-6))
    assert confidence == pytest.approx(301 / 302 if right else 1 / 302, abs=1e-3)

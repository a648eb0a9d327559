"""Confusion matrices and surfaces, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from digitlab.report.matrices import confusion_counts, confusion_table, pivot_table
from digitlab.results.metrics import score
from digitlab.spec import Axis

EPOCHS = Axis(path="training.epochs", values=(1, 2, 5), label="epochs", reference=2)
NEURONS = Axis(path="model.hidden.0", values=(8, 16), label="neurons")


def test_confusion_is_summed_and_shaded_by_the_root_of_the_count() -> None:
    counts = np.diag([100] * 10)
    counts[2, 2], counts[2, 7], counts[4, 9] = 90, 16, 4
    table = confusion_table(counts)
    assert table.columns == ("true\N{NO-BREAK SPACE}↓ read\N{NO-BREAK SPACE}→", *"0123456789", "error %")
    assert table.rows[2] == ("2", "0", "0", "90", "0", "0", "0", "0", "16", "0", "0", "15.09")
    assert table.rows[0][-1] == "0.00"
    assert table.shades[2][8] == 1.0  # the commonest mistake
    assert table.shades[4][10] == 0.5  # a quarter of it
    assert sum(map(sum, table.shades)) == 1.5  # right answers have none


def test_without_a_mistake_nothing_is_shaded_and_a_class_without_images_has_no_error() -> None:
    counts = np.diag([5] * 9 + [0])
    table = confusion_table(counts)
    assert sum(map(sum, table.shades)) == 0
    assert table.rows[9][-1] == "–"


def test_on_real_digits_the_counts_are_those_of_the_answers(mnist, predictions) -> None:
    scores = [score(np.eye(10)[classes], mnist.y_test) for classes in predictions]
    counts = confusion_counts(scores)
    assert counts.sum() == 5 * 10_000
    assert counts[4, 9] == sum(((mnist.y_test == 4) & (classes == 9)).sum() for classes in predictions)


def test_a_surface_has_the_first_axis_down_and_the_second_across(make_table) -> None:
    errors = [[8.0, 4.0], [4.0, 2.0], [2.0, 1.0]]
    table = pivot_table(make_table(EPOCHS, NEURONS, test=lambda cell, seed: errors[cell // 2][cell % 2]))
    assert table is not None
    assert table.columns[1:] == ("8", "16")
    assert table.rows == (("1", "8.00", "4.00"), ("2", "4.00", "2.00"), ("5", "2.00", "1.00"))
    # Halving the error is the same step everywhere: from 0.1 to 1 in three of them.
    assert [shades[1:] for shades in table.shades] == [
        pytest.approx((1.0, 0.7)),
        pytest.approx((0.7, 0.4)),
        pytest.approx((0.4, 0.1)),
    ]


def test_what_is_not_there_yet_is_a_dash_without_a_shade(make_table) -> None:
    missing = {(0, seed) for seed in range(3)}
    table = pivot_table(make_table(EPOCHS, NEURONS, missing=missing))
    assert table is not None
    assert (table.rows[0][1], table.shades[0][1]) == ("–", 0.0)
    everything = {(cell, seed) for cell in range(6) for seed in range(3)}
    table = pivot_table(make_table(EPOCHS, NEURONS, missing=everything))
    assert table is not None
    assert sum(map(sum, table.shades)) == 0


def test_only_two_crossed_axes_have_a_surface(make_table) -> None:
    assert pivot_table(make_table(NEURONS)) is None
    assert pivot_table(make_table(NEURONS, Axis(path="training.epochs", values=(2,)))) is None
    size = Axis(path="training.batch_size", values=(100, 200))
    assert pivot_table(make_table(EPOCHS, NEURONS, size)) is None

"""The table of a study, on synthetic results."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from digitlab.report import compare_levels, comparison_sentences, comparison_table
from digitlab.report.tables import notes, study_table
from digitlab.report.text import is_numeric, probability
from digitlab.spec import Axis
from digitlab.spec.study import level_text

NOT_A_NUMBER = "the loss became nan in epoch 3"


def test_a_row_is_what_one_works_out_by_hand(make_table) -> None:
    # Test errors 2.0, 2.1, 2.2: mean 2.1, s 0.1, t(2) = 4.303, so 4.303 * 0.1 / sqrt(3) = 0.248 either side.
    table = make_table(test=lambda cell, seed: 2 + 0.1 * seed, validation=lambda cell, seed: 3 + seed)
    text = study_table(table)
    assert text.columns == (
        "neurons",
        "n",
        "test error %",
        "95 % interval",
        "validation error %",
        "parameters",
        "multiply-adds",
        "training seconds",
    )
    # 784 inputs, 8 neurons, 10 digits: 785 * 8 + 9 * 10 parameters, 784 * 8 + 8 * 10 multiply-adds.
    assert text.rows[0] == ("8", "3", "2.10", "1.85 to 2.35", "4.00", "6,370", "6,352", "5.0")
    assert text.rows[2][5] == "101,770"
    assert text.heads == 1


def test_numbers_are_aligned_right_and_words_left(make_table) -> None:
    optimizer = Axis(path="training.optimizer", values=("adam", "sgd"))
    size = Axis(path="training.batch_size", values=(100, 200), label="batch size")
    text = study_table(make_table(optimizer, size, missing={(3, 1)}))
    assert text.columns[:2] == ("training.optimizer", "batch size")
    assert text.right == (False, *[True] * 8, False)
    assert text.heads == 2
    assert {len(row) for row in text.rows} == {len(text.columns)} == {len(text.right)}


def test_a_level_without_results_has_dashes_and_says_why(make_table) -> None:
    failed = {(0, seed): NOT_A_NUMBER for seed in range(3)}
    table = make_table(failed=failed, missing={(2, 0), (2, 2)})
    text = study_table(table)
    assert text.columns[-1] == "note"
    assert text.rows[0] == ("8", "0", "–", "–", "–", "6,370", "6,352", "–", "3 failed")
    assert text.rows[1][-1] == ""
    assert text.rows[2][:4] == ("128", "1", "2.77", "–")
    assert text.rows[2][-1] == "2 not done"
    assert notes(table) == (
        f"neurons = 8: 3 of 3 failed: {NOT_A_NUMBER} (3 times).",
        "Incomplete: 2 of 9 results are missing, in 1 of 3 levels; the values may change.",
        "Where n is 1 there is no interval: a spread needs two seeds.",
        "Reference level: neurons = 128.",
    )


def test_different_reasons_of_failure_are_all_named(make_table) -> None:
    (first, *_) = notes(make_table(failed={(1, 0): NOT_A_NUMBER, (1, 2): "out of memory"}))
    assert first == f"neurons = 16: 2 of 3 failed: {NOT_A_NUMBER}; out of memory."


def test_a_complete_study_has_no_column_for_notes(make_table) -> None:
    table = make_table()
    assert "note" not in study_table(table).columns
    assert notes(table) == ("Reference level: neurons = 128.",)


def test_an_interval_of_errors_ends_at_0_and_at_100_and_the_table_says_so(make_table) -> None:
    # Two seeds, 1 and 2: mean 1.5, s / sqrt(2) = 0.5, t(1) = 12.706.
    table = make_table(seeds=2, test=lambda cell, seed: (1 + seed, 98 + seed, 40 + seed / 10)[cell])
    assert [row[3] for row in study_table(table).rows] == [
        "0.00 to 7.85",
        "92.15 to 100.00",
        "39.41 to 40.69",
    ]
    assert "Intervals are clipped to 0 and 100 %." in notes(table)


def test_seeds_that_err_alike_have_no_interval_and_the_table_says_why(make_table) -> None:
    table = make_table(test=lambda cell, seed: 89.47)
    assert study_table(table).rows[0][2:4] == ("89.47", "–")
    assert notes(table)[0].startswith("Where all seeds of a level have equal errors there is no interval")


def test_where_the_loss_is_varied_the_squared_error_stands_beside_the_error(make_table) -> None:
    loss = Axis(path="training.loss", values=("crossentropy", "mse"), label="loss")
    text = study_table(make_table(loss, mse=lambda cell, seed: 0.003 + 0.0001 * seed))
    assert text.columns[:5] == ("loss", "n", "test error %", "95 % interval", "test squared error")
    assert text.rows[0][4] == "0.00310"


def test_the_evidence_is_what_one_works_out_by_hand(make_material) -> None:
    # Differences from level 128 by seed: 8: -0.3, -0.2, -0.1; 16: 1, 1, 1, without a spread.
    (found,) = compare_levels(make_material(test=lambda cell, seed: [1.7 + 0.1 * seed, 3.0, 2.0][cell]))
    text = comparison_table(found)
    assert text.columns == (
        "neurons",
        "verdict",
        "difference, points",
        "95 % interval",
        "n",
        "Holm p",
        "sign-flip p (least)",
        "detectable",
    )
    # t = -0.2 / (0.1 / sqrt(3)) = -3.464, p = 0.0742; the interval is 4.303 * 0.0577 to either side.
    assert text.rows[0][:7] == ("8", "undecided", "−0.20", "−0.45 to 0.05", "3", "0.074", "0.25 (0.25)")
    assert text.rows[1] == ("16", "no spread", "1.00", "–", "3", "–", "0.25 (0.25)", "–")
    assert {len(row) for row in text.rows} == {len(text.columns)} == {len(text.right)}


def test_with_predictions_the_evidence_says_what_to_expect_on_new_digits(make_material, mnist) -> None:
    right = mnist.y_test
    worse = right.copy()
    worse[:300] = (right[:300] + 1) % 10
    material = make_material(answers=lambda cell, seed: worse if cell == 0 else right, digits=mnist)
    (found,) = compare_levels(material)
    assert comparison_table(found).columns[-1] == "on new digits"
    eight, sixteen = found.new_digits
    assert eight is not None
    assert eight.expected.difference == pytest.approx(3.0)
    assert sixteen is not None
    assert sixteen.expected.difference == 0
    # Every seed differs alike: nothing is known of other seeds.
    assert all(math.isnan(each.expected.low) for each in (eight, sixteen))


def test_on_new_digits_each_level_has_a_verdict_of_its_own(make_material, mnist) -> None:
    def answers(cell: int, seed: int) -> np.ndarray:
        # Level 8 misreads 300 of all images, 16 only 10 of them; seeds 0 and 1 one and two more.
        wrong = (300, 10, 0)[cell] + (seed if cell < 2 else 0)
        given = mnist.y_test.copy()
        given[:wrong] = (given[:wrong] + 1) % 10
        return given

    test = lambda cell, seed: ((300 + seed) / 100, (10 + seed) / 100, 0.0)[cell]  # noqa: E731
    (found,) = compare_levels(make_material(test=test, answers=answers, digits=mnist))
    rows = comparison_table(found).rows
    assert [row[1] for row in rows] == ["more", "more"]
    assert [row[-1] for row in rows] == ["more: 2.67 to 3.35", "more: 0.04 to 0.18"]
    assert comparison_sentences(found)[0].endswith("Holm p < 0.001); on new digits more (2.67 to 3.35).")
    for comparison in found.by_level:
        digits = found.digits(comparison)
        assert digits is not None
        assert digits.expected.low < comparison.paired.low
        assert digits.expected.high > comparison.paired.high


def test_failed_seeds_and_a_far_spread_stand_in_the_verdict(make_material) -> None:
    tests = ((2.0, 2.1, 1.9), (2.0, 2.1, 90.2), (2.0, 2.1, 2.05))
    (found,) = compare_levels(
        make_material(test=lambda cell, seed: tests[cell][seed], failed={(0, 1): NOT_A_NUMBER})
    )
    unstable, collapsed = (row[1] for row in comparison_table(found).rows)
    assert unstable == "unstable: 1 of 3 failed"
    assert collapsed.startswith("undecided; spread ")
    assert collapsed.endswith(" times the reference's")
    (found,) = compare_levels(make_material(failed={(2, 1): NOT_A_NUMBER}))
    assert comparison_table(found).rows[0][1] == "unstable: 1 of 3 of the reference failed"


def test_seeds_that_could_miss_anything_would_have_seen_nothing(make_material) -> None:
    tests = ((20.4, 20.1), (80.1, 99.4), (20.3, 20.2))
    (found,) = compare_levels(make_material(seeds=2, test=lambda cell, seed: tests[cell][seed]))
    assert comparison_table(found).rows[1][3:] == ("−53.75 to 100.00", "2", "0.177", "0.5 (0.5)", "nothing")


def test_a_level_that_shares_one_seed_is_not_tested(make_material, mnist) -> None:
    answers = lambda cell, seed: mnist.y_test  # noqa: E731
    (found,) = compare_levels(make_material(missing={(0, 1), (0, 2)}, answers=answers, digits=mnist))
    row = comparison_table(found).rows[0]
    assert row[1:5] == ("not tested", "5.33", "–", "1")
    assert set(row[5:]) == {"–"}


def test_a_probability_is_never_rounded_across_its_limit() -> None:
    assert [probability(p) for p in (0.0004, 0.0014, 0.0496, 0.049999, 0.05, 0.31, float("nan"))] == [
        "< 0.001",
        "0.001",
        "0.0496",
        "0.0499",
        "0.050",
        "0.310",
        "–",
    ]


def test_levels_are_written_on_one_line_as_in_a_study_file() -> None:
    assert level_text(True) == "true"
    assert level_text(0.001) == "0.001"
    assert level_text("two\nlines") == "two lines"
    assert not is_numeric((True, False))


def test_the_table_needs_no_matplotlib() -> None:
    heavy = {"matplotlib", "jinja2", "scipy.stats"}
    code = f"import sys, digitlab.report.tables; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"

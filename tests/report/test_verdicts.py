"""Verdicts, each kind worked by hand on synthetic errors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from digitlab.report import Material, evidence_of, sentences
from digitlab.report.verdicts import MOST_SENTENCES, verdicts
from digitlab.results import StudyTable
from digitlab.spec import Axis

TWO = Axis(path="model.hidden.0", values=(8, 16), label="neurons")
FOUR = Axis(path="model.hidden.0", values=(8, 16, 32, 64), label="neurons")
EPOCHS = Axis(path="training.epochs", values=(1, 2, 5), label="epochs", reference=2)
LOSS = Axis(path="training.loss", values=("crossentropy", "mse"), label="loss")


def errors(*levels: tuple[float, ...]) -> Callable[[int, int], float]:
    """Give test errors in percent by cell and seed."""
    return lambda cell, seed: levels[cell][seed]


def test_a_difference_is_told_with_its_interval_seeds_test_and_corrected_p(make_table) -> None:
    # -0.35, -0.30, -0.25: t = -0.3 / (0.05 / sqrt(3)) = -10.39; with 2 degrees of freedom
    # p = 1 - t / sqrt(t^2 + 2) = 0.0091; the interval is 4.303 * 0.0289 = 0.124 to either side.
    table = make_table(TWO, test=errors((2.0, 2.0, 2.0), (1.65, 1.70, 1.75)))
    assert verdicts(table) == (
        "With neurons = 16, networks err 0.30 points less than with 8 "
        "(95 % interval 0.18 to 0.42, 3 seeds, paired t, Holm p = 0.009).",
    )
    table = make_table(TWO, test=errors((2.0, 2.0, 2.0), (2.35, 2.30, 2.25)))
    assert verdicts(table) == (
        "With neurons = 16, networks err 0.30 points more than with 8 "
        "(95 % interval 0.18 to 0.42, 3 seeds, paired t, Holm p = 0.009).",
    )


def test_no_verdict_says_what_would_have_been_seen_and_how_many_seeds_would_see_more(make_table) -> None:
    # -0.3, -0.2, -0.1: t = -3.464, p = 0.074. With 3 pairs 80 % power takes 3.264 standard deviations of 0.1,
    # and one standard deviation takes 10 pairs (power 0.803; 9 have 0.748).
    table = make_table(TWO, test=errors((2.0, 2.0, 2.0), (1.7, 1.8, 1.9)))
    assert verdicts(table) == (
        "No difference in error that 3 seeds can show between neurons = 16 and 8 (−0.20 points, "
        "95 % interval −0.45 to 0.05, Holm p = 0.074; they would have seen 0.33 points four times in five; "
        "about 10 seeds would see 0.1 points).",
    )


def test_holm_and_not_the_single_interval_decides(make_table) -> None:
    # 16 alone has p = 0.0200, and its interval excludes 0; three levels are tested, so Holm's p is 0.06.
    table = make_table(
        FOUR, test=errors((2.0, 2.0, 2.0), (1.73, 1.80, 1.67), (2.1, 2.2, 1.9), (2.3, 2.5, 1.8))
    )
    (sentence,) = verdicts(make_table(TWO, test=errors((2.0, 2.0, 2.0), (1.73, 1.80, 1.67))))
    assert sentence.startswith("With neurons = 16, networks err 0.27 points less than with 8")
    assert sentence.endswith("Holm p = 0.019).")
    assert not any(sentence.startswith("With") for sentence in verdicts(table))


def test_where_the_seeds_already_see_enough_no_more_are_asked_for(make_table) -> None:
    table = make_table(TWO, test=errors((2.0, 2.0, 2.0), (1.99, 2.0, 2.01)))
    assert verdicts(table) == (
        "No difference in error that 3 seeds can show between neurons = 16 and 8 (0.00 points, 95 % interval "
        "−0.02 to 0.02, Holm p = 1.000; they would have seen 0.03 points four times in five).",
    )


def test_no_study_has_as_many_seeds_as_some_would_take(make_table) -> None:
    (sentence,) = verdicts(make_table(TWO, test=errors((2.0, 2.0, 2.0), (9.0, 2.0, 1.0))))
    assert sentence.endswith("it takes 1000 seeds or more to see 0.1 points).")


def test_several_levels_without_a_verdict_share_a_sentence(make_table) -> None:
    table = make_table(FOUR, test=errors((2.0, 2.0, 2.0), (1.7, 1.8, 1.9), (2.1, 2.2, 1.9), (2.3, 2.5, 1.8)))
    assert verdicts(table) == (
        "No difference in error that 3 seeds can show between neurons = 16, 32 or 64 and 8 (−0.20 to 0.20 "
        "points, 95 % intervals within −0.70 to 1.10; they would have seen 0.57 to 2.04 points four times in "
        "five; about 14 to 139 seeds would see 0.1 points).",
    )


def test_equal_differences_leave_no_spread_to_test_by(make_table) -> None:
    table = make_table(TWO, test=errors((2.0, 2.1, 2.2), (2.5, 2.6, 2.7)))
    assert verdicts(table) == (
        "With neurons = 16, networks err 0.50 points more than with 8, with each of 3 seeds alike: without a "
        "spread there is no test.",
    )
    table = make_table(TWO, test=errors((2.0, 2.1, 2.2), (2.0, 2.1, 2.2)))
    assert verdicts(table) == (
        "With neurons = 16, the error is the same as with 8, with each of 3 seeds alike: without a spread "
        "there is no test.",
    )


def test_a_level_without_two_shared_seeds_is_not_tested(make_table) -> None:
    table = make_table(
        FOUR,
        test=errors((2.0, 2.0, 2.0), (1.65, 1.70, 1.75), (2.1, 2.2, 1.9), (2.3, 2.5, 1.8)),
        missing={(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)},
    )
    first, last = verdicts(table)
    assert first.startswith("With neurons = 16, networks err 0.30 points less than with 8")
    assert last == "Not tested in error: neurons = 32 and 64; it takes two seeds that both levels have."


def test_one_seed_tests_nothing_and_one_level_has_nothing_to_be_compared_with(make_table) -> None:
    assert verdicts(make_table(FOUR, seeds=1)) == (
        "Nothing is tested in error: it takes two seeds that two levels share.",
    )
    assert verdicts(make_table(Axis(path="model.hidden.0", values=(8,)))) == ()


def crossed(cell: int, seed: int) -> float:
    """Errors over EPOCHS x TWO: more epochs halve them, 16 neurons save a point, seeds differ."""
    return [[8.0, 7.0], [4.0, 3.0], [2.0, 1.0]][cell // 2][cell % 2] + [0.0, 0.03, 0.07][seed] * (cell % 3)


def test_of_two_axes_the_reference_is_named_by_what_differs(make_table) -> None:
    told = verdicts(make_table(EPOCHS, TWO, test=crossed))
    assert told[0].startswith(
        "With epochs = 1, neurons = 8, networks err 3.93 points more than with epochs = 2 ("
    )
    both = next(sentence for sentence in told if sentence.startswith("With epochs = 5, neurons = 16"))
    assert "less than with epochs = 2, neurons = 8, with each" in both


def test_without_a_verdict_the_setting_that_stays_is_named_first(make_table) -> None:
    noise = [
        [0.0, 0.4, 0.9],
        [0.5, 0.1, 0.3],
        [0.2, 0.9, 0.1],
        [0.7, 0.3, 0.6],
        [0.3, 0.8, 0.2],
        [0.9, 0.1, 0.3],
    ]
    told = verdicts(make_table(EPOCHS, TWO, test=lambda cell, seed: 2 + noise[cell][seed]))
    assert told[1].startswith(
        "With neurons = 8, no difference in error that 3 seeds can show between epochs = 1 and 2 ("
    )
    assert any(
        sentence.startswith(
            "With epochs = 2, no difference in error that 3 seeds can show between neurons = "
        )
        for sentence in told
    )


def test_of_many_levels_the_most_telling_have_a_sentence_and_the_rest_are_counted(make_table) -> None:
    epochs = Axis(path="training.epochs", values=(1, 2, 5, 10, 20), label="epochs", reference=5)
    neurons = Axis(path="model.hidden.0", values=(8, 16, 32, 64, 128), label="neurons", reference=32)

    def test(cell: int, seed: int) -> float:
        noise = np.random.default_rng([cell, seed]).uniform(-0.03, 0.03)
        return 9 - cell // 5 - (cell % 5) / 3 + noise

    interaction, *told, rest = verdicts(make_table(epochs, neurons, test=test))
    assert len(told) == MOST_SENTENCES == 8
    # One setting changed tells more than two: all eight sentences are of these.
    assert all(
        sentence.startswith("With epochs = 5, ") or "neurons = 32, networks" in sentence for sentence in told
    )
    assert rest.startswith(
        "16 more levels were tested against epochs = 5, neurons = 32: with 8 the error is "
    )
    assert rest.endswith("; the table has them all.")
    assert interaction.startswith(("The axes interact", "No interaction"))


def test_an_interaction_is_the_difference_between_two_changes(make_table) -> None:
    # Over seeds: from 1 to 5 epochs -6.0, -6.0, -6.0 at 8 neurons and -4.95, -5.00, -5.05 at 16: 1.0 apart.
    first, last = (8.0, 8.0, 8.0), (2.0, 2.0, 2.0)
    table = make_table(
        EPOCHS, TWO, test=errors(first, (8.0, 8.0, 8.0), first, first, last, (3.05, 3.0, 2.95))
    )
    assert verdicts(table)[0] == (
        "The axes interact: from epochs = 1 to 5 the error changes by −6.00 points at neurons = 8 and by "
        "−5.00 points at 16, 1.00 points apart (95 % interval 0.88 to 1.12, 3 seeds, paired t, p < 0.001)."
    )
    table = make_table(EPOCHS, TWO, test=errors(first, (8.0, 8.0, 8.0), first, first, last, (1.7, 1.8, 1.9)))
    assert verdicts(table)[0] == (
        "No interaction that 3 seeds can show: from epochs = 1 to 5 the error changes by −6.00 points at "
        "neurons = 8 and by −6.20 points at 16, 0.20 points apart (95 % interval −0.45 to 0.05, 3 seeds, "
        "paired t, p = 0.074)."
    )


def test_more_than_two_words_have_no_ends_to_contrast(make_material) -> None:
    optimizer = Axis(path="training.optimizer", values=("adam", "sgd"), label="optimizer")
    (two_words,) = evidence_of(make_material(optimizer, TWO))
    assert two_words.interaction is not None
    network = Axis(path="recipe", values=("mlp", "cnn", "deep-cnn"), label="network")
    (three_words,) = evidence_of(make_material(network, EPOCHS))
    assert three_words.interaction is None


def test_where_the_loss_is_varied_both_metrics_are_judged(make_material) -> None:
    material = make_material(
        LOSS,
        test=errors((2.0, 2.0, 2.0), (1.7, 1.8, 1.9)),
        mse=errors((0.003, 0.003, 0.003), (0.00335, 0.0033, 0.00325)),
    )
    by_error, by_squares = verdicts(material.table, material.results)
    assert by_error.startswith(
        "No difference in error that 3 seeds can show between loss = mse and crossentropy"
    )
    assert by_squares == (
        "With loss = mse, the mean squared error is 0.00030 more than with crossentropy "
        "(95 % interval 0.00018 to 0.00042, 3 seeds, paired t, Holm p = 0.009)."
    )
    assert verdicts(material.table) == (by_error,)  # squared errors by seed are in the results


def test_sentences_of_the_evidence_are_those_of_the_table(make_material) -> None:
    material = make_material()
    told = tuple(sentence for each in evidence_of(material) for sentence in sentences(each))
    assert told == verdicts(material.table)
    assert told == tuple(s for each in evidence_of(Material(material.table)) for s in sentences(each))


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_any_study_gets_sentences_that_end(make_table, seeds: int) -> None:
    def told(*axes: Axis, **values) -> StudyTable:
        return make_table(*axes, seeds=seeds, **values)

    for table in (told(FOUR), told(EPOCHS, TWO), told(EPOCHS, TWO, LOSS), told(missing={(2, 0)})):
        for sentence in verdicts(table):
            assert sentence[0].isupper() or sentence[0].isdigit()
            assert sentence.endswith(".")
            assert "nan" not in sentence
            assert "–" not in sentence

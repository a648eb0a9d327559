"""Verdicts, each kind worked by hand on synthetic errors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from digitlab.report import StudyData, compare_levels, comparison_sentences
from digitlab.report.sentences import MOST_SENTENCES, study_sentences
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
    assert study_sentences(table) == (
        "With neurons = 16, networks err 0.30 points less than with 8 on these 10,000 images "
        "(95 % interval 0.18 to 0.42, 3 seeds, paired t, Holm p = 0.009).",
    )
    table = make_table(TWO, test=errors((2.0, 2.0, 2.0), (2.35, 2.30, 2.25)))
    assert study_sentences(table) == (
        "With neurons = 16, networks err 0.30 points more than with 8 on these 10,000 images "
        "(95 % interval 0.18 to 0.42, 3 seeds, paired t, Holm p = 0.009).",
    )


def test_no_verdict_says_what_would_have_been_seen_and_how_many_seeds_would_see_more(make_table) -> None:
    # -0.3, -0.2, -0.1: t = -3.464, p = 0.074. The upper limit of a spread of 0.1 is 0.1 * sqrt(2 /
    # 0.4463), or 0.212; with 3 pairs 80 % power takes 3.264 of it, and a difference of 0.472 of it takes
    # 38 pairs.
    table = make_table(TWO, test=errors((2.0, 2.0, 2.0), (1.7, 1.8, 1.9)))
    assert study_sentences(table) == (
        "Against neurons = 8, 3 seeds can show no difference in error with 16 on these 10,000 images (−0.20 "
        "points, 95 % interval −0.45 to 0.05, Holm p = 0.074; they detect 0.69 points with power 80 %, if "
        "the spread is at its upper limit; 38 seeds are enough to detect 0.1 points).",
    )


def test_holm_and_not_the_single_interval_decides(make_table) -> None:
    # 16 alone has p = 0.0200, and its interval excludes 0; three levels are tested, so Holm's p is 0.06.
    table = make_table(
        FOUR, test=errors((2.0, 2.0, 2.0), (1.73, 1.80, 1.67), (2.1, 2.2, 1.9), (2.3, 2.5, 1.8))
    )
    (sentence,) = study_sentences(make_table(TWO, test=errors((2.0, 2.0, 2.0), (1.73, 1.80, 1.67))))
    assert sentence.startswith("With neurons = 16, networks err 0.27 points less than with 8")
    assert sentence.endswith("Holm p = 0.019).")
    told = study_sentences(table)
    assert not any(f"{amount} points less than" in each for each in told for amount in ("0.20", "0.30"))
    # It has a sentence of its own, and is not called alike with the others.
    assert told[0].startswith(
        "With neurons = 16, networks err 0.27 points less than with 8 on these 10,000 images by its own "
        "interval (95 % 0.11 to 0.43, 3 seeds, paired t, p = 0.019), which is undecided as one of 3 levels "
        "tested (Holm "
    )
    assert all("16" not in sentence for sentence in told[1:])


def test_a_level_that_its_own_interval_tells_apart_is_not_pooled_with_the_others(make_table) -> None:
    # Batches of 32 to 1024 in the classroom, five seeds each.
    sizes = Axis(
        path="training.batch_size", values=(32, 64, 128, 256, 512, 1024), label="batch", reference=128
    )
    tests = (
        (2.6, 2.53, 2.2, 2.41, 2.12),
        (2.33, 2.3, 2.44, 2.23, 2.33),
        (2.22, 2.44, 2.34, 2.19, 2.32),
        (2.61, 2.55, 2.53, 2.33, 2.43),
        (3.08, 2.89, 3.01, 2.77, 2.88),
        (3.95, 3.38, 3.65, 3.51, 3.65),
    )
    told = study_sentences(make_table(sizes, seeds=5, test=errors(*tests)))
    (own,) = (each for each in told if each.startswith("With batch = 256, "))
    assert own.startswith(
        "With batch = 256, networks err 0.19 points more than with 128 on these 10,000 images by its own "
        "interval (95 % 0.04 to 0.33, 5 seeds, paired t, p = 0.023), which is undecided as one of 5 levels "
        "tested (Holm p = 0.070; "
    )
    pooled = [each for each in told if each.startswith("Against batch = 128, ")]
    assert [each.split(" with ")[1].split(" on ")[0] for each in pooled] == ["32", "64"]
    assert not any("between" in each for each in told)


def test_where_the_seeds_already_see_enough_no_more_are_asked_for(make_table) -> None:
    table = make_table(TWO, test=errors((2.0, 2.0, 2.0), (1.99, 2.0, 2.01)))
    assert study_sentences(table) == (
        "Against neurons = 8, 3 seeds can show no difference in error with 16 on these 10,000 images (0.00 "
        "points, 95 % interval −0.02 to 0.02, Holm p = 1.000; they detect 0.07 points with power 80 %, if "
        "the spread is at its upper limit).",
    )


def test_no_study_has_as_many_seeds_as_some_would_take(make_table) -> None:
    (sentence,) = study_sentences(make_table(TWO, test=errors((2.0, 2.0, 2.0), (9.0, 2.0, 1.0))))
    assert sentence.endswith("1000 seeds or more are needed to detect 0.1 points).")


def test_several_levels_without_a_verdict_share_a_sentence(make_table) -> None:
    table = make_table(FOUR, test=errors((2.0, 2.0, 2.0), (1.7, 1.8, 1.9), (2.1, 2.2, 2.0), (2.0, 2.2, 1.9)))
    assert study_sentences(table) == (
        "Against neurons = 8, 3 seeds can show no difference in error with 16, 32 or 64 on these 10,000 "
        "images (−0.20 to 0.10 points, each against it alone, 95 % intervals within −0.45 to 0.41; they "
        "detect 1.20 to 1.83 points with power 80 %, if the spread is at its upper limit; 50 to 113 seeds "
        "are enough to detect 0.1 points).",
    )


def test_seeds_that_could_miss_anything_cannot_decide(make_table) -> None:
    table = make_table(TWO, seeds=2, test=errors((20.4, 20.1), (80.1, 99.4)))
    sentence, of_the_spread = study_sentences(table)
    assert of_the_spread.startswith("With neurons = 16, the seeds spread 64.3 times")
    assert sentence == (
        "Against neurons = 8, 2 seeds cannot decide about the error with 16 on these 10,000 images (69.50 "
        "points, 95 % interval −55.02 to 100.00, Holm p = 0.089; they could miss even a level that makes "
        "no error; 1000 seeds or more are needed to detect 0.1 points)."
    )
    assert "no difference" not in sentence


@pytest.mark.parametrize("level", [0, 1])
def test_a_level_of_which_seeds_failed_is_neither_better_nor_worse(make_table, level: int) -> None:
    told = study_sentences(
        make_table(
            TWO,
            seeds=5,
            test=errors((2.0, 2.1, 2.0, 2.1, 2.0), (1.5, 1.6, 1.5, 1.5, 1.5)),
            failed={(level, 1): "the loss became nan", (level, 4): "the loss became nan"},
        )
    )
    if level == 1:
        assert told == (
            "With neurons = 16, 2 of 5 seeds failed: unstable, and called neither better nor worse than 8 "
            "(the remaining seeds: 0.53 points less).",
        )
    else:
        assert told == (
            "With neurons = 8, the reference, 2 of 5 seeds failed: unstable, so that no level is called "
            "better or worse than it in error.",
        )


def test_a_level_of_which_all_seeds_failed_is_unstable_too(make_table) -> None:
    failed = {(1, seed): "out of memory" for seed in range(3)}
    assert study_sentences(make_table(TWO, failed=failed)) == (
        "With neurons = 16, 3 of 3 seeds failed: unstable, and called neither better nor worse than 8.",
    )


def test_a_spread_far_from_the_references_is_told_beside_the_verdict(make_table) -> None:
    steady, collapsed = (2.0, 2.1, 1.9, 2.05, 2.0), (1.7, 1.8, 1.6, 90.2, 1.7)
    told = study_sentences(make_table(TWO, seeds=5, test=errors(steady, collapsed)))
    assert told[1] == (
        "With neurons = 16, the seeds spread 534 times (standard deviations 39.58 and 0.07) as far as with "
        "8: some of its trainings may have gone wrong, and its test may have too many false positives."
    )
    assert told[0].startswith("Against neurons = 8, 5 seeds cannot decide about the error with 16")
    told = study_sentences(make_table(TWO, seeds=5, test=errors(collapsed, steady)))
    assert told[1].startswith("With neurons = 8, the reference, the seeds spread up to 534 times (")


def test_corners_of_which_seeds_failed_are_not_said_to_interact(make_table) -> None:
    (first, *_) = study_sentences(make_table(EPOCHS, TWO, test=crossed, failed={(5, 1): "out of memory"}))
    assert first == "The interaction of the axes is not tested: seeds failed at their ends."


def test_equal_differences_leave_no_spread_to_test_by(make_table) -> None:
    table = make_table(TWO, test=errors((2.0, 2.1, 2.2), (2.5, 2.6, 2.7)))
    assert study_sentences(table) == (
        "With neurons = 16, networks err 0.50 points more than with 8 on these 10,000 images, with each of "
        "3 seeds alike: no test without a spread.",
    )
    table = make_table(TWO, test=errors((2.0, 2.1, 2.2), (2.0, 2.1, 2.2)))
    assert study_sentences(table) == (
        "With neurons = 16, the error is the same as with 8 on these 10,000 images, with each of 3 seeds "
        "alike: no test without a spread.",
    )


def test_a_level_without_two_shared_seeds_is_not_tested(make_table) -> None:
    table = make_table(
        FOUR,
        test=errors((2.0, 2.0, 2.0), (1.65, 1.70, 1.75), (2.1, 2.2, 1.9), (2.3, 2.5, 1.8)),
        missing={(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)},
    )
    first, last = study_sentences(table)
    assert first.startswith("With neurons = 16, networks err 0.30 points less than with 8")
    assert last == "Not tested in error: neurons = 32 and 64; a test needs two seeds that both levels have."


def test_one_seed_tests_nothing_and_one_level_has_nothing_to_be_compared_with(make_table) -> None:
    assert study_sentences(make_table(FOUR, seeds=1)) == (
        "Nothing is tested in error: a test needs two seeds that two levels share.",
    )
    assert study_sentences(make_table(Axis(path="model.hidden.0", values=(8,)))) == ()


def crossed(cell: int, seed: int) -> float:
    """Errors over EPOCHS x TWO: more epochs halve them, 16 neurons save a point, seeds differ."""
    return [[8.0, 7.0], [4.0, 3.0], [2.0, 1.0]][cell // 2][cell % 2] + [0.0, 0.03, 0.07][seed] * (cell % 3)


def test_of_two_axes_the_reference_is_named_by_what_differs(make_table) -> None:
    told = study_sentences(make_table(EPOCHS, TWO, test=crossed))
    assert told[0].startswith(
        "With epochs = 1, neurons = 8, networks err 3.93 points more than with epochs = 2 on these 10,000 "
        "images ("
    )
    both = next(sentence for sentence in told if sentence.startswith("With epochs = 5, neurons = 16"))
    assert "less than with epochs = 2, neurons = 8 on these 10,000 images, with each" in both


def test_without_a_verdict_the_setting_that_stays_is_named_first(make_table) -> None:
    noise = [
        [0.0, 0.4, 0.9],
        [0.5, 0.1, 0.3],
        [0.2, 0.9, 0.1],
        [0.7, 0.3, 0.6],
        [0.3, 0.8, 0.2],
        [0.9, 0.1, 0.3],
    ]
    told = study_sentences(make_table(EPOCHS, TWO, test=lambda cell, seed: 2 + noise[cell][seed]))
    assert told[1].startswith(
        "With neurons = 8, against epochs = 2, 3 seeds cannot decide about the error with 1 on these "
        "10,000 images ("
    )
    assert any(
        sentence.startswith(
            "With epochs = 2, against neurons = 8, 3 seeds cannot decide about the error with "
        )
        for sentence in told
    )


def test_of_many_levels_the_most_telling_have_a_sentence_and_the_rest_are_counted(make_table) -> None:
    epochs = Axis(path="training.epochs", values=(1, 2, 5, 10, 20), label="epochs", reference=5)
    neurons = Axis(path="model.hidden.0", values=(8, 16, 32, 64, 128), label="neurons", reference=32)

    def test(cell: int, seed: int) -> float:
        noise = np.random.default_rng([cell, seed]).uniform(-0.03, 0.03)
        return 9 - cell // 5 - (cell % 5) / 3 + noise

    interaction, *told, rest = study_sentences(make_table(epochs, neurons, test=test))
    assert len(told) == MOST_SENTENCES == 8
    # One setting changed tells more than two: all eight sentences are of these.
    assert all(
        sentence.startswith("With epochs = 5, ") or "neurons = 32, networks" in sentence for sentence in told
    )
    assert rest.startswith(
        "16 more levels were tested against epochs = 5, neurons = 32 on these 10,000 images: with 8 the "
        "error is "
    )
    assert rest.endswith("; the table has them all.")
    assert interaction.startswith(("The axes interact", "No interaction"))


def test_an_interaction_is_the_difference_between_two_changes(make_table) -> None:
    # Over seeds: from 1 to 5 epochs -6.0, -6.0, -6.0 at 8 neurons and -4.95, -5.00, -5.05 at 16: 1.0 apart.
    first, last = (8.0, 8.0, 8.0), (2.0, 2.0, 2.0)
    table = make_table(
        EPOCHS, TWO, test=errors(first, (8.0, 8.0, 8.0), first, first, last, (3.05, 3.0, 2.95))
    )
    assert study_sentences(table)[0] == (
        "The axes interact: from epochs = 1 to 5 the error changes by −6.00 points at neurons = 8 and by "
        "−5.00 points at 16, 1.00 points apart on these 10,000 images (95 % interval 0.88 to 1.12, 3 "
        "seeds, paired t, p < 0.001)."
    )
    table = make_table(EPOCHS, TWO, test=errors(first, (8.0, 8.0, 8.0), first, first, last, (1.7, 1.8, 1.9)))
    assert study_sentences(table)[0] == (
        "No interaction that 3 seeds can show: from epochs = 1 to 5 the error changes by −6.00 points at "
        "neurons = 8 and by −6.20 points at 16, 0.20 points apart on these 10,000 images (95 % interval "
        "−0.45 to 0.05, 3 seeds, paired t, p = 0.074)."
    )


def test_more_than_two_words_have_no_ends_to_contrast(make_material) -> None:
    optimizer = Axis(path="training.optimizer", values=("adam", "sgd"), label="optimizer")
    (two_words,) = compare_levels(make_material(optimizer, TWO))
    assert two_words.interaction is not None
    network = Axis(path="recipe", values=("mlp", "cnn", "deep-cnn"), label="network")
    (three_words,) = compare_levels(make_material(network, EPOCHS))
    assert three_words.interaction is None


def test_where_the_loss_is_varied_both_metrics_are_judged(make_material) -> None:
    material = make_material(
        LOSS,
        test=errors((2.0, 2.0, 2.0), (1.7, 1.8, 1.9)),
        mse=errors((0.003, 0.003, 0.003), (0.00335, 0.0033, 0.00325)),
    )
    by_error, by_squares = study_sentences(material.table, material.results)
    assert by_error.startswith(
        "Against loss = crossentropy, 3 seeds can show no difference in error with mse on "
    )
    assert by_squares == (
        "With loss = mse, the mean squared error is 0.00030 more than with crossentropy on these 10,000 "
        "images (95 % interval 0.00018 to 0.00042, 3 seeds, paired t, Holm p = 0.009)."
    )
    assert study_sentences(material.table) == (by_error,)  # squared errors by seed are in the results


def test_sentences_of_the_evidence_are_those_of_the_table(make_material) -> None:
    material = make_material()
    told = tuple(sentence for each in compare_levels(material) for sentence in comparison_sentences(each))
    assert told == study_sentences(material.table)
    assert told == tuple(
        s for each in compare_levels(StudyData(material.table)) for s in comparison_sentences(each)
    )


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_any_study_gets_sentences_that_end(make_table, seeds: int) -> None:
    def told(*axes: Axis, **values) -> StudyTable:
        return make_table(*axes, seeds=seeds, **values)

    for table in (told(FOUR), told(EPOCHS, TWO), told(EPOCHS, TWO, LOSS), told(missing={(2, 0)})):
        for sentence in study_sentences(table):
            assert sentence[0].isupper() or sentence[0].isdigit()
            assert sentence.endswith(".")
            assert "nan" not in sentence
            assert "–" not in sentence

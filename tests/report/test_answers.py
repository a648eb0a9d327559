"""The sentence that answers a study, on synthetic results."""

from __future__ import annotations

from digitlab.report import best_row, headline
from digitlab.spec import Axis


def test_validation_chooses_the_level_and_the_test_set_only_reports(make_table) -> None:
    table = make_table(
        test=lambda cell, seed: [1.0, 3.0, 2.0][cell] + 0.1 * seed,  # the test set likes level 8 best
        validation=lambda cell, seed: [5.0, 2.5, 4.0][cell] + 0.1 * seed,
    )
    assert headline(table) == (
        "The validation error is lowest at neurons = 16 (2.60 %); "
        "the test error there is 3.10 % (95 % interval 2.85 to 3.35, n = 3)."
    )


def test_of_equal_levels_the_first_is_named(make_table) -> None:
    assert "lowest at neurons = 8 " in headline(make_table(validation=lambda cell, seed: 4.0))


def test_a_level_that_lacks_seeds_is_no_candidate(make_table) -> None:
    table = make_table(missing={(2, 0), (2, 1)})  # 128 has the least error, from one seed
    assert headline(table).startswith(
        "So far, among levels with n = 3, the validation error is lowest at neurons = 16 (4.60 %)"
    )


def test_when_levels_failed_the_answer_says_among_which(make_table) -> None:
    table = make_table(failed={(cell, 1): "out of memory" for cell in (1, 2)})
    assert headline(table).startswith(
        "Among levels without failed seeds, the validation error is lowest at neurons = 8"
    )


def test_a_level_of_which_seeds_failed_is_no_candidate_even_where_others_lack_seeds_too(make_table) -> None:
    # 128 has the least error of 2 seeds, and one that failed; 16 has 2 as well, and one that is not done yet.
    table = make_table(failed={(2, 1): "out of memory"}, missing={(0, 1), (1, 1)})
    assert headline(table).startswith(
        "So far, among levels without failed seeds, the validation error is lowest at neu"
    )
    best = best_row(table)
    assert best is not None
    assert best.levels == (16,)


def test_both_reasons_why_a_level_is_no_candidate_are_told(make_table) -> None:
    table = make_table(failed={(2, 1): "out of memory"}, missing={(0, 1), (0, 2), (1, 1)})
    assert headline(table).startswith(
        "So far, among levels with n = 2 without failed seeds, the validation error is "
    )


def test_where_seeds_failed_of_all_levels_the_answer_says_so(make_table) -> None:
    table = make_table(failed={(cell, cell % 2): "out of memory" for cell in range(3)})
    assert headline(table).endswith("; 1 of 3 seeds failed there and are excluded.")


def test_seeds_that_err_alike_give_no_interval(make_table) -> None:
    table = make_table(test=lambda cell, seed: 89.47)
    assert "the test error there is 89.47 % (n = 3, all equal: no interval)." in headline(table)


def test_several_axes_are_all_named(make_table) -> None:
    optimizer = Axis(path="training.optimizer", values=("adam", "sgd"), label="optimizer")
    size = Axis(path="training.batch_size", values=(100, 200), label="batch size")
    assert "lowest at optimizer = sgd, batch size = 200 (" in headline(make_table(optimizer, size))


def test_one_level_and_one_seed_give_a_plain_statement(make_table) -> None:
    table = make_table(Axis(path="training.epochs", values=(5,), label="epochs"), seeds=1)
    assert headline(table) == "The test error at epochs = 5 is 8.00 % (n = 1)."


def test_without_results_nothing_is_claimed(make_table) -> None:
    everything = {(cell, seed) for cell in range(3) for seed in range(3)}
    assert headline(make_table(missing=everything)) == "No trial of this study is done yet."
    assert best_row(make_table(missing=everything)) is None


def test_the_level_chosen_is_the_one_named(make_table) -> None:
    best = best_row(make_table())
    assert best is not None
    assert best.levels == (128,)

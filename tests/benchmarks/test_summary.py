"""From recorded runs to accuracy, time, and the time to a target."""

from __future__ import annotations

import math

import pytest
from matplotlib.container import ErrorbarContainer
from plots import plot_training, png_of
from summary import Summary, median_ratio, noise, summarize, times_to_target
from summary_tables import rows_table, summary_rows, summary_table, target_table
from training_cases import TrainingCase

from recorded_runs import run_of


def ours(name: str, *runs: tuple[float, float]) -> Summary:
    """A recipe of ours from (seconds, accuracy) of each seed."""
    case = TrainingCase(name, name, ())
    return summarize(case, [run_of([(4, seconds, right)]) for seconds, right in runs])


def peer(name: str, published: float, *runs: list[tuple[int, float, float]]) -> Summary:
    return summarize(TrainingCase(name, name, (), published), [run_of(run) for run in runs])


FAST = ours("fast", (1.5, 0.990), (1.4, 0.991), (9.0, 0.992))
SLOW = ours("fast-994", (10.0, 0.994), (12.0, 0.9942))
KERAS = peer(
    "keras-example",
    0.9922,
    [(1, 10.0, 0.980), (2, 20.0, 0.9905), (3, 30.0, 0.9915)],
    [(1, 11.0, 0.982), (2, 22.0, 0.9893), (3, 33.0, 0.9917)],
    [(1, 12.0, 0.984), (2, 24.0, 0.9905), (3, 36.0, 0.9913)],
)
POOR = peer("pytorch-example", 0.99185, [(1, 5.0, 0.991), (2, 9.0, 0.9895)])
ALL = [FAST, SLOW, KERAS, POOR]


def test_a_summary_has_the_mean_over_seeds_and_the_median_of_the_seconds() -> None:
    assert FAST.full.mean == pytest.approx(0.991)
    assert FAST.full.sd == pytest.approx(0.001)
    assert (FAST.full.n, FAST.full.epochs, FAST.full.seconds) == (3, 4, 1.5)
    assert FAST.whole_seconds == 4.5
    assert math.isnan(POOR.full.sd)


def test_a_peer_counts_if_its_full_schedule_reaches_what_is_published_within_noise() -> None:
    assert noise(0.995) == pytest.approx(0.0014, abs=2e-5)  # the method's own example
    assert KERAS.counts
    assert not POOR.counts  # though it was better before its end
    assert FAST.counts


def test_a_schedule_has_the_interval_of_its_mean_within_0_and_1() -> None:
    # 0.990, 0.991, 0.992: sd 0.001, t(2) = 4.303, so 0.00248 to either side.
    assert (FAST.full.low, FAST.full.high) == pytest.approx((0.98852, 0.99348), abs=1e-5)
    assert math.isnan(POOR.full.low)
    wild = ours("wild", (1.0, 0.9), (1.0, 0.999))
    assert wild.full.high == 1.0
    alike = ours("alike", (1.0, 0.9), (1.0, 0.9))
    assert math.isnan(alike.full.low)


def test_a_mean_whose_interval_holds_the_target_has_not_decided_it() -> None:
    sure = ours("sure", (1.0, 0.9911), (1.0, 0.9912), (1.0, 0.9913))
    near = ours("near", (2.0, 0.9889), (2.0, 0.9898), (2.0, 0.9907))
    found, undecided, keras, poor = times_to_target([sure, near, KERAS, POOR], 0.990)
    assert not found.undecided
    assert undecided.schedule is None  # its mean is 98.98 %
    assert undecided.undecided
    # After 2 epochs 99.01 % (98.84 to 99.18), after 3 99.15 % with an interval of 0.05 to either side.
    assert keras.undecided
    assert keras.earliest
    assert keras.confident
    assert (keras.earliest.epochs, keras.confident.epochs) == (2, 3)
    assert keras.ratios == pytest.approx((22.0, 33.0))
    assert not poor.undecided
    cells = {row[0]: row[1:3] for row in target_table([sure, near, KERAS]).rows}
    assert cells["near"] == ("undecided", "")
    assert cells["keras-example"] == ("22.0 s, 2 epochs, between 2 and 3", "22 (22 to 33)")
    rows = {row["contestant"]: row for row in summary_rows([sure, near, KERAS])}
    assert rows["sure"]["to_99.0_decided"]
    assert rows["near"]["to_99.0_decided"] is False
    assert rows["keras-example"]["to_99.0_times_ours_high"] == pytest.approx(33.0)


def test_of_one_network_the_images_alone_leave_a_target_open() -> None:
    near, far = peer("near", 0.98, [(1, 5.0, 0.9895)]), peer("far", 0.95, [(1, 5.0, 0.957)])
    assert [each.undecided for each in times_to_target([near, far], 0.990)] == [True, False]


def test_the_time_to_a_target_is_that_of_the_shortest_schedule_whose_mean_reaches_it() -> None:
    fast, slow, keras, poor = times_to_target(ALL, 0.990)
    assert (fast.ratio, slow.ratio) == (1.0, pytest.approx(11 / 1.5))
    assert keras.schedule
    assert (keras.schedule.epochs, keras.schedule.seconds) == (2, 22.0)
    assert keras.ratio == pytest.approx(22 / 1.5)
    assert poor.schedule is None


def test_ratios_are_to_the_quickest_of_ours_that_reaches_the_target() -> None:
    fast, slow, keras, _ = times_to_target(ALL, 0.994)
    assert (fast.schedule, keras.schedule) == (None, None)
    assert slow.ratio == 1.0


def test_where_none_of_ours_reaches_a_target_there_is_no_ratio() -> None:
    time = times_to_target([KERAS], 0.990)[0]
    assert time.schedule
    assert math.isnan(time.ratio)
    assert summary_rows([KERAS])[0]["to_99.0_times_ours"] is None


def test_the_tables_say_what_was_reached_what_not_and_what_does_not_count() -> None:
    cells = {row[0]: row[1:] for row in target_table(ALL).rows}
    assert cells["fast"] == ("1.50 s, undecided", "1 (1 or more)", "not reached", "", "not reached", "")
    assert cells["fast-994"][2:4] == ("11.0 s, undecided", "1 (1 or more)")
    assert cells["keras-example"][:4] == (
        "22.0 s, 2 epochs, between 2 and 3",
        "14.7 (14.7 to 22)",
        "not reached",
        "",
    )
    assert cells["pytorch-example"] == ("does not count", "") * 3
    lines = {row[0]: row[1:] for row in summary_table(ALL).rows}
    assert lines["fast"] == ("4", "3", "99.100", "0.100", "1.50", "4.50", "", "")
    assert lines["pytorch-example"] == ("2", "1", "98.950", "", "9.00", "12.0", "99.19", "no")


def test_the_rows_of_the_file_hold_the_same_as_the_tables() -> None:
    rows = {row["contestant"]: row for row in summary_rows(ALL)}
    assert rows["fast"]["accuracy_sd"] == pytest.approx(0.001)
    assert rows["pytorch-example"]["accuracy_sd"] is None
    assert rows["keras-example"]["to_99.0_epochs"] == 2
    assert rows["keras-example"]["to_99.5_seconds"] == "not reached"
    assert rows["pytorch-example"]["to_99.0_seconds"] == "does not count"


def test_seeds_that_end_after_different_epochs_are_one_schedule() -> None:
    summary = peer("sklearn-benchmark", 0.9776, [(30, 50.0, 0.978)], [(41, 70.0, 0.979)])
    assert (summary.full.epochs, summary.full.seconds) == (36, 60.0)


def test_the_figure_has_a_bar_only_where_there_is_a_spread_and_none_beyond_all_errors() -> None:
    wild, alike = ours("wild", (1.0, 0.9), (1.0, 0.9999)), ours("alike", (2.0, 0.99), (2.0, 0.99))
    (axes,) = plot_training([wild, alike, POOR]).axes
    bars = [each for each in axes.containers if isinstance(each, ErrorbarContainer)]
    assert [each.has_yerr for each in bars] == [True, False, False]
    _, _, (segments,) = bars[0].lines
    low, high = segments.get_segments()[0][:, 1]
    assert low > 0
    assert high == pytest.approx(12.069, abs=1e-3)  # 100 * (1 - (0.94995 - 0.07064))


@pytest.mark.parametrize("summaries", [ALL, [KERAS], [ours("perfect", (1.0, 1.0))]])
def test_the_figure_shows_every_case(summaries: list[Summary]) -> None:
    figure = plot_training(summaries)
    assert png_of(figure).startswith(b"\x89PNG")
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [label.removesuffix(" (does not count)") for label in labels] == [each.name for each in summaries]
    (axes,) = figure.axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # an axis of the error, upside down
    assert "99.0" in [label.get_text() for label in axes.get_yticklabels()]


def test_the_ratio_of_two_is_the_median_of_the_ratios_in_each_round() -> None:
    assert median_ratio([2.0, 20.0, 3.0], [1.0, 10.0, 1.0]) == 2.0  # and not 3.0, of the medians


def test_rows_are_a_table_of_all_their_columns_with_blanks_where_a_figure_is_missing() -> None:
    table = rows_table("cost", [{"what": "a row", "n": 1200, "ms": 2.5}, {"what": "a page", "mb": None}])
    assert table.columns == ("cost", "n", "ms", "mb")
    assert table.rows == (("a row", "1,200", "2.50", ""), ("a page", "", "", ""))

"""Figures drawn from synthetic results and real digits, with no warning."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from digitlab.report import (
    StudyData,
    draw_error_by_level,
    draw_kernels,
    draw_learning_curves,
    draw_misread,
    error_by_level,
    learning_curves,
    most_misread,
)
from digitlab.report.canvas import wrapped
from digitlab.report.figures import Kernels, Misread
from digitlab.report.page import inline_svg
from digitlab.results import StudyTable
from digitlab.spec import Axis

NEURONS = Axis(path="model.hidden.0", values=(8, 16, 64, 128), label="neurons")
OPTIMIZER = Axis(path="training.optimizer", values=("adam", "sgd"), label="optimizer")
SIZE = Axis(path="training.batch_size", values=(100, 200), label="batch size")
ONE_LEVEL = Axis(path="training.batch_size", values=(100,))
MANY = Axis(path="training.batch_size", values=tuple(range(100, 140)), label="images in a batch, " * 8)


def png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=40)
    return file.getvalue()


def draw_errors(table: StudyTable) -> Figure:
    figure = draw_error_by_level(error_by_level(StudyData(table)))
    assert png(figure).startswith(b"\x89PNG")
    return figure


def draw_curves(table: StudyTable) -> Figure:
    figure = draw_learning_curves(learning_curves(table))
    assert png(figure).startswith(b"\x89PNG")
    return figure


def draw_both(table: StudyTable) -> tuple[Figure, Figure]:
    return draw_errors(table), draw_curves(table)


def tick_labels(figure: Figure) -> list[str]:
    return [label.get_text() for label in figure.axes[0].get_xticklabels()]


@pytest.mark.parametrize(
    "axes",
    [
        (ONE_LEVEL,),
        (OPTIMIZER,),
        (NEURONS, OPTIMIZER),
        (NEURONS, OPTIMIZER, SIZE),
        pytest.param((MANY,), marks=pytest.mark.slow),  # a line for each of forty levels
    ],
    ids=["one level", "words", "two axes", "three axes", "forty levels"],
)
@pytest.mark.parametrize("seeds", [1, 3])
def test_any_study_is_drawn_without_a_warning(make_table, axes: tuple[Axis, ...], seeds: int) -> None:
    draw_both(make_table(*axes, seeds=seeds))


def test_levels_without_results_are_drawn_around(make_table) -> None:
    draw_both(make_table(missing={(1, 0), (1, 1), (1, 2), (2, 0), (2, 1)}))


def test_errors_of_nought_are_drawn(make_table) -> None:
    draw_both(make_table(test=lambda cell, seed: 0, validation=lambda cell, seed: 0, training=0))
    draw_both(make_table(test=lambda cell, seed: 5.0 * cell, training=0))


def test_ticks_stand_at_exactly_the_levels_and_doubling_is_one_step(make_table) -> None:
    figure = draw_errors(make_table(NEURONS))
    ticks = figure.axes[0].get_xticks()
    assert tick_labels(figure) == ["8", "16", "64", "128"]
    assert np.diff(ticks) == pytest.approx([1, 2, 1])


def test_lines_of_unsorted_levels_go_from_left_to_right(make_table) -> None:
    figure = draw_errors(make_table(Axis(path="model.hidden.0", values=(128, 8, 64))))
    for line in figure.axes[0].get_lines():
        if line.get_linestyle() == "-":
            assert np.all(np.diff(np.asarray(line.get_xdata(), float)) > 0)


def test_points_and_intervals_are_where_the_numbers_are(make_table) -> None:
    table = make_table(test=lambda cell, seed: 2 + cell + 0.1 * seed)
    figure = draw_errors(table)
    (bars,) = figure.axes[0].containers
    assert isinstance(bars, ErrorbarContainer)
    points, _, (segments,) = bars.lines
    assert points.get_ydata() == pytest.approx([2.1, 3.1, 4.1])
    low, high = segments.get_segments()[0][:, 1]
    assert (low, high) == pytest.approx((table.rows[0].test_error.low, table.rows[0].test_error.high))


def drawn_bars(table: StudyTable) -> list[np.ndarray]:
    """The intervals of the errors, from low to high; those that are drawn."""
    figure = draw_errors(table)
    (bars,) = figure.axes[0].containers
    assert isinstance(bars, ErrorbarContainer)
    _, _, (segments,) = bars.lines
    return [segment[:, 1] for segment in segments.get_segments() if len(segment)]


def test_seeds_that_err_alike_have_a_point_and_no_bar(make_table) -> None:
    table = make_table(test=lambda cell, seed: 89.47 if cell == 0 else 2 + 0.1 * seed)
    assert len(drawn_bars(table)) == 2


def test_bars_of_errors_end_at_0_and_100(make_table) -> None:
    table = make_table(seeds=2, test=lambda cell, seed: (1 + seed, 98 + seed, 40 + 30 * seed)[cell])
    bars = drawn_bars(table)
    assert [bar[0] for bar in bars] == pytest.approx([0, 92.147, 0], abs=1e-3)
    assert [bar[1] for bar in bars] == pytest.approx([7.853, 100, 100], abs=1e-3)


def test_the_axis_of_errors_never_goes_below_nought(make_table) -> None:
    # Two seeds far apart: the interval reaches to -10.
    for spread in (1, 6):
        figure = draw_errors(make_table(seeds=2, test=lambda cell, seed: 1 + spread * seed))  # noqa: B023
        assert figure.axes[0].get_ylim()[0] >= 0


def test_epochs_are_whole_numbers(make_table) -> None:
    for epochs, expected in ((1, {1}), (10, set(range(1, 11)))):
        figure = draw_curves(make_table(overrides={"training.epochs": epochs}))
        low, high = figure.axes[1].get_xlim()
        assert {tick for tick in figure.axes[1].get_xticks() if low <= tick <= high} == expected
    figure = draw_curves(make_table(overrides={"training.epochs": 37}))
    assert all(tick == int(tick) for tick in figure.axes[1].get_xticks())


def test_of_many_levels_the_legend_names_some_and_labels_do_not_touch(make_table) -> None:
    errors, curves = draw_both(make_table(MANY))
    assert len(curves.legends[0].get_texts()) == 12
    assert len(curves.axes[0].get_lines()) == 40
    assert len(errors.axes[0].get_xticks()) == 40
    assert 5 < sum(map(bool, tick_labels(errors))) < 20


def test_letters_of_full_width_count_twice_and_end_a_line_anywhere() -> None:
    assert wrapped("神経細胞の数", 8) == "神経細胞\nの数"
    assert wrapped("number of 神経 neurons", 14) == "number of 神経\nneurons"
    assert wrapped("images in a batch", 11) == "images in a\nbatch"


def test_words_are_drawn_as_they_are_written(make_table) -> None:
    """A dollar sign would begin a formula, and an unpaired brace would break it."""
    axis = Axis(path="training.optimizer", values=("adam", "sgd"), label="cost in $x^{ and $_")
    figure = draw_errors(make_table(axis))
    assert figure.axes[0].get_xlabel() == "cost in $x^{ and $_"
    assert not figure.axes[0].xaxis.label.get_parse_math()


def test_each_digit_is_drawn_with_its_label_and_what_it_was_taken_for(mnist, predictions) -> None:
    misread = most_misread(predictions, mnist.y_test, count=7)
    figure = draw_misread(misread, mnist.x_test)
    assert png(figure).startswith(b"\x89PNG")
    drawn = [axes for axes in figure.axes if axes.images]
    assert len(drawn) == 7
    for axes, each in zip(drawn, misread, strict=True):
        assert np.array_equal(np.asarray(axes.images[0].get_array()), mnist.x_test[each.index])
        assert axes.get_title() == f"{each.truth}, read {each.usual}\n5 of 5"


def test_a_label_known_to_be_wrong_is_marked(mnist) -> None:
    wrong = Misread(index=2597, truth=5, wrong=4, total=5, usual=3, corrected=3)
    figure = draw_misread([wrong, replace(wrong, corrected=None)], mnist.x_test)
    marked, plain = figure.axes
    assert marked.get_title() == "published 5\nre-labelled 3\nread 3, 4/5"
    assert marked.title.get_color() != plain.title.get_color()


def test_kernels_are_drawn_on_one_scale_with_nought_in_its_middle() -> None:
    weights = np.linspace(-1, 0.5, 12 * 9).reshape(12, 3, 3)
    figure = draw_kernels(Kernels("cnn", seed=0, epochs=10, asked=10, weights=weights))
    assert png(figure).startswith(b"\x89PNG")
    drawn = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(drawn) == 12
    assert {image.get_clim() for image in drawn} == {(-1.0, 1.0)}
    assert np.array_equal(np.asarray(drawn[5].get_array()), weights[5])


def test_kernels_of_nought_are_drawn() -> None:
    png(draw_kernels(Kernels("cnn", seed=0, epochs=1, asked=1, weights=np.zeros((2, 3, 3)))))


def test_drawing_leaves_global_settings_alone(make_table) -> None:
    before = dict(mpl.rcParams)
    draw_both(make_table())
    assert dict(mpl.rcParams) == before


def test_a_users_own_settings_do_not_change_the_figure(make_table) -> None:
    def markup() -> str:
        return inline_svg(draw_error_by_level(error_by_level(StudyData(make_table()))), "error", "Errors.")

    plain = markup()
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.grid": False, "svg.fonttype": "path"}):
        assert markup() == plain


@pytest.mark.slow  # a process of its own
def test_pyplot_is_not_loaded() -> None:
    code = "import sys, digitlab.report.page; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.slow  # processes of their own
@pytest.mark.parametrize(
    ("module", "home"),
    [("matplotlib", "drawing"), ("matplotlib", "markdown"), ("matplotlib", "page"), ("jinja2", "page")],
)
def test_a_missing_library_is_one_line_with_the_cure(module: str, home: str) -> None:
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from digitlab.errors import MissingExtraError\n"
        f"try:\n    import digitlab.report.{home}\nexcept MissingExtraError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{module} is not installed")
    assert 'pip install -e ".[report]"' in done.stdout


def test_long_names_of_classes_are_shortened_below_their_pictures(mnist) -> None:
    names = ["short", "a class whose name is long"]
    misread = [Misread(index=0, truth=1, wrong=2, total=3, usual=0)]
    figure = draw_misread(misread, mnist.x_test, names)
    assert figure.axes[0].get_title() == "a class wh…\nread short\n2 of 3"

"""Rows of writing: what stands in one line, what is no writing, and the crop that is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from digitlab.recognition.page import Page, make_page
from digitlab.recognition.row_crop import crop_row
from digitlab.recognition.rows import Layout, find_rows, whole_picture
from digitlab.recognition.sources import source_pages

Write = Callable[..., np.ndarray]
WAYS = {
    "1": [[(0.5, 0), (0.5, 1)]],
    "7": [[(0, 0), (1, 0), (0.3, 1)]],
    "5": [[(0.9, 0), (0.1, 0), (0.1, 0.45), (0.9, 0.6), (0.8, 0.95), (0.1, 1)]],
    "4": [[(0.6, 0), (0, 0.6), (1, 0.6)], [(0.7, 0.3), (0.7, 1)]],
    "2": [[(0, 0.2), (0.5, 0), (0.9, 0.25), (0, 1), (1, 1)]],
}


def stroke(page: np.ndarray, digit: str, left: float, top: float, height: float, pen: int = 4) -> None:
    """Draw a plain digit, 0.6 of its height wide, black."""
    for way in WAYS[digit]:
        points = np.array([(left + 0.6 * height * x, top + height * y) for x, y in way])
        cv2.polylines(page, [np.rint(points).astype(np.int32)], False, 0, pen, cv2.LINE_AA)


def paper(rows: int, columns: int) -> np.ndarray:
    return np.full((rows, columns), 255, np.uint8)


def laid_out(picture: np.ndarray) -> tuple[Page, Layout]:
    page = make_page(source_pages(picture)[0])
    return page, find_rows(page)


def counts(layout: Layout) -> list[int]:
    """Of each line its components."""
    lines: dict[int, int] = {}
    for row in layout.rows:
        lines[row.line] = lines.get(row.line, 0) + row.tall
    return list(lines.values())


def test_digits_beside_each_other_are_one_row_and_the_next_line_is_another() -> None:
    picture = paper(260, 400)
    for line, text in enumerate(("7254", "412")):
        for place, digit in enumerate(text):
            stroke(picture, digit, 40 + 70 * place, 40 + 110 * line, 60)
    assert counts(laid_out(picture)[1]) == [4, 3]


def test_a_part_of_small_ink_alone_is_as_high_as_its_ink() -> None:
    picture = paper(140, 900)
    for left, digit in ((40, "7"), (110, "2"), (700, "5"), (770, "4")):
        stroke(picture, digit, left, 40, 60)
    cv2.circle(picture, (420, 92), 6, 0, -1)
    parts = laid_out(picture)[1].rows
    assert [part.tall for part in parts] == [2, 0, 2]
    assert 10 <= parts[1].height <= 16


@pytest.mark.parametrize("slope", [-0.26, -0.1, 0.1, 0.26])
def test_rows_climb_and_fall_up_to_fifteen_degrees(slope: float) -> None:
    picture = paper(420, 620)
    for line in range(2):
        for place, digit in enumerate("7254127"):
            left = 40 + 75 * place
            stroke(picture, digit, left, 130 + 110 * line + slope * (left - 300), 60)
    page, layout = laid_out(picture)
    assert counts(layout) == [7, 7]
    crop = crop_row(page, layout, layout.rows[0])
    assert crop.grey.shape[0] < 60 * 1.8  # straightened: not as high as the row climbs


def test_a_wavy_row_is_one_row_and_level_when_it_is_cut_out() -> None:
    picture = paper(240, 460)
    for place, (digit, top) in enumerate(zip("12457", (60, 120, 40, 110, 55), strict=True)):
        stroke(picture, digit, 30 + 85 * place, top, 60)
    page, layout = laid_out(picture)
    assert counts(layout) == [5]
    ink = (crop_row(page, layout, layout.rows[0]).grey < 128).any(axis=1)
    assert np.ptp(np.flatnonzero(ink)) < 75


def test_a_column_of_digits_is_rows_of_one() -> None:
    picture = paper(480, 100)
    for place, digit in enumerate("7447"):
        stroke(picture, digit, 25, 20 + 115 * place, 80)
    assert counts(laid_out(picture)[1]) == [1, 1, 1, 1]


def test_aligned_bars_and_upright_ones_are_no_ruled_lines() -> None:
    picture = paper(70, 330)
    for place, digit in enumerate("77115"):
        stroke(picture, digit, 12 + 62 * place, 6, 58)
    page, layout = laid_out(picture)
    assert counts(layout) == [5]
    assert layout.notes == ()
    assert cv2.countNonZero((layout.components.labels > 0).view(np.uint8)) == cv2.countNonZero(page.ink.sure)


def test_a_wide_five_keeps_its_bars() -> None:
    picture = paper(400, 400)
    points = [(320, 110), (80, 130), (75, 200), (330, 190), (320, 280), (90, 290)]
    cv2.polylines(picture, [np.array(points)], False, 0, 9, cv2.LINE_AA)
    _, layout = laid_out(picture)
    assert (counts(layout), layout.notes) == ([1], ())


@pytest.mark.parametrize("touching", [False, True])
def test_a_ruled_line_is_left_out_and_what_touches_it_is_not(touching: bool) -> None:
    picture = paper(120, 400)
    for place, digit in enumerate("7254"):
        stroke(picture, digit, 40 + 80 * place, 20, 60)
    row = 80 if touching else 100
    cv2.line(picture, (0, row), (400, row), 90, 2)
    _, layout = laid_out(picture)
    assert layout.notes == ("1 ruled line left out",)
    assert counts(layout) == [4]


def test_ruled_and_squared_paper_is_no_writing() -> None:
    picture = paper(400, 600)
    for row in range(25, 400, 50):
        cv2.line(picture, (0, row), (600, row), 170, 1)
    for column in range(25, 600, 50):
        cv2.line(picture, (column, 0), (column, 400), 170, 1)
    for place, digit in enumerate("7254"):
        stroke(picture, digit, 80 + 125 * place, 160, 80, 6)
    _, layout = laid_out(picture)
    assert counts(layout) == [4]
    assert "lines" in layout.notes[0]


def test_a_frame_and_an_underline_are_told() -> None:
    picture = paper(240, 420)
    cv2.rectangle(picture, (15, 15), (405, 225), 0, 3)
    for place, digit in enumerate("7254"):
        stroke(picture, digit, 60 + 80 * place, 70, 60)
    cv2.line(picture, (60, 160), (370, 163), 0, 3)
    _, layout = laid_out(picture)
    assert counts(layout) == [4]
    assert layout.notes


@pytest.mark.parametrize("margin", [0, 1, 4])
def test_a_picture_that_is_a_row_keeps_the_ink_at_its_edges(write: Write, margin: int) -> None:
    drawn = write(["2914"])
    rows, columns = np.nonzero(drawn < 128)
    top, left = max(0, rows.min() - margin), max(0, columns.min() - margin)
    cut = drawn[top : rows.max() + 1 + margin, left : columns.max() + 1 + margin]
    page, layout = laid_out(np.ascontiguousarray(cut))
    [row] = layout.rows
    crop = crop_row(page, layout, whole_picture(row, page.grey.shape))
    assert crop.grey.shape[0] == cut.shape[0]
    assert crop.grey.shape[1] >= 0.95 * cut.shape[1]


def test_the_bar_of_a_five_far_above_belongs_to_it() -> None:
    picture = paper(240, 240)
    cv2.line(picture, (90, 40), (145, 38), 60, 8)
    cv2.ellipse(picture, (105, 155), (35, 45), 0, -110, 150, 60, 8)
    _, layout = laid_out(picture)
    [row] = layout.rows
    assert len(row.members) == 2


def test_words_far_apart_are_read_one_by_one_on_one_line() -> None:
    picture = paper(120, 900)
    for left in (30, 100, 700, 770):
        stroke(picture, "7", left, 30, 60)
    _, layout = laid_out(picture)
    assert [row.line for row in layout.rows] == [0, 0]
    assert [row.tall for row in layout.rows] == [2, 2]


def test_ink_of_the_next_row_is_painted_over() -> None:
    picture = paper(200, 300)
    stroke(picture, "7", 40, 20, 60)
    stroke(picture, "4", 110, 20, 60)
    stroke(picture, "1", 180, 90, 60)
    stroke(picture, "7", 40, 90, 60)
    page, layout = laid_out(picture)
    crop = crop_row(page, layout, layout.rows[0], margin=0.3)
    beneath = crop.grey[crop.grey.shape[0] - 16 :]
    assert beneath.size
    assert beneath.min() > 200


def test_a_box_in_a_crop_leads_back_to_the_page() -> None:
    picture = paper(200, 400)
    for place, digit in enumerate("7254"):
        stroke(picture, digit, 60 + 80 * place, 70, 60)
    page, layout = laid_out(picture)
    crop = crop_row(page, layout, layout.rows[0])
    rows, columns = np.nonzero(crop.grey < 128)
    corners = crop.to_page(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    ink = np.argwhere(picture < 128)
    assert np.abs(corners.min(axis=0) - ink.min(axis=0)[::-1]).max() <= 1
    assert np.abs(corners.max(axis=0) - ink.max(axis=0)[::-1] - 1).max() <= 1


@pytest.mark.parametrize("picture", [paper(100, 100), np.zeros((1, 1), np.uint8)])
def test_without_ink_there_are_no_rows(picture: np.ndarray) -> None:
    assert laid_out(picture)[1].rows == ()


def test_every_component_of_digit_size_is_in_a_row_or_an_artifact(write: Write) -> None:
    pictures: Sequence[np.ndarray] = [write(["20", "8671"], seed) for seed in range(6)]
    for picture in pictures:
        _, layout = laid_out(picture)
        placed = {index for row in layout.rows for index in row.members} | set(layout.artifacts)
        tall = np.flatnonzero(layout.components.heights > 0.45 * layout.height)
        assert set(tall.tolist()) <= placed


def test_pale_digits_go_on_with_a_line_one_after_the_other() -> None:
    picture = paper(120, 560)
    for place, digit in enumerate("725412"):
        stroke(picture, digit, 30 + 85 * place, 30, 60, 5)
    pale = picture[:, 100:].astype(np.int16)
    picture[:, 100:] = 255 - (255 - pale) * 3 // 10
    assert counts(laid_out(picture)[1]) == [6]


def test_digits_that_hang_together_on_a_line_are_no_underline() -> None:
    picture = paper(90, 600)
    for place, digit in enumerate("7254127"):
        stroke(picture, digit, 30 + 70 * place, 20, 44, 3)
    cv2.line(picture, (25, 64), (520, 64), 0, 3)
    stroke(picture, "7", 550, 20, 44, 3)
    _, layout = laid_out(picture)
    assert layout.artifacts == {}
    assert sum(counts(layout)) == 2


def test_a_pattern_along_the_edge_is_left_out_beside_paler_writing() -> None:
    picture = paper(300, 200)
    chance = np.random.default_rng(1)
    for left in range(0, 200, 20):
        picture[: int(chance.integers(14, 22)), left : left + int(chance.integers(10, 17))] = 0
    stroke(picture, "7", 80, 160, 60, 5)
    picture[100:] = 255 - (255 - picture[100:].astype(np.int16)) * 4 // 10
    _, layout = laid_out(picture)
    assert layout.notes == ("a pattern along the edge left out",)
    assert counts(layout) == [1]

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from digitlab.data.dataset import Dataset
from digitlab.recognition import Recognizer
from digitlab.recognition.page import Page, make_page
from digitlab.recognition.page_rectification import find_sheet
from digitlab.recognition.sources import source_pages
from digitlab.recognition.uniform_background import measure_uniform_background

Write = Callable[..., np.ndarray]

CORNERS = np.array([[70, 60], [560, 40], [600, 330], [40, 360]], np.float32)


def on_a_table(page: np.ndarray, shadow: bool = False) -> np.ndarray:
    """A page seen at an angle on a dark, grained table, uint8 [400, 640]."""
    chance = np.random.default_rng(0)
    height, width = page.shape
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    view = cv2.getPerspectiveTransform(flat, CORNERS)
    table = 60 + 3 * cv2.GaussianBlur(
        chance.normal(0, 30, (400, 640)).astype(np.float32), (0, 0), 25, sigmaY=1
    )
    covered = cv2.warpPerspective(np.ones(page.shape, np.float32), view, (640, 400))
    photograph = cv2.warpPerspective(page.astype(np.float32), view, (640, 400)) * 0.9 + table * (1 - covered)
    if shadow:
        photograph *= 1 - 0.45 / (1 + np.exp(-(np.arange(640) - 350) / 12))
    return np.clip(photograph + chance.normal(0, 2, photograph.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shadow", [False, True])
def test_a_sheet_on_a_table_is_found_and_read(reader: Recognizer, write: Write, shadow: bool) -> None:
    photograph = on_a_table(write(["3064", "582"], seed=2), shadow)
    sheet = find_sheet(photograph)
    assert sheet is not None
    assert sheet.whole
    assert np.abs(sheet.outline - CORNERS).max() < 12
    reading = reader.read(photograph)
    assert reading.text == "3064\n582"
    for digit in reading.digits:
        box = digit.box
        inside = photograph[box.top : box.top + box.height, box.left : box.left + box.width]
        assert inside.min() < 0.6 * np.median(inside)


def test_a_sheet_that_the_picture_shows_in_part_is_read(reader: Recognizer, write: Write) -> None:
    photograph = np.ascontiguousarray(on_a_table(write(["3064", "582"], seed=2))[:325, :550])
    sheet = find_sheet(photograph)
    assert sheet is not None
    assert not sheet.whole
    # The 4 lies where the sheet is cut off: it is read or refused, and never another digit.
    assert reader.read(photograph).text in ("3064\n582", "306?\n582")


def test_a_shadow_and_a_frame_are_no_sheets(write: Write) -> None:
    page = cv2.resize(write(["3064"]), (640, 400)).astype(np.float32)
    lit = page * (1 - 0.5 / (1 + np.exp(-(np.arange(640) - 350) / 12)))
    assert find_sheet(lit.astype(np.uint8)) is None
    assert find_sheet(cv2.rectangle(page.astype(np.uint8), (40, 40), (600, 360), 0, 5)) is None


def test_a_drawing_is_seen_at_once_and_a_photograph_is_not(digits: Dataset, write: Write) -> None:
    drawing = cv2.resize(digits.x_test[0], (280, 280), interpolation=cv2.INTER_CUBIC)
    for picture in (drawing, 255 - drawing):
        view = measure_uniform_background(picture)
        assert view is not None
        np.testing.assert_array_equal(view.contrast, drawing)
    assert measure_uniform_background(on_a_table(write(["3064"]))) is None
    assert measure_uniform_background(np.full((280, 280), 200, np.uint8)) is None


def test_a_light_sheet_on_one_dark_level_is_no_drawing(reader: Recognizer, write: Write) -> None:
    sheet = cv2.copyMakeBorder(write(["3064"]), 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=20)
    assert measure_uniform_background(sheet) is None
    assert reader.read(sheet).text == "3064"


def page_of(picture: np.ndarray) -> Page:
    return make_page(source_pages(picture)[0])


def number(ink: tuple[int, int, int], paper: tuple[int, int, int]) -> np.ndarray:
    """Two strokes of one colour on another, uint8 [90, 120, 3]."""
    picture = np.full((90, 120, 3), paper, np.uint8)
    for left in (40, 80):
        cv2.line(picture, (left, 20), (left - 8, 70), ink, 5)
    return picture


@pytest.mark.parametrize(
    ("ink", "paper"), [((200, 30, 30), (45, 110, 45)), ((230, 150, 60), (120, 170, 235))]
)
def test_ink_that_only_its_colour_shows_is_seen(
    ink: tuple[int, int, int], paper: tuple[int, int, int]
) -> None:
    page = page_of(number(ink, paper))
    assert any("colour" in note for note in page.notes)
    assert cv2.connectedComponents(page.ink.sure)[0] - 1 == 2


def test_pale_ink_beside_black_ink_is_seen() -> None:
    picture = number((20, 20, 20), (255, 255, 255))
    picture[:, 60:][picture[:, 60:, 0] < 250] = (255, 150, 180)
    page = page_of(picture)
    assert cv2.connectedComponents((page.ink.sure | page.ink.pale).view(np.uint8))[0] - 1 == 2


def test_a_blue_pen_on_white_paper_is_read_by_its_brightness() -> None:
    page = page_of(number((30, 50, 160), (250, 250, 245)))
    assert page.notes == ()
    assert page.grey.min() < 80


@pytest.mark.parametrize("light", [False, True])
def test_ink_is_found_in_either_polarity(write: Write, light: bool) -> None:
    drawn = write(["407"])
    page = page_of(255 - drawn if light else drawn)
    assert np.count_nonzero(page.ink.sure & (drawn < 100)) > 0.95 * np.count_nonzero(drawn < 100)
    assert np.count_nonzero(page.ink.sure) < 1.3 * np.count_nonzero(drawn < 128)


def test_ragged_ink_hangs_together(write: Write) -> None:
    chance = np.random.default_rng(0)
    drawn = cv2.resize(write(["7"]), None, fx=0.8, fy=0.8)
    ink = (drawn < 128).astype(np.uint8)
    holes = chance.random(ink.shape) < 0.55
    ragged = np.where((ink > 0) & ~holes, 0, 255).astype(np.uint8)
    assert cv2.connectedComponents(255 - ragged)[0] - 1 > 8
    assert cv2.connectedComponents(page_of(ragged).ink.sure)[0] - 1 <= 2


def test_noise_has_no_ink() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (150, 150), np.uint8)
    assert not page_of(noise).ink.sure.any()


def test_a_box_on_a_page_is_one_in_the_upright_picture(write: Write) -> None:
    large = cv2.resize(write(["52"]), None, fx=9, fy=9, interpolation=cv2.INTER_CUBIC)
    page = page_of(large)
    assert page.grey.size < large.size
    height, width = page.grey.shape
    box = page.box(np.array([[0, 0], [width, height]]))
    assert (box.left, box.top, box.width, box.height) == (0, 0, large.shape[1], large.shape[0])

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from digitlab.data.dataset import Dataset
from digitlab.recognition import Recognizer
from digitlab.recognition.cuts import cuttings
from digitlab.recognition.pieces import Piece
from digitlab.recognition.plain import on_plain_paper
from digitlab.recognition.sheet import find_sheet

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
    photograph = on_a_table(write(["3064", "582"]), shadow)
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
    photograph = np.ascontiguousarray(on_a_table(write(["3064", "582"]))[:325, :550])
    sheet = find_sheet(photograph)
    assert sheet is not None
    assert not sheet.whole
    assert reader.read(photograph).text == "3064\n582"


def test_a_shadow_and_a_frame_are_no_sheets(write: Write) -> None:
    page = cv2.resize(write(["3064"]), (640, 400)).astype(np.float32)
    lit = page * (1 - 0.5 / (1 + np.exp(-(np.arange(640) - 350) / 12)))
    assert find_sheet(lit.astype(np.uint8)) is None
    assert find_sheet(cv2.rectangle(page.astype(np.uint8), (40, 40), (600, 360), 0, 5)) is None


def test_a_drawing_is_seen_at_once_and_a_photograph_is_not(digits: Dataset, write: Write) -> None:
    drawing = cv2.resize(digits.x_test[0], (280, 280), interpolation=cv2.INTER_CUBIC)
    for picture in (drawing, 255 - drawing):
        view = on_plain_paper(picture)
        assert view is not None
        np.testing.assert_array_equal(view.contrast, drawing)
    assert on_plain_paper(on_a_table(write(["3064"]))) is None
    assert on_plain_paper(np.full((280, 280), 200, np.uint8)) is None


def test_a_light_sheet_on_one_dark_level_is_no_drawing(reader: Recognizer, write: Write) -> None:
    sheet = cv2.copyMakeBorder(write(["3064"]), 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=20)
    assert on_plain_paper(sheet) is None
    assert reader.read(sheet).text == "3064"


def test_a_very_wide_piece_may_be_cut() -> None:
    strength = np.zeros((60, 900), np.uint8)
    strength[:, ::60] = strength[30] = 255
    assert cuttings(Piece(strength, 0, 0, int((strength > 0).sum()))).slices

"""Ink in the form of MNIST's digits: whole, in its box, its centre of mass in the middle."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digitlab.data.dataset import Dataset
from digitlab.recognition import Recognizer
from digitlab.recognition.mnist_form import BOX, to_mnist_form

HEIGHTS = (10, 14, 20, 28, 33, 40, 60, 80, 120, 200)
# Some of these are two columns wide in the box of 20x20, which float32 would make a list of points.
WIDTHS = (0.05, 0.075, 0.09, 0.1, 0.11, 0.125, 0.15, 0.175, 0.2, 0.25)
BARS = sorted({(max(1, round(share * height)), height) for height in HEIGHTS for share in WIDTHS})


@pytest.mark.parametrize(("width", "height"), [(*bar,) for bar in BARS])
def test_a_plain_upright_one_of_any_size_keeps_its_ink_in_the_middle(width: int, height: int) -> None:
    form = to_mnist_form(np.full((height, width), 255, np.uint8))
    assert form.sum() / 255 > 0.9 * BOX
    rows = np.flatnonzero(form.any(axis=1))
    assert np.ptp(rows) + 1 == pytest.approx(BOX, abs=1)
    mass = form.astype(float)
    middle = (mass * np.arange(28)[:, None]).sum() / mass.sum(), (mass * np.arange(28)).sum() / mass.sum()
    assert middle == pytest.approx((14, 14), abs=0.6)


def test_a_bar_that_lies_keeps_its_ink_too() -> None:
    for width, height in BARS:
        lying = to_mnist_form(np.full((width, height), 255, np.uint8))
        assert lying.sum() / 255 > 0.9 * BOX


def test_a_plain_upright_one_is_read_at_every_size(reader: Recognizer) -> None:
    bars = [(width, height) for width, height in BARS if height >= 14]
    pages = []
    for width, height in bars:
        page = np.full((2 * height, 2 * height), 255, np.uint8)
        top, left = height // 2, height - width // 2
        page[top : top + height, left : left + width] = 0
        pages.append(page)
    read = {bar: reading.text for bar, reading in zip(bars, reader.read_many(pages), strict=True)}
    assert {bar: text for bar, text in read.items() if text != "1"} == {}


@pytest.mark.parametrize(("index", "side"), [(279, 57), (1368, 28), (2444, 57), (2786, 28), (2827, 57)])
def test_a_thin_one_that_somebody_wrote_keeps_its_ink(digits: Dataset, index: int, side: int) -> None:
    form = to_mnist_form(cv2.resize(digits.x_test[index], (side, side)))
    assert form.sum() / 255 > 0.9 * BOX

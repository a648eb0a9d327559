from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from digitlab.data.dataset import Dataset
from digitlab.errors import DataError
from digitlab.synthesis.corruptions import CORRUPTIONS, corrupt

COUNT = 200

# Mean absolute change of a pixel, in grey levels, over the first 200 test images: measured, with some room.
CHANGE = {
    "shot noise": (4, 16),
    "impulse noise": (18, 28),
    "glass blur": (10, 35),
    "motion blur": (10, 35),
    "shear": (10, 35),
    "scale": (10, 35),
    "rotate": (10, 40),
    "brightness": (100, 128),
    "translate": (25, 60),
    "stripe": (100, 128),
    "fog": (60, 128),
    "spatter": (3, 16),
    "dotted line": (3, 16),
    "zigzag": (5, 25),
    "Canny edges": (15, 45),
}


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> np.ndarray:
    return mnist.x_test[:COUNT]


@pytest.fixture(scope="module")
def corrupted(digits: np.ndarray) -> dict[str, np.ndarray]:
    return {name: corrupt(name, digits, seed=1) for name in CORRUPTIONS}


def test_there_are_fifteen_of_them() -> None:
    assert len(CORRUPTIONS) == len(set(CORRUPTIONS)) == 15
    assert set(CHANGE) == set(CORRUPTIONS)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_changes_the_digits_as_much_as_it_should(
    name: str, digits: np.ndarray, corrupted: dict[str, np.ndarray]
) -> None:
    images = corrupted[name]
    assert images.dtype == np.uint8
    assert images.shape == digits.shape
    least, most = CHANGE[name]
    assert least < np.abs(images.astype(int) - digits).mean() < most


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_seed_gives_the_same_images_again_and_leaves_the_given_ones(
    name: str, digits: np.ndarray, corrupted: dict[str, np.ndarray]
) -> None:
    before = digits.copy()
    np.testing.assert_array_equal(corrupt(name, digits, seed=1), corrupted[name])
    np.testing.assert_array_equal(digits, before)


@pytest.mark.parametrize("name", sorted(set(CORRUPTIONS) - {"scale", "brightness", "stripe", "Canny edges"}))
def test_another_seed_gives_other_images(
    name: str, digits: np.ndarray, corrupted: dict[str, np.ndarray]
) -> None:
    assert (corrupt(name, digits, seed=2) != corrupted[name]).any()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_no_images_give_no_images(name: str) -> None:
    assert corrupt(name, np.empty((0, 28, 28), np.uint8), seed=0).shape == (0, 28, 28)


def test_what_leaves_ink_in_its_place_leaves_digits_nearest_to_their_originals(
    digits: np.ndarray, corrupted: dict[str, np.ndarray]
) -> None:
    originals = digits.reshape(COUNT, -1).astype(float)
    originals -= originals.mean(axis=1, keepdims=True)
    moving = {"glass blur", "motion blur", "shear", "scale", "rotate", "translate", "Canny edges"}
    for name in set(CORRUPTIONS) - moving:
        images = corrupted[name].reshape(COUNT, -1).astype(float)
        assert (
            (images @ originals.T / np.linalg.norm(originals, axis=1)).argmax(1) == range(COUNT)
        ).mean() > 0.9


def test_translation_is_by_three_pixels_each_way_and_loses_no_ink_of_a_small_digit() -> None:
    dot = np.zeros((100, 28, 28), np.uint8)
    dot[:, 10, 12] = 200
    found = np.argwhere(corrupt("translate", dot, seed=0))[:, 1:]
    assert {tuple(place) for place in found.tolist()} == {(7, 9), (7, 15), (13, 9), (13, 15)}


def test_turning_shearing_and_scaling_leave_the_middle_in_the_middle() -> None:
    block = np.zeros((20, 28, 28), np.uint8)
    block[:, 8:20, 8:20] = 255
    for name in ("rotate", "shear", "scale"):
        images = corrupt(name, block, seed=0).astype(float)
        centres = [(images.sum(axis=axis) @ np.arange(28)) / images.sum(axis=(1, 2)) for axis in (1, 2)]
        np.testing.assert_allclose(centres, 13.5, atol=0.1)


def test_scaling_leaves_half_of_the_area(digits: np.ndarray, corrupted: dict[str, np.ndarray]) -> None:
    share = corrupted["scale"].sum() / digits.sum()
    assert share == pytest.approx(0.49, abs=0.01)


def test_impulses_are_as_often_white_as_black() -> None:
    grey = corrupt("impulse noise", np.full((100, 28, 28), 128, np.uint8), seed=0)
    assert (grey == 255).mean() == pytest.approx(0.085, abs=0.003)
    assert (grey == 0).mean() == pytest.approx(0.085, abs=0.003)


def test_an_unknown_name_or_another_size_is_refused(digits: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"'snow': expected one of shot noise, "):
        corrupt("snow", digits, seed=0)
    with pytest.raises(DataError, match=r"received uint8 \[200, 26, 28\]"):
        corrupt("fog", digits[:, :26], seed=0)
    with pytest.raises(DataError, match="received float64"):
        corrupt("fog", digits / 255, seed=0)


def _stroke(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """One stroke as its publication computes it, pixel by pixel: ln(1 - d / 2.3) + 1 at d above or below."""
    drawn = np.zeros((28, 28))
    for column in range(int(np.floor(x0)), min(int(np.ceil(x1)), 28)):
        height = y0 + (y1 - y0) / (x1 - x0) * (column - x0)
        for row in range(28):
            far = abs(row - height)
            drawn[row, column] = max(0.0, 1 + np.log(1 - far / 2.3)) if far < 2.3 else 0.0
    return drawn


def test_a_zigzag_has_the_published_strokes(digits: np.ndarray) -> None:
    """Its teeth overlap where they meet, which makes them brighter than one line along them would be."""
    blank = np.zeros((1, 28, 28), np.uint8)
    random = np.random.default_rng(np.random.SeedSequence([7, CORRUPTIONS.index("zigzag")]))
    start, rise = int(random.integers(0, 27, 1)[0]), int(random.integers(-5, 5, 1)[0])
    angle = np.arctan(rise / 23)
    length = 23 / np.cos(angle)
    corners = [(0.0, 0.0), *((4.0 * i + 2, 2.0 * (-1) ** i) for i in range(6)), (length, -1 / (length - 20))]
    places = [
        (2 + x * np.cos(angle) - y * np.sin(angle), start + x * np.sin(angle) + y * np.cos(angle))
        for x, y in corners
    ]
    expected = sum(_stroke(*one, *other) for one, other in pairwise(places))
    np.testing.assert_array_equal(corrupt("zigzag", blank, 7)[0], np.rint(255 * np.clip(expected, 0, 1)))


def test_glass_blur_exchanges_pixels_in_the_published_order(digits: np.ndarray) -> None:
    """From the last pixel to the third, each with one at most one above and one to the left; blurred down."""
    random = np.random.default_rng(np.random.SeedSequence([5, CORRUPTIONS.index("glass blur")]))
    image = _blurred(digits[0] / 255)
    for _ in range(2):
        for row in range(27, 1, -1):
            for column in range(27, 1, -1):
                if random.random(1)[0] < 0.5:
                    down, right = random.integers(-1, 1, (2, 1))[:, 0]
                    other = row + down, column + right
                    image[row, column], image[other] = image[other], image[row, column]
                else:
                    random.integers(-1, 1, (2, 1))
    expected = np.rint(255 * _blurred(image))
    np.testing.assert_allclose(corrupt("glass blur", digits[:1], 5)[0], expected, atol=1)


def _blurred(image: np.ndarray) -> np.ndarray:
    far = np.arange(28)[:, None] - np.arange(28)
    kernel = np.exp(-((far / 0.7) ** 2) / 2)
    kernel /= kernel.sum(axis=1, keepdims=True)
    return kernel @ image

from __future__ import annotations

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

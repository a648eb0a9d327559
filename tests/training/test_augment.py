"""Random changes of training images, on real digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from digitlab.spec.recipe import Augmentation
from real_digits import read_mnist

pytestmark = pytest.mark.slow  # TensorFlow takes seconds to import

IMAGES = 200


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return read_mnist().x_train[:IMAGES]


def changed(digits: np.ndarray, seed: int = 0, **ranges: Any) -> np.ndarray:
    from digitlab.training.process import prepare_process

    prepare_process(1)
    from digitlab.training.augment import Augmenter

    return np.asarray(Augmenter(Augmentation(**ranges), seed)(digits))


def centre(images: np.ndarray) -> np.ndarray:
    """Give the centre of mass of each image, [n, 2] in pixels."""
    weight = images.sum(axis=(1, 2))
    place = np.arange(28)
    return np.stack([(images.sum(axis=axis) * place).sum(axis=1) / weight for axis in (2, 1)], axis=1)


def test_ranges_of_zero_change_nothing(digits) -> None:
    np.testing.assert_array_equal(changed(digits), digits)


def test_the_smallest_movement_leaves_nearly_the_same_image(digits) -> None:
    np.testing.assert_allclose(changed(digits, shift=1e-4), digits, atol=0.2)


@pytest.mark.parametrize(
    "ranges",
    [
        {"rotation": 15.0},
        {"scale": 0.2},
        {"shear": 0.3},
        {"shift": 2.0},
        {"elastic": 1.0},
        {"thickness": 1.0},
        {"light": 0.3},
        {"noise": 0.2},
        {"damage": 0.9},
    ],
)
def test_each_change_alters_the_images_and_keeps_their_range(digits, ranges: dict[str, float]) -> None:
    images = changed(digits, 0, **ranges)
    assert images.shape == digits.shape
    assert images.dtype == np.float32
    assert images.min() >= 0
    assert images.max() <= 255.001
    assert np.abs(images - digits).mean() > 1
    assert len(np.unique(np.round(images - digits, 3), axis=0)) > IMAGES / 2  # each image its own change


def test_a_shift_moves_the_ink_by_no_more_than_it_says(digits) -> None:
    moved = np.abs(centre(changed(digits, shift=3.0)) - centre(digits.astype(np.float32)))
    assert 1 < moved.max() <= 3.01
    assert 1.2 < moved.mean() < 1.8  # evenly from 0 to 3


def test_a_rotation_turns_about_the_middle_and_keeps_the_ink(digits) -> None:
    turned = changed(digits, rotation=20.0)
    np.testing.assert_allclose(turned.sum(axis=(1, 2)), digits.sum(axis=(1, 2)), rtol=0.06)
    assert np.abs(centre(turned) - centre(digits.astype(np.float32))).max() < 0.5


def test_thickness_lies_between_erosion_and_dilation(digits) -> None:
    cv2: Any = pytest.importorskip("cv2")
    images = changed(digits, thickness=1.0)
    square = np.ones((3, 3), np.uint8)
    for before, after in zip(digits, images, strict=True):
        assert (after <= cv2.dilate(before, square) + 0.01).all()
        assert (after >= cv2.erode(before, square) - 0.01).all()


def test_a_displacement_is_as_strong_as_it_says() -> None:
    from digitlab.training.augment import _spreading_matrix

    bends = np.random.default_rng(0).normal(0, 0.8, (500, 36)) @ _spreading_matrix()
    assert bends.std() == pytest.approx(0.8, rel=0.05)
    smooth = bends.reshape(-1, 28, 28)
    assert np.abs(np.diff(smooth, axis=1)).mean() < 0.2


def test_the_same_seed_gives_the_same_changes_and_another_call_new_ones(digits) -> None:
    everything: dict[str, Any] = {"rotation": 9.0, "elastic": 0.5, "noise": 0.1}
    np.testing.assert_array_equal(changed(digits, 3, **everything), changed(digits, 3, **everything))
    assert np.abs(changed(digits, 3, **everything) - changed(digits, 4, **everything)).mean() > 1


def test_damage_leaves_the_other_images_and_comes_in_every_way(digits) -> None:
    damaged = changed(digits, damage=0.5)
    touched = (damaged != digits).any(axis=(1, 2))
    assert 0.35 < touched.mean() < 0.6  # of half of them, some are hardly touched
    share = (damaged != digits).mean(axis=(1, 2))[touched]
    assert share.min() < 0.1  # lines, or few pixels
    assert share.max() > 0.9  # a cloud
    negatives = (damaged == 255 - digits.astype(np.float32)).mean(axis=(1, 2))
    assert negatives[touched].max() > 0.8


def test_damage_does_not_fade_with_the_other_changes(digits) -> None:
    changed(digits)  # TensorFlow is ready
    from digitlab.training.augment import Augmenter

    faded = np.asarray(Augmenter(Augmentation(rotation=30, damage=0.5), 0)(digits, 0.0))
    touched = (np.abs(faded - digits) > 0.5).any(axis=(1, 2))
    assert 0.35 < touched.mean() < 0.6

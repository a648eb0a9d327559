"""Random damage to training images that leaves them legible to a person; part of the training graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from digitlab.spec.recipe import IMAGE_SIDE

ops: Any = keras.ops  # Keras annotates many of its functions as if they returned None

WHITE = 255.0
LINES = 4  # most lines drawn across an image
CELLS = 5  # random values a side of a cloud, which is interpolated between them
STRUCK = 0.3  # largest share of the pixels that turn black or white


class Damager:
    """Damages a share of the images, each in one of five ways drawn at random.

    Pixels turn black or white; a rectangle, or everything around it, is inverted; lines are drawn across;
    only the outline is left; a cloud is laid over.

    Args:
        share: expected share of damaged images, above 0 and up to 1.
        seed: seed of the random stream of the damage.
    """

    def __init__(self, share: float, seed: int) -> None:
        self.share = share
        self.seeds = keras.random.SeedGenerator(seed)
        self._ways: tuple[Callable[[Any], Any], ...] = (
            self._struck,
            self._negative,
            self._crossed,
            _outlined,
            self._clouded,
        )

    def __call__(self, images: Any) -> Any:
        """Damage a random share of the images.

        Args:
            images: images to damage, float32 [batch, 28, 28] in 0..255.

        Returns:
            Images, float32 [batch, 28, 28] in 0..255.
        """
        # One draw decides whether an image is damaged and how: past the last way it stays as it is.
        way = self._even(ops.shape(images)[0], 1, 1) * len(self._ways) / self.share
        damaged = images
        for number, damage in enumerate(self._ways):
            damaged = ops.where((way >= number) & (way < number + 1), damage(images), damaged)
        return ops.clip(damaged, 0.0, WHITE)

    def _even(self, *shape: Any) -> Any:
        return keras.random.uniform(shape, seed=self.seeds)

    def _struck(self, images: Any) -> Any:
        batch = ops.shape(images)[0]
        half = STRUCK / 2 * self._even(batch, 1, 1)
        drawn = self._even(batch, IMAGE_SIDE, IMAGE_SIDE)
        whitened = ops.where(drawn > 1 - half, WHITE, images)
        return ops.where(drawn < half, 0.0, whitened)

    def _negative(self, images: Any) -> Any:
        batch = ops.shape(images)[0]
        middles = IMAGE_SIDE * self._even(2, batch, 1)
        reaches = IMAGE_SIDE * (0.1 + 0.6 * self._even(2, batch, 1))
        place = np.arange(IMAGE_SIDE, dtype=np.float32)
        rows, columns = ops.unstack(ops.abs(place - middles) < reaches, 2)  # [batch, 28] each
        inside = ops.expand_dims(rows, 2) & ops.expand_dims(columns, 1)
        turned = ops.logical_xor(inside, self._even(batch, 1, 1) < 0.5)
        return ops.where(turned, WHITE - images, images)

    def _crossed(self, images: Any) -> Any:
        """Draw straight lines between random points, 1 to 3 pixels wide."""
        batch = ops.shape(images)[0]
        shape = LINES, batch, 1, 1
        x, y, to_x, to_y = ops.unstack(IMAGE_SIDE * self._even(4, *shape), 4)
        along_x = to_x - x
        along_y = to_y - y
        place = np.arange(IMAGE_SIDE, dtype=np.float32)
        right = place.reshape(1, 1, 1, -1) - x
        down = place.reshape(1, 1, -1, 1) - y
        # Part of the way along the line at which it is nearest to the pixel, and its distance there.
        squared_length = ops.maximum(along_x**2 + along_y**2, 1.0)
        part = ops.clip((right * along_x + down * along_y) / squared_length, 0.0, 1.0)
        apart = ops.sqrt((right - part * along_x) ** 2 + (down - part * along_y) ** 2)
        half_width = 0.5 + self._even(*shape)
        ink = ops.clip(half_width - apart + 0.5, 0.0, 1.0)  # falls from 1 to 0 over one pixel at the edge
        drawn = self._even(*shape) < 0.6  # share of the lines that are drawn
        ink = WHITE * ops.max(ops.where(drawn, ink, 0.0), axis=0)
        return ops.maximum(images, ink)

    def _clouded(self, images: Any) -> Any:
        """Blend the image with a cloud of smooth greys, whose share is up to 0.8."""
        batch = ops.shape(images)[0]
        thick = 0.8 * self._even(batch, 1, 1)
        place = np.arange(IMAGE_SIDE, dtype=np.float32) * (CELLS - 1) / (IMAGE_SIDE - 1)
        tent = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(CELLS))).astype(np.float32)  # [28, 5]
        cloud = ops.matmul(ops.matmul(tent, self._even(batch, CELLS, CELLS)), tent.T)
        return images * (1 - thick) + WHITE * thick * cloud


def _outlined(images: Any) -> Any:
    """Keep only the outline of the ink."""
    return ops.minimum(1.5 * (images - neighbours(images, ops.minimum)), WHITE)


def neighbours(images: Any, choose: Any) -> Any:
    """Return the maximum or the minimum over each pixel and its eight neighbours.

    Args:
        images: images, [batch, 28, 28]; pixels outside them are black.
        choose: function of two arrays, `ops.maximum` or `ops.minimum`.

    Returns:
        Images, [batch, 28, 28].
    """
    wide = ops.pad(images, ((0, 0), (1, 1), (1, 1)))
    across = choose(choose(wide[:, :, :-2], wide[:, :, 1:-1]), wide[:, :, 2:])
    return choose(choose(across[:, :-2], across[:, 1:-1]), across[:, 2:])

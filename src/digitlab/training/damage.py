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
LINE_SHARE = 0.6  # share of these lines that are drawn
FOG_CELLS = 5  # random values a side of the fog, which is interpolated between them
FOG_OPACITY = 0.8  # largest share of the fog in an image
IMPULSE_SHARE = 0.3  # largest share of the pixels that turn black or white


class CorruptionAugment:
    """Damages a share of the images, each in one of five ways drawn at random.

    Pixels turn black or white; a rectangle, or everything around it, is inverted; lines are drawn across;
    only the outline is left; fog is laid over.

    Args:
        share: expected share of damaged images, above 0 and up to 1.
        seed: seed of the random stream of the damage.
    """

    def __init__(self, share: float, seed: int) -> None:
        self.share = share
        self.seeds = keras.random.SeedGenerator(seed)
        self._corruptions: tuple[Callable[[Any], Any], ...] = (
            self._add_impulse_noise,
            self._invert_part,
            self._occlude_by_lines,
            _outline,
            self._add_fog,
        )

    def __call__(self, images: Any) -> Any:
        """Damage a random share of the images.

        Args:
            images: images to damage, float32 [batch, 28, 28] in 0..255.

        Returns:
            Images, float32 [batch, 28, 28] in 0..255.
        """
        # One draw decides whether an image is damaged and how: past the last corruption it stays as it is.
        drawn = self._uniform(ops.shape(images)[0], 1, 1) * len(self._corruptions) / self.share
        damaged = images
        # A graph cannot branch image by image, so all corruptions are computed for all images.
        for i, corrupt in enumerate(self._corruptions):
            is_drawn = (drawn >= i) & (drawn < i + 1)
            damaged = ops.where(is_drawn, corrupt(images), damaged)
        return ops.clip(damaged, 0.0, WHITE)

    def _uniform(self, *shape: Any) -> Any:
        return keras.random.uniform(shape, seed=self.seeds)

    def _add_impulse_noise(self, images: Any) -> Any:
        """Turn as many pixels black as white, up to `IMPULSE_SHARE` of them together."""
        batch = ops.shape(images)[0]
        share_of_each = IMPULSE_SHARE / 2 * self._uniform(batch, 1, 1)
        drawn = self._uniform(batch, IMAGE_SIDE, IMAGE_SIDE)
        whitened = ops.where(drawn > 1 - share_of_each, WHITE, images)
        return ops.where(drawn < share_of_each, 0.0, whitened)

    def _invert_part(self, images: Any) -> Any:
        """Invert a rectangle, or in half of the images everything around it."""
        batch = ops.shape(images)[0]
        middles = IMAGE_SIDE * self._uniform(2, batch, 1)  # row and column of each, in pixels
        half_sides = IMAGE_SIDE * (0.1 + 0.6 * self._uniform(2, batch, 1))
        positions = np.arange(IMAGE_SIDE, dtype=np.float32)
        rows, columns = ops.unstack(ops.abs(positions - middles) < half_sides, 2)  # [batch, 28] each
        inside = ops.expand_dims(rows, 2) & ops.expand_dims(columns, 1)
        is_around = self._uniform(batch, 1, 1) < 0.5
        inverted = ops.logical_xor(inside, is_around)
        return ops.where(inverted, WHITE - images, images)

    def _occlude_by_lines(self, images: Any) -> Any:
        """Draw straight lines between random points, 1 to 3 pixels wide."""
        batch = ops.shape(images)[0]
        shape = LINES, batch, 1, 1
        x, y, to_x, to_y = ops.unstack(IMAGE_SIDE * self._uniform(4, *shape), 4)
        along_x = to_x - x
        along_y = to_y - y
        positions = np.arange(IMAGE_SIDE, dtype=np.float32)
        right = positions.reshape(1, 1, 1, -1) - x
        down = positions.reshape(1, 1, -1, 1) - y
        # No division by 0 where the two points coincide.
        squared_length = ops.maximum(along_x**2 + along_y**2, 1.0)
        # Part of the way along the line at which it is nearest to the pixel, and its distance there.
        part = ops.clip((right * along_x + down * along_y) / squared_length, 0.0, 1.0)
        distance = ops.sqrt((right - part * along_x) ** 2 + (down - part * along_y) ** 2)
        half_width = 0.5 + self._uniform(*shape)
        ink = ops.clip(half_width - distance + 0.5, 0.0, 1.0)  # falls from 1 to 0 over one pixel at the edge
        is_drawn = self._uniform(*shape) < LINE_SHARE
        lines = WHITE * ops.max(ops.where(is_drawn, ink, 0.0), axis=0)
        return ops.maximum(images, lines)

    def _add_fog(self, images: Any) -> Any:
        """Blend the image with smooth random greys."""
        batch = ops.shape(images)[0]
        opacity = FOG_OPACITY * self._uniform(batch, 1, 1)
        # Bilinear interpolation, as a product with the weights of the cells in each row and column.
        positions = np.arange(IMAGE_SIDE, dtype=np.float32) * (FOG_CELLS - 1) / (IMAGE_SIDE - 1)  # in cells
        distances = np.abs(positions[:, None] - np.arange(FOG_CELLS))
        weights = np.maximum(0, 1 - distances).astype(np.float32)  # [28, 5]
        cells = self._uniform(batch, FOG_CELLS, FOG_CELLS)
        fog = ops.matmul(ops.matmul(weights, cells), weights.T)
        return images * (1 - opacity) + WHITE * opacity * fog


def _outline(images: Any) -> Any:
    """Keep only the outline of the ink."""
    return ops.minimum(1.5 * (images - erode(images)), WHITE)


def dilate(images: Any) -> Any:
    """Return the maximum over each pixel and its eight neighbours.

    Args:
        images: images, [batch, 28, 28]; pixels outside them are black.

    Returns:
        Images, [batch, 28, 28].
    """
    return _extreme_of_neighbours(images, ops.maximum)


def erode(images: Any) -> Any:
    """Return the minimum over each pixel and its eight neighbours.

    Args:
        images: images, [batch, 28, 28]; pixels outside them are black.

    Returns:
        Images, [batch, 28, 28].
    """
    return _extreme_of_neighbours(images, ops.minimum)


def _extreme_of_neighbours(images: Any, extreme: Callable[[Any, Any], Any]) -> Any:
    # Along the rows and then along the columns: four operations instead of eight.
    padded = ops.pad(images, ((0, 0), (1, 1), (1, 1)))
    left_and_middle = extreme(padded[:, :, :-2], padded[:, :, 1:-1])
    of_row = extreme(left_and_middle, padded[:, :, 2:])
    above_and_middle = extreme(of_row[:, :-2], of_row[:, 1:-1])
    return extreme(above_and_middle, of_row[:, 2:])

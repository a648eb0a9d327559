"""Random augmentation of training images, as part of the training graph, on any Keras backend."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from digitlab.spec.recipe import IMAGE_SIDE, Augmentation
from digitlab.training.damage import WHITE, Damager, neighbours

ops: Any = keras.ops  # Keras annotates many of its functions as if they returned None

MIDDLE = (IMAGE_SIDE - 1) / 2
BORDER = 2  # black pixels padded around an image, so that samples from outside it are black
PADDED = IMAGE_SIDE + 2 * BORDER
KNOTS = 6  # points a side of the grid on which random displacements are drawn, smooth between them


class Augmenter:
    """Augments images at random; each call draws new changes.

    Args:
        spec: ranges of the changes.
        seed: seed of the random stream of the changes.
    """

    def __init__(self, spec: Augmentation, seed: int) -> None:
        self.spec = spec
        self.seeds = keras.random.SeedGenerator(seed)
        self._spread = _spreading_matrix()
        self._damage = Damager(spec.damage, seed + 1) if spec.damage else None

    @property
    def variables(self) -> list[Any]:
        """The states of the random generators, which each call advances."""
        generators = [self.seeds, *([self._damage.seeds] if self._damage else [])]
        return [generator.state for generator in generators]

    def __call__(self, images: Any, strength: Any = 1.0) -> Any:
        """Change each image independently of the others.

        Args:
            images: images to change, uint8 [batch, 28, 28].
            strength: factor of all ranges, 0..1; the share of damaged images is not changed by it.

        Returns:
            Changed images, float32 [batch, 28, 28] in 0..255.
        """
        moved = self._moved(images, strength)
        lit = self._lit(self._thickened(moved, strength), strength)
        return self._damage(lit) if self._damage else lit

    def _draw(self, count: int, shape: tuple[Any, ...], strength: Any) -> list[Any]:
        """Draw `count` arrays uniformly from -strength..strength."""
        drawn = keras.random.uniform((count, *shape), -1.0, 1.0, seed=self.seeds)
        return ops.unstack(strength * drawn, count)

    def _moved(self, images: Any, strength: Any) -> Any:
        spec = self.spec
        if not any((spec.rotation, spec.scale, spec.shear, spec.shift, spec.elastic)):
            return ops.cast(images, "float32")
        rows, columns = self._sources(ops.shape(images)[0], strength)  # [batch, 784] each
        return _interpolate(images, rows, columns)

    def _sources(self, batch: Any, strength: Any) -> tuple[Any, Any]:
        """Compute the source of each pixel of the changed image: a linear map, a shift, a displacement."""
        spec = self.spec
        angle, shear, tall, wide, down, right = self._draw(6, (batch, 1), strength)
        angle, shear = angle * math.radians(spec.rotation), shear * spec.shear
        tall, wide = (ops.exp(math.log1p(spec.scale) * each) for each in (tall, wide))
        down, right = down * spec.shift, right * spec.shift
        sine, cosine = ops.sin(angle), ops.cos(angle)
        place = np.arange(IMAGE_SIDE, dtype=np.float32) - MIDDLE
        y, x = (axis.reshape(1, -1) for axis in np.meshgrid(place, place, indexing="ij"))  # [1, 784] each
        rows = tall * (cosine * y + sine * x) + down + MIDDLE
        columns = wide * ((cosine * shear - sine) * y + (cosine + sine * shear) * x) + right + MIDDLE
        if spec.elastic:
            knots = keras.random.normal((2, batch, KNOTS**2), stddev=spec.elastic, seed=self.seeds)
            bend = ops.matmul(strength * knots, self._spread)  # [2, batch, 784]
            rows, columns = rows + bend[0], columns + bend[1]
        return rows, columns

    def _thickened(self, images: Any, strength: Any) -> Any:
        """Mix each image with its dilation or its erosion by a 3x3 square."""
        if not self.spec.thickness:
            return images
        amount = self.spec.thickness * self._draw(1, (ops.shape(images)[0], 1, 1), strength)[0]
        thicker = neighbours(images, ops.maximum) - images
        thinner = neighbours(images, ops.minimum) - images
        return images + ops.relu(amount) * thicker + ops.relu(-amount) * thinner

    def _lit(self, images: Any, strength: Any) -> Any:
        """Grey the ink and the paper, and add noise of a random strength."""
        spec = self.spec
        if not spec.light and not spec.noise:
            return images
        batch = ops.shape(images)[0]
        paper, ink, noise = map(ops.abs, self._draw(3, (batch, 1, 1), strength))
        paper, ink = WHITE * spec.light * paper, 1 - spec.light * ink
        lit = paper + (ink - paper / WHITE) * images
        if spec.noise:
            grain = keras.random.normal(ops.shape(images), stddev=WHITE * spec.noise, seed=self.seeds)
            lit = lit + noise * grain
        return ops.clip(lit, 0.0, WHITE)


def _interpolate(images: Any, rows: Any, columns: Any) -> Any:
    """Sample images bilinearly; black outside.

    Args:
        images: images to sample, uint8 [batch, 28, 28].
        rows: row of each sample, in pixels, float32 [batch, 784].
        columns: column of each sample, in pixels, float32 [batch, 784].

    Returns:
        Samples, float32 [batch, 28, 28] in 0..255.
    """
    batch = ops.shape(images)[0]
    padded = ops.cast(ops.pad(images, ((0, 0), (BORDER, BORDER), (BORDER, BORDER))), "int32")
    # One gather of words that hold four neighbours is faster than four gathers (docs/speed.md).
    pairs = padded[:, :, :-1] + 256 * padded[:, :, 1:]
    squares = ops.reshape(pairs[:, :-1] + 65536 * pairs[:, 1:], (-1,))
    # 1.001, so that the neighbours below and to the right lie inside.
    rows = ops.clip(rows + BORDER, 0.0, PADDED - 1.001)
    columns = ops.clip(columns + BORDER, 0.0, PADDED - 1.001)
    top, left = ops.floor(rows), ops.floor(columns)
    first = ops.expand_dims(ops.arange(batch, dtype="int32") * (PADDED - 1) ** 2, 1)
    found = ops.take(squares, first + ops.cast(top * (PADDED - 1) + left, "int32"), axis=0)  # [batch, 784]
    corners = (
        ops.cast(ops.bitwise_and(ops.right_shift(found, bits), 255), "float32") for bits in (0, 8, 16, 24)
    )
    upper_left, upper_right, lower_left, lower_right = corners
    down, right = rows - top, columns - left
    on_the_left = upper_left * (1 - down) + lower_left * down
    on_the_right = upper_right * (1 - down) + lower_right * down
    return ops.reshape(on_the_left * (1 - right) + on_the_right * right, (-1, IMAGE_SIDE, IMAGE_SIDE))


def _spreading_matrix() -> np.ndarray:
    """Compute Gaussian weights from knots to pixels that keep the variance: float32 [36, 784]."""
    knots = np.linspace(0, IMAGE_SIDE - 1, KNOTS)
    apart = np.arange(IMAGE_SIDE) - knots[:, None]  # [knots, 28]
    weights = np.exp(-0.5 * (apart / (knots[1] - knots[0])) ** 2 / 0.5)
    weights /= np.sqrt((weights**2).sum(axis=0))
    spread = np.einsum("ay,bx->abyx", weights, weights)
    return spread.reshape(KNOTS**2, IMAGE_SIDE**2).astype(np.float32)

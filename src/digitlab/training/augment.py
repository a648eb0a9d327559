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
        states = [self.seeds.state]
        if self._damage:
            states.append(self._damage.seeds.state)
        return states

    def __call__(self, images: Any, strength: Any = 1.0) -> Any:
        """Change each image independently of the others.

        Args:
            images: images to change, uint8 [batch, 28, 28].
            strength: factor of all ranges, 0..1; the share of damaged images is not changed by it.

        Returns:
            Changed images, float32 [batch, 28, 28] in 0..255.
        """
        moved = self._moved(images, strength)
        thickened = self._thickened(moved, strength)
        lit = self._lit(thickened, strength)
        if self._damage is None:
            return lit
        return self._damage(lit)

    def _draw(self, count: int, shape: tuple[Any, ...], strength: Any) -> list[Any]:
        """Draw `count` arrays uniformly from -strength..strength."""
        drawn = keras.random.uniform((count, *shape), -1.0, 1.0, seed=self.seeds)
        return ops.unstack(strength * drawn, count)

    def _moved(self, images: Any, strength: Any) -> Any:
        spec = self.spec
        if not any((spec.rotation, spec.scale, spec.shear, spec.shift, spec.elastic)):
            return ops.cast(images, "float32")
        batch = ops.shape(images)[0]
        rows, columns = self._sources(batch, strength)  # [batch, 784] each
        return _interpolate(images, rows, columns)

    def _sources(self, batch: Any, strength: Any) -> tuple[Any, Any]:
        """Compute the source of each pixel of the changed image: a linear map, a shift, a displacement."""
        spec = self.spec
        angle, shear, tall, wide, down, right = self._draw(6, (batch, 1), strength)
        angle = angle * math.radians(spec.rotation)
        shear = shear * spec.shear
        # The logarithm of a scale is uniform, so that growing by a factor is as likely as shrinking by it.
        tall = ops.exp(math.log1p(spec.scale) * tall)
        wide = ops.exp(math.log1p(spec.scale) * wide)
        down = down * spec.shift
        right = right * spec.shift
        sine = ops.sin(angle)
        cosine = ops.cos(angle)

        offsets = np.arange(IMAGE_SIDE, dtype=np.float32) - MIDDLE
        y, x = np.meshgrid(offsets, offsets, indexing="ij")
        y = y.reshape(1, -1)  # [1, 784]
        x = x.reshape(1, -1)  # [1, 784]
        # A rotation, then a shear along the rows, then the two scales, all about the middle of the image.
        rows = tall * (cosine * y + sine * x) + down + MIDDLE
        columns = wide * ((cosine * shear - sine) * y + (cosine + sine * shear) * x) + right + MIDDLE
        if spec.elastic:
            knots = keras.random.normal((2, batch, KNOTS**2), stddev=spec.elastic, seed=self.seeds)
            bend = ops.matmul(strength * knots, self._spread)  # [2, batch, 784]
            rows = rows + bend[0]
            columns = columns + bend[1]
        return rows, columns

    def _thickened(self, images: Any, strength: Any) -> Any:
        """Mix each image with its dilation or its erosion by a 3x3 square."""
        if not self.spec.thickness:
            return images
        batch = ops.shape(images)[0]
        [drawn] = self._draw(1, (batch, 1, 1), strength)
        amount = self.spec.thickness * drawn  # above 0 for thicker strokes, below for thinner ones
        thicker = neighbours(images, ops.maximum) - images
        thinner = neighbours(images, ops.minimum) - images
        return images + ops.relu(amount) * thicker + ops.relu(-amount) * thinner

    def _lit(self, images: Any, strength: Any) -> Any:
        """Grey the ink and the paper, and add noise of a random strength."""
        spec = self.spec
        if not spec.light and not spec.noise:
            return images
        batch = ops.shape(images)[0]
        paper, ink, noise = self._draw(3, (batch, 1, 1), strength)
        paper = WHITE * spec.light * ops.abs(paper)
        ink = 1 - spec.light * ops.abs(ink)
        lit = paper + (ink - paper / WHITE) * images
        if spec.noise:
            grain = keras.random.normal(ops.shape(images), stddev=WHITE * spec.noise, seed=self.seeds)
            lit = lit + ops.abs(noise) * grain
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
    margins = BORDER, BORDER
    padded = ops.cast(ops.pad(images, ((0, 0), margins, margins)), "int32")  # [batch, 32, 32]

    # A sample needs a square of four pixels. Each has 8 bits, so the four fill the 32 bits of one word, and
    # one gather replaces four, which is faster (docs/speed.md). From a lower right pixel of 128 upwards the
    # sum overflows and the word is negative: its bits are the same, and the masks below drop the sign.
    pairs = padded[:, :, :-1] + 256 * padded[:, :, 1:]
    squares = pairs[:, :-1] + 65536 * pairs[:, 1:]  # [batch, 31, 31], at the place of the upper left pixel
    squares = ops.reshape(squares, (-1,))

    # 1.001, so that the neighbours below and to the right lie inside.
    rows = ops.clip(rows + BORDER, 0.0, PADDED - 1.001)
    columns = ops.clip(columns + BORDER, 0.0, PADDED - 1.001)
    top = ops.floor(rows)
    left = ops.floor(columns)
    side = PADDED - 1
    first = ops.arange(batch, dtype="int32") * side**2  # index of each image's first word
    within = ops.cast(top * side + left, "int32")  # exact in float32: below 2^24
    words = ops.take(squares, ops.expand_dims(first, 1) + within, axis=0)  # [batch, 784]

    upper_left = _byte(words, 0)
    upper_right = _byte(words, 8)
    lower_left = _byte(words, 16)
    lower_right = _byte(words, 24)
    down = rows - top
    right = columns - left
    on_the_left = upper_left * (1 - down) + lower_left * down
    on_the_right = upper_right * (1 - down) + lower_right * down
    samples = on_the_left * (1 - right) + on_the_right * right
    return ops.reshape(samples, (-1, IMAGE_SIDE, IMAGE_SIDE))


def _byte(words: Any, shift: int) -> Any:
    """Return the byte of each word that begins at a bit, as float32 in 0..255."""
    return ops.cast(ops.bitwise_and(ops.right_shift(words, shift), 255), "float32")


def _spreading_matrix() -> np.ndarray:
    """Compute Gaussian weights from knots to pixels that keep the variance: float32 [36, 784]."""
    knots = np.linspace(0, IMAGE_SIDE - 1, KNOTS)
    spacing = knots[1] - knots[0]
    apart = np.arange(IMAGE_SIDE) - knots[:, None]  # [knots, 28]
    weights = np.exp(-0.5 * (apart / spacing) ** 2 / 0.5)
    # Variances of independent knots add up, so weights whose squares add up to 1 keep the variance.
    weights /= np.sqrt((weights**2).sum(axis=0))
    spread = np.einsum("ay,bx->abyx", weights, weights)  # product of the weights along both axes
    return spread.reshape(KNOTS**2, IMAGE_SIDE**2).astype(np.float32)

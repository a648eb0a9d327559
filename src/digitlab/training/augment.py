"""Random augmentation of training images, as part of the training graph, on any Keras backend."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from digitlab.spec.recipe import IMAGE_SIDE, Augmentation
from digitlab.training.damage import WHITE, CorruptionAugment, dilate, erode

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
        self._damage: CorruptionAugment | None = None
        if spec.damage:
            self._damage = CorruptionAugment(spec.damage, seed + 1)

    @property
    def variables(self) -> list[Any]:
        """The states of the random generators, which each call advances."""
        states = [self.seeds.state]
        if self._damage:
            states.append(self._damage.seeds.state)
        return states

    def restart(self, seed: int) -> None:
        """Begin the random streams of another seed."""
        self.seeds.state.assign(keras.random.SeedGenerator(seed).state)
        if self._damage:
            self._damage.seeds.state.assign(keras.random.SeedGenerator(seed + 1).state)

    def __call__(self, images: Any, strength: Any = 1.0) -> Any:
        """Change each image independently of the others.

        Args:
            images: images to change, uint8 [batch, 28, 28].
            strength: factor of all ranges, 0..1; the share of damaged images is not changed by it.

        Returns:
            Changed images, float32 [batch, 28, 28] in 0..255.
        """
        warped = self._warp(images, strength)
        thickened = self._adjust_thickness(warped, strength)
        augmented = self._adjust_light(thickened, strength)
        if self._damage is None:
            return augmented
        return self._damage(augmented)

    def _draw(self, count: int, shape: tuple[Any, ...], strength: Any) -> list[Any]:
        """Draw `count` arrays uniformly from -strength..strength."""
        drawn = keras.random.uniform((count, *shape), -1.0, 1.0, seed=self.seeds)
        return ops.unstack(strength * drawn, count)

    def _warp(self, images: Any, strength: Any) -> Any:
        spec = self.spec
        if not any((spec.rotation, spec.scale, spec.shear, spec.shift, spec.elastic)):
            return ops.cast(images, "float32")
        batch = ops.shape(images)[0]
        rows, columns = self._source_positions(batch, strength)  # [batch, 784] each
        return _interpolate(images, rows, columns)

    def _source_positions(self, batch: Any, strength: Any) -> tuple[Any, Any]:
        """Compute the source of each pixel of the changed image: a linear map, a shift, a displacement."""
        spec = self.spec
        drawn = self._draw(6, (batch, 1), strength)  # in this order, which decides what a seed draws
        angle = drawn[0] * math.radians(spec.rotation)
        shear = drawn[1] * spec.shear
        # The logarithm of a scale is uniform, so that growing by a factor is as likely as shrinking by it.
        row_scale = ops.exp(math.log1p(spec.scale) * drawn[2])
        column_scale = ops.exp(math.log1p(spec.scale) * drawn[3])
        row_shift = drawn[4] * spec.shift
        column_shift = drawn[5] * spec.shift
        sine = ops.sin(angle)
        cosine = ops.cos(angle)

        offsets = np.arange(IMAGE_SIDE, dtype=np.float32) - MIDDLE
        y, x = np.meshgrid(offsets, offsets, indexing="ij")
        y = y.reshape(1, -1)  # [1, 784]
        x = x.reshape(1, -1)  # [1, 784]
        # A rotation, then a shear along the rows, then the two scales, all about the middle of the image.
        turned_y = cosine * y + sine * x
        sheared_x = (cosine * shear - sine) * y + (cosine + sine * shear) * x
        rows = row_scale * turned_y + row_shift + MIDDLE
        columns = column_scale * sheared_x + column_shift + MIDDLE
        if spec.elastic:
            knots = keras.random.normal((2, batch, KNOTS**2), stddev=spec.elastic, seed=self.seeds)
            bend = ops.matmul(strength * knots, self._spread)  # [2, batch, 784]
            rows = rows + bend[0]
            columns = columns + bend[1]
        return rows, columns

    def _adjust_thickness(self, images: Any, strength: Any) -> Any:
        """Mix each image with its dilation or its erosion by a 3x3 square."""
        if not self.spec.thickness:
            return images
        batch = ops.shape(images)[0]
        [drawn] = self._draw(1, (batch, 1, 1), strength)
        amount = self.spec.thickness * drawn  # above 0 for thicker strokes, below for thinner ones
        thicker = dilate(images) - images
        thinner = erode(images) - images
        return images + ops.relu(amount) * thicker + ops.relu(-amount) * thinner

    def _adjust_light(self, images: Any, strength: Any) -> Any:
        """Grey the ink and the paper, and add noise of a random strength."""
        spec = self.spec
        if not spec.light and not spec.noise:
            return images
        batch = ops.shape(images)[0]
        drawn_paper, drawn_ink, noise = self._draw(3, (batch, 1, 1), strength)
        paper = WHITE * spec.light * ops.abs(drawn_paper)  # the grey that black becomes
        ink = 1 - spec.light * ops.abs(drawn_ink)  # the grey that white becomes, as a share of white
        greyed = paper + (ink - paper / WHITE) * images
        if spec.noise:
            grain = keras.random.normal(ops.shape(images), stddev=WHITE * spec.noise, seed=self.seeds)
            greyed = greyed + ops.abs(noise) * grain
        return ops.clip(greyed, 0.0, WHITE)


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

    # A sample mixes a square of four pixels. A pixel has 8 bits, so that the four fill the 32 bits of one
    # word, and one gather replaces four, which takes less than half the time (docs/speed.md).
    pairs = padded[:, :, :-1] + 2**8 * padded[:, :, 1:]  # a pixel and the one on its right, 16 bits
    # From a lower right pixel of 128 upwards the sum overflows and the word is negative: int32 wraps around,
    # so that its bits are the same, and `_byte` drops the sign.
    squares = pairs[:, :-1] + 2**16 * pairs[:, 1:]  # [batch, 31, 31], at the index of the upper left pixel
    words = ops.reshape(squares, (-1,))

    # 1.001, so that the neighbours below and to the right lie inside.
    rows = ops.clip(rows + BORDER, 0.0, PADDED - 1.001)
    columns = ops.clip(columns + BORDER, 0.0, PADDED - 1.001)
    top = ops.floor(rows)
    left = ops.floor(columns)
    side = PADDED - 1
    first = ops.arange(batch, dtype="int32") * side**2  # index of each image's first word
    within = ops.cast(top * side + left, "int32")  # exact in float32: below 2^24
    sampled = ops.take(words, ops.expand_dims(first, 1) + within, axis=0)  # [batch, 784]

    upper_left = _byte(sampled, 0)
    upper_right = _byte(sampled, 8)
    lower_left = _byte(sampled, 16)
    lower_right = _byte(sampled, 24)
    down = rows - top
    right = columns - left
    on_the_left = upper_left * (1 - down) + lower_left * down
    on_the_right = upper_right * (1 - down) + lower_right * down
    samples = on_the_left * (1 - right) + on_the_right * right
    return ops.reshape(samples, (-1, IMAGE_SIDE, IMAGE_SIDE))


def _byte(words: Any, shift: int) -> Any:
    """Return the byte of each word that begins at a bit, as float32 in 0..255."""
    shifted = ops.right_shift(words, shift)  # of a negative word, copies of the sign move in from the left
    return ops.cast(ops.bitwise_and(shifted, 255), "float32")


def _spreading_matrix() -> np.ndarray:
    """Compute Gaussian weights from knots to pixels that keep the variance: float32 [36, 784]."""
    knots = np.linspace(0, IMAGE_SIDE - 1, KNOTS)
    spacing = knots[1] - knots[0]
    distances = np.arange(IMAGE_SIDE) - knots[:, None]  # [knots, 28], in pixels
    weights = np.exp(-((distances / spacing) ** 2))
    # Variances of independent knots add up, so weights whose squares add up to 1 keep the variance.
    weights /= np.sqrt((weights**2).sum(axis=0))
    spread = np.einsum("ay,bx->abyx", weights, weights)  # product of the weights along both axes
    return spread.reshape(KNOTS**2, IMAGE_SIDE**2).astype(np.float32)

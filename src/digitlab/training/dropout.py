"""Dropout for training with TensorFlow, with a random byte for each value instead of a random float.

The masks of `keras.layers.Dropout` take a quarter of an epoch of the recipe `cnn`; these take a fourth of
that. The network that is scored and saved has Keras's own layer, which does nothing outside training.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

BYTE = 256


class ByteDropout(keras.layers.Layer):
    """Drops a share of its inputs in training and scales up the rest.

    Args:
        rate: share of the inputs that is dropped, 0..1; rounded to a multiple of 1/256, 255/256 at most.
        seed: seed of the masks.
        dtype: Keras dtype policy.
        name: name of the layer.
    """

    def __init__(self, rate: float, seed: int, dtype: str, name: str) -> None:
        super().__init__(dtype=dtype, name=name)
        self.dropped = min(round(rate * BYTE), BYTE - 1)
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the inputs; in training, a share of them is set to 0 and the rest is scaled up."""
        if not training:
            return inputs
        count = tf.size(inputs)
        # Annotated `Any`: TensorFlow's annotations do not know that bounds of None ask for all 32 bits.
        uniform: Any = tf.random.stateless_uniform
        words = uniform([(count + 3) // 4], self.seed_generator.next(), None, None, tf.uint32)  # 4 bytes each
        random_bytes = tf.reshape(tf.bitcast(words, tf.uint8), [-1])
        by_input = tf.reshape(random_bytes[:count], tf.shape(inputs))
        kept = tf.cast(by_input >= tf.constant(self.dropped, tf.uint8), inputs.dtype)
        scale = BYTE / (BYTE - self.dropped)  # keeps the mean of the inputs
        return inputs * kept * scale

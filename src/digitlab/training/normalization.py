"""Batch normalization for training with TensorFlow, in one operation instead of a dozen.

Keras computes it by elementwise operations that each read and write memory: more than half of a step of the
row reader in bfloat16 (docs/architecture.md). The network that is scored and saved has Keras's own layer.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

EPSILON = 1e-3
"""Constant added to the variance, as in Keras's layer."""


class FusedNormalization(keras.layers.Layer):
    """Normalizes each channel over the batch, and keeps running statistics.

    The running variance is that of an unbiased estimate, n / (n - 1) times Keras's, n being the number of
    values of a channel in a batch; recomputed statistics (`digitlab.training.statistics`) replace it.

    Args:
        momentum: share of the running statistics kept at each training step, 0..1.
        dtype: Keras dtype policy.
        name: name of the layer.

    Attributes:
        kept: momentum, as a TensorFlow variable.

    Source:
        Ioffe and Szegedy 2015, Batch Normalization.
    """

    def __init__(self, momentum: float, dtype: str, name: str) -> None:
        super().__init__(dtype=dtype, name=name)
        self.kept: Any = tf.Variable(tf.constant(momentum), trainable=False, dtype=tf.float32)

    def build(self, input_shape: Any) -> None:
        """Create the weights in the order of those of Keras's layer, to which they are copied."""
        one, shape = "ones", input_shape[-1:]
        self.gamma = self.add_weight(shape=shape, initializer=one, name="gamma", autocast=False)
        self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta", autocast=False)
        fixed: dict[str, Any] = {"trainable": False, "autocast": False}
        self.moving_mean = self.add_weight(shape=shape, initializer="zeros", name="moving_mean", **fixed)
        self.moving_variance = self.add_weight(shape=shape, initializer=one, name="moving_variance", **fixed)

    def call(self, inputs: Any) -> Any:
        """Normalize inputs [batch, rows, columns, channels] by the statistics of the batch."""
        none = tf.zeros([0])
        scale, offset = tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta)
        normalized, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=scale, offset=offset, mean=none, variance=none, epsilon=EPSILON, is_training=True
        )
        kept = self.kept
        for remembered, taken in ((self.moving_mean, mean), (self.moving_variance, variance)):
            remembered.assign(kept * tf.convert_to_tensor(remembered) + (1 - kept) * taken)
        return normalized

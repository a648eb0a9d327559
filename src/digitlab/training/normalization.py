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
    values of a channel in a batch; recomputed statistics (`digitlab.training.batchnorm`) replace it.

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
        channels = input_shape[-1:]
        self.gamma = self._add("gamma", channels, "ones", trainable=True)
        self.beta = self._add("beta", channels, "zeros", trainable=True)
        self.moving_mean = self._add("moving_mean", channels, "zeros", trainable=False)
        self.moving_variance = self._add("moving_variance", channels, "ones", trainable=False)

    def _add(self, name: str, shape: Any, initializer: str, *, trainable: bool) -> Any:
        # Not cast to the layer's precision: the operation takes them in float32, whatever its inputs are.
        return self.add_weight(
            shape=shape, initializer=initializer, name=name, trainable=trainable, autocast=False
        )

    def call(self, inputs: Any) -> Any:
        """Normalize inputs [batch, rows, columns, channels] by the statistics of the batch."""
        none = tf.zeros([0])  # in training, the operation takes the statistics of the batch and no others
        normalized, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=none,
            variance=none,
            epsilon=EPSILON,
            is_training=True,
        )
        self._update(self.moving_mean, mean)
        self._update(self.moving_variance, variance)
        return normalized

    def _update(self, running: Any, of_batch: Any) -> None:
        running.assign(self.kept * tf.convert_to_tensor(running) + (1 - self.kept) * of_batch)

"""Adam for training with TensorFlow, each weight's step in one operation instead of a dozen.

Keras computes a step by elementwise operations that each read and write memory: a quarter of an epoch of the
recipe `mlp`. TensorFlow has one fused operation for all of them.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam (Kingma and Ba 2015) up to rounding; without AMSGrad, for float32 weights."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one weight.

        Args:
            gradient: gradient of the loss, shaped like the weight.
            variable: weight to update, in place.
            learning_rate: learning rate of this step.
        """
        i = self._get_variable_index(variable)
        iterations: Any = self.iterations  # Keras annotates it with the variables of all backends
        step = tf.cast(iterations.value, tf.float32) + 1
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[i].value.handle,
            v=self._velocities[i].value.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, tf.float32),
        )

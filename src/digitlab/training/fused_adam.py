"""Adam for training with TensorFlow, each weight's step in one operation instead of a dozen.

Keras writes a step as elementwise operations that each go through memory: a quarter of an epoch of the recipe
`mlp`. TensorFlow has one operation for the whole.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam, rounded otherwise (Kingma and Ba 2015); without AMSGrad, for float32 weights."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Take a step of one weight.

        Args:
            gradient: of the loss, shaped like the weight.
            variable: the weight, changed in place.
            learning_rate: of this step.
        """
        number = self._get_variable_index(variable)
        iterations: Any = self.iterations  # Keras's annotations know every backend's variables
        step = tf.cast(iterations.value, tf.float32) + 1
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[number].value.handle,
            v=self._velocities[number].value.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, tf.float32),
        )

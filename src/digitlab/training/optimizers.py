"""Keras optimizers and the running mean of weights, as training specs ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from digitlab.spec.recipe import TrainingSpec
from digitlab.training.schedule import learning_rate

ops: Any = keras.ops  # whose annotations say None where they mean an array


def make_optimizer(
    spec: TrainingSpec, steps: int, adam: type[keras.optimizers.Adam] = keras.optimizers.Adam
) -> keras.optimizers.Optimizer:
    """Make the optimizer of a training.

    Args:
        spec: how the network is trained.
        steps: of the whole training, all epochs together.
        adam: what is taken where the spec asks for Adam.
    """
    kinds = {"adam": adam, "sgd": keras.optimizers.SGD}
    optimizer = kinds[spec.optimizer](
        learning_rate=learning_rate(spec, steps), weight_decay=spec.weight_decay
    )
    if spec.weight_decay is not None:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


class WeightAverage:
    """The running mean of a network's weights.

    Args:
        weights: of the network in training, the statistics of its normalizations among them.
        decay: share of the old mean that a step keeps.
    """

    def __init__(self, weights: Sequence[keras.Variable], decay: float) -> None:
        self.decay = decay
        self.weights = list(weights)
        self.means = [keras.Variable(weight, trainable=False, dtype="float32") for weight in self.weights]

    def update(self, step: Any) -> None:
        """Take the present weights into the mean; the first steps forget their past faster.

        Args:
            step: steps done so far, 1 or more.
        """
        done = ops.cast(step, "float32")
        kept = ops.minimum(self.decay, (1 + done) / (10 + done))
        for mean, weight in zip(self.means, self.weights, strict=True):
            mean.assign(kept * mean + (1 - kept) * ops.cast(weight, "float32"))

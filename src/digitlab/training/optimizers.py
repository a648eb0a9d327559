"""Keras optimizers and the running mean of the weights, as training specs define them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import keras

from digitlab.models.network import LOGITS
from digitlab.spec.recipe import TrainingSpec
from digitlab.training.schedule import learning_rate

ops: Any = keras.ops  # Keras annotates many of its functions as if they returned None

_KINDS: dict[str, type[keras.optimizers.Optimizer]] = {
    "sgd": keras.optimizers.SGD,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "nadam": keras.optimizers.Nadam,
    "muon": keras.optimizers.Muon,
}


def make_optimizer(
    spec: TrainingSpec,
    steps: int,
    adam: type[keras.optimizers.Adam] = keras.optimizers.Adam,
    last_layer: str = LOGITS,
) -> keras.optimizers.Optimizer:
    """Create the optimizer of a training.

    Args:
        spec: training settings.
        steps: number of steps of the whole training, all epochs together.
        adam: optimizer class used where the spec asks for Adam.
        last_layer: name of the layer of logits, which Muon leaves to AdamW.
    """
    kinds = {"adam": adam, **_KINDS}
    given = {"weight_decay": spec.weight_decay, "momentum": spec.momentum, "nesterov": spec.nesterov}
    settings: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if spec.optimizer == "muon":
        settings["exclude_layers"] = [f"(^|/){re.escape(last_layer)}/"]
        if spec.weight_decay is not None:
            settings["adam_weight_decay"] = spec.weight_decay
    optimizer_class = kinds[spec.optimizer]
    optimizer = optimizer_class(learning_rate=learning_rate(spec, steps), **settings)
    if optimizer.weight_decay is not None:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


class WeightAverage:
    """The running mean of a network's weights.

    Args:
        weights: weights of the network in training, including the statistics of its normalizations.
        decay: share of the old mean kept at each step, 0..1.
    """

    def __init__(self, weights: Sequence[keras.Variable], decay: float) -> None:
        self.decay = decay
        self.weights = list(weights)
        self.means = [keras.Variable(weight, trainable=False, dtype="float32") for weight in self.weights]

    def update(self, step: Any) -> None:
        """Update the mean with the current weights; the first steps keep less of the old mean.

        Args:
            step: number of steps done so far, 1 or more.
        """
        done = ops.cast(step, "float32")
        # The warm-up of TensorFlow's ExponentialMovingAverage: else the initial weights would linger.
        kept = ops.minimum(self.decay, (1 + done) / (10 + done))
        for mean, weight in zip(self.means, self.weights, strict=True):
            mean.assign(kept * mean + (1 - kept) * ops.cast(weight, "float32"))

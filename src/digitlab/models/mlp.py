"""The layers of a multilayer perceptron."""

from __future__ import annotations

from keras import KerasTensor, layers

from digitlab.models.parts import Parts
from digitlab.spec.recipe import MLP


def mlp_features(pixels: KerasTensor, spec: MLP, parts: Parts) -> KerasTensor:
    """Lead the pixels through the hidden layers.

    Args:
        pixels: [batch, 28, 28] in 0..1.
        spec: the network.
        parts: makes the layers.

    Returns:
        [batch, features], what the last hidden layer gives.
    """
    features = layers.Flatten(dtype=parts.dtype, name="flatten")(pixels)
    return parts.dense_layers(features, spec.hidden, spec.activation, spec.dropout)

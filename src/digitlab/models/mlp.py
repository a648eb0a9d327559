"""The layers of a multilayer perceptron."""

from __future__ import annotations

from keras import KerasTensor, layers

from digitlab.models.parts import Parts
from digitlab.spec.recipe import MLP


def mlp_features(pixels: KerasTensor, spec: MLP, parts: Parts) -> KerasTensor:
    """Apply the hidden layers to the pixels.

    Args:
        pixels: pixel values, [batch, 28, 28], 0..1.
        spec: the network's spec.
        parts: factory of the layers.

    Returns:
        Output of the last hidden layer, [batch, features].
    """
    features = layers.Flatten(dtype=parts.dtype, name="flatten")(pixels)
    return parts.dense_layers(features, spec.hidden, spec.activation, spec.dropout)

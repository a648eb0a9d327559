"""From a model spec to a `keras.Model`."""

from __future__ import annotations

import keras
from keras import layers

from digitlab.models.cnn import cnn_features
from digitlab.models.mlp import mlp_features
from digitlab.models.parts import DropoutLayer, Parts
from digitlab.spec.recipe import CLASSES, IMAGE_SIDE, MLP, ModelSpec

LOGITS = "logits"
"""Name of the layer before the probabilities, on which training computes its loss."""


def build(
    spec: ModelSpec,
    initialization: int = 0,
    dropout: int = 0,
    dtype: str = "float32",
    dropout_layer: DropoutLayer = layers.Dropout,
) -> keras.Model:
    """Build a network of standard Keras layers.

    Args:
        spec: the network.
        initialization: seed of the initial weights.
        dropout: seed of the dropout masks.
        dtype: Keras dtype policy of all layers but the last, `float32` or `mixed_bfloat16`.
        dropout_layer: makes the dropout layers; an engine may have a faster one for its training.

    Returns:
        A model from raw images, [batch, 28, 28] in 0..255, to probabilities, float32
        [batch, 10]. The same seeds give the same weights.
    """
    parts = Parts(dtype, initialization, dropout, dropout_layer)
    images = keras.Input((IMAGE_SIDE, IMAGE_SIDE), name="images")
    pixels = layers.Rescaling(1 / 255, dtype=dtype, name="rescaling")(images)
    if isinstance(spec, MLP):
        features = mlp_features(pixels, spec, parts)
    else:
        features = cnn_features(pixels, spec, parts)
    logits = parts.dense(CLASSES, LOGITS)(features)
    probabilities = layers.Softmax(dtype="float32", name="probabilities")(logits)
    return keras.Model(images, probabilities, name=spec.family)

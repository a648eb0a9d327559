"""Build a `keras.Model` from a model spec."""

from __future__ import annotations

import keras
from keras import layers

from digitlab.models.cnn import cnn_features
from digitlab.models.mlp import mlp_features
from digitlab.models.parts import DropoutLayer, Parts
from digitlab.spec.recipe import CLASSES, IMAGE_SIDE, MLP, ModelSpec

LOGITS = "logits"
"""Name of the layer before the softmax, from whose output training computes its loss."""


def build(
    spec: ModelSpec,
    initialization: int = 0,
    dropout: int = 0,
    dtype: str = "float32",
    dropout_layer: DropoutLayer = layers.Dropout,
) -> keras.Model:
    """Build a network of standard Keras layers.

    Args:
        spec: the network's spec.
        initialization: seed of the initial weights.
        dropout: seed of the dropout masks.
        dtype: Keras dtype policy of all layers but the softmax, `float32` or `mixed_bfloat16`.
        dropout_layer: factory of the dropout layers; a training engine may pass a faster one.

    Returns:
        A model that maps raw images, [batch, 28, 28] in 0..255, to probabilities, float32 [batch, 10]. The
        same seeds produce the same weights.
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

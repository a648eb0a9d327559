"""Build a `keras.Model` from a model spec."""

from __future__ import annotations

import keras
from keras import layers

from digitlab.models.cnn import cnn_features
from digitlab.models.mlp import mlp_features
from digitlab.models.parts import DropoutLayer, NormalizationLayer, Parts
from digitlab.spec.recipe import CLASSES, IMAGE_SIDE, MLP, ModelSpec

LOGITS = "logits"
"""Name of the layer before the softmax, from whose output training computes its loss."""


def build(  # noqa: PLR0913  # all but the spec have a default
    spec: ModelSpec,
    initialization: int = 0,
    dropout: int = 0,
    dtype: str = "float32",
    dropout_layer: DropoutLayer = layers.Dropout,
    normalization_layer: NormalizationLayer = layers.BatchNormalization,
    *,
    classes: int = CLASSES,
) -> keras.Model:
    """Build a network of standard Keras layers.

    Args:
        spec: the network's spec.
        initialization: seed of the initial weights.
        dropout: seed of the dropout masks.
        dtype: Keras dtype policy of all layers but the softmax, `float32` or `mixed_bfloat16`.
        dropout_layer: factory of the dropout layers; a training engine may pass a faster one.
        normalization_layer: factory of the normalization layers; a training engine may pass a faster one.
        classes: number of outputs.

    Returns:
        A model that maps raw images, [batch, 28, 28] in 0..255, to probabilities, float32 [batch, classes].
        The same seeds produce the same weights.
    """
    parts = Parts(dtype, initialization, dropout, dropout_layer, normalization_layer)
    images = keras.Input((IMAGE_SIDE, IMAGE_SIDE), name="images")
    pixels = layers.Rescaling(1 / 255, dtype=dtype, name="rescaling")(images)
    if isinstance(spec, MLP):
        features = mlp_features(pixels, spec, parts)
    else:
        features = cnn_features(pixels, spec, parts)
    logits = parts.dense(classes, LOGITS)(features)
    probabilities = layers.Softmax(dtype="float32", name="probabilities")(logits)
    return keras.Model(images, probabilities, name=spec.family)

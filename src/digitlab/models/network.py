"""Build a `keras.Model` from a model spec."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from digitlab.models.parts import DropoutLayer, NormalizationLayer, Parts
from digitlab.spec.recipe import CLASSES, CNN, IMAGE_SIDE, MLP, Convolution, ModelSpec

LOGITS = "logits"
"""Name of the layer before the softmax, from whose output training computes its loss."""
STATISTICS_KEPT = 0.95
"""Momentum of batch normalization: share of the running means and variances kept at each training step."""


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
        features = _mlp_features(pixels, spec, parts)
    else:
        features = _cnn_features(pixels, spec, parts)
    logits = parts.dense(classes, LOGITS)(features)
    # In float32 under mixed precision, too, as Keras advises: bfloat16 is too coarse for probabilities.
    probabilities = layers.Softmax(dtype="float32", name="probabilities")(logits)
    return keras.Model(images, probabilities, name=spec.family)


def _mlp_features(pixels: KerasTensor, spec: MLP, parts: Parts) -> KerasTensor:
    """Apply the hidden layers to the pixels, [batch, 28, 28] in 0..1: [batch, features]."""
    features = layers.Flatten(dtype=parts.dtype, name="flatten")(pixels)
    return parts.dense_layers(features, spec.hidden, spec.activation, spec.dropout)


def _cnn_features(pixels: KerasTensor, spec: CNN, parts: Parts) -> KerasTensor:
    """Apply convolution blocks, dropout and dense layers to the pixels: [batch, features]."""
    maps = layers.Reshape((IMAGE_SIDE, IMAGE_SIDE, 1), dtype=parts.dtype, name="one_channel")(pixels)
    for i, block in enumerate(spec.convolutions, start=1):
        maps = _block(maps, block, i, spec, parts)
    maps = parts.dropout(maps, spec.dropout, name="dropout")
    features = layers.Flatten(dtype=parts.dtype, name="flatten")(maps)
    return parts.dense_layers(features, spec.dense, spec.activation, dropout=0.0)


def _block(maps: KerasTensor, block: Convolution, i: int, spec: CNN, parts: Parts) -> KerasTensor:
    """Add a convolution block; with normalization it pools first, so that there is less to normalize."""
    normalized = spec.normalization is not None
    maps = layers.Conv2D(
        block.filters,
        block.kernel_size,
        strides=block.stride or 1,
        padding=block.padding,
        activation=None if normalized else spec.activation,
        use_bias=not normalized,  # normalization takes the mean away, and a bias with it
        kernel_initializer=parts.initializer(),
        dtype=parts.dtype,
        name=f"convolution_{i}",
    )(maps)
    if block.pool > 1:
        maps = layers.MaxPooling2D(block.pool, dtype=parts.dtype, name=f"pool_{i}")(maps)
    if not normalized:
        return maps
    maps = parts.normalized(maps, STATISTICS_KEPT, f"normalization_{i}")
    return layers.Activation(spec.activation, dtype=parts.dtype, name=f"activation_{i}")(maps)

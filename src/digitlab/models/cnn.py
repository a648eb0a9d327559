"""The layers of a convolutional network."""

from __future__ import annotations

from keras import KerasTensor, layers

from digitlab.models.parts import Parts
from digitlab.spec.recipe import CNN, IMAGE_SIDE, Convolution

STATISTICS_KEPT = 0.95
"""Momentum of batch normalization: share of the running means and variances kept at each training step."""


def cnn_features(pixels: KerasTensor, spec: CNN, parts: Parts) -> KerasTensor:
    """Apply convolution blocks, dropout and dense layers to the pixels.

    Args:
        pixels: pixel values, [batch, 28, 28], 0..1.
        spec: the network's spec.
        parts: factory of the layers.

    Returns:
        Output of the last dense layer, [batch, features].
    """
    maps = layers.Reshape((IMAGE_SIDE, IMAGE_SIDE, 1), dtype=parts.dtype, name="one_channel")(pixels)
    for number, block in enumerate(spec.convolutions, start=1):
        maps = _block(maps, block, number, spec, parts)
    maps = parts.dropout(maps, spec.dropout, name="dropout")
    features = layers.Flatten(dtype=parts.dtype, name="flatten")(maps)
    return parts.dense_layers(features, spec.dense, spec.activation, dropout=0.0)


def _block(maps: KerasTensor, block: Convolution, number: int, spec: CNN, parts: Parts) -> KerasTensor:
    """Add a convolution block; with normalization it pools first, so that there is less to normalize."""
    normalized = spec.normalization is not None
    maps = layers.Conv2D(
        block.filters,
        block.kernel_size,
        strides=block.stride or 1,
        padding=block.padding,
        activation=None if normalized else spec.activation,
        use_bias=not normalized,
        kernel_initializer=parts.initializer(),
        dtype=parts.dtype,
        name=f"convolution_{number}",
    )(maps)
    if block.pool > 1:
        maps = layers.MaxPooling2D(block.pool, dtype=parts.dtype, name=f"pool_{number}")(maps)
    if not normalized:
        return maps
    maps = parts.normalized(maps, STATISTICS_KEPT, f"normalization_{number}")
    return layers.Activation(spec.activation, dtype=parts.dtype, name=f"activation_{number}")(maps)

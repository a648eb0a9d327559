"""Build a `keras.Model` from a model spec."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import KerasTensor, layers

from digitlab.models.parts import DropoutLayer, NormalizationLayer, Parts
from digitlab.models.user_code import build_from_code
from digitlab.spec.recipe import CLASSES, CNN, IMAGE_SIDE, MLP, Convolution, ModelSpec, PythonModel

LOGITS = "logits"
"""Name of the layer before the softmax, from whose output training computes its loss."""
STATISTICS_KEPT = 0.95
"""Momentum of batch normalization: share of the running means and variances kept at each training step."""

SMALLEST_PROBABILITY = 1e-7
"""Probability at least, where a loss is computed from a network's probabilities; Keras's own epsilon."""

_POOLING = {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D}
_GLOBAL_POOLING = {"max": layers.GlobalMaxPooling2D, "average": layers.GlobalAveragePooling2D}


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

    Raises:
        TrainingError: a user's own function builds no such network.
    """
    if isinstance(spec, PythonModel):
        return build_from_code(spec, initialization, dtype, classes=classes)
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


def logits_of(network: keras.Model, spec: ModelSpec) -> keras.Model:
    """Return a network up to its logits, of which its probabilities are the softmax.

    Args:
        network: network that `build` returned.
        spec: the network's spec.
    """
    if isinstance(spec, PythonModel):
        if spec.outputs == "logits":
            return keras.Model(network.inputs[0], network.layers[-1].input)
        # The softmax of logarithms of probabilities are these probabilities.
        floored = keras.ops.maximum(network.outputs[0], SMALLEST_PROBABILITY)
        return keras.Model(network.inputs[0], keras.ops.log(floored))
    return keras.Model(network.inputs, network.get_layer(LOGITS).output)


def logits_layer_name(network: keras.Model, spec: ModelSpec) -> str:
    """Return the name of the layer of logits: of a user's network, the last layer with a kernel.

    Args:
        network: network that `build` returned.
        spec: the network's spec.
    """
    if isinstance(spec, PythonModel):
        for layer in reversed(network.layers):
            if any("kernel" in weight.name for weight in layer.weights):
                return layer.name
    return LOGITS


def _mlp_features(pixels: KerasTensor, spec: MLP, parts: Parts) -> KerasTensor:
    """Apply the hidden layers to the pixels, [batch, 28, 28] in 0..1: [batch, features]."""
    features = layers.Flatten(dtype=parts.dtype, name="flatten")(pixels)
    return parts.dense_layers(features, spec.hidden, spec.activation, spec.dropout)


def _cnn_features(pixels: KerasTensor, spec: CNN, parts: Parts) -> KerasTensor:
    """Apply convolution blocks, dropout and dense layers to the pixels: [batch, features]."""
    maps = layers.Reshape((IMAGE_SIDE, IMAGE_SIDE, 1), dtype=parts.dtype, name="one_channel")(pixels)
    inputs = []  # of each block so far
    for i, block in enumerate(spec.convolutions, start=1):
        inputs.append(maps)
        maps = _block(maps, block, i, spec, parts, inputs)
    maps = parts.dropout(maps, spec.dropout, name="dropout")
    if spec.global_pooling is None:
        features = layers.Flatten(dtype=parts.dtype, name="flatten")(maps)
    else:
        pooling = _GLOBAL_POOLING[spec.global_pooling]
        features = pooling(dtype=parts.dtype, name="global_pooling")(maps)
    return parts.dense_layers(features, spec.dense, spec.activation, dropout=0.0)


def _block(
    maps: KerasTensor,
    block: Convolution,
    i: int,
    spec: CNN,
    parts: Parts,
    inputs: Sequence[KerasTensor],
) -> KerasTensor:
    """Add a convolution block; with normalization it pools first, so that there is less to normalize.

    Args:
        maps: the block's input.
        block: the block's spec.
        i: the block's position, from 1.
        spec: the network's spec.
        parts: factory of the layers.
        inputs: inputs of all blocks up to this one.
    """
    normalized = spec.normalization is not None
    plain = not normalized and block.residual is None
    maps = layers.Conv2D(
        block.filters,
        block.kernel_size,
        strides=block.stride or 1,
        padding=block.padding,
        activation=spec.activation if plain else None,
        use_bias=not normalized,  # normalization takes the mean away, and a bias with it
        kernel_initializer=parts.initializer(),
        dtype=parts.dtype,
        name=f"convolution_{i}",
    )(maps)
    if block.pool > 1:
        pooling = _POOLING[block.pooling or "max"]
        maps = pooling(block.pool, dtype=parts.dtype, name=f"pool_{i}")(maps)
    if plain:
        return maps
    if normalized:
        maps = parts.normalized(maps, STATISTICS_KEPT, f"normalization_{i}")
    if block.residual is not None:
        shortcut = _shortcut(inputs[-block.residual], maps, i, spec, parts)
        maps = layers.Add(dtype=parts.dtype, name=f"sum_{i}")([maps, shortcut])
    return layers.Activation(spec.activation, dtype=parts.dtype, name=f"activation_{i}")(maps)


def _shortcut(source: KerasTensor, target: KerasTensor, i: int, spec: CNN, parts: Parts) -> KerasTensor:
    """Return the maps that are added to a block's: the source's own, or a 1x1 convolution of them."""
    if source.shape == target.shape:
        return source
    normalized = spec.normalization is not None
    stride = -(-source.shape[1] // target.shape[1])
    maps = layers.Conv2D(
        target.shape[-1],
        1,
        strides=stride,
        use_bias=not normalized,
        kernel_initializer=parts.initializer(),
        dtype=parts.dtype,
        name=f"shortcut_{i}",
    )(source)
    if not normalized:
        return maps
    return parts.normalized(maps, STATISTICS_KEPT, f"shortcut_normalization_{i}")

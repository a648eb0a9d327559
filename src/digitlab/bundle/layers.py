"""Translation of each Keras layer to ONNX.

Written by hand instead of by `model.export`, whose graph is converted from TensorFlow's: there a layer is
several nodes, feature maps are transposed between channels last and first, and normalization is not folded
into its convolution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from digitlab.bundle.graph import GraphWriter, Value
from digitlab.errors import BundleError

_ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "gelu": "Gelu", "elu": "Elu"}


def unsupported(layer: Any, what: str) -> BundleError:
    """Return the error for a layer that cannot be written to ONNX."""
    return BundleError(
        f"layer {layer.name!r} ({type(layer).__name__}): {what} cannot be written to ONNX; "
        "use one of " + ", ".join(sorted(LAYERS))
    )


def activation_name(layer: Any) -> str:
    """Return Keras's name of a layer's activation."""
    return getattr(layer.activation, "__name__", str(layer.activation))


@dataclass(frozen=True)
class LayerCall:
    """A call of a layer, to be written to the graph.

    Attributes:
        writer: builder of the graph.
        layer: Keras layer of a class in `LAYERS`.
        inputs: input values of the layer.
        normalization: batch normalization of the output, to be folded into the layer's weights; None without
            one.
    """

    writer: GraphWriter
    layer: Any
    inputs: tuple[Value, ...]
    normalization: Any = None

    @property
    def value(self) -> Value:
        """Input of a layer that has one input."""
        return self.inputs[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Output shape of the Keras layer, without the batch axis."""
        return tuple(self.layer.output.shape[1:])


def _activate(writer: GraphWriter, value: Value, layer: Any) -> Value:
    name = activation_name(layer)
    if name == "linear":
        return value
    if name == "softmax":
        return replace(value, name=writer.node("Softmax", [value.name], axis=-1))
    if name not in _ACTIVATIONS:
        raise unsupported(layer, f"the activation {name}")
    return replace(value, name=writer.node(_ACTIVATIONS[name], [value.name]))


def _rescaling(call: LayerCall) -> Value:
    if np.any(call.layer.offset):
        raise unsupported(call.layer, "an offset")
    return replace(call.value, scale=call.value.scale * float(call.layer.scale))


def _reshape(call: LayerCall) -> Value:
    value, shape = call.writer.in_keras_order(call.value), call.shape
    if any(len(maps) == 3 and maps[2] > 1 for maps in (value.shape, shape)):
        raise unsupported(call.layer, "a change of shape of several channels")
    onnx_shape = (1, *shape[:2]) if len(shape) == 3 else shape
    return replace(value, name=call.writer.reshape(value, onnx_shape), shape=shape)


def _flatten(call: LayerCall) -> Value:
    return _flattened(call.writer, call.value)


def _flattened(writer: GraphWriter, value: Value) -> Value:
    name = writer.node("Flatten", [value.name], axis=1)
    grid = value.shape if value.is_maps and value.shape[2] > 1 and prod(value.shape[:2]) > 1 else None
    return Value(name, (prod(value.shape),), grid, value.scale)


def _convolution(call: LayerCall) -> Value:
    layer = call.layer
    if layer.groups != 1 or layer.data_format != "channels_last":
        raise unsupported(layer, "groups, or channels first,")
    kernel, bias = _folded(call)
    name = call.writer.node(
        "Conv",
        [
            call.value.name,
            call.writer.weight((kernel * call.value.scale).transpose(3, 2, 0, 1), f"{layer.name}/kernel"),
            call.writer.weight(bias, f"{layer.name}/bias"),
        ],
        kernel_shape=list(layer.kernel_size),
        dilations=list(layer.dilation_rate),
        **_window(layer, call.value, layer.kernel_size, layer.dilation_rate),
    )
    return _activate(call.writer, Value(name, call.shape), layer)


def _dense(call: LayerCall) -> Value:
    layer, value = call.layer, call.value
    if len(value.shape) != 1:
        raise unsupported(layer, "an input that is not flattened")
    kernel, bias = _folded(call)
    name = call.writer.node(
        "Gemm",
        [
            value.name,
            call.writer.weight(value.to_onnx_order(kernel * value.scale), f"{layer.name}/kernel"),
            call.writer.weight(bias, f"{layer.name}/bias"),
        ],
    )
    return _activate(call.writer, Value(name, call.shape), layer)


def _folded(call: LayerCall) -> tuple[np.ndarray, np.ndarray]:
    """Return kernel and bias, float64, with the normalization folded in."""
    layer = call.layer
    kernel = np.asarray(layer.kernel, np.float64)
    bias = np.asarray(layer.bias, np.float64) if layer.use_bias else np.zeros(kernel.shape[-1])
    if call.normalization is None:
        return kernel, bias
    factor, shift = affine(call.normalization)
    return kernel * factor, bias * factor + shift


def affine(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the factor and then the shift that a trained normalization applies, float64 [channels] each."""
    if layer.axis not in (-1, len(layer.output.shape) - 1):
        raise unsupported(layer, "an axis that is not the last")
    mean = np.asarray(layer.moving_mean, np.float64)
    variance = np.asarray(layer.moving_variance, np.float64)
    factor = 1 / np.sqrt(variance + layer.epsilon)
    if layer.scale:
        factor = factor * np.asarray(layer.gamma, np.float64)
    shift = -mean * factor
    return factor, shift + np.asarray(layer.beta, np.float64) if layer.center else shift


def _normalization(call: LayerCall) -> Value:
    value = call.value
    factor, shift = (value.to_onnx_order(array) for array in affine(call.layer))
    # The factor contains the variance and epsilon already.
    zero, one = np.zeros(factor.shape), np.ones(factor.shape)
    arrays = {"scale": factor * value.scale, "offset": shift, "mean": zero, "variance": one}
    weights = [call.writer.weight(array, f"{call.layer.name}/{name}") for name, array in arrays.items()]
    name = call.writer.node("BatchNormalization", [value.name, *weights], epsilon=0.0)
    return replace(value, name=name, scale=1.0)


def _pooling(operator: str) -> Callable[[LayerCall], Value]:
    def write(call: LayerCall) -> Value:
        size = call.layer.pool_size
        value = call.writer.scaled(call.value)
        window = _window(call.layer, value, size, (1, 1))
        name = call.writer.node(operator, [value.name], kernel_shape=list(size), **window)
        return replace(value, name=name, shape=call.shape)

    return write


def _window(layer: Any, value: Value, size: Any, dilation: Any) -> dict[str, Any]:
    """Return strides and padding for ONNX; where `same` pads unevenly, Keras pads the end more."""
    begin, end = [0, 0], [0, 0]
    if layer.padding == "same":
        for axis in (0, 1):
            side, stride = value.shape[axis], layer.strides[axis]
            reach = (size[axis] - 1) * dilation[axis] + 1
            padding = max((-(-side // stride) - 1) * stride + reach - side, 0)
            begin[axis], end[axis] = padding // 2, padding - padding // 2
    return {"strides": list(layer.strides), "pads": begin + end}


def _global_average(call: LayerCall) -> Value:
    value = call.value
    pooled = call.writer.node("GlobalAveragePool", [value.name])
    maps = Value(pooled, (1, 1, value.shape[2]), scale=value.scale)
    return maps if call.layer.keepdims else _flattened(call.writer, maps)


def _activation(call: LayerCall) -> Value:
    return _activate(call.writer, call.writer.scaled(call.value), call.layer)


def _relu(call: LayerCall) -> Value:
    layer = call.layer
    if layer.max_value is not None or layer.negative_slope or layer.threshold:
        raise unsupported(layer, "a slope, threshold or greatest value")
    value = call.writer.scaled(call.value)
    return replace(value, name=call.writer.node("Relu", [value.name]))


def _softmax(call: LayerCall) -> Value:
    value = call.writer.in_keras_order(call.writer.scaled(call.value))
    return replace(value, name=call.writer.node("Softmax", [value.name], axis=-1))


def _same(call: LayerCall) -> Value:
    return call.value


def _sum(call: LayerCall) -> Value:
    values = [call.writer.scaled(value) for value in call.inputs]
    if len({value.flattened for value in values}) > 1:
        values = [call.writer.in_keras_order(value) for value in values]
    total = values[0]
    for value in values[1:]:
        total = replace(total, name=call.writer.node("Add", [total.name, value.name]))
    return replace(total, shape=call.shape)


def _join(call: LayerCall) -> Value:
    if call.layer.axis not in (-1, len(call.shape)):
        raise unsupported(call.layer, "an axis that is not the last")
    values = [call.writer.in_keras_order(call.writer.scaled(value)) for value in call.inputs]
    return Value(call.writer.node("Concat", [value.name for value in values], axis=1), call.shape)


LAYERS: dict[str, Callable[[LayerCall], Value]] = {
    "Activation": _activation,
    "Add": _sum,
    "AveragePooling2D": _pooling("AveragePool"),
    "BatchNormalization": _normalization,
    "Concatenate": _join,
    "Conv2D": _convolution,
    "Dense": _dense,
    "Dropout": _same,
    "Flatten": _flatten,
    "GlobalAveragePooling2D": _global_average,
    "MaxPooling2D": _pooling("MaxPool"),
    "ReLU": _relu,
    "Rescaling": _rescaling,
    "Reshape": _reshape,
    "Softmax": _softmax,
    "SpatialDropout2D": _same,
}
"""Functions that write a Keras layer and return its output, by the layer's class."""

INPUT = "InputLayer"
"""Class of the layer that stands for the network's input."""

WEIGHTED = frozenset({"Conv2D", "Dense"})
"""Layers that can absorb a normalization that follows them."""


def write_layer(call: LayerCall) -> Value:
    """Write a layer to the graph.

    Returns:
        The layer's output, after the normalization that was folded in, if any.

    Raises:
        BundleError: a setting of the layer cannot be written.
    """
    return LAYERS[type(call.layer).__name__](call)


def check_layers(layers: Iterable[Any]) -> None:
    """Check that layers are of classes that can be written.

    Raises:
        BundleError: a layer is of another class; the message names it.
    """
    for layer in layers:
        name = type(layer).__name__
        if not type(layer).__module__.startswith("keras.") or name not in {*LAYERS, INPUT}:
            raise unsupported(layer, "a layer of this class")

"""Conversion of a reader of rows to ONNX: channels first, normalization folded, any width."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.bundle.graph import PROBABILITIES, GraphWriter, model_proto
from digitlab.bundle.layers import affine, unsupported
from digitlab.spec.rows import ROW_CLASSES

if TYPE_CHECKING:
    import keras
    import onnx

ROWS = "rows"
"""Name of the ONNX file's input."""
_PASSING = frozenset({"Dropout", "BatchNormalization"})


def rows_to_onnx(model: keras.Model, height: int) -> onnx.ModelProto:
    """Convert a reader of rows to ONNX.

    Args:
        model: float32 network built by `models.rows.build_rows`.
        height: height of the rows in pixels.

    Returns:
        A model with input `rows`, float32 [n, height, W] in 0..255, and output `probabilities`, float32
        [n, W / 4, 12].

    Raises:
        BundleError: a layer is not one of a reader of rows.
    """
    writer = GraphWriter()
    normalizations: dict[int, Any] = {}  # by the identity of the value that each normalizes
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            normalizations[id(layer.input)] = layer
    names: dict[int, str] = {}  # of the values in ONNX, by the identity of those in Keras
    for layer in model.layers:
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        taken = [names.get(id(value), ROWS) for value in inputs]
        normalization = normalizations.get(id(layer.output))
        names[id(layer.output)] = _write(writer, layer, taken, normalization)
    takes = (ROWS, (height, "width"))
    gives = (PROBABILITIES, ("columns", ROW_CLASSES))
    return model_proto(writer, [gives], "rows", takes)


def _write(writer: GraphWriter, layer: Any, taken: list[str], normalization: Any) -> str:
    """Add one layer's nodes, and return the name of its output."""
    kind = type(layer).__name__
    # The input's writer has added the channel axis already: `one_channel` has nothing left to do.
    if kind in _PASSING or layer.name == "one_channel":
        return taken[0]
    if kind == "Conv2D":
        return _convolution(writer, layer, taken[0], normalization)
    if kind not in _WRITERS:
        raise unsupported(layer, "a layer of this kind in a row reader")
    return _WRITERS[kind](writer, layer, taken)


def _one_channel(writer: GraphWriter, _layer: Any, _taken: list[str]) -> str:
    return writer.node("Unsqueeze", [ROWS, writer.weight(np.array([1], np.int64))])


def _rescaled(writer: GraphWriter, layer: Any, taken: list[str]) -> str:
    return writer.node("Mul", [taken[0], writer.weight(np.array(layer.scale, np.float32))])


def _activated(writer: GraphWriter, _layer: Any, taken: list[str]) -> str:
    return writer.node("Relu", taken)


def _added(writer: GraphWriter, _layer: Any, taken: list[str]) -> str:
    return writer.node("Add", taken)


def _pooled(writer: GraphWriter, layer: Any, taken: list[str]) -> str:
    size = list(layer.pool_size)
    return writer.node("MaxPool", taken, kernel_shape=size, strides=size)


def _columns(writer: GraphWriter, _layer: Any, taken: list[str]) -> str:
    """Add the transposition of logits [n, 12, 1, columns] to [n, columns, 12]."""
    line = writer.node("Squeeze", [taken[0], writer.weight(np.array([2], np.int64))])
    return writer.node("Transpose", [line], perm=[0, 2, 1])


def _normalized(writer: GraphWriter, _layer: Any, taken: list[str]) -> str:
    return writer.node("Softmax", taken, PROBABILITIES, axis=-1)


def _standardized(writer: GraphWriter, layer: Any, taken: list[str]) -> str:
    rows = taken[0]
    centred = writer.node("Sub", [rows, _mean(writer, rows)])
    variance = _mean(writer, writer.node("Mul", [centred, centred]))
    safe = writer.node("Add", [variance, writer.weight(np.array(layer.epsilon, np.float32))])
    return writer.node("Div", [centred, writer.node("Sqrt", [safe])])


def _mean(writer: GraphWriter, maps: str) -> str:
    """Add the mean of each row's pixels, first along the row, then over the height.

    A single float32 sum of thousands of pixels is so inexact that probabilities of faint writing differ from
    Keras's by 2e-4.
    """
    for axis in (3, 2):
        maps = writer.node("ReduceMean", [maps, writer.weight(np.array([axis], np.int64))])
    return maps


def _convolution(writer: GraphWriter, layer: Any, taken: str, normalization: Any) -> str:
    kernel = np.asarray(layer.kernel, np.float64)
    bias = np.zeros(kernel.shape[-1])
    if layer.use_bias:
        bias = np.asarray(layer.bias, np.float64)
    if normalization is not None:
        factor, shift = affine(normalization)
        kernel = kernel * factor
        bias = bias * factor + shift
    rows, columns = layer.kernel_size
    margins = [0, 0, 0, 0]
    if layer.padding == "same":  # above, left, below, right; of an odd sum, Keras pads the end more
        margins = [(rows - 1) // 2, (columns - 1) // 2, rows // 2, columns // 2]
    return writer.node(
        "Conv",
        [
            taken,
            writer.weight(kernel.transpose(3, 2, 0, 1), f"{layer.name}/kernel"),
            writer.weight(bias, f"{layer.name}/bias"),
        ],
        kernel_shape=[rows, columns],
        pads=margins,
    )


_WRITERS: dict[str, Callable[[GraphWriter, Any, list[str]], str]] = {
    "InputLayer": _one_channel,
    "Rescaling": _rescaled,
    "LayerNormalization": _standardized,
    "Activation": _activated,
    "Add": _added,
    "MaxPooling2D": _pooled,
    "Reshape": _columns,
    "Softmax": _normalized,
}

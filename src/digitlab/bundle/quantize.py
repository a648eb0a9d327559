"""Smaller ONNX files: kernels are stored in float16 or int8, and computed with in float32.

Int8 kernels are rounded one input after the other, and the weights yet to be rounded compensate for the error
of each rounding in the layer's output. Rounding each weight to its nearest would exceed the tolerance
(docs/bundles.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from digitlab.bundle.graph import GraphWriter
from digitlab.bundle.runtime import open_session, run

if TYPE_CHECKING:
    import onnx

LARGEST = 127
ROWS = 100_000
"""Number of a layer's input rows after which no more are collected to calibrate its rounding."""
CHUNK = 250
"""Images in a batch while a layer's inputs are collected."""
DAMPING = 0.01
"""Share of the inputs' mean square that is added to each input's, since some pixels are always black."""


def to_float16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store the kernels in float16, half their size."""
    from onnx import numpy_helper

    names = [node.input[1] for node in _weighted(model)]
    kernels = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    return _storing(model, {name: (kernels[name].astype(np.float16), None) for name in names})


def to_int8(model: onnx.ModelProto, images: np.ndarray) -> onnx.ModelProto:
    """Store the kernels in int8, a quarter of their size, except that of the logits.

    Each output of a layer has a scale of its own. The kernel of the logits stays in float32: it is small, and
    its rounding error would go straight into the probabilities.

    Args:
        model: the network in float32, as returned by `to_onnx`.
        images: calibration images from the training part, uint8 [n, 28, 28].

    Source:
        GPTQ: Frantar, Ashkboos, Hoefler and Alistarh 2022.
    """
    from onnx import numpy_helper

    rounded = deepcopy(model)  # later layers are calibrated on the outputs of rounded ones
    kernels = {tensor.name: tensor for tensor in rounded.graph.initializer}
    stored = {}
    for node in _weighted(model)[:-1]:
        tensor = kernels[node.input[1]]
        kernel = numpy_helper.to_array(tensor)
        given = _values(rounded, node.input[0], images)
        if node.op_type == "Conv":
            by_input = kernel.reshape(len(kernel), -1).T  # [inputs of a position, filters]
            seen = (_patches(node, maps, kernel.shape) for maps in given)
            whole, scale = _round(by_input, _squares(seen))
            whole, scale = whole.T.reshape(kernel.shape), scale.reshape(-1, 1, 1, 1)
        else:
            whole, scale = _round(kernel, _squares(given))
        tensor.CopyFrom(numpy_helper.from_array(whole * scale, tensor.name))
        stored[tensor.name] = whole, scale
    return _storing(model, stored)


def _round(weights: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Round weights [inputs, outputs], given the sums of their inputs' products [inputs, inputs].

    Returns:
        Rounded weights, int8 [inputs, outputs], and the scale of each output, float32 [outputs].
    """
    largest = abs(weights).max(axis=0)
    scale = np.where(largest > 0, largest / LARGEST, 1).astype(np.float32)
    damped = squares + np.eye(len(squares)) * (DAMPING * squares.diagonal().mean() + 1e-12)
    order = np.argsort(-damped.diagonal(), kind="stable")  # strongest first: most are left to compensate
    # GPTQ's upper Cholesky factor of the inverse Hessian.
    influence = np.linalg.cholesky(np.linalg.inv(damped[np.ix_(order, order)])).T
    left = weights[order].astype(np.float64)
    whole = np.empty(weights.shape, np.int8)
    for step, place in enumerate(order):
        whole[place] = np.clip(np.rint(left[step] / scale), -LARGEST, LARGEST)
        error = (left[step] - whole[place] * scale) / influence[step, step]
        left[step + 1 :] -= np.outer(influence[step, step + 1 :], error)
    return whole, scale


def _squares(inputs: Iterator[np.ndarray]) -> np.ndarray:
    """Sum the products of every two inputs over batches [rows, inputs]: float64 [inputs, inputs]."""
    total, rows = np.zeros(()), 0
    for some in inputs:
        total = total + (some.T @ some).astype(np.float64)
        rows += len(some)
        if rows >= ROWS:
            break
    return total


def _patches(node: onnx.NodeProto, maps: np.ndarray, kernel: tuple[int, ...]) -> np.ndarray:
    """Return the input patch of a convolution's kernel at each position, float32 [positions, inputs]."""
    settings = {setting.name: list(setting.ints) for setting in node.attribute}
    top, left, bottom, right = settings["pads"]
    padded = np.pad(maps, ((0, 0), (0, 0), (top, bottom), (left, right)))
    places = np.lib.stride_tricks.sliding_window_view(padded, kernel[2:], axis=(2, 3))
    rows, columns = settings["strides"]
    seen = places[:, :, ::rows, ::columns]  # [images, channels, rows, columns, kernel rows, kernel columns]
    return seen.transpose(0, 2, 3, 1, 4, 5).reshape(-1, prod(kernel[1:]))


def _values(model: onnx.ModelProto, name: str, images: np.ndarray) -> Iterator[np.ndarray]:
    """Yield a value inside the network, float32 [n, ...], for one batch of images at a time."""
    from onnx import TensorProto, helper

    showing = deepcopy(model)
    shown = helper.make_node("Identity", [name], ["shown"])
    showing.graph.node.append(shown)
    showing.graph.output.append(helper.make_tensor_value_info("shown", TensorProto.FLOAT, None))
    session = open_session(showing.SerializeToString())
    for start in range(0, len(images), CHUNK):
        yield run(session, ["shown"], images[start : start + CHUNK])[0]


def _storing(
    model: onnx.ModelProto, stored: Mapping[str, tuple[np.ndarray, np.ndarray | None]]
) -> onnx.ModelProto:
    """Replace kernels by smaller ones and nodes that convert them to float32 once, at load time."""
    from onnx import TensorProto

    writer = GraphWriter()
    for name, (array, scale) in stored.items():
        small = writer.weight(array, f"{name}/stored")
        if scale is None:
            writer.node("Cast", [small], name, to=TensorProto.FLOAT)
        else:
            whole = writer.node("Cast", [small], f"{name}/whole", to=TensorProto.FLOAT)
            writer.node("Mul", [whole, writer.weight(scale, f"{name}/scale")], name)
    smaller = deepcopy(model)
    kept = [tensor for tensor in model.graph.initializer if tensor.name not in stored]
    del smaller.graph.initializer[:], smaller.graph.node[:]
    smaller.graph.initializer.extend([*writer.weights, *kept])
    smaller.graph.node.extend([*writer.nodes, *model.graph.node])
    return smaller


def _weighted(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    return [node for node in model.graph.node if node.op_type in {"Conv", "Gemm"}]

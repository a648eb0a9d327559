"""Changes to an exported ONNX graph: less work for ONNX Runtime, sums that are more exact, and sharing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from copy import deepcopy
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

_NUMBER = re.compile(r"__\d+")
_WORTH_SHARING = 1024
"""Size, in bytes, from which a weight is stored once for both files."""


def improve(model: onnx.ModelProto, takes: str, outputs: Sequence[str]) -> onnx.ModelProto:
    """Make a graph faster and its sums more exact, and put its outputs in order.

    Args:
        model: network as exported by Keras; changed in place.
        takes: name of its input.
        outputs: names of its outputs, in the order wanted.
    """
    _replace_erfc(model.graph)
    _fix_shapes(model)
    _average_axis_by_axis(model.graph)
    _normalize_before_pooling(model.graph)
    improved = extract(model, takes, outputs)
    _sort(improved.graph, outputs)
    _renumber(improved.graph)
    return improved


def extract(model: onnx.ModelProto, takes: str, outputs: Sequence[str]) -> onnx.ModelProto:
    """Return the part of a network that computes some of its outputs.

    Args:
        model: the network.
        takes: name of its input.
        outputs: names of the outputs, in the order wanted.
    """
    from onnx.utils import Extractor

    return Extractor(model).extract_model([takes], list(outputs))


def share_weights(model: bytes, other: str, content: bytes) -> bytes:
    """Let a model refer to weights that another file beside it holds, as ONNX's external data.

    Args:
        model: content of the model's file.
        other: name of the other file.
        content: content of the other file.

    Returns:
        Content of the model's file, without the weights that the other file holds, too.
    """
    import onnx
    from onnx.external_data_helper import set_external_data

    shared = onnx.load_model_from_string(model)
    for weight in shared.graph.initializer:
        start = content.find(weight.raw_data) if len(weight.raw_data) >= _WORTH_SHARING else -1
        if start < 0:
            continue
        set_external_data(weight, other, start, len(weight.raw_data))
        weight.ClearField("raw_data")
    return shared.SerializeToString()


def _sort(graph: onnx.GraphProto, outputs: Sequence[str]) -> None:
    """Put nodes and weights in the order in which the outputs need them, whatever order they came in."""
    _name_aliases(graph, outputs)
    producers = {value: node for node in graph.node for value in node.output}
    nodes: list[onnx.NodeProto] = []
    done: set[str] = set()
    for output in outputs:
        waiting = [output]
        while waiting:
            node = producers.get(waiting[-1])
            missing = [] if node is None else [value for value in node.input if value not in done]
            if missing:  # reversed: the first input's nodes come first
                waiting.extend(reversed(missing))
                continue
            value = waiting.pop()
            if node is not None and value not in done:
                nodes.append(deepcopy(node))
                done.update(node.output)
            done.add(value)
    positions: dict[str, int] = {}
    for node in nodes:
        for value in node.input:
            positions.setdefault(value, len(positions))
    weights = sorted(map(deepcopy, graph.initializer), key=lambda weight: positions[weight.name])
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(weights)


def _name_aliases(graph: onnx.GraphProto, outputs: Sequence[str]) -> None:
    """Give a value that is several outputs the name of the first; the others are copies of it."""
    for node in graph.node:
        if node.op_type != "Identity" or not {node.input[0], node.output[0]} <= set(outputs):
            continue
        first, second = sorted((node.input[0], node.output[0]), key=outputs.index)
        if node.input[0] == first:
            continue
        names = {first: second, second: first}
        for other in graph.node:
            other.input[:] = [names.get(value, value) for value in other.input]
            other.output[:] = [names.get(value, value) for value in other.output]


def _renumber(graph: onnx.GraphProto) -> None:
    """Name anew what the converter has numbered, so that the same network gives the same bytes anywhere.

    The converter numbers names through all exports of a process, and of two equal nodes it keeps either.
    """
    names: dict[str, str] = {}

    def renamed(name: str, kind: str) -> str:
        if _NUMBER.search(name):
            return names.setdefault(name, f"{kind}__{len(names) + 1}")
        return name

    for node in graph.node:
        for value in node.output:
            renamed(value, node.op_type)
    for weight in graph.initializer:
        weight.name = renamed(weight.name, "weight")
    for node in graph.node:
        node.input[:] = [names.get(value, value) for value in node.input]
        node.output[:] = [names.get(value, value) for value in node.output]
        if node.op_type == "Identity" or _NUMBER.search(node.name):
            node.name = f"{node.op_type} of {node.output[0]}"
    for value in (*graph.input, *graph.output):
        for i, axis in enumerate(value.type.tensor_type.shape.dim):
            if axis.dim_param:
                axis.dim_param = "n" if i == 0 else f"columns of {value.name}"
    del graph.value_info[:]  # shapes of values within, which ONNX Runtime infers itself


def _replace_erfc(graph: onnx.GraphProto) -> None:
    """Write 1 - erf(x) for erfc(x), which GELU is made of and ONNX does not have."""
    from onnx import helper, numpy_helper

    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type != "Erfc":
            nodes.append(node)
            continue
        [output] = node.output
        one = numpy_helper.from_array(np.array(1, np.float32), f"{output}/one")
        graph.initializer.append(one)
        nodes.append(helper.make_node("Erf", node.input, [f"{output}/erf"]))
        nodes.append(helper.make_node("Sub", [one.name, f"{output}/erf"], [output]))
    del graph.node[:]
    graph.node.extend(nodes)


def _fix_shapes(model: onnx.ModelProto) -> None:
    """Make constants of shapes that are computed only to keep one axis open, such as that of the batch."""
    from onnx import numpy_helper, shape_inference

    inferred = shape_inference.infer_shapes(model, data_prop=True).graph
    values = {value.name: value for value in (*inferred.value_info, *inferred.output)}
    for node in model.graph.node:
        if node.op_type != "Reshape" or node.output[0] not in values:
            continue
        tensor = values[node.output[0]].type.tensor_type
        if not tensor.HasField("shape"):
            continue
        axes = tensor.shape.dim
        sizes = [axis.dim_value or -1 for axis in axes]
        if sizes.count(-1) > 1:
            continue
        shape = numpy_helper.from_array(np.array(sizes, np.int64), f"{node.output[0]}/shape")
        model.graph.initializer.append(shape)
        node.input[1] = shape.name


def _average_axis_by_axis(graph: onnx.GraphProto) -> None:
    """Compute a mean over several axes as one of means, the last axis first.

    A single float32 sum of thousands of pixels is so inexact that probabilities of faint writing differ from
    Keras's by 3e-4.
    """
    from onnx import helper

    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        settings = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        axes = settings.get("axes", [])
        if node.op_type != "ReduceMean" or len(axes) < 2 or not settings.get("keepdims", 1):
            nodes.append(node)
            continue
        value = node.input[0]
        for axis in sorted(axes, reverse=True):
            output = node.output[0] if axis == min(axes) else f"{node.output[0]}/axis_{axis}"
            nodes.append(helper.make_node("ReduceMean", [value], [output], axes=[axis], keepdims=1))
            value = output
    del graph.node[:]
    graph.node.extend(nodes)


def _normalize_before_pooling(graph: onnx.GraphProto) -> None:
    """Move the normalization of pooled feature maps before the pooling.

    There ONNX Runtime makes it a part of the convolution. The largest of several values stays the largest
    under positive factors only.
    """
    from onnx import numpy_helper

    weights = {weight.name: numpy_helper.to_array(weight) for weight in graph.initializer}
    outputs = {output.name for output in graph.output}
    consumers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        for value in node.input:
            consumers[value].append(node)

    def only_consumer(node: onnx.NodeProto, operator: str) -> onnx.NodeProto | None:
        """Find the one node that takes a node's output and applies a number to each channel."""
        value = node.output[0]
        if value in outputs or len(consumers[value]) != 1:
            return None
        [consumer] = consumers[value]
        operands = [weights[name] for name in consumer.input if name in weights]
        fits = [array for array in operands if array.ndim == 4 and array.shape[2:] == (1, 1)]
        return consumer if consumer.op_type == operator and fits else None

    for pool in graph.node:
        product = only_consumer(pool, "Mul") if pool.op_type == "MaxPool" else None
        shift = only_consumer(product, "Add") if product else None
        if product is None or shift is None:
            continue
        factors = next(weights[name] for name in product.input if name in weights)
        if not (factors > 0).all():
            continue
        first, second, third = deepcopy(product), deepcopy(shift), deepcopy(pool)
        pooled = pool.output[0]
        first.input[list(first.input).index(pooled)] = pool.input[0]
        second.output[0] = third.input[0] = pooled
        third.output[0] = shift.output[0]
        for node, moved in zip((pool, product, shift), (first, second, third), strict=True):
            node.CopyFrom(moved)

"""An ONNX graph under construction: values, weights and nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx

OPSET = 20
"""The first operator set with Gelu; ONNX Runtime 1.17 and later support it."""
IR_VERSION = 9
"""File format version that belongs to the operator set; a newer one would exclude older runtimes."""
IMAGES = "images"
PROBABILITIES = "probabilities"
FEATURES = "features"
"""Name of the output of `inside.onnx` that is the input of the logits layer."""


@dataclass(frozen=True)
class Value:
    """Output of a layer, as represented in the ONNX graph.

    Feature maps are channels first, as ONNX's convolutions require; Keras's are channels last.

    Attributes:
        name: name of the ONNX value.
        shape: shape in Keras, without the batch axis: (rows, columns, channels) for feature maps.
        flattened: shape of the feature maps that were flattened, channels first, into this value; else None.
        scale: factor by which the value must still be multiplied; the next weights absorb it.
    """

    name: str
    shape: tuple[int, ...]
    flattened: tuple[int, ...] | None = None
    scale: float = 1.0

    @property
    def is_maps(self) -> bool:
        """Whether the value is feature maps, channels first."""
        return len(self.shape) == 3

    def to_onnx_order(self, weights: np.ndarray) -> np.ndarray:
        """Reorder weights, whose first axis runs over these features, to the features' order in ONNX."""
        if self.flattened is None:
            return weights
        rest = weights.shape[1:]
        grid = weights.reshape(*self.flattened, *rest)  # [rows, columns, channels, ...]
        return np.moveaxis(grid, 2, 0).reshape(-1, *rest)


class GraphWriter:
    """Builder that collects the nodes and weights of a graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._names = count(1)

    def node(self, operator: str, inputs: Sequence[str], name: str | None = None, **attributes: Any) -> str:
        """Add a node.

        Args:
            operator: name of the ONNX operator.
            inputs: names of the input values and weights.
            name: name of the output value; a new one if None.
            attributes: attributes of the operator.

        Returns:
            The name of the output value.
        """
        from onnx import helper

        output = name or f"value_{next(self._names)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def weight(self, array: np.ndarray, name: str | None = None) -> str:
        """Add weights or constants, float64 as float32, and return their name."""
        from onnx import numpy_helper

        kept = array.astype(np.float32) if array.dtype == np.float64 else array
        tensor = numpy_helper.from_array(np.ascontiguousarray(kept), name or f"constant_{next(self._names)}")
        self.weights.append(tensor)
        return tensor.name

    def reshape(self, value: Value, shape: Sequence[int]) -> str:
        """Add a node that reshapes the values of each image, and return its output's name."""
        # A size of 0 keeps the axis as it is: the batch.
        return self.node("Reshape", [value.name, self.weight(np.array([0, *shape], np.int64))])

    def scaled(self, value: Value) -> Value:
        """Apply the pending scale, if any, by a multiplication."""
        if value.scale == 1.0:
            return value
        factor = self.weight(np.array(value.scale, np.float32))
        return replace(value, name=self.node("Mul", [value.name, factor]), scale=1.0)

    def in_keras_order(self, value: Value) -> Value:
        """Reorder features that were flattened channels first to Keras's order, channels last."""
        if value.flattened is None:
            return value
        rows, columns, channels = value.flattened
        maps = Value(self.reshape(value, (channels, rows, columns)), value.flattened, scale=value.scale)
        last = replace(maps, name=self.node("Transpose", [maps.name], perm=[0, 2, 3, 1]))
        return Value(self.reshape(last, (prod(value.shape),)), value.shape, scale=value.scale)

    def as_output(self, value: Value, name: str) -> None:
        """Add a graph output with a value in the layout of the Keras layer."""
        ready = self.in_keras_order(self.scaled(value))
        if ready.is_maps:
            self.node("Transpose", [ready.name], name, perm=[0, 2, 3, 1])
        else:
            self.node("Identity", [ready.name], name)


Shape = Sequence[int | str]
"""Shape of a value without the batch axis; a name stands for any size."""


def model_proto(
    writer: GraphWriter,
    outputs: Sequence[tuple[str, Shape]],
    name: str,
    takes: tuple[str, Shape] = (IMAGES, (28, 28)),
) -> onnx.ModelProto:
    """Assemble a model and check it.

    Args:
        writer: builder that holds the nodes and weights.
        outputs: name and shape of each output.
        name: name of the network.
        takes: name and shape of the input.

    Returns:
        A model that maps the input, float32 [n, ...] in 0..255, to the outputs, float32 [n, ...].
    """
    import onnx
    from onnx import TensorProto, helper

    def info(title: str, shape: Shape) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(title, TensorProto.FLOAT, ["n", *shape])

    graph = helper.make_graph(
        writer.nodes,
        name,
        [info(*takes)],
        [info(title, shape) for title, shape in outputs],
        writer.weights,
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="digitlab",
    )
    onnx.checker.check_model(model, full_check=True)
    return model

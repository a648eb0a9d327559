"""The ONNX graph of a network while it is written: values, weights and nodes."""

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
"""The first with Gelu. ONNX Runtime 1.17 and later run it."""
IR_VERSION = 9
"""That belongs to the opset; a newer one would shut out older runtimes."""
IMAGES = "images"
PROBABILITIES = "probabilities"
FEATURES = "features"
"""Output of `inside.onnx`: what the layer of the logits takes in."""


@dataclass(frozen=True)
class Value:
    """What a layer gives, as it lies in the ONNX graph.

    Maps are channels first there, which is how ONNX's convolutions take them; Keras's are channels last.

    Attributes:
        name: of the ONNX value.
        shape: as in Keras, without the batch: (rows, columns, channels) are maps.
        flattened: the maps' shape, if these features are maps that were flattened channels first.
        scale: by which what lies there must still be multiplied; the next weights take it in.
    """

    name: str
    shape: tuple[int, ...]
    flattened: tuple[int, ...] | None = None
    scale: float = 1.0

    @property
    def is_maps(self) -> bool:
        """Whether it lies channels first."""
        return len(self.shape) == 3

    def to_onnx_order(self, weights: np.ndarray) -> np.ndarray:
        """Bring weights whose first axis runs over these features into the order in which they lie."""
        if self.flattened is None:
            return weights
        rest = weights.shape[1:]
        grid = weights.reshape(*self.flattened, *rest)  # [rows, columns, channels, ...]
        return np.moveaxis(grid, 2, 0).reshape(-1, *rest)


class GraphWriter:
    """Collects the nodes and weights of a graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._names = count(1)

    def node(self, operator: str, inputs: Sequence[str], name: str | None = None, **attributes: Any) -> str:
        """Add a node.

        Args:
            operator: of ONNX.
            inputs: names of values and weights.
            name: of the value that it gives; a new one unless said.
            attributes: of the operator.

        Returns:
            The name of the value.
        """
        from onnx import helper

        output = name or f"value_{next(self._names)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def weight(self, array: np.ndarray, name: str | None = None) -> str:
        """Add weights or constants; float64 becomes float32."""
        from onnx import numpy_helper

        kept = array.astype(np.float32) if array.dtype == np.float64 else array
        tensor = numpy_helper.from_array(np.ascontiguousarray(kept), name or f"constant_{next(self._names)}")
        self.weights.append(tensor)
        return tensor.name

    def reshape(self, value: Value, shape: Sequence[int]) -> str:
        """Give the values of each image another shape, in the order in which they lie."""
        return self.node("Reshape", [value.name, self.weight(np.array([0, *shape], np.int64))])

    def scaled(self, value: Value) -> Value:
        """Multiply by the scale that is still due."""
        if value.scale == 1.0:
            return value
        factor = self.weight(np.array(value.scale, np.float32))
        return replace(value, name=self.node("Mul", [value.name, factor]), scale=1.0)

    def in_keras_order(self, value: Value) -> Value:
        """Bring flattened maps, channels first, into the order that Keras's features have."""
        if value.flattened is None:
            return value
        rows, columns, channels = value.flattened
        maps = Value(self.reshape(value, (channels, rows, columns)), value.flattened, scale=value.scale)
        last = replace(maps, name=self.node("Transpose", [maps.name], perm=[0, 2, 3, 1]))
        return Value(self.reshape(last, (prod(value.shape),)), value.shape, scale=value.scale)

    def as_output(self, value: Value, name: str) -> None:
        """Let the graph give a value as Keras's layer does."""
        ready = self.in_keras_order(self.scaled(value))
        if ready.is_maps:
            self.node("Transpose", [ready.name], name, perm=[0, 2, 3, 1])
        else:
            self.node("Identity", [ready.name], name)


Shape = Sequence[int | str]
"""Of a value without the batch; a name where any size is taken."""


def model_proto(
    writer: GraphWriter,
    outputs: Sequence[tuple[str, Shape]],
    name: str,
    takes: tuple[str, Shape] = (IMAGES, (28, 28)),
) -> onnx.ModelProto:
    """Put a model together and check it.

    Args:
        writer: its nodes and weights.
        outputs: name and shape of each output.
        name: of the network.
        takes: name and shape of its input.

    Returns:
        From the input, float32 [n, ...] in 0..255, to the outputs, float32 [n, ...].
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

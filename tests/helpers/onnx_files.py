"""Small networks as ONNX files, written node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, checker, helper, numpy_helper

FLATTEN = helper.make_node("Flatten", ["images"], ["pixels"], axis=1)
"""The node from the input to `pixels`, [n, 784]."""


def onnx_file(
    nodes: Sequence[NodeProto], outputs: Mapping[str, int], weights: Mapping[str, np.ndarray] | None = None
) -> bytes:
    """Write a network from `images`, float32 [n, 28, 28], to outputs, float32 [n, size], of given sizes."""

    def value(name: str, *shape: Any) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape])

    graph = helper.make_graph(
        nodes,
        "network",
        [value("images", 28, 28)],
        [value(name, size) for name, size in outputs.items()],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in (weights or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    checker.check_model(model, full_check=True)
    return model.SerializeToString()

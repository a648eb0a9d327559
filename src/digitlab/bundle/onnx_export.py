"""Conversion of Keras networks to ONNX by Keras's exporter."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlab.bundle.onnx_graph import extract, improve
from digitlab.bundle.rows_runtime import ROWS
from digitlab.bundle.runtime import FEATURES, IMAGES, PROBABILITIES
from digitlab.errors import BundleError
from digitlab.spec.recipe import IMAGE_SIDE

if TYPE_CHECKING:
    import keras
    import onnx

_POOLING = frozenset({"AveragePooling2D", "MaxPooling2D"})
_PASSING = frozenset(
    {"Dropout", "Flatten", "InputLayer", "Rescaling", "Reshape", "Softmax", "SpatialDropout2D"}
)
_WITHIN_BLOCK = frozenset({"Activation", "BatchNormalization", "LeakyReLU", "ReLU"})


def to_onnx(network: keras.Model) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """Convert a classifier to ONNX.

    Args:
        network: network returned by `rebuild`, which maps raw images to probabilities.

    Returns:
        Two models with input `images`, float32 [n, 28, 28] in 0..255. The first has the output
        `probabilities`, float32 [n, classes]. The second also has `features`, the input of the logits layer,
        and every feature map and dense activation, named by layer, in Keras's shape.

    Raises:
        BundleError: the network has no logits layer, or cannot be converted.
    """
    import keras

    convert = _with_activations if keras.config.backend() == "tensorflow" else _in_tensorflow
    inside = convert(network)
    return extract(inside, IMAGES, [PROBABILITIES]), inside


def rows_to_onnx(model: keras.Model, height: int) -> onnx.ModelProto:
    """Convert a reader of rows to ONNX.

    Args:
        model: float32 network built by `models.rows.build_rows`.
        height: height of the rows in pixels.

    Returns:
        A model with input `rows`, float32 [n, height, W] in 0..255, and output `probabilities`, float32
        [n, W / 4, 12].

    Raises:
        BundleError: the network cannot be converted.
    """
    return _convert(model, {PROBABILITIES: model.output}, ROWS, (None, height, None))


def logits_layer(model: keras.Model) -> keras.Layer:
    """Return the logits layer: the dense one whose output the network returns, as it is or by a softmax.

    Raises:
        BundleError: the network does not end with a dense layer that takes features, [n, d].
    """
    network: Any = model
    layer = network.layers[-1]
    while type(layer).__name__ in {"Softmax", "Activation"}:
        layer = layer.input._keras_history.operation
    if type(layer).__name__ != "Dense" or len(layer.input.shape) != 2:
        raise BundleError(
            "the network: expected a dense layer of logits at its end, whose input is flat, [n, d], received "
            f"{type(layer).__name__}; end it with Flatten or global pooling, Dense and Softmax"
        )
    return layer


def _with_activations(network: Any) -> onnx.ModelProto:
    outputs = {PROBABILITIES: network.output, FEATURES: logits_layer(network).input}
    for layer in _shown_layers(network):
        outputs.setdefault(layer.name, layer.output)
    return _convert(network, outputs, IMAGES, (None, IMAGE_SIDE, IMAGE_SIDE))


def _shown_layers(network: Any) -> list[Any]:
    """List the layers whose activations are shown; not those that only feed the rest of their block."""
    import keras

    consumers: dict[int, list[Any]] = defaultdict(list)
    for layer in network.layers:
        for tensor in keras.tree.flatten(layer.input):
            consumers[id(tensor)].append(layer)

    def is_shown(layer: Any) -> bool:
        if (
            type(layer).__name__ in _PASSING
            or isinstance(layer, keras.Model)
            or layer.output is network.output
        ):
            return False
        if not isinstance(layer.output, keras.KerasTensor) or len(layer.output.shape) not in (2, 4):
            return False
        followers = consumers[id(layer.output)]
        return not followers or not all(map(is_within_block, followers))

    def is_within_block(layer: Any) -> bool:
        if type(layer).__name__ in _POOLING:
            return not is_shown(layer)
        return type(layer).__name__ in _WITHIN_BLOCK

    return [layer for layer in network.layers if is_shown(layer)]


def _convert(
    model: Any, outputs: dict[str, Any], takes: str, shape: tuple[int | None, ...]
) -> onnx.ModelProto:
    """Convert the part of a network that computes some tensors, named in ONNX by the keys."""
    import keras
    import onnx

    # A name of its own: Keras's would count the models that the process has made.
    network: Any = keras.Model(model.input, outputs, name="network")
    signature = [keras.InputSpec(shape=shape, dtype="float32", name=takes)]
    with tempfile.TemporaryDirectory() as folder, _exporting():
        path = Path(folder) / "network.onnx"
        try:
            network.export(str(path), format="onnx", verbose=False, input_signature=signature)
        except Exception as error:  # the converter's exceptions have no base of their own
            cause = " ".join(str(error).split())[:200]
            raise BundleError(f"the network: expected layers that ONNX can express: {cause}") from None
        exported = improve(onnx.load(path), takes, list(outputs))
    for node in exported.graph.node:
        if not onnx.defs.has(node.op_type, node.domain):
            raise BundleError(
                f"the network: expected layers that ONNX can express, received {node.op_type} "
                f"({node.name}); use other layers there"
            )
    return exported


@contextmanager
def _exporting() -> Iterator[None]:
    """Set TensorFlow and the converter up for an export."""
    import tensorflow as tf

    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # what it logs is raised, or found in the graph
    eagerly = tf.config.functions_run_eagerly()
    # Keras compiles some operations, such as convolutions in groups, as functions of their own, which the
    # converter cannot read.
    tf.config.run_functions_eagerly(True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras and the converter use names that NumPy will drop
            yield
    finally:
        tf.config.run_functions_eagerly(eagerly)


def _in_tensorflow(network: keras.Model) -> onnx.ModelProto:
    """Convert a network of another backend in a process with TensorFlow, for which the converter is made."""
    import onnx

    environment = {
        **os.environ,
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",  # this process holds the accelerator's memory
    }
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "network.keras", Path(folder) / "network.onnx"
        network.save(source)
        command = [sys.executable, "-m", __name__, str(source), str(target)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            cause = lines[-1] if lines else f"the converter ended with exit code {done.returncode}"
            raise BundleError(cause.removeprefix(f"{BundleError.__module__}.{BundleError.__name__}: "))
        return onnx.load(target)


def _main(source: str, target: str) -> None:
    import keras
    import onnx

    onnx.save(_with_activations(keras.saving.load_model(source, compile=False)), target)


if __name__ == "__main__":
    _main(*sys.argv[1:])

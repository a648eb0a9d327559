"""Conversion of a Keras network to its two ONNX files: one with probabilities, one with activations, too."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from digitlab.bundle.graph import FEATURES, IMAGES, PROBABILITIES, GraphWriter, Value, model_proto
from digitlab.bundle.layers import (
    INPUT,
    WEIGHTED,
    LayerCall,
    activation_name,
    affine,
    check_layers,
    unsupported,
    write_layer,
)

if TYPE_CHECKING:
    import keras
    import onnx

_POOLING = frozenset({"AveragePooling2D", "MaxPooling2D"})
_WORTH_SHARING = 1024
"""Size, in bytes, from which a weight is stored once for both files."""
_PASSING = frozenset({"Dropout", "Flatten", "Rescaling", "Reshape", "Softmax", "SpatialDropout2D"})


def to_onnx(model: keras.Model, *, inside: bool = False) -> onnx.ModelProto:
    """Convert a network to ONNX, with normalization folded into the weights and channels first.

    Args:
        model: network returned by `rebuild`, of layers in `bundle.layers.LAYERS`, that maps raw images to
            probabilities.
        inside: whether to output `features` and every feature map and dense activation as well, named by
            layer, in Keras's shape.

    Returns:
        A model with input `images`, float32 [n, 28, 28] in 0..255, and output `probabilities`, float32
        [n, 10].

    Raises:
        BundleError: a layer cannot be written; the message names it.
    """
    return _Translation(model).result(inside)


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


def logits_layer(model: keras.Model) -> keras.Layer:
    """Return the logits layer: the last dense one.

    Raises:
        BundleError: the network has no dense layer.
    """
    dense = [layer for layer in model.layers if type(layer).__name__ == "Dense"]
    if not dense:
        raise unsupported(model.layers[-1], "a network without a dense layer of logits")
    return dense[-1]


class _Translation:
    """The layers of one model, in order, and their output values."""

    def __init__(self, model: Any) -> None:
        self.model = model
        check_layers(model.layers)
        self.layers = [layer for layer in model.layers if type(layer).__name__ != INPUT]
        self.writer = GraphWriter()
        self.values: dict[int, Value] = {id(model.inputs[0]): Value(IMAGES, (28, 28))}
        self.consumers: dict[int, list[Any]] = defaultdict(list)
        self.folded: set[int] = set()
        for layer in self.layers:
            for tensor in _inputs(layer):
                self.consumers[id(tensor)].append(layer)
        for layer in self.layers:
            self.values[id(layer.output)] = self._write(layer)

    def _write(self, layer: Any) -> Value:
        tensors = _inputs(layer)
        if not all(id(tensor) in self.values for tensor in tensors):
            raise unsupported(layer, "the output of a layer that is called twice")
        inputs = tuple(self.values[id(tensor)] for tensor in tensors)
        if id(layer) in self.folded:
            return inputs[0]
        normalization = self._normalization_after(layer)
        if normalization is not None:
            self.folded.add(id(normalization))
        return write_layer(LayerCall(self.writer, layer, inputs, normalization))

    def _normalization_after(self, layer: Any) -> Any:
        """Find the normalization that a layer's weights can absorb: of its output, pooled or not."""
        if type(layer).__name__ not in WEIGHTED or activation_name(layer) != "linear":
            return None
        kinds, follower = set(), self._only_consumer(layer)
        while type(follower).__name__ in _POOLING:
            kinds.add(type(follower).__name__)
            follower = self._only_consumer(follower)
        if type(follower).__name__ != "BatchNormalization":
            return None
        # The largest of several values stays the largest under positive factors only.
        commutes = "MaxPooling2D" not in kinds or (affine(follower)[0] > 0).all()
        return follower if commutes else None

    def _only_consumer(self, layer: Any) -> Any:
        consumers = self.consumers[id(layer.output)]
        return consumers[0] if len(consumers) == 1 else None

    def result(self, inside: bool) -> onnx.ModelProto:
        outputs: list[tuple[str, tuple[int, ...]]] = [(PROBABILITIES, (10,))]
        self.writer.as_output(self.values[id(self.model.outputs[0])], PROBABILITIES)
        if inside:
            for name, tensor in self._inside():
                value = self.values[id(tensor)]
                self.writer.as_output(value, name)
                outputs.append((name, value.shape))
        return model_proto(self.writer, outputs, self.model.name)

    def _inside(self) -> list[tuple[str, Any]]:
        shown = [layer for layer in self.layers if self._is_shown(layer)]
        return [(FEATURES, logits_layer(self.model).input), *((layer.name, layer.output) for layer in shown)]

    def _is_shown(self, layer: Any) -> bool:
        """Whether a layer's output is shown; not if it only feeds its block's normalization or activation."""
        if type(layer).__name__ in _PASSING or layer.output is self.model.outputs[0]:
            return False
        return not all(map(self._is_within_block, self.consumers[id(layer.output)]))

    def _is_within_block(self, layer: Any) -> bool:
        kind = type(layer).__name__
        if kind in _POOLING:
            return not self._is_shown(layer)
        return kind in {"Activation", "BatchNormalization", "ReLU"}


def _inputs(layer: Any) -> list[Any]:
    return layer.input if isinstance(layer.input, list) else [layer.input]

"""The Keras side of a bundle: saving, loading, classifying, and TensorFlow's export formats."""

from __future__ import annotations

import importlib.util
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from digitlab.bundle.files import INSIDE, MODEL, ONNX, Bundle
from digitlab.bundle.keras_file import LAYERS, inspect_keras_file
from digitlab.bundle.onnx_export import to_onnx
from digitlab.bundle.onnx_graph import share_weights
from digitlab.bundle.runtime import IMAGES, Classify
from digitlab.errors import BundleError, MissingExtraError

if TYPE_CHECKING:
    import keras

BATCH = 500


def load_network(bundle: Bundle) -> keras.Model:
    """Load the Keras network of a bundle, after inspecting its file.

    Raises:
        BundleError: the file fails the inspection, or Keras cannot read it.
        MissingExtraError: Keras is not installed.
    """
    require("keras", "train")
    inspect_keras_file(bundle.model_path)
    import keras

    try:
        loaded: Any = keras.saving.load_model(bundle.model_path, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError, KeyError, AttributeError) as error:
        cause = " ".join(str(error).split())[:200]
        raise BundleError(f"{bundle.model_path}: expected a network of digits: {cause}") from None
    return loaded


def keras_probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Classify images with Keras.

    Args:
        model: network that maps raw images to probabilities.
        images: images, uint8 [n, 28, 28].

    Returns:
        Probabilities, float32 [n, classes].
    """
    network: Any = model  # Keras's annotation of `verbose` knows only names
    return network.predict(images.astype(np.float32), batch_size=BATCH, verbose=0)


def keras_call(model: keras.Model) -> Classify:
    """Return a function that classifies images by calling the network eagerly."""
    return lambda images: np.asarray(model(images.astype(np.float32), training=False))


def rebuild(model: keras.Model) -> keras.Model:
    """Rebuild a network with the same weights: each layer called once, no optimizer, no loss.

    Raises:
        BundleError: the network is neither functional nor sequential, or a layer cannot be stored.
    """
    import keras

    given: Any = model
    if type(model).__name__ not in {"Functional", "Sequential"}:
        raise BundleError(f"the network: expected a functional or sequential one, received {type(model)}")
    _check_layers(model)
    if isinstance(model, keras.Sequential):
        images = tensor = keras.Input(given.input_shape[1:], name=IMAGES)
        for layer in model.layers:
            tensor = type(layer).from_config(layer.get_config())(tensor)
        rebuilt: Any = keras.Model(images, tensor, name=model.name)
    else:
        rebuilt = type(model).from_config(given.get_config())
    rebuilt.set_weights(given.get_weights())
    return rebuilt


def _check_layers(model: Any) -> None:
    """Raise an error for a layer that is not of a class in `LAYERS`."""
    import keras

    operations = model.layers if isinstance(model, keras.Sequential) else model.operations
    for operation in operations:
        kind = type(operation)
        if kind.__name__ in {"Functional", "Sequential"}:
            _check_layers(operation)
        elif kind.__name__ not in LAYERS or not kind.__module__.startswith("keras.src.layers."):
            raise BundleError(
                f"layer {operation.name!r} ({kind.__name__}): expected a standard layer of Keras that a "
                f"bundle can hold, received another; use one of {', '.join(sorted(LAYERS))}"
            )


class ModelArtifacts(NamedTuple):
    """A network in the formats of a bundle.

    Attributes:
        network: the network, rebuilt for its Keras file.
        onnx: content of `model.onnx`, which computes probabilities.
        inside: content of `inside.onnx`, which computes activations, too.
    """

    network: keras.Model
    onnx: bytes
    inside: bytes

    def save(self, folder: Path) -> None:
        """Write the three files into a folder; `inside.onnx` finds its weights in `model.onnx`.

        Raises:
            BundleError: the Keras file cannot be stored in a bundle.
        """
        (folder / ONNX).write_bytes(self.onnx)
        (folder / INSIDE).write_bytes(share_weights(self.inside, ONNX, self.onnx))
        self.network.save(folder / MODEL)
        inspect_keras_file(folder / MODEL)


def export_network(model: keras.Model) -> ModelArtifacts:
    """Export a network for Keras and ONNX Runtime.

    Raises:
        BundleError: the network cannot be stored in a bundle.
    """
    other = {layer.dtype_policy.name for layer in model.layers} - {"float32"}
    if other:
        raise BundleError(f"the network: expected float32, received {', '.join(sorted(other))}; rebuild it")
    require("tf2onnx", "train")
    network = rebuild(model)
    classifier, inside = to_onnx(network)
    return ModelArtifacts(network, classifier.SerializeToString(), inside.SerializeToString())


def write_saved_model(model: keras.Model, folder: Path) -> None:
    """Write a network as TensorFlow's SavedModel; its endpoint is `serve`."""
    network: Any = model
    network.export(str(folder), format="tf_saved_model", verbose=False)


def saved_model(folder: Path) -> Classify:
    """Return a function that classifies images with a SavedModel."""
    import tensorflow as tf

    loaded: Any = tf.saved_model.load(str(folder))

    def run(batch: np.ndarray) -> np.ndarray:
        return loaded.serve(tf.constant(batch)).numpy()

    return lambda images: np.concatenate([run(batch) for batch in _batches(images)])


def write_litert(model: keras.Model, path: Path, quantize: str | None = None) -> None:
    """Write a network for LiteRT.

    Args:
        model: the network.
        path: path of the file, which ends in `.tflite`.
        quantize: `float16` stores the weights in float16; None keeps float32.
    """
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        write_saved_model(model, Path(folder))
        converter: Any = tf.lite.TFLiteConverter.from_saved_model(folder)
        if quantize is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        path.write_bytes(converter.convert())


def litert(path: Path, threads: int = 1) -> Classify:
    """Return a function that classifies images with LiteRT."""
    require("ai_edge_litert", "export")
    from ai_edge_litert.interpreter import Interpreter

    interpreter: Any = Interpreter(str(path), num_threads=threads)
    [given], [answer] = interpreter.get_input_details(), interpreter.get_output_details()

    def run(batch: np.ndarray) -> np.ndarray:
        if interpreter.get_input_details()[0]["shape"][0] != len(batch):
            interpreter.resize_tensor_input(given["index"], batch.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], batch)
        interpreter.invoke()
        return interpreter.get_tensor(answer["index"])

    interpreter.allocate_tensors()
    return lambda images: np.concatenate([run(batch) for batch in _batches(images)])


def litert_name() -> str:
    """Return LiteRT's name and version."""
    return f"LiteRT {version('ai-edge-litert')}"


def tensorflow_name() -> str:
    """Return TensorFlow's name and version."""
    import tensorflow as tf

    return f"TensorFlow {tf.__version__}"


def require(module: str, extra: str) -> None:
    """Check that a library is installed, without importing it.

    Raises:
        MissingExtraError: the library is not installed.
    """
    if importlib.util.find_spec(module) is None:
        raise MissingExtraError(module, extra)


def _batches(images: np.ndarray) -> list[np.ndarray]:
    pixels = images.astype(np.float32)
    return [pixels[start : start + BATCH] for start in range(0, len(pixels), BATCH)]

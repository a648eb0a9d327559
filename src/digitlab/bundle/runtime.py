"""The classifier: a bundle run by ONNX Runtime, which only this module imports."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from digitlab.bundle.card import Card
from digitlab.bundle.files import Bundle, check_bundle, find_bundle
from digitlab.bundle.self_test import run_self_test
from digitlab.data.pixels import range_problem
from digitlab.errors import BundleError, DataError
from digitlab.results.calibration import apply_temperature
from digitlab.results.rejection import NetworkOutputs

IMAGES = "images"
"""Name of the input of a classifier's ONNX files."""
PROBABILITIES = "probabilities"
"""Name of the output with the classes' probabilities."""
FEATURES = "features"
"""Name of the output of `inside.onnx` that is the input of the logits layer."""
BATCH = 64
"""Images classified at a time: feature maps of so many fit into the cache; larger batches were slower."""

Classify = Callable[[np.ndarray], np.ndarray]
"""Function from images, uint8 [n, 28, 28], to probabilities, float32 [n, classes]."""


def load_classifier(model: str | Path = "best", threads: int = 1) -> Classifier:
    """Load a bundle to classify images with it.

    Args:
        model: name of a network that comes with digitlab, or the folder of a bundle.
        threads: number of threads that compute one batch, 1 or more.

    Raises:
        BundleError: no such bundle exists, its files do not match its card, or it fails its self-test.
    """
    bundle = check_bundle(find_bundle(model))
    classifier = Classifier(bundle, str(model), threads)
    card = bundle.card
    run_self_test(classifier.probabilities, card.answers, str(bundle.onnx_path), card.trial.classes)
    return classifier


class Classifier:
    """A network that classifies images; several threads may share it.

    Args:
        bundle: a checked bundle.
        name: name under which the network was requested.
        threads: number of threads that compute one batch.

    Attributes:
        card: the bundle's card.
        name: name under which the network was requested.
    """

    def __init__(self, bundle: Bundle, name: str, threads: int) -> None:
        self.card: Card = bundle.card
        self.name = name
        self._bundle = bundle
        self._threads = threads
        self._session = open_session(bundle.onnx_path, threads)

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Classify images.

        Args:
            images: images in MNIST form, white ink on black, uint8 or float32 [n, 28, 28] in 0..255; n may be
                0. Floats in 0..1 are refused, unless all are 0.

        Returns:
            Probabilities of the classes, float32 [n, classes], each row adding up to 1.

        Raises:
            DataError: the images have another shape or range.
        """
        return _classify(self._session, images)

    def calibrated(self, images: np.ndarray) -> np.ndarray:
        """Classify images with calibrated confidences: `probabilities` at the card's temperature."""
        return apply_temperature(self.probabilities(images), self.card.calibration.temperature)

    def activations(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Compute the activations of the layers.

        Args:
            images: images as accepted by `probabilities`.

        Returns:
            Arrays by name: `features`, the input of the logits layer, float32 [n, d]; and by the name of its
            layer each feature map, float32 [n, rows, columns, channels], and dense activation, float32 [n,
            neurons].
        """
        session = self._activation_session
        names = [output.name for output in session.get_outputs()]
        arrays = run(session, names, _checked(images))
        return dict(zip(names, arrays, strict=True))

    def look(self, images: np.ndarray) -> NetworkOutputs:
        """Compute probabilities and features of images in one forward pass.

        Args:
            images: images as accepted by `probabilities`; n may be 0.

        Returns:
            `features`, the input of the logits layer, float32 [n, d], and `probabilities`, float32 [n,
            classes].
        """
        return _look(self._activation_session, images)

    @cached_property
    def _activation_session(self) -> onnxruntime.InferenceSession:
        # Opened when it is first used: those who only classify do without its memory.
        return open_session(self._bundle.inside_path, self._threads)


def classify_with(model: Path | bytes) -> Classify:
    """Return a function like `Classifier.probabilities` for an ONNX file or its content."""
    return partial(_classify, open_session(model))


def look_with(model: bytes, threads: int = 1) -> Callable[[np.ndarray], NetworkOutputs]:
    """Return a function like `Classifier.look` for the content of an ONNX file."""
    return partial(_look, open_session(model, threads))


def runtime_name() -> str:
    """Return ONNX Runtime's name and version."""
    return f"ONNX Runtime {onnxruntime.__version__}"


def _classify(session: onnxruntime.InferenceSession, images: np.ndarray) -> np.ndarray:
    return _in_batches(session, [PROBABILITIES], images)[0]


def _look(session: onnxruntime.InferenceSession, images: np.ndarray) -> NetworkOutputs:
    features, probabilities = _in_batches(session, [FEATURES, PROBABILITIES], images)
    return NetworkOutputs(features, probabilities)


def _in_batches(
    session: onnxruntime.InferenceSession, outputs: list[str], images: np.ndarray
) -> list[np.ndarray]:
    """Compute outputs of a session on any number of images, 0 or more."""
    pixels = _checked(images)
    batches = []
    for start in range(0, max(len(pixels), 1), BATCH):  # of no image one empty batch, for the shapes
        batches.append(run(session, outputs, pixels[start : start + BATCH]))
    return [np.concatenate(of_output) for of_output in zip(*batches, strict=True)]


def run(session: onnxruntime.InferenceSession, outputs: list[str], pixels: np.ndarray) -> list[np.ndarray]:
    """Compute outputs of a session on images.

    Args:
        session: session of a network.
        outputs: names of the outputs.
        pixels: images, uint8 or float32 [n, 28, 28] in 0..255.
    """
    given = {IMAGES: pixels.astype(np.float32, order="C", copy=False)}
    computed: Any = session.run(outputs, given)  # ONNX Runtime's annotation knows other types, too
    return computed


def open_session(model: Path | bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """Open an ONNX file, or its content, with ONNX Runtime on the CPU.

    Raises:
        BundleError: ONNX Runtime cannot run the model.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors are raised as exceptions, too
    if isinstance(model, bytes):
        source = model
        name = "the network"
    else:
        source = name = str(model)
    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no base of their own
        cause = " ".join(str(error).split())[:200]
        raise BundleError(f"{name}: expected a model that ONNX Runtime can run: {cause}") from None


def _checked(images: np.ndarray) -> np.ndarray:
    pixels = np.asarray(images)
    if pixels.shape[1:] != (28, 28) or pixels.dtype not in (np.uint8, np.float32):
        raise DataError(
            "expected images as uint8 or float32 [n, 28, 28], "
            f"received {pixels.dtype} {list(pixels.shape)}; bring pictures into MNIST form first"
        )
    # uint8 images are taken to be of 0..255: a data set of another range is reported when it is loaded.
    if pixels.dtype == np.uint8:
        return pixels
    problem = range_problem(pixels)
    if problem:
        raise DataError(f"images: {problem}")
    return pixels

"""Build the network of a user's own function, from the code that its spec holds."""

from __future__ import annotations

import importlib
import inspect
import random
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from digitlab.errors import TrainingError
from digitlab.spec.python_code import versions_now
from digitlab.spec.recipe import CLASSES, IMAGE_SIDE, PythonModel

PROBABILITIES = "probabilities"
"""Name of the last layer of a network whose function returns logits."""

INPUT = "images"
"""Name of the input of a network in a bundle."""
_TRIED = 4  # images on which a network's outputs are checked
_SUM_TOLERANCE = 0.02  # in bfloat16 ten probabilities add up to 1 within a hundredth


def build_from_code(
    spec: PythonModel, initialization: int = 0, dtype: str = "float32", *, classes: int = CLASSES
) -> keras.Model:
    """Call a user's function and check the network that it returns.

    Args:
        spec: spec of the network, with its code.
        initialization: seed of Keras's and NumPy's global generators during the call, and so of the initial
            weights and of the dropout masks.
        dtype: Keras's global dtype policy during the call.
        classes: number of outputs that the network must have.

    Returns:
        A model that maps raw images, [batch, 28, 28] in 0..255, to probabilities, [batch, classes].

    Raises:
        TrainingError: the function is not to be found, takes other arguments, raises an error, or returns
            anything but a network of this shape with finite outputs.
    """
    with _importable(spec.code), _global_state(initialization, dtype):
        function = _function(spec)
        model = _called(function, spec)
    _check_shapes(model, spec, classes)
    _check_names(model, spec)
    _check_losses(model, spec)
    if spec.outputs == "logits":
        _check_logits(model, spec)
        is_taken = any(layer.name == PROBABILITIES for layer in model.layers)
        softmax = layers.Softmax(dtype="float32", name=None if is_taken else PROBABILITIES)
        probabilities = softmax(model.outputs[0])
        model = keras.Model(model.inputs[0], probabilities, name=model.name)
    else:
        _check_probabilities(model, spec)
    return model


@contextmanager
def _importable(code: Mapping[str, str]) -> Iterator[None]:
    """Make the modules of some code importable, and forget them at the end."""
    tops = {Path(name).parts[0].removesuffix(".py") for name in code}
    hidden = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in tops}
    for name in hidden:
        del sys.modules[name]
    with tempfile.TemporaryDirectory(prefix="digitlab-model-") as folder:
        for name, text in code.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.path.remove(folder)
            for name in [name for name in sys.modules if name.partition(".")[0] in tops]:
                del sys.modules[name]
            sys.modules.update(hidden)


@contextmanager
def _global_state(seed: int, dtype: str) -> Iterator[None]:
    """Seed the global generators, from which unseeded layers draw, and set the global dtype policy."""
    python, numpy, policy = random.getstate(), np.random.get_state(), keras.config.dtype_policy()
    keras.utils.set_random_seed(seed % 2**32)
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)
        random.setstate(python)
        np.random.set_state(numpy)


def _function(spec: PythonModel) -> Callable[..., Any]:
    where, _, name = spec.build.rpartition(":")
    installed = versions_now(spec)
    for package, known in spec.packages.items():
        received = installed.get(package, "none")
        if received != known:
            raise TrainingError(
                f"model.build: expected {package} {known}, which the trial names, received {received}"
            )
    try:
        module = importlib.import_module(where.removesuffix(".py"))
    except Exception as error:
        raise TrainingError(f"model.build {spec.build}: the import failed: {_cause(error)}") from error
    function = getattr(module, name, None)
    if not callable(function):
        raise TrainingError(f"model.build {spec.build}: expected a function {name} in {where}, found none")
    return function


def _called(function: Callable[..., Any], spec: PythonModel) -> Any:
    try:
        inspect.signature(function).bind(**spec.arguments)
    except (TypeError, ValueError) as error:
        taken = ", ".join(inspect.signature(function).parameters) or "none"
        raise TrainingError(
            f"model.arguments: expected those of {spec.build} ({taken}), received "
            f"{', '.join(spec.arguments) or 'none'}: {error}"
        ) from None
    try:
        model = function(**spec.arguments)
    except Exception as error:
        raise TrainingError(f"model.build {spec.build}: raised {_cause(error)}") from error
    if not isinstance(model, keras.Model):
        hint = "; is a return missing?" if model is None else ""
        raise TrainingError(f"model.build {spec.build}: expected a keras.Model, received {model!r:.80}{hint}")
    return model


def _cause(error: Exception) -> str:
    """Describe an error in one line, with the line of the user's code that it comes from."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "digitlab-model-" in frame.filename]
    where = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text}{where}"


def _check_names(model: keras.Model, spec: PythonModel) -> None:
    """Raise if a layer has a name that bundles give to their input."""
    for layer in model.layers:
        if layer.name == INPUT and not isinstance(layer, layers.InputLayer):
            raise TrainingError(
                f"model.build {spec.build}: expected no layer named {INPUT!r}, as bundles call their "
                f"input, received one ({type(layer).__name__}); give it another name"
            )


def _check_losses(model: keras.Model, spec: PythonModel) -> None:
    """Raise if layers add to the loss, which the training of a trial computes from the outputs alone."""
    model(np.zeros((1, IMAGE_SIDE, IMAGE_SIDE), np.float32), training=True)
    if model.losses:
        raise TrainingError(
            f"model.build {spec.build}: expected layers without regularizers or losses of their own, "
            f"received {len(model.losses)} added losses; use training.l2 or training.weight_decay"
        )


def _check_shapes(model: keras.Model, spec: PythonModel, classes: int) -> None:
    received = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    if received != ((None, IMAGE_SIDE, IMAGE_SIDE), (None, classes)):
        hint = ""
        if received[0] == (None, IMAGE_SIDE, IMAGE_SIDE, 1):
            hint = "; begin with keras.Input((28, 28)) and Reshape((28, 28, 1))"
        raise TrainingError(
            f"model.build {spec.build}: expected one input of shape (None, {IMAGE_SIDE}, {IMAGE_SIDE}) and "
            f"one output of shape (None, {classes}), received {received[0]} and {received[1]}{hint}"
        )


def _check_logits(model: keras.Model, spec: PythonModel) -> None:
    """Raise if outputs that should be logits are probabilities, of which a softmax would be taken again."""
    if _are_probabilities(_outputs(model, spec)):
        raise TrainingError(
            f"model.build {spec.build}: expected logits, received probabilities: leave the softmax out or "
            'set model.outputs = "probabilities"'
        )


def _check_probabilities(model: keras.Model, spec: PythonModel) -> None:
    outputs = _outputs(model, spec)
    if not _are_probabilities(outputs):
        raise TrainingError(
            f"model.build {spec.build}: expected probabilities, at least 0 and of sum 1, received a sum of "
            f'{outputs[0].sum():.3g}; set model.outputs = "logits" where no softmax is applied'
        )


def _outputs(model: keras.Model, spec: PythonModel) -> np.ndarray:
    """Compute a network's outputs for a few random images, float64 [images, classes]."""
    images = np.random.default_rng(0).integers(0, 256, (_TRIED, IMAGE_SIDE, IMAGE_SIDE)).astype(np.float32)
    outputs: Any = keras.ops.cast(model(images, training=False), "float32")
    outputs = np.asarray(keras.ops.convert_to_numpy(outputs), np.float64)
    if not np.isfinite(outputs).all():
        raise TrainingError(f"model.build {spec.build}: expected finite outputs, received nan or infinity")
    return outputs


def _are_probabilities(outputs: np.ndarray) -> bool:
    return bool(outputs.min() >= 0 and np.abs(outputs.sum(axis=1) - 1).max() <= _SUM_TOLERANCE)

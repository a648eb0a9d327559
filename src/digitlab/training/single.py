"""Training of one network from Python: a recipe, or a function that builds the network, on any data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from digitlab.data import Dataset, load
from digitlab.data.naming import locate
from digitlab.errors import DataError
from digitlab.spec.library import resolve_recipe
from digitlab.spec.plan import resolve_precision
from digitlab.spec.recipe import Recipe
from digitlab.spec.study import TRAINING_SIZE_PATH, with_settings
from digitlab.training.apart import train_apart
from digitlab.training.backend import EngineName, choose_engine
from digitlab.training.process import ProcessInUseError, jax_precision, native_precision
from digitlab.training.run import (
    OnEpoch,
    TrainOutput,
    data_of,
    jax_engine,
    plan_trial,
    tensorflow_engine,
    train_trial,
)


def train(  # noqa: PLR0913  # all but the recipe have a default
    recipe: str | Recipe | Callable[..., Any],
    x: np.ndarray | None = None,
    y: np.ndarray | None = None,
    *,
    x_test: np.ndarray | None = None,
    y_test: np.ndarray | None = None,
    settings: Mapping[str, Any] | None = None,
    data: str | Dataset = "mnist",
    validation: int | None = None,
    seed: int = 0,
    threads: int = 1,
    engine: EngineName = "auto",
    on_epoch: OnEpoch | None = None,
) -> TrainOutput:
    """Train the network of a recipe, or one that a function builds.

    Args:
        recipe: name of a recipe, its file, the recipe itself, or a function that returns a `keras.Model` for
            raw images [batch, 28, 28] in 0..255 with a logit for each class; its default arguments are
            settings (`model.arguments.width`).
        x: training images, as accepted by `Dataset.from_arrays`; None to train on `data`.
        y: labels of the training images, whole numbers or names.
        x_test: test images; None to set a seventh of `x` aside.
        y_test: labels of the test images.
        settings: changes to the recipe, by dotted path: `{"training.epochs": 5}`; `data.training_size` is the
            number of images trained on.
        data: name in the catalogue, a folder, or a data set in memory.
        validation: number of training images set aside, stratified by class; None for 5,000, or a sixth if
            that is less.
        seed: seed of the trial.
        threads: number of threads, which share every batch; another number rounds its sums differently.
        engine: engine that trains; `auto` is that of the backend that Keras already has, else JAX where only
            JAX sees an accelerator, else TensorFlow.
        on_epoch: function called with the record of each epoch as it ends.

    Returns:
        The network and its result. It is trained in this process, or in one of its own where TensorFlow
        already runs here with another number of threads; the result is the same.

    Raises:
        UserError: a recipe, setting, data set or engine is unknown or invalid.
        MissingExtraError: the engine is not installed.
        TrainingError: the loss or an output became infinite or NaN.
    """
    changes = dict(settings or {})
    training_size = changes.pop(TRAINING_SIZE_PATH, None)
    changed = with_settings(resolve_recipe(recipe), changes, "setting")
    dataset = _dataset(data, x, y, x_test, y_test)
    name = dataset.name if isinstance(data, Dataset) or x is not None else locate(data)
    spec = data_of(dataset, name, validation, training_size)
    if choose_engine(engine, threads) == "jax":
        factory = jax_engine(threads)
        trial = plan_trial(resolve_precision(changed, jax_precision()), spec, seed, threads)
        return train_trial(trial, dataset, on_epoch=on_epoch, engine=factory)
    trial = plan_trial(resolve_precision(changed, native_precision()), spec, seed, threads)
    try:
        factory = tensorflow_engine(threads)
    except ProcessInUseError:
        return train_apart(trial, dataset, on_epoch=on_epoch)
    return train_trial(trial, dataset, on_epoch=on_epoch, engine=factory)


def _dataset(
    data: str | Dataset,
    x: np.ndarray | None,
    y: np.ndarray | None,
    x_test: np.ndarray | None,
    y_test: np.ndarray | None,
) -> Dataset:
    """Return the data set that is named, given, or made of arrays."""
    if x is None and y is None and x_test is None and y_test is None:
        return data if isinstance(data, Dataset) else load(data)
    if x is None or y is None:
        raise DataError("train: expected x and y, received one of them; labels are whole numbers or names")
    if data != "mnist":
        raise DataError("train: expected x and y, or data, received both; leave one out")
    return Dataset.from_arrays(x, y, x_test, y_test)

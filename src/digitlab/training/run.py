"""Training of one trial, from its data to its result."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from digitlab.data import Dataset, stratified_split, stratified_subset
from digitlab.data.naming import contents
from digitlab.errors import DataError, TrainingError
from digitlab.models.costs import network_cost
from digitlab.results.metrics import score
from digitlab.results.record import EpochRecord, KernelWeights, Result, Scores
from digitlab.revision import revision
from digitlab.spec.recipe import CLASSES, Recipe
from digitlab.spec.study import Level
from digitlab.spec.trial import DataSpec, Trial, check_versions, fitting_validation
from digitlab.training.engine import Engine, EngineFactory, EpochTotals
from digitlab.training.process import (
    environment,
    prepare_jax,
    prepare_process,
)
from digitlab.training.seeds import ChildSeeds, child_seeds

if TYPE_CHECKING:
    import keras

OnEpoch = Callable[[EpochRecord], None]

NON_DIGIT = CLASSES
"""Label of images of non-digits in a training set."""
LEAST_OTHER_INK = 1_000
"""Smallest number of non-digits that can be drawn in the shares of their kinds."""


@dataclass(frozen=True)
class TrainOutput:
    """A trained network and the result of its trial.

    Attributes:
        model: float32 network; raw images [n, 28, 28] in 0..255 in, probabilities [n, classes] out.
        result: history, scores, predictions, timings, environment.
    """

    model: keras.Model
    result: Result


def data_of(
    dataset: Dataset, name: str, validation: int | None = None, training_size: Level | None = None
) -> DataSpec:
    """Describe a data set as a trial's data.

    Args:
        dataset: data set, loaded.
        name: name of the data set, or its folder, preferably by an absolute path.
        validation: number of training images set aside; None for 5,000, or a sixth if that is less.
        training_size: number of the other images that are trained on; None for all.

    Raises:
        SpecError: a number is out of range.
    """
    values = {
        "dataset": name,
        "validation": fitting_validation(len(dataset.y_train)) if validation is None else validation,
        "training_size": training_size,
        **contents(dataset),
    }
    return DataSpec.from_values(values, "data")


def plan_trial(recipe: Recipe, data: DataSpec, seed: int, threads: int) -> Trial:
    """Create the trial of a recipe whose precision is resolved.

    Args:
        recipe: recipe to train.
        data: data to train on, from `data_of`.
        seed: seed of the trial.
        threads: number of threads that compute.

    Raises:
        SpecError: a value is out of range.
    """
    values = {
        "recipe": recipe.name,
        "model": recipe.model,
        "training": recipe.training,
        "data": data,
        "seed": seed,
        "threads": threads,
    }
    return Trial.from_values(values, "train")


def train_trial(
    trial: Trial, dataset: Dataset, *, on_epoch: OnEpoch | None = None, engine: EngineFactory | None = None
) -> TrainOutput:
    """Train one network, score it on validation after each epoch, and on the test set at the checkpoints.

    Args:
        trial: trial to train.
        dataset: data set whose fingerprint the trial names.
        on_epoch: function called with the record of each epoch as it ends.
        engine: factory of the engine; TensorFlow's by default.

    Raises:
        SpecError: the trial is of another engine or synthesis version than this code's.
        TrainingError: the loss or an output became infinite or NaN; the message gives the cause.
        DataError: the data is not that of the trial, or its validation part leaves nothing to train on.
    """
    check_versions([trial])
    require_contents(trial.data, dataset)
    begin = time.perf_counter()
    seeds = child_seeds(trial.seed)
    make_engine = tensorflow_engine(trial.threads) if engine is None else engine
    images, labels = training_set(trial, dataset)
    network = make_engine(trial, images, labels, seeds)
    build_seconds = time.perf_counter() - begin
    recorder = TrialRecorder(trial, network, len(labels), dataset)
    random = np.random.default_rng(seeds.order)
    for _ in range(trial.training.epochs):
        order = random.permutation(len(labels)).astype(np.int32)
        recorder.run_epoch(order)
        if on_epoch:
            on_epoch(recorder.history[-1])
        if recorder.has_stopped:
            break
    recorder.restore_best()
    return TrainOutput(network.network(), recorder.result(build_seconds))


def require_contents(named: DataSpec, dataset: Dataset) -> None:
    """Check that a data set has the contents that a trial names.

    Raises:
        DataError: its contents differ.
    """
    if named.fingerprint != dataset.fingerprint:
        raise DataError(
            f"data {named.dataset}: expected the contents that the trial names, received others: "
            "they changed after planning; plan it again"
        )


def tensorflow_engine(threads: int) -> EngineFactory:
    """Prepare the process for TensorFlow and return its engine."""
    prepare_process(threads)
    from digitlab.training.tensorflow import TensorFlowEngine

    return TensorFlowEngine


def shared_tensorflow_engine(
    trial: Trial, images: np.ndarray, labels: np.ndarray, seeds: ChildSeeds
) -> Engine:
    """Return TensorFlow's engine of a trial, which trials of one graph share; an `EngineFactory`.

    The network that a training returns is overwritten by the next one.

    Args:
        trial: trial to train.
        images: training images, uint8 [n, 28, 28].
        labels: labels of the images, uint8 [n].
        seeds: child seeds of the trial.
    """
    return _shared_engines(trial.threads)(trial, images, labels, seeds)


@cache
def _shared_engines(threads: int) -> EngineFactory:
    prepare_process(threads)
    from digitlab.training.tensorflow import SharedEngines

    return SharedEngines()


def jax_engine(threads: int) -> EngineFactory:
    """Prepare the process for JAX and return its engine."""
    prepare_jax(threads)
    from digitlab.training.jax import JaxEngine

    return JaxEngine


def training_set(trial: Trial, dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return a trial's training set: all but the validation part, and the generated images it asks for.

    Returns:
        Images, uint8 [n, 28, 28], and labels, uint8 [n]: the classes, and 10 for non-digits.

    Raises:
        DataError: digits would be generated among images of other classes.
    """
    chosen = training_indices(trial.data, dataset.y_train)
    images = dataset.x_train[chosen]
    labels = dataset.y_train[chosen]
    augmentation = trial.training.augmentation
    if augmentation is None or not augmentation.generates:
        return images, labels
    check_drawn_digits(trial, dataset)
    from digitlab.synthesis.strokes import draw_digits

    seed = child_seeds(trial.seed).augmentation
    strokes = augmentation.strokes
    non_digits = augmentation.non_digits or 0.0
    # The shares are of all training images, the generated ones included.
    total = len(labels) / (1 - strokes - non_digits)
    drawn_digits, drawn_labels = draw_digits(round(total * strokes), seed)
    all_images = [images, drawn_digits]
    all_labels = [labels, drawn_labels]
    if non_digits:
        others = _non_digits(images, labels, round(total * non_digits), seed)
        all_images.append(others)
        all_labels.append(np.full(len(others), NON_DIGIT, np.uint8))
    return np.concatenate(all_images), np.concatenate(all_labels)


def training_indices(data: DataSpec, labels: np.ndarray) -> np.ndarray:
    """Return the indices of the images that a trial is trained on, int64 [n], ascending.

    Args:
        data: the trial's data.
        labels: labels of the data set's training images, uint8 [all].

    Raises:
        DataError: too few images are left beside the validation part.
    """
    rest, _ = _split(data, labels)
    if data.training_size is None:
        return rest
    known = _Labels(data.fingerprint, labels)
    return _subset(data.validation, data.training_size, data.split_seed, known)


@dataclass(frozen=True)
class _Labels:
    """Labels of training images as a key: equal ones have equal splits.

    The fingerprint only spares most comparisons; a data set in memory may have been changed since.
    """

    fingerprint: str | None
    values: np.ndarray

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Labels) and np.array_equal(self.values, other.values)

    def __hash__(self) -> int:
        return hash((self.fingerprint, len(self.values)))


def _split(data: DataSpec, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the training and of the validation part."""
    return _known_split(data.validation, data.split_seed, _Labels(data.fingerprint, labels))


@lru_cache(maxsize=4)
def _known_split(validation: int, seed: int, labels: _Labels) -> tuple[np.ndarray, np.ndarray]:
    rest, held_out = stratified_split(labels.values, validation, seed)
    for indices in (rest, held_out):  # they are shared
        indices.flags.writeable = False
    return rest, held_out


@lru_cache(maxsize=16)
def _subset(validation: int, size: int, seed: int, labels: _Labels) -> np.ndarray:
    rest, _ = _known_split(validation, seed, labels)
    chosen = rest[stratified_subset(labels.values[rest], size, seed)]
    chosen.flags.writeable = False
    return chosen


def _non_digits(images: np.ndarray, labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Draw about `count` non-digits; of few, a random choice, since each kind is drawn at least once."""
    from digitlab.synthesis.non_digits import draw_non_digits

    others, _ = draw_non_digits(images, labels, max(count, LEAST_OTHER_INK), seed)
    if len(others) <= count:
        return others
    shuffled = np.random.default_rng(seed).permutation(len(others))
    return others[shuffled[:count]]


def check_drawn_digits(trial: Trial, dataset: Dataset) -> None:
    """Check that a trial generates digits only where the classes of the data are digits.

    Raises:
        DataError: it generates digits, and the classes of the data are others.
    """
    augmentation = trial.training.augmentation
    if augmentation is None or not augmentation.generates or dataset.may_be_digits:
        return
    named = ", ".join(dataset.class_names[:3])
    raise DataError(
        "training.augmentation.strokes and non_digits: expected data of the digits 0 to 9, received "
        f"{dataset.name} ({named} ...): generated digits are none of its classes; set both to 0"
    )


class _BestEpoch(NamedTuple):
    """The epoch with the lowest log loss on the validation part, its scores, and the network's weights."""

    epoch: int
    scores: Scores
    weights: Sequence[np.ndarray]


class TrialRecorder:
    """The epochs of one trial: their records, scores and predictions.

    Args:
        trial: trial that is trained.
        network: the trial's network in training, which is scored.
        images: number of training images of an epoch.
        dataset: data set of the trial.
    """

    def __init__(self, trial: Trial, network: Engine, images: int, dataset: Dataset) -> None:
        _, held_out = _split(trial.data, dataset.y_train)
        self.trial = trial
        self.network = network
        self.images = images
        self.validation = dataset.x_train[held_out], dataset.y_train[held_out]
        self.test = dataset.x_test, dataset.y_test
        self.history: list[EpochRecord] = []
        self.validation_scores: dict[int, Scores] = {}
        self.test_scores: dict[int, Scores] = {}
        self.predictions: dict[int, np.ndarray] = {}
        self.kernels: dict[int, KernelWeights] = {}
        self._best: _BestEpoch | None = None  # only of trainings with patience
        self.code = revision()  # read at the start, since there may be a commit before the end

    def run_epoch(self, order: np.ndarray) -> None:
        """Train on every image once, in this order, and score the network.

        Raises:
            TrainingError: the loss or an output became infinite or NaN.
        """
        begin = time.perf_counter()
        totals = self.network.run_epoch(order)
        seconds = time.perf_counter() - begin
        epoch = len(self.history) + 1
        if not np.isfinite(totals.loss):
            raise TrainingError(
                f"the loss became {totals.loss} in epoch {epoch}; a smaller training.learning_rate may help"
            )
        images, labels = self.validation
        scores = score(self._predict(images, epoch), labels)
        self.history.append(self._record(seconds, totals, scores))
        if epoch in self.trial.checkpoints:
            self._record_checkpoint(epoch, scores)
        is_better = self._best is None or scores.log_loss < self._best.scores.log_loss
        if self.trial.training.patience is not None and is_better:
            self._best = _BestEpoch(epoch, scores, self.network.network().get_weights())

    @property
    def has_stopped(self) -> bool:
        """Whether the trial's patience is at its end."""
        patience = self.trial.training.patience
        if patience is None or self._best is None:
            return False
        return len(self.history) - self._best.epoch >= patience

    def restore_best(self) -> None:
        """End a training with patience with the network of its best epoch, kept as that of the last one."""
        if self._best is not None:
            self.network.restore(self._best.weights)
            self._record_checkpoint(self.trial.training.epochs, self._best.scores)

    def _record_checkpoint(self, epoch: int, validation: Scores) -> None:
        self.validation_scores[epoch] = validation
        images, labels = self.test
        probabilities = self._predict(images, epoch)
        self.test_scores[epoch] = score(probabilities, labels)
        self.predictions[epoch] = probabilities.argmax(axis=1).astype(np.uint8)
        kernels = _first_kernels(self.network.network())
        if kernels:
            self.kernels[epoch] = kernels

    def _record(self, seconds: float, totals: EpochTotals, scores: Scores) -> EpochRecord:
        return EpochRecord(
            epoch=len(self.history) + 1,
            seconds=seconds,
            loss=totals.loss / self.images,
            accuracy=totals.correct / self.images,
            mse=totals.squared_error / self.images,
            validation_log_loss=scores.log_loss,
            validation_accuracy=scores.accuracy,
            validation_mse=scores.mse,
        )

    def _predict(self, images: np.ndarray, epoch: int) -> np.ndarray:
        probabilities = self.network.predict(images)
        if not np.isfinite(probabilities).all():  # the last step overflowed after its loss was summed
            raise TrainingError(
                f"the outputs became nan in epoch {epoch}; a smaller training.learning_rate may help"
            )
        return probabilities

    def result(self, build_seconds: float) -> Result:
        """Return the result of the trial, with the seconds before its first epoch."""
        parameters, multiply_adds = network_cost(self.trial.model, self.network.network())
        return Result(
            trial=self.trial,
            history=tuple(self.history),
            validation=self.validation_scores,
            test=self.test_scores,
            predictions=self.predictions,
            kernels=self.kernels,
            parameters=parameters,
            multiply_adds=multiply_adds,
            build_seconds=build_seconds,
            environment=environment(),
            commit=self.code.commit if self.code else None,
            clean=self.code.clean if self.code else None,
        )


def _first_kernels(network: keras.Model) -> KernelWeights:
    """Return the kernels of the first convolution, [filter][row][column]; empty where there is none."""
    for weight in network.get_weights():
        if weight.ndim == 4:  # of a convolution: [rows, columns, channels, filters]
            break
    else:
        return ()
    by_filter = weight[:, :, 0, :].transpose(2, 0, 1).round(4)  # of the one channel: [filters, rows, columns]
    kernels = []
    for kernel in by_filter.tolist():
        kernels.append(tuple(tuple(row) for row in kernel))
    return tuple(kernels)

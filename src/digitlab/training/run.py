"""One trial, from its data to its result."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.data import Dataset, load, stratified_split
from digitlab.errors import DataError, TrainingError
from digitlab.models.costs import cost
from digitlab.results.metrics import score
from digitlab.results.record import EpochRecord, Kernels, Result, Scores
from digitlab.spec.library import resolve_recipe
from digitlab.spec.plan import resolve_precision
from digitlab.spec.recipe import Recipe
from digitlab.spec.study import with_settings
from digitlab.spec.trial import DataSpec, Trial, fitting_validation
from digitlab.training.engine import Engine, EngineFactory, EpochTotals
from digitlab.training.process import environment, native_precision, prepare_process
from digitlab.training.seeds import child_seeds

if TYPE_CHECKING:
    import keras

OnEpoch = Callable[[EpochRecord], None]


@dataclass(frozen=True)
class Trained:
    """A trained network and what its trial gave.

    Attributes:
        model: float32, raw [n, 28, 28] in 0..255 in, probabilities [n, 10] out.
        result: history, scores, predictions, timings, environment.
    """

    model: keras.Model
    result: Result


def train(
    recipe: str | Recipe,
    *,
    settings: Mapping[str, Any] | None = None,
    data: str = "mnist",
    seed: int = 0,
    threads: int = 1,
    on_epoch: OnEpoch | None = None,
) -> Trained:
    """Train the network of a recipe in this process.

    Args:
        recipe: a name, a file, or the recipe itself.
        settings: what differs from the recipe, by dotted path: `{"training.epochs": 5}`.
        data: a name in the catalogue, or a folder.
        seed: of the trial.
        threads: that compute, each a part of every batch; another number rounds its sums otherwise.
        on_epoch: is told of each epoch as it ends.

    Raises:
        UserError: a recipe, setting or data set that is none.
        TrainingError: the loss became infinite or no number.
    """
    asked = with_settings(resolve_recipe(recipe), dict(settings or {}), "setting")
    ready = resolve_precision(asked, native_precision())
    dataset = load(data)
    fitting = fitting_validation(len(dataset.y_train))
    values = {
        "recipe": ready.name,
        "model": ready.model,
        "training": ready.training,
        "data": DataSpec(dataset=data, validation=fitting, fingerprint=dataset.fingerprint),
        "seed": seed,
        "threads": threads,
    }
    return train_trial(Trial.from_values(values, "train"), dataset, on_epoch=on_epoch)


def train_trial(
    trial: Trial, dataset: Dataset, *, on_epoch: OnEpoch | None = None, engine: EngineFactory | None = None
) -> Trained:
    """Train one network, score it on validation after each epoch, and on the test set at the checkpoints.

    Args:
        trial: what is trained.
        dataset: the data whose fingerprint the trial names.
        on_epoch: is told of each epoch as it ends.
        engine: what trains; TensorFlow unless said.

    Raises:
        TrainingError: the loss became infinite or no number; the message is the reason.
        DataError: the data is not what the trial names, or its validation part leaves nothing to train on.
    """
    if trial.data.fingerprint != dataset.fingerprint:
        raise DataError(
            f"data {trial.data.dataset}: expected the contents that the trial names, received others; "
            "they were changed since the trial was planned: plan it again"
        )
    begin = time.perf_counter()
    seeds = child_seeds(trial.seed)
    chosen, held_out = stratified_split(dataset.y_train, trial.data.validation, trial.data.split_seed)
    make = engine or tensorflow_engine(trial.threads)
    images, labels = _with_strokes(
        trial, dataset.x_train[chosen], dataset.y_train[chosen], seeds.augmentation
    )
    network = make(trial, images, labels, seeds)
    build_seconds = time.perf_counter() - begin
    validation = dataset.x_train[held_out], dataset.y_train[held_out]
    run = _Run(trial, network, len(labels), validation, (dataset.x_test, dataset.y_test))
    order = np.random.default_rng(seeds.order)
    for _ in range(trial.training.epochs):
        run.one_epoch(order.permutation(len(labels)).astype(np.int32))
        if on_epoch:
            on_epoch(run.history[-1])
    return Trained(network.network(), run.result(build_seconds))


def tensorflow_engine(threads: int) -> EngineFactory:
    """Prepare the process for TensorFlow and give its engine."""
    prepare_process(threads)
    from digitlab.training.tensorflow import TensorFlowEngine

    return TensorFlowEngine


def _with_strokes(
    trial: Trial, images: np.ndarray, labels: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Add generated digits until they are the share of the training images that the trial asks for."""
    augmentation = trial.training.augmentation
    if augmentation is None or not augmentation.strokes:
        return images, labels
    from digitlab.data.strokes import draw_digits

    count = round(len(labels) * augmentation.strokes / (1 - augmentation.strokes))
    drawn, digits = draw_digits(count, seed)
    return np.concatenate([images, drawn]), np.concatenate([labels, digits])


class _Run:
    """The epochs of one trial and what they give."""

    def __init__(
        self,
        trial: Trial,
        engine: Engine,
        images: int,
        validation: tuple[np.ndarray, np.ndarray],
        test: tuple[np.ndarray, np.ndarray],
    ) -> None:
        self.trial = trial
        self.engine = engine
        self.images = images
        self.validation = validation
        self.test = test
        self.history: list[EpochRecord] = []
        self.validation_scores: dict[int, Scores] = {}
        self.test_scores: dict[int, Scores] = {}
        self.predictions: dict[int, np.ndarray] = {}
        self.kernels: dict[int, Kernels] = {}

    def one_epoch(self, order: np.ndarray) -> None:
        epoch = len(self.history) + 1
        begin = time.perf_counter()
        totals = self.engine.run_epoch(order)
        seconds = time.perf_counter() - begin
        if not np.isfinite(totals.loss):
            raise TrainingError(
                f"the loss became {totals.loss} in epoch {epoch}; a smaller training.learning_rate may help"
            )
        scores = score(self._predict(self.validation[0], epoch), self.validation[1])
        self.history.append(self._record(seconds, totals, scores))
        if epoch in self.trial.checkpoints:
            self.validation_scores[epoch] = scores
            images, labels = self.test
            probabilities = self._predict(images, epoch)
            self.test_scores[epoch] = score(probabilities, labels)
            self.predictions[epoch] = probabilities.argmax(axis=1).astype(np.uint8)
            if kernels := _first_kernels(self.engine.network()):
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
        probabilities = self.engine.predict(images)
        if not np.isfinite(probabilities).all():  # the last step overflowed after its loss was summed
            raise TrainingError(
                f"the answers became no numbers in epoch {epoch}; a smaller training.learning_rate may help"
            )
        return probabilities

    def result(self, build_seconds: float) -> Result:
        parameters, multiply_adds = cost(self.trial.model)
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
        )


def _first_kernels(network: keras.Model) -> Kernels:
    """Give the kernels of the first convolution, [filter][row][column]; nothing where there is none."""
    kernels = next((weight for weight in network.get_weights() if weight.ndim == 4), None)
    if kernels is None:
        return ()
    first = kernels[:, :, 0, :].transpose(2, 0, 1).round(4)  # [rows, columns, channels, filters] before
    return tuple(tuple(map(tuple, kernel)) for kernel in first.tolist())

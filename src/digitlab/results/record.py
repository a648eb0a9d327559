"""Records of a trial: its epochs, scores and result."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from pydantic import ConfigDict, Field

from digitlab.spec.base import Spec
from digitlab.spec.trial import Trial

KernelWeights = tuple[tuple[tuple[float, ...], ...], ...]
"""Kernels of the first convolution of a network, [filter][row][column]; empty for an MLP."""


class EpochRecord(Spec):
    """Record of one epoch of a trial.

    The values on the training images are computed on each batch before its update. Generated images are among
    them; where non-digits are, the classes are eleven, but ten on the validation part.

    Attributes:
        epoch: number of the epoch, counted from 1.
        seconds: time spent on training, without validation, in seconds.
        loss: mean of the minimized loss over the training images.
        accuracy: share of the training images classified correctly, 0..1.
        mse: mean squared error of the probabilities on the training images.
        validation_log_loss: mean cross-entropy on the validation part after the epoch, in nats.
        validation_accuracy: share of the validation part classified correctly after the epoch, 0..1.
        validation_mse: mean squared error of the probabilities on the validation part after the epoch.
    """

    epoch: int
    seconds: float
    loss: float
    accuracy: float
    mse: float
    validation_log_loss: float
    validation_accuracy: float
    validation_mse: float


class Scores(Spec):
    """Scores of a network on a set of images, each counted once.

    Attributes:
        images: number of images.
        correct: number of images classified correctly.
        mse: mean over images and classes of the squared difference between probability and one-hot.
        log_loss: mean over images of -ln(probability of the true class), in nats.
        calibration_error: expected calibration error over 15 bins of equal width, 0..1.
        confusion: numbers of images, [true class][predicted class].
    """

    images: int
    correct: int
    mse: float
    log_loss: float
    calibration_error: float
    confusion: tuple[tuple[int, ...], ...]

    @property
    def accuracy(self) -> float:
        """Share of images classified correctly, 0..1."""
        return self.correct / self.images

    @property
    def error_percent(self) -> float:
        """Share of images classified wrongly, in percent."""
        return 100 * (self.images - self.correct) / self.images

    @property
    def recall(self) -> tuple[float, ...]:
        """Share of each class's images classified correctly, 0..1 (nan: there were none)."""
        shares = []
        for label, row in enumerate(self.confusion):
            images = sum(row)
            shares.append(row[label] / images if images else float("nan"))
        return tuple(shares)


class Figures(NamedTuple):
    """Key figures of a result, as a table shows them.

    Attributes:
        test_error: error on the test set in percent.
        validation_error: error on the validation part in percent.
        test_mse: mean squared error of the probabilities on the test set.
        train_seconds: time spent in training epochs, in seconds.
        parameters: number of weights and biases of the network.
        multiply_adds: number of multiply-adds to classify one image.
    """

    test_error: float
    validation_error: float
    test_mse: float
    train_seconds: float
    parameters: int
    multiply_adds: int


class Result(Spec):
    """Result of one finished trial.

    Attributes:
        trial: the trial that was trained.
        history: one record per epoch; fewer than the trial's epochs where its patience ended it.
        validation: scores on the validation part, by checkpoint epoch.
        test: scores on the test set, by checkpoint epoch.
        predictions: classes predicted for the test images, uint8 [n], by checkpoint epoch.
        kernels: kernels of the first convolution, by checkpoint epoch.
        parameters: number of weights and biases of the network.
        multiply_adds: number of multiply-adds to classify one image.
        build_seconds: time spent on building the network and its graphs, in seconds.
        environment: library versions, processor and operating system.
        commit: commit of the clone whose code trained it; None outside a clone, and in older results.
        clean: whether that code was the commit's, without changes; None if `commit` is None.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    trial: Trial
    history: tuple[EpochRecord, ...]
    validation: dict[int, Scores]
    test: dict[int, Scores]
    predictions: dict[int, np.ndarray] = Field(default_factory=dict, exclude=True, repr=False)
    kernels: dict[int, KernelWeights] = Field(default_factory=dict)
    parameters: int
    multiply_adds: int
    build_seconds: float
    environment: dict[str, str]
    commit: str | None = None
    clean: bool | None = None

    @property
    def train_seconds(self) -> float:
        """Time spent in training epochs, in seconds."""
        return sum(record.seconds for record in self.history)

    def figures(self, epoch: int) -> Figures:
        """Return the key figures of this trial, or of a shorter one that ends at a checkpoint.

        Args:
            epoch: last epoch of that trial, one of the checkpoints.
        """
        return Figures(
            test_error=self.test[epoch].error_percent,
            validation_error=100 * (1 - self.validation[epoch].accuracy),
            test_mse=self.test[epoch].mse,
            train_seconds=sum(record.seconds for record in self.history[:epoch]),
            parameters=self.parameters,
            multiply_adds=self.multiply_adds,
        )

    @property
    def final_record(self) -> EpochRecord:
        """Record of the epoch whose network was scored: the last, or with patience the best."""
        if self.trial.training.patience is None:
            return self.history[-1]
        return min(self.history, key=lambda record: record.validation_log_loss)

    @property
    def final_validation(self) -> Scores:
        """Scores on the validation part after the last epoch."""
        return self.validation[self.trial.training.epochs]

    @property
    def final_test(self) -> Scores:
        """Scores on the test set after the last epoch."""
        return self.test[self.trial.training.epochs]

    @property
    def final_kernels(self) -> KernelWeights:
        """Kernels of the first convolution after the last epoch (empty: there is none, or none are kept)."""
        return self.kernels.get(self.trial.training.epochs, ())

    def after(self, trial: Trial) -> Result:
        """Return the result that a shorter trial of the same prefix group would have.

        Args:
            trial: trial with as many epochs as this one, or as many as one of its checkpoints.
        """
        kept = trial.checkpoints
        predictions = {}
        kernels = {}
        for epoch in kept:
            if epoch in self.predictions:  # a result that was read without them has none
                predictions[epoch] = self.predictions[epoch]
            if epoch in self.kernels:
                kernels[epoch] = self.kernels[epoch]
        return self.model_copy(
            update={
                "trial": trial,
                "history": self.history[: trial.training.epochs],
                "validation": {epoch: self.validation[epoch] for epoch in kept if epoch in self.validation},
                "test": {epoch: self.test[epoch] for epoch in kept if epoch in self.test},
                "predictions": predictions,
                "kernels": kernels,
            }
        )

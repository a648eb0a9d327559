"""What one trial gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from digitlab.spec.base import Spec
from digitlab.spec.trial import Trial

Kernels = tuple[tuple[tuple[float, ...], ...], ...]
"""Of the first convolution of a network: [filter][row][column]; none of an MLP."""


class EpochRecord(Spec):
    """One epoch of a trial.

    Attributes:
        epoch: counted from 1.
        seconds: spent on training, without validation.
        loss: mean over the training images of what is minimized, as each batch saw it.
        accuracy: share of the training images that were classified right, likewise.
        mse: mean squared error of the probabilities on the training images, likewise.
        validation_log_loss: mean cross-entropy on the validation part after the epoch.
        validation_accuracy: share classified right there.
        validation_mse: mean squared error of the probabilities there.
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
    """How a network did on a set of images, each counted once.

    Attributes:
        images: how many.
        correct: of them, classified right.
        mse: mean over images and classes of the squared difference between probability and one-hot.
        log_loss: mean over images of -ln(probability of the true class), in nats.
        calibration_error: expected calibration error over 15 bins of equal width, 0..1.
        confusion: [true class][predicted class], images.
    """

    images: int
    correct: int
    mse: float
    log_loss: float
    calibration_error: float
    confusion: tuple[tuple[int, ...], ...]

    @property
    def accuracy(self) -> float:
        """Share classified right, 0..1."""
        return self.correct / self.images

    @property
    def error_percent(self) -> float:
        """Share classified wrong, in percent."""
        return 100 * (self.images - self.correct) / self.images

    @property
    def recall(self) -> tuple[float, ...]:
        """For each class, the share of its images classified right (nan: there were none)."""
        rows = enumerate(self.confusion)
        return tuple(row[label] / sum(row) if sum(row) else float("nan") for label, row in rows)


class Figures(NamedTuple):
    """What a table takes of a result.

    Attributes:
        test_error: error on the test set in percent.
        validation_error: error on the validation part in percent.
        test_mse: mean squared error of the probabilities on the test set.
        train_seconds: spent in training epochs.
        parameters: weights and biases of the network.
        multiply_adds: to classify one image.
    """

    test_error: float
    validation_error: float
    test_mse: float
    train_seconds: float
    parameters: int
    multiply_adds: int


class Result(Spec):
    """What one finished trial gave.

    Attributes:
        trial: what was trained.
        history: one record an epoch.
        validation: scores on the validation part by checkpoint epoch.
        test: scores on the test set, likewise.
        predictions: classes given to the test images, likewise, uint8 [n].
        kernels: of the first convolution, likewise.
        parameters: weights and biases of the network.
        multiply_adds: to classify one image.
        build_seconds: spent on building the network and its graphs.
        environment: versions, processor and system.
        commit: of the clone whose code trained it; None outside of one, and of results that are older.
        clean: whether that code was the commit's own, without changes (None: as above).
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    trial: Trial
    history: tuple[EpochRecord, ...]
    validation: dict[int, Scores]
    test: dict[int, Scores]
    predictions: dict[int, np.ndarray] = Field(default_factory=dict, exclude=True, repr=False)
    kernels: dict[int, Kernels] = Field(default_factory=dict)
    parameters: int
    multiply_adds: int
    build_seconds: float
    environment: dict[str, str]
    commit: str | None = None
    clean: bool | None = None

    @field_validator("kernels", mode="before")
    @classmethod
    def _of_the_last_epoch(cls, kernels: Any, info: ValidationInfo) -> Any:
        """Read what the first stores have: the kernels after the last epoch and no others."""
        if isinstance(kernels, Mapping) or not kernels:
            return kernels or {}
        return {info.data["trial"].training.epochs: kernels}

    @property
    def train_seconds(self) -> float:
        """Seconds spent in training epochs."""
        return sum(record.seconds for record in self.history)

    def figures(self, epoch: int) -> Figures:
        """Give what a table takes of the shorter trial that ends at a checkpoint, or of this one.

        Args:
            epoch: one of the checkpoints.
        """
        return Figures(
            test_error=self.test[epoch].error_percent,
            validation_error=100 * (1 - self.history[epoch - 1].validation_accuracy),
            test_mse=self.test[epoch].mse,
            train_seconds=sum(record.seconds for record in self.history[:epoch]),
            parameters=self.parameters,
            multiply_adds=self.multiply_adds,
        )

    @property
    def final_validation(self) -> Scores:
        """Scores on the validation part after the last epoch."""
        return self.validation[self.trial.training.epochs]

    @property
    def final_test(self) -> Scores:
        """Scores on the test set after the last epoch."""
        return self.test[self.trial.training.epochs]

    @property
    def final_kernels(self) -> Kernels:
        """Kernels of the first convolution after the last epoch (empty: it has none, or none are kept)."""
        return self.kernels.get(self.trial.training.epochs, ())

    def after(self, trial: Trial) -> Result:
        """Give the result that a shorter trial of the same family would have.

        Args:
            trial: of as many epochs as this one, or of as many as one of its checkpoints.
        """
        kept = trial.checkpoints
        return self.model_copy(
            update={
                "trial": trial,
                "history": self.history[: trial.training.epochs],
                "validation": {epoch: self.validation[epoch] for epoch in kept},
                "test": {epoch: self.test[epoch] for epoch in kept},
                "predictions": {
                    epoch: self.predictions[epoch] for epoch in kept if epoch in self.predictions
                },
                "kernels": {epoch: self.kernels[epoch] for epoch in kept if epoch in self.kernels},
            }
        )

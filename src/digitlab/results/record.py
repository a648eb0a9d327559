"""What one trial gave."""

from __future__ import annotations

import numpy as np
from pydantic import ConfigDict, Field

from digitlab.spec.base import Spec
from digitlab.spec.trial import Trial


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


class Result(Spec):
    """What one finished trial gave.

    Attributes:
        trial: what was trained.
        history: one record an epoch.
        validation: scores on the validation part by checkpoint epoch.
        test: scores on the test set, likewise.
        predictions: classes given to the test images, likewise, uint8 [n].
        kernels: of the first convolution after the last epoch, [filter][row][column]; none of an MLP.
        parameters: weights and biases of the network.
        multiply_adds: to classify one image.
        build_seconds: spent on building the network and its graphs.
        environment: versions, processor and system.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    trial: Trial
    history: tuple[EpochRecord, ...]
    validation: dict[int, Scores]
    test: dict[int, Scores]
    predictions: dict[int, np.ndarray] = Field(default_factory=dict, exclude=True, repr=False)
    kernels: tuple[tuple[tuple[float, ...], ...], ...] = ()
    parameters: int
    multiply_adds: int
    build_seconds: float
    environment: dict[str, str]

    @property
    def train_seconds(self) -> float:
        """Seconds spent in training epochs."""
        return sum(record.seconds for record in self.history)

    @property
    def final_validation(self) -> Scores:
        """Scores on the validation part after the last epoch."""
        return self.validation[self.trial.training.epochs]

    @property
    def final_test(self) -> Scores:
        """Scores on the test set after the last epoch."""
        return self.test[self.trial.training.epochs]

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
                "kernels": self.kernels if trial.id == self.trial.id else (),
            }
        )

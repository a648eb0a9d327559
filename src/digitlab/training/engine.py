"""What trains a network: the interface that every backend's engine fulfils."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from digitlab.spec.trial import Trial
from digitlab.training.seeds import ChildSeeds

if TYPE_CHECKING:
    import keras


class EpochTotals(NamedTuple):
    """Sums over every image of one training epoch, each as its batch saw it.

    Attributes:
        loss: sum over images of what is minimized.
        correct: images classified right.
        squared_error: sum over images of the mean squared error against one-hot.
    """

    loss: float
    correct: int
    squared_error: float


class Scored(Protocol):
    """A network in training, as far as it is scored and saved; `Engine` has the laws."""

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Classify images in float32.

        Args:
            images: uint8 [n, 28, 28].

        Returns:
            Probabilities, float32 [n, 10].
        """
        ...

    def network(self) -> keras.Model:
        """Give the network in float32 with the present weights."""
        ...


class Engine(Scored, Protocol):
    """One network in training.

    Laws:
        - The same trial, images and orders give the same weights, bit for bit, on the same machine.
        - `run_epoch` visits every image of its order once, the last smaller batch included.
        - `predict` and `network` change nothing: training goes on as if they had not been called.
        - `predict` gives what `network()` gives, in float32: scores belong to the network that is saved.
    """

    def run_epoch(self, order: np.ndarray) -> EpochTotals:
        """Train on every image once.

        Args:
            order: int32 [n], a permutation of the training images.
        """
        ...


class EngineFactory(Protocol):
    """Makes the engine of a trial."""

    def __call__(self, trial: Trial, images: np.ndarray, labels: np.ndarray, seeds: ChildSeeds) -> Engine:
        """Build the network and take hold of the training images.

        Args:
            trial: what is trained.
            images: uint8 [n, 28, 28].
            labels: uint8 [n] in 0..9.
            seeds: child seeds of the trial.
        """
        ...

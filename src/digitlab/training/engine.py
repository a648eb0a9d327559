"""The interface of engines, which train networks; each backend implements it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from digitlab.spec.trial import Trial
from digitlab.training.seeds import ChildSeeds

if TYPE_CHECKING:
    import keras


class EpochTotals(NamedTuple):
    """Sums over all images of a training epoch, computed as each batch is trained on.

    Attributes:
        loss: sum over images of the loss that is minimized.
        correct: number of images classified correctly.
        squared_error: sum over images of the mean squared error against one-hot.
    """

    loss: float
    correct: int
    squared_error: float


class Engine(Protocol):
    """One network in training.

    Laws:
        - The same trial, images and orders yield the same weights, bit for bit, on the same machine.
        - `run_epoch` visits every image of its order once, the last smaller batch included.
        - `predict` and `network` change nothing: training continues as if they had not been called.
        - `predict` returns what `network()` computes, in float32: scores are of the network that is saved.
    """

    def run_epoch(self, order: np.ndarray) -> EpochTotals:
        """Train on every image once.

        Args:
            order: int32 [n], a permutation of the training images.
        """
        ...

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Classify images in float32.

        Args:
            images: images to classify, uint8 [n, 28, 28].

        Returns:
            Probabilities, float32 [n, classes].
        """
        ...

    def network(self) -> keras.Model:
        """Return the network to score and save, in float32."""
        ...

    def restore(self, weights: Sequence[np.ndarray]) -> None:
        """End the training with earlier weights of the network to score and save.

        Args:
            weights: weights that `network().get_weights()` returned before.
        """
        ...


class EngineFactory(Protocol):
    """Creates the engine of a trial."""

    def __call__(self, trial: Trial, images: np.ndarray, labels: np.ndarray, seeds: ChildSeeds) -> Engine:
        """Build the network and keep the training images for it.

        Args:
            trial: trial to train.
            images: training images, uint8 [n, 28, 28].
            labels: labels of the images, uint8 [n] in 0..classes - 1.
            seeds: child seeds of the trial.
        """
        ...

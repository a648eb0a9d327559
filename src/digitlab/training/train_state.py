"""The state of a training: the Keras network and what changes with it, for the engines of all backends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from digitlab.models import build
from digitlab.models.network import logits_layer_name, logits_of
from digitlab.models.parts import DropoutLayer, NormalizationLayer
from digitlab.spec.trial import Trial
from digitlab.training.augment import Augmenter
from digitlab.training.batchnorm import recalibrate_batchnorm
from digitlab.training.initial_variables import InitialVariables
from digitlab.training.optimizers import WeightAverage, make_optimizer
from digitlab.training.seeds import ChildSeeds


class TrainState:
    """A network in training, with its optimizer, weight average and augmentation.

    There are two networks: one in training's precision, and its float32 twin, which is scored and saved. If
    non-digits are trained on, the former has an eleventh output for them, and the twin leaves it out.

    Args:
        trial: trial to train, its precision resolved.
        images: training images, uint8 [n, 28, 28].
        seeds: child seeds of the trial.
        dropout_layer: factory of the dropout layers of the network in training.
        normalization_layer: factory of its normalization layers.
        adam: optimizer class used where the trial asks for Adam.

    Attributes:
        trained: network in training's precision.
        logits: `trained` up to its logits, without the softmax.
        steps: number of optimizer steps of the whole training, all epochs together.
        optimizer: optimizer, built for the trained network.
        average: running mean of the weights; None unless the trial asks for it.
        augmenter: augmentation of the images; None unless the trial asks for it.
    """

    def __init__(
        self,
        trial: Trial,
        images: np.ndarray,
        seeds: ChildSeeds,
        dropout_layer: DropoutLayer = keras.layers.Dropout,
        normalization_layer: NormalizationLayer = keras.layers.BatchNormalization,
        adam: type[keras.optimizers.Adam] = keras.optimizers.Adam,
    ) -> None:
        spec = trial.training
        classes = trial.classes
        if spec.augmentation and spec.augmentation.non_digits:
            classes += 1
        self.trained = build(
            trial.model,
            seeds.initialization,
            seeds.dropout,
            spec.precision,
            dropout_layer,
            normalization_layer,
            classes=classes,
        )
        self.logits = logits_of(self.trained, trial.model)
        batches = math.ceil(len(images) / spec.batch_size)  # the last one may be smaller
        self.steps = batches * spec.epochs
        self.optimizer = make_optimizer(spec, self.steps, adam, logits_layer_name(self.trained, trial.model))
        self.optimizer.build(self.trained.trainable_variables)
        self.average: WeightAverage | None = None
        if spec.average is not None:
            self.average = WeightAverage(self.trained.weights, spec.average)
        self.augmenter: Augmenter | None = None
        if spec.augmentation is not None:
            self.augmenter = Augmenter(spec.augmentation, seeds.augmentation)
        # The same seed: what a user's function draws besides weights must be the same in both networks.
        self._network = build(trial.model, seeds.initialization, classes=trial.classes)
        self._l2 = spec.l2
        self._renormalize = spec.renormalize
        self._images = images
        self._finished = False  # whether the float32 twin has its last weights already

    def reset(self, initial: InitialVariables, trial: Trial, images: np.ndarray, seeds: ChildSeeds) -> None:
        """Begin the training of another trial that has the same graph: all variables as of a fresh state.

        Args:
            initial: initial values of the variables of this state.
            trial: trial to train; only its seed, learning rate and number of epochs may differ.
            images: training images, as many as before.
            seeds: child seeds of the trial.
        """
        initial.restore(seeds)
        if self.average is not None:
            for mean, weight in zip(self.average.means, self.trained.weights, strict=True):
                mean.assign(weight)
        if trial.training.schedule is None:
            self.optimizer.learning_rate = trial.training.learning_rate
        self.steps = math.ceil(len(images) / trial.training.batch_size) * trial.training.epochs
        self._images = images
        self._finished = False

    def release(self) -> None:
        """Let go of the images, which the next trial brings along."""
        self._images = np.empty((0, *self._images.shape[1:]), self._images.dtype)

    def augment(self, images: Any, strength: Any) -> Any:
        """Augment images at random, where the trial asks for it.

        Args:
            images: images to augment, uint8 [batch, 28, 28].
            strength: strength of the changes, 0..1.
        """
        if self.augmenter is None:
            return images
        return self.augmenter(images, strength)

    def add_l2(self, gradients: Sequence[Any], weights: Sequence[Any]) -> list[Any]:
        """Add the gradient of the L2 penalty, where the trial asks for it.

        Args:
            gradients: gradient of the loss for each trainable weight of `trained`.
            weights: values of these weights, in the same order.
        """
        if not self._l2:
            return list(gradients)
        penalized = []
        for variable, gradient, weight in zip(
            self.trained.trainable_variables, gradients, weights, strict=True
        ):
            is_kernel = "kernel" in variable.name  # of depthwise and recurrent layers, too
            penalized.append(gradient + 2 * self._l2 * weight if is_kernel else gradient)
        return penalized

    def restore(self, weights: Sequence[np.ndarray]) -> None:
        """End the training with earlier weights of the float32 twin, as its `get_weights` returned them."""
        self._network.set_weights(weights)
        self._finished = True

    def network(self) -> keras.Model:
        """Return the float32 twin with the current weights, or their average where the trial asks for it."""
        if self._finished:
            return self._network
        sources: Sequence[Any] = self.trained.weights
        if self.average is not None:
            sources = self.average.means
        for target, source in zip(self._network.weights, sources, strict=True):
            if target.shape != source.shape:
                # The last output, for non-digits, is left out: the rest is a softmax over the digits alone.
                source = source[..., : target.shape[-1]]  # noqa: PLW2901
            target.assign(source)
        self._finished = int(self.optimizer.iterations) == self.steps
        if self._finished and self._renormalize:
            recalibrate_batchnorm(self._network, self._images)
        return self._network

"""The TensorFlow engine: a whole epoch is one graph over images that stay in memory as uint8.

`keras.Model.fit` crosses from Python into TensorFlow for every batch, and moves the batch there. On networks
as small as these that is most of the time. Here the order of an epoch goes in, and the loop over batches, the
gather, the cast, the forward and backward passes and the Keras optimizer are nodes of one graph.

With several threads, each computes a part of every batch: operations this small gain nothing when threads
share them.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from digitlab.spec.recipe import PythonModel
from digitlab.spec.trial import Trial
from digitlab.training.dropout import ByteDropout
from digitlab.training.engine import EpochTotals
from digitlab.training.fused_adam import FusedAdam
from digitlab.training.initial_variables import InitialVariables
from digitlab.training.losses import losses
from digitlab.training.normalization import FusedNormalization
from digitlab.training.schedule import regularization_strength
from digitlab.training.seeds import ChildSeeds
from digitlab.training.train_state import TrainState

PREDICTION_BATCH = 1000
"""Images in a prediction batch: enough to keep the processor busy, few enough to keep memory small."""


PARAMETERS_KEPT = 10_000_000
"""Largest number of weights of all engines kept, each of which takes about 30 bytes."""
ENGINES_KEPT = 32
"""Largest number of engines that `SharedEngines` keeps; the classroom trains 27 networks for each seed."""


def graph_key(trial: Trial, images: int) -> str:
    """Return text that is equal for trials that have the same graph, whatever their seeds.

    Args:
        trial: a trial.
        images: number of its training images.
    """
    training = trial.training.to_values()
    if trial.training.schedule is None:
        del training["learning_rate"]  # a variable of the optimizer
        if trial.training.fade is None:
            del training["epochs"]  # nothing in the graph depends on how long it trains
            training.pop("patience", None)
    model = trial.model.to_values()
    return json.dumps([model, training, images, trial.classes, trial.threads], sort_keys=True)


class SharedEngines:
    """Engines that train one trial after the other of the same graph, which is traced and compiled once.

    The network of a trial is its engine's, so it must be saved before the next trial begins. Networks of a
    user's own functions are not shared, since such a function may do anything.
    """

    def __init__(self) -> None:
        self._engines: OrderedDict[str, TensorFlowEngine] = OrderedDict()

    def __len__(self) -> int:
        return len(self._engines)

    def _are_too_many(self) -> bool:
        parameters = sum(engine.parameters for engine in self._engines.values())
        return len(self._engines) > ENGINES_KEPT or parameters > PARAMETERS_KEPT

    def __call__(
        self, trial: Trial, images: np.ndarray, labels: np.ndarray, seeds: ChildSeeds
    ) -> TensorFlowEngine:
        """Return an engine that begins a trial; fulfils `EngineFactory`."""
        if isinstance(trial.model, PythonModel):
            return TensorFlowEngine(trial, images, labels, seeds)
        for engine in self._engines.values():
            engine.release()
        key = graph_key(trial, len(images))
        engine = self._engines.pop(key, None)
        if engine is None:
            engine = TensorFlowEngine(trial, images, labels, seeds)
            if not engine.remember(seeds):
                return engine
        else:
            engine.reset(trial, images, labels, seeds)
        self._engines[key] = engine  # as the latest
        while len(self._engines) > 1 and self._are_too_many():
            self._engines.popitem(last=False)
        return engine


class _Digits(NamedTuple):
    """The training images, uint8 [n, 28, 28], and their labels, uint8 [n], as tensors."""

    images: Any
    labels: Any


class _Part(NamedTuple):
    """Result of one thread's part of a batch: gradients of the batch's mean loss, and sums."""

    gradients: list[Any]
    totals: tuple[Any, ...]


class TensorFlowEngine:
    """Trains one network with TensorFlow; implements `Engine`.

    Args:
        trial: trial to train, its precision resolved.
        images: training images, uint8 [n, 28, 28].
        labels: labels of the images, uint8 [n] in 0..classes - 1.
        seeds: child seeds of the trial.
    """

    def __init__(self, trial: Trial, images: np.ndarray, labels: np.ndarray, seeds: ChildSeeds) -> None:
        self._state = TrainState(trial, images, seeds, ByteDropout, FusedNormalization, FusedAdam)
        self._network = self._state.network()
        self._initial: InitialVariables | None = None
        self._spec = trial.training
        self._threads = trial.threads
        self._batch_size = trial.training.batch_size
        # Arguments of the graph, since TensorFlow keeps what a graph captures as long as the process lives.
        self._digits: _Digits | None = _Digits(tf.constant(images), tf.constant(labels))
        order = tf.zeros([len(images)], tf.int32)
        self._epoch = tf.function(self._epoch_graph, autograph=False).get_concrete_function(
            self._digits, order, tf.constant(True)
        )
        self._epoch(self._digits, order, tf.constant(False))  # TensorFlow compiles a graph as it first runs
        batch = tf.TensorSpec([None, *images.shape[1:]], tf.uint8)
        self._predict = tf.function(self._predict_graph, autograph=False).get_concrete_function(batch)

    def reset(self, trial: Trial, images: np.ndarray, labels: np.ndarray, seeds: ChildSeeds) -> None:
        """Begin the training of another trial that has the same graph (`graph_key`).

        Args:
            trial: trial to train.
            images: training images, as many as before.
            labels: labels of the images.
            seeds: child seeds of the trial.
        """
        assert self._initial is not None  # `remember` came first
        self._state.reset(self._initial, trial, images, seeds)
        self._digits = _Digits(tf.constant(images), tf.constant(labels))

    def remember(self, seeds: ChildSeeds) -> bool:
        """Keep the initial variables before the training begins, for another trial of the same graph.

        Args:
            seeds: child seeds of the trial.

        Returns:
            Whether `reset` can begin another trial.
        """
        state = self._state
        self._initial = InitialVariables(state.trained, state.optimizer.variables, state.augmenter, seeds)
        return self._initial.can_be_restored

    @property
    def parameters(self) -> int:
        """Number of weights of the network."""
        return self._network.count_params()

    def release(self) -> None:
        """Let go of the images, which the next trial brings along."""
        self._digits = None
        self._state.release()

    def run_epoch(self, order: np.ndarray) -> EpochTotals:
        """Train on every image once, in this order."""
        loss, correct, squared_error = self._epoch(
            self._digits, tf.constant(order, tf.int32), tf.constant(True)
        )
        return EpochTotals(float(loss), int(correct), float(squared_error))

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Classify images in float32."""
        self.network()
        probabilities = []
        for begin in range(0, len(images), PREDICTION_BATCH):
            batch = tf.constant(images[begin : begin + PREDICTION_BATCH])
            probabilities.append(self._predict(batch).numpy())
        return np.concatenate(probabilities)

    def network(self) -> keras.Model:
        """Return the float32 twin with the current weights, or their average where the trial asks for it."""
        return self._state.network()

    def restore(self, weights: Sequence[np.ndarray]) -> None:
        """End the training with earlier weights of the network."""
        self._state.restore(weights)

    def _predict_graph(self, images: Any) -> Any:
        return self._network(images, training=False)

    def _epoch_graph(self, digits: _Digits, order: Any, wanted: Any) -> tuple[Any, ...]:
        """Train on every image if `wanted`, a bool tensor; else do nothing."""
        batches, rest = divmod(order.shape[0], self._batch_size)
        end = tf.where(wanted, batches, 0)

        def goes_on(i: Any, *_totals: Any) -> Any:
            return i < end

        def step(i: Any, *totals: Any) -> tuple[Any, ...]:
            chosen = tf.slice(order, [i * self._batch_size], [self._batch_size])
            return i + 1, *self._train_batch(digits, chosen, totals)

        begin = (tf.constant(0), tf.constant(0.0), tf.constant(0), tf.constant(0.0))
        # One step at a time: each begins with the weights that the one before it has left.
        _, *sums = tf.while_loop(goes_on, step, begin, parallel_iterations=1)
        totals = tuple(sums)
        if not rest:
            return totals
        # The loop takes batches of one size only; the last images make a smaller one.
        return tf.cond(wanted, lambda: self._train_batch(digits, order[-rest:], totals), lambda: totals)

    def _train_batch(self, digits: _Digits, chosen: Any, totals: tuple[Any, ...]) -> tuple[Any, ...]:
        """Take a step: each thread computes the gradients of its part of the batch, and they are added."""
        count = chosen.shape[0]
        parts = []
        for begin, end in part_bounds(count, self._threads):
            parts.append(self._loss_and_gradients(digits, chosen[begin:end], count))
        gradients = []
        for of_variable in zip(*(part.gradients for part in parts), strict=True):
            gradients.append(_sum(of_variable))
        state = self._state
        weights = state.trained.trainable_variables
        state.optimizer.apply(state.add_l2(gradients, weights), weights)
        if state.average:
            state.average.update(state.optimizer.iterations)
        sums = []
        for i, total in enumerate(totals):
            sums.append(_sum([total, *(part.totals[i] for part in parts)]))
        return tuple(sums)

    def _loss_and_gradients(self, digits: _Digits, chosen: Any, count: int) -> _Part:
        """Compute one thread's part of a batch of `count` images."""
        state = self._state
        strength = regularization_strength(self._spec, state.optimizer.iterations, state.steps)
        images = state.augment(tf.gather(digits.images, chosen), strength)  # [part, 28, 28] in 0..255
        labels = tf.cast(tf.gather(digits.labels, chosen), tf.int32)  # [part]
        with tf.GradientTape() as tape:
            logits = tf.cast(state.logits(images, training=True), tf.float32)  # [part, classes]
            image_losses, squared_errors = losses(self._spec, logits, labels, strength)  # [part] each
            # A share of the batch's mean, not the part's: the gradients of the parts add up to the batch's.
            loss = tf.reduce_sum(image_losses) / count
        gradients = []
        weights = state.trained.trainable_variables
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            # A weight that the loss does not depend on has none.
            gradients.append(tf.zeros_like(weight.value) if gradient is None else gradient)
        right = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels)
        correct = tf.reduce_sum(tf.cast(right, tf.int32))
        sums = tf.reduce_sum(image_losses), correct, tf.reduce_sum(squared_errors)
        return _Part(gradients, sums)


def part_bounds(count: int, threads: int) -> list[tuple[int, int]]:
    """Divide a batch into nearly equal parts, one a thread; a batch smaller than that has fewer parts.

    Args:
        count: number of images of the batch.
        threads: number of threads that share it.

    Returns:
        First image of each part, and the image after its last.
    """
    bounds = {count * i // threads for i in range(threads + 1)}
    return list(pairwise(sorted(bounds)))


def _sum(values: Sequence[Any]) -> Any:
    """Add values so that the same values give the same bits; of two, the order does not matter.

    `tf.add_n` begins with the value whose buffer happens to be free, and TensorFlow rewrites a chain of sums
    to it.
    """
    if len(values) == 1:
        return values[0]
    if len(values) == 2:
        return values[0] + values[1]
    return tf.reduce_sum(tf.stack(values), axis=0)

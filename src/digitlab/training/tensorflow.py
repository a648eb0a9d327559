"""The TensorFlow engine: a whole epoch is one graph over images that stay in memory as uint8.

`keras.Model.fit` crosses from Python into TensorFlow for every batch, and moves the batch there. On networks
as small as these that is most of the time. Here the order of an epoch goes in, and the loop over batches, the
gather, the cast, the forward and backward passes and the Keras optimizer are nodes of one graph.

With several threads, each computes a part of every batch: operations this small gain nothing when threads
share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from digitlab.spec.trial import Trial
from digitlab.training.dropout import ByteDropout
from digitlab.training.engine import EpochTotals
from digitlab.training.fused_adam import FusedAdam
from digitlab.training.learner import Learner
from digitlab.training.losses import losses
from digitlab.training.normalization import FusedNormalization
from digitlab.training.schedule import disturbance
from digitlab.training.seeds import ChildSeeds

PREDICTION_BATCH = 1000
"""Images in a prediction batch: enough to keep the processor busy, few enough to keep memory small."""


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
        labels: labels of the images, uint8 [n] in 0..9.
        seeds: child seeds of the trial.
    """

    def __init__(self, trial: Trial, images: np.ndarray, labels: np.ndarray, seeds: ChildSeeds) -> None:
        self._learner = Learner(trial, images, seeds, ByteDropout, FusedNormalization, FusedAdam)
        self._network = self._learner.network()
        self._spec = trial.training
        self._threads = trial.threads
        self._batch_size = trial.training.batch_size
        # Arguments of the graph, since TensorFlow keeps what a graph captures as long as the process lives.
        self._digits = _Digits(tf.constant(images), tf.constant(labels))
        order = tf.zeros([len(images)], tf.int32)
        self._epoch = tf.function(self._epoch_graph, autograph=False).get_concrete_function(
            self._digits, order, tf.constant(True)
        )
        self._epoch(self._digits, order, tf.constant(False))  # TensorFlow compiles a graph as it first runs
        batch = tf.TensorSpec([None, *images.shape[1:]], tf.uint8)
        self._predict = tf.function(self._predict_graph, autograph=False).get_concrete_function(batch)

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
        return self._learner.network()

    def restore(self, weights: Sequence[np.ndarray]) -> None:
        """End the training with earlier weights of the network."""
        self._learner.restore(weights)

    def _predict_graph(self, images: Any) -> Any:
        return self._network(images, training=False)

    def _epoch_graph(self, digits: _Digits, order: Any, wanted: Any) -> tuple[Any, ...]:
        """Train on every image if `wanted`, a bool tensor; else do nothing."""
        batches, rest = divmod(order.shape[0], self._batch_size)

        def step(number: Any, *totals: Any) -> tuple[Any, ...]:
            chosen = tf.slice(order, [number * self._batch_size], [self._batch_size])
            return number + 1, *self._train_batch(digits, chosen, totals)

        state = (tf.constant(0), tf.constant(0.0), tf.constant(0), tf.constant(0.0))
        end = tf.where(wanted, batches, 0)
        loop = tf.while_loop(lambda number, *_: number < end, step, state, parallel_iterations=1)
        totals = tuple(loop[1:])
        if not rest:
            return totals
        return tf.cond(wanted, lambda: self._train_batch(digits, order[-rest:], totals), lambda: totals)

    def _train_batch(self, digits: _Digits, chosen: Any, totals: tuple[Any, ...]) -> tuple[Any, ...]:
        """Take a step: each thread computes the gradients of its part of the batch, and they are added."""
        count = chosen.shape[0]
        bounds = sorted({count * part // self._threads for part in range(self._threads + 1)})
        parts = [self._look(digits, chosen[begin:end], count) for begin, end in pairwise(bounds)]
        by_variable = zip(*(part.gradients for part in parts), strict=True)
        gradients = [_sum(values) for values in by_variable]
        learner = self._learner
        weights = learner.trained.trainable_variables
        learner.optimizer.apply(learner.add_l2(gradients, weights), weights)
        if learner.average:
            learner.average.update(learner.optimizer.iterations)
        by_total = zip(totals, *(part.totals for part in parts), strict=True)
        return tuple(_sum(values) for values in by_total)

    def _look(self, digits: _Digits, chosen: Any, count: int) -> _Part:
        learner = self._learner
        strength = disturbance(self._spec, learner.optimizer.iterations, learner.steps)
        images = learner.augment(tf.gather(digits.images, chosen), strength)  # [part, 28, 28] in 0..255
        labels = tf.cast(tf.gather(digits.labels, chosen), tf.int32)  # [part]
        with tf.GradientTape() as tape:
            logits = tf.cast(learner.logits(images, training=True), tf.float32)  # [part, classes]
            each, squared_error = losses(self._spec, logits, labels, strength)  # [part] both
            loss = tf.reduce_sum(each) / count
        gradients = tape.gradient(loss, learner.trained.trainable_variables)
        right = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels)
        correct = tf.reduce_sum(tf.cast(right, tf.int32))
        return _Part(gradients, (tf.reduce_sum(each), correct, tf.reduce_sum(squared_error)))


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

"""The row reader in training with TensorFlow, by connectionist temporal classification (CTC)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digitlab.models.rows import build_rows
from digitlab.spec.rows import ALPHABET, BLANK, COLUMN, RowTrial
from digitlab.synthesis.rows import BATCH
from digitlab.training.dropout import ByteDropout
from digitlab.training.fused_adam import FusedAdam
from digitlab.training.normalization import FusedNormalization
from digitlab.training.optimizers import WeightAverage
from digitlab.training.schedule import one_cycle
from digitlab.training.seeds import child_seeds
from digitlab.training.tensorflow import part_bounds

NOISE = 8.0
"""Largest standard deviation of the noise on rows that are used again, in grey levels of 0..255."""


class RowTrainer:
    """A row reader in training, with its optimizer and weight average.

    There are two networks: one in training's precision, and its float32 twin, which is scored and saved.

    Args:
        trial: trial to train, its precision resolved.

    Attributes:
        trained: network in training's precision.
    """

    def __init__(self, trial: RowTrial) -> None:
        spec = trial.training
        seeds = child_seeds(trial.seed)
        self._threads = trial.threads
        self._seed = seeds.augmentation
        self.trained = build_rows(
            trial.model,
            seeds.initialization,
            seeds.dropout,
            spec.precision,
            ByteDropout,
            FusedNormalization,
        )
        self._logits = keras.Model(self.trained.inputs, self.trained.get_layer("columns").output)
        self._optimizer = FusedAdam(
            learning_rate=one_cycle(spec.learning_rate, spec.steps),
            weight_decay=spec.weight_decay,
            global_clipnorm=spec.clip,
        )
        self._optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self._optimizer.build(self.trained.trainable_variables)
        self._average = WeightAverage(self.trained.weights, spec.average)
        self._twin = build_rows(trial.model)
        # One graph for rows of any width is as fast as one for each width, and each takes seconds to trace.
        signature = (
            tf.TensorSpec([BATCH, trial.model.height, None], tf.uint8),
            tf.TensorSpec([BATCH, None], tf.int32),
            tf.TensorSpec([BATCH], tf.int32),
            tf.TensorSpec([], tf.bool),
        )
        self._step = tf.function(self._step_graph, autograph=False, input_signature=signature)

    def step(self, images: np.ndarray, texts: Sequence[str], before: int = 0) -> float:
        """Train on a batch.

        Args:
            images: rows in row form, uint8 [64, height, W].
            texts: text of each row.
            before: number of times the rows were used before; unless 0, they are inverted at random and get
                noise.

        Returns:
            Mean loss of a row, in nats.
        """
        labels, lengths = encode(texts, images.shape[2] // COLUMN)
        is_reused = before > 0
        loss = self._step(
            tf.constant(images), tf.constant(labels), tf.constant(lengths), tf.constant(is_reused)
        )
        return float(loss)

    def network(self) -> keras.Model:
        """Return the float32 twin with the running mean of the weights."""
        for target, source in zip(self._twin.weights, self._average.means, strict=True):
            target.assign(source)
        return self._twin

    def state(self) -> list[np.ndarray]:
        """Return the values of all variables that the steps change."""
        return [np.asarray(variable) for variable in self._variables()]

    def restore(self, state: Sequence[np.ndarray]) -> None:
        """Restore the values that `state` returned."""
        for variable, value in zip(self._variables(), state, strict=True):
            variable.assign(value)

    def _variables(self) -> list[Any]:
        return [*self.trained.variables, *self._optimizer.variables, *self._average.means]

    def _step_graph(self, images: Any, labels: Any, lengths: Any, is_reused: Any) -> Any:
        """Take a step: each thread computes the gradients of its part of the batch, and they are added."""
        count = images.shape[0]
        unchanged = tf.cast(images, tf.float32)
        pixels = tf.cond(is_reused, lambda: self._augment(unchanged), lambda: unchanged)
        losses = []
        gradients = []
        for begin, end in part_bounds(count, self._threads):
            loss, of_part = self._loss_and_gradients(
                pixels[begin:end], labels[begin:end], lengths[begin:end], count
            )
            losses.append(loss)
            gradients.append(of_part)
        summed = [_sum(of_variable) for of_variable in zip(*gradients, strict=True)]
        self._optimizer.apply(summed, self.trained.trainable_variables)
        self._average.update(self._optimizer.iterations)
        return _sum(losses)

    def _loss_and_gradients(
        self, pixels: Any, labels: Any, lengths: Any, count: int
    ) -> tuple[Any, list[Any]]:
        """Compute a part's share of the batch's mean loss, and its gradients."""
        # The kernel accepts no empty text: an empty row is given one character, and its loss is replaced by
        # that of a blank in every column.
        is_empty = lengths == 0
        has_character = tf.sequence_mask(tf.maximum(lengths, 1), tf.shape(labels)[1])
        sparse_labels = tf.sparse.SparseTensor(
            tf.where(has_character), tf.boolean_mask(labels, has_character), tf.shape(labels, tf.int64)
        )
        with tf.GradientTape() as tape:
            logits = tf.cast(self._logits(pixels, training=True), tf.float32)  # [part, W / 4, 12]
            columns = tf.fill([pixels.shape[0]], tf.shape(logits)[1])
            # The kernel of TensorFlow 1 takes a fifth of the time of `tf.nn.ctc_loss` (docs/architecture.md).
            row_losses = tf.compat.v1.nn.ctc_loss(
                sparse_labels,
                logits,
                columns,
                ignore_longer_outputs_than_inputs=True,
                time_major=False,
            )
            blank_losses = -tf.reduce_sum(tf.nn.log_softmax(logits)[..., BLANK], axis=1)
            loss = tf.reduce_sum(tf.where(is_empty, blank_losses, row_losses)) / count
        return loss, tape.gradient(loss, self.trained.trainable_variables)

    def _augment(self, pixels: Any) -> Any:
        """Invert half of the rows and add noise, so that rows differ each time they are used."""
        count = tf.shape(pixels)[0]
        steps: Any = self._optimizer.iterations  # Keras's annotations know every backend's variables
        # A function of the seed and the step, so that a resumed training draws what the whole one would have.
        seeds = tf.stack([self._seed % 2**31, tf.cast(steps.value, tf.int32)])
        drawn = tf.random.stateless_uniform(tf.stack([2, count, 1, 1]), seeds)
        grain = tf.random.stateless_normal(tf.shape(pixels), seeds + 1)
        is_inverted = drawn[0] < 0.5
        noise = NOISE * drawn[1] * grain
        inverted = tf.where(is_inverted, 255.0 - pixels, pixels)
        return tf.clip_by_value(inverted + noise, 0.0, 255.0)


def encode(texts: Sequence[str], columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Encode texts as indices into the alphabet.

    Args:
        texts: texts of rows, each of `columns` characters at most.
        columns: number of columns of the network's output.

    Returns:
        Labels, filled with 0 after each text, int32 [n, columns]; and the length of each, int32 [n].
    """
    lengths = np.array([len(text) for text in texts], np.int32)
    labels = np.zeros((len(texts), columns), np.int32)
    for row, text in zip(labels, texts, strict=True):
        row[: len(text)] = [ALPHABET.index(character) for character in text]
    return labels, lengths


def _sum(values: Sequence[Any]) -> Any:
    """Add values in a fixed order, so that the same values give the same bits."""
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total

"""The JAX engine: an epoch is one `lax.scan` in one program, over images that stay on the device as uint8.

Keras's objects define a step, and JAX arrays hold what it changes: a step takes values and returns the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np

from digitlab.spec.trial import Trial
from digitlab.training.engine import EpochTotals
from digitlab.training.losses import losses
from digitlab.training.schedule import regularization_strength
from digitlab.training.seeds import ChildSeeds
from digitlab.training.train_state import TrainState

PREDICTION_BATCH = 1000
"""Images in a prediction batch; the last batch is padded to it, so that one compiled program serves all."""


class _Values(NamedTuple):
    """Values of a training's variables, in groups."""

    trainable: list[Any]
    rest: list[Any]  # statistics of batch normalization, and random states of dropout
    optimizer: list[Any]
    means: list[Any]  # running means of the weights
    augmentation: list[Any]  # random states of augmentation


class _Totals(NamedTuple):
    """Sums over images."""

    loss: Any
    correct: Any
    squared_error: Any


class _Progress(NamedTuple):
    """What a step takes and returns: values, and the sums over the images of the epoch so far."""

    values: _Values
    totals: _Totals


class _Digits(NamedTuple):
    """The training images, uint8 [n, 28, 28], and their labels, uint8 [n], on the device."""

    images: Any
    labels: Any


class JaxEngine:
    """Trains one network with JAX; implements `Engine`.

    Args:
        trial: trial to train, its precision resolved.
        images: training images, uint8 [n, 28, 28].
        labels: labels of the images, uint8 [n] in 0..classes - 1.
        seeds: child seeds of the trial.
    """

    def __init__(self, trial: Trial, images: np.ndarray, labels: np.ndarray, seeds: ChildSeeds) -> None:
        self._spec = trial.training
        self._state = TrainState(trial, images, seeds)
        self._network = self._state.network()
        self._digits = _Digits(jnp.asarray(images), jnp.asarray(labels))
        self._values = self._values_of_variables()
        order = jnp.zeros(len(images), jnp.int32)
        self._epoch = _compile(self._epoch_program, self._values, self._digits, order)
        batch = np.zeros((PREDICTION_BATCH, *images.shape[1:]), np.uint8)
        weights = [weight.value for weight in self._network.weights]
        self._predict = _compile(self._predict_program, weights, batch)

    def run_epoch(self, order: np.ndarray) -> EpochTotals:
        """Train on every image once, in this order."""
        self._values, totals = self._epoch(self._values, self._digits, jnp.asarray(order, jnp.int32))
        for variable, value in zip(self._variables(), _leaves(self._values), strict=True):
            variable.assign(value)
        return EpochTotals(float(totals.loss), int(totals.correct), float(totals.squared_error))

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Classify images in float32."""
        weights = [weight.value for weight in self.network().weights]
        batches = []
        for begin in range(0, len(images), PREDICTION_BATCH):
            batch = images[begin : begin + PREDICTION_BATCH]
            missing = PREDICTION_BATCH - len(batch)
            filled = np.pad(batch, ((0, missing), (0, 0), (0, 0)))
            probabilities = np.asarray(self._predict(weights, filled))
            batches.append(probabilities[: len(batch)])
        return np.concatenate(batches)

    def network(self) -> keras.Model:
        """Return the float32 twin with the current weights, or their average where the trial asks for it."""
        return self._state.network()

    def restore(self, weights: Sequence[np.ndarray]) -> None:
        """End the training with earlier weights of the network."""
        self._state.restore(weights)

    def _predict_program(self, weights: list[Any], batch: Any) -> Any:
        """Compute the float32 network as a function of its weights and 1000 images."""
        values = list(zip(self._network.weights, weights, strict=True))
        with keras.StatelessScope(values):
            return self._network(batch, training=False)

    def _epoch_program(self, values: _Values, digits: _Digits, order: Any) -> _Progress:
        """Take the steps of an epoch."""
        batches, rest = divmod(order.shape[0], self._spec.batch_size)
        progress = _Progress(values, _Totals(jnp.float32(0), jnp.int32(0), jnp.float32(0)))

        def scan_step(progress: _Progress, chosen: Any) -> tuple[_Progress, None]:
            # A scan collects an output of each step as well; a step of training has none.
            return self._step(digits, progress, chosen), None

        if batches:
            whole = order[: batches * self._spec.batch_size]
            by_batch = whole.reshape(batches, self._spec.batch_size)
            progress, _ = jax.lax.scan(scan_step, progress, by_batch)
        if rest:  # a scan takes batches of one size only
            progress = self._step(digits, progress, order[-rest:])
        return progress

    def _step(self, digits: _Digits, progress: _Progress, chosen: Any) -> _Progress:
        """Take one step on the chosen images."""
        state = self._state

        def augment() -> tuple[Any, Any]:
            strength = regularization_strength(self._spec, state.optimizer.iterations, state.steps)
            return state.augment(digits.images[chosen], strength), strength  # [batch, 28, 28] in 0..255

        (images, strength), values = self._stateless(progress.values, augment)
        labels = digits.labels[chosen].astype(jnp.int32)  # [batch]

        def mean_loss(trainable: list[Any]) -> tuple[Any, tuple[list[Any], _Totals]]:
            network: Any = state.logits  # Keras annotates the call as if it returned losses, too
            logits, rest = network.stateless_call(trainable, values.rest, images, training=True)
            logits = logits.astype(jnp.float32)  # [batch, classes]
            image_losses, squared_errors = losses(self._spec, logits, labels, strength)  # [batch] each
            right = jnp.argmax(logits, axis=1) == labels
            correct = jnp.sum(right, dtype=jnp.int32)
            sums = _Totals(jnp.sum(image_losses), correct, jnp.sum(squared_errors))
            return jnp.mean(image_losses), (rest, sums)

        gradients, (rest, sums) = jax.grad(mean_loss, has_aux=True)(values.trainable)
        gradients = state.add_l2(gradients, values.trainable)
        trainable, optimizer = state.optimizer.stateless_apply(values.optimizer, gradients, values.trainable)
        values = values._replace(trainable=trainable, rest=rest, optimizer=optimizer)
        average = state.average
        if average is not None:
            _, values = self._stateless(values, lambda: average.update(state.optimizer.iterations))
        return _Progress(values, jax.tree.map(jnp.add, progress.totals, sums))

    def _stateless(self, values: _Values, call: Callable[[], Any]) -> tuple[Any, _Values]:
        """Call a function of Keras's variables on values; return its result and the values that it leaves."""
        variables = self._variables()
        given = list(zip(variables, _leaves(values), strict=True))
        with keras.StatelessScope(given) as scope:  # an assignment in it changes the scope, not the variable
            result = call()
        changed = [scope.get_current_value(variable) for variable in variables]
        return result, jax.tree.unflatten(jax.tree.structure(values), changed)

    def _variables(self) -> list[Any]:
        return _leaves(self._variables_by_group())

    def _variables_by_group(self) -> _Values:
        state = self._state
        means: list[Any] = []
        if state.average is not None:
            means = state.average.means
        augmentation: list[Any] = []
        if state.augmenter is not None:
            augmentation = state.augmenter.variables
        return _Values(
            trainable=state.logits.trainable_variables,
            rest=state.logits.non_trainable_variables,
            optimizer=state.optimizer.variables,
            means=means,
            augmentation=augmentation,
        )

    def _values_of_variables(self) -> _Values:
        groups = []
        for variables in self._variables_by_group():
            groups.append([variable.value for variable in variables])
        return _Values(*groups)


def _leaves(values: _Values) -> list[Any]:
    """Return the members of all groups in one list, in the order of JAX's tree functions."""
    leaves = []
    for group in values:
        leaves.extend(group)
    return leaves


def _compile(function: Callable[..., Any], *arguments: Any) -> Any:
    """Compile ahead of time for arguments like these, so that the first epoch is as fast as the others."""
    return jax.jit(function).lower(*arguments).compile()

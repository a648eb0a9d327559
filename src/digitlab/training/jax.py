"""The JAX engine: an epoch is one `lax.scan` in one program, over images that stay on the device as uint8.

Keras's objects define a step, and JAX arrays hold what it changes: a step takes a state and returns the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np

from digitlab.spec.recipe import TrainingSpec
from digitlab.spec.trial import Trial
from digitlab.training.engine import EpochTotals
from digitlab.training.learner import Learner
from digitlab.training.losses import losses
from digitlab.training.schedule import disturbance
from digitlab.training.seeds import ChildSeeds

PREDICTION_BATCH = 1000
"""Images in a prediction batch; the last batch is padded to it, so that one compiled program serves all."""


_Sums = tuple[Any, Any, Any]  # sums over images: loss, correct, squared error


class _State(NamedTuple):
    """Values of a learner's variables."""

    trainable: list[Any]
    rest: list[Any]  # statistics of batch normalization, and random states of dropout
    optimizer: list[Any]
    means: list[Any]  # running means of the weights
    chance: list[Any]  # random states of augmentation


class _Digits(NamedTuple):
    """The training images, uint8 [n, 28, 28], and their labels, uint8 [n], on the device."""

    images: Any
    labels: Any


class JaxEngine:
    """Trains one network with JAX; implements `Engine`.

    Args:
        trial: trial to train, its precision resolved.
        images: training images, uint8 [n, 28, 28].
        labels: labels of the images, uint8 [n] in 0..9.
        seeds: child seeds of the trial.
    """

    def __init__(self, trial: Trial, images: np.ndarray, labels: np.ndarray, seeds: ChildSeeds) -> None:
        learner = Learner(trial, images, seeds)
        self._learner = learner
        self._predictor = _predictor(learner, images)
        self._state = _values(learner)
        self._digits = _Digits(jnp.asarray(images), jnp.asarray(labels))
        order = jnp.zeros(len(images), jnp.int32)
        self._epoch = _compile(partial(_epoch, learner, trial.training), self._state, self._digits, order)

    def run_epoch(self, order: np.ndarray) -> EpochTotals:
        """Train on every image once, in this order."""
        self._state, totals = self._epoch(self._state, self._digits, jnp.asarray(order, jnp.int32))
        variables = _leaves(_variables(self._learner))
        for variable, value in zip(variables, _leaves(self._state), strict=True):
            variable.assign(value)
        loss, correct, squared_error = totals
        return EpochTotals(float(loss), int(correct), float(squared_error))

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Classify images in float32."""
        weights = [weight.value for weight in self.network().weights]
        batches = []
        for begin in range(0, len(images), PREDICTION_BATCH):
            batch = images[begin : begin + PREDICTION_BATCH]
            missing = PREDICTION_BATCH - len(batch)
            filled = np.pad(batch, ((0, missing), (0, 0), (0, 0)))
            probabilities = np.asarray(self._predictor(weights, filled))
            batches.append(probabilities[: len(batch)])
        return np.concatenate(batches)

    def network(self) -> keras.Model:
        """Return the float32 twin with the current weights, or their average where the trial asks for it."""
        return self._learner.network()

    def restore(self, weights: Sequence[np.ndarray]) -> None:
        """End the training with earlier weights of the network."""
        self._learner.restore(weights)


def _epoch(
    learner: Learner, spec: TrainingSpec, state: _State, digits: _Digits, order: Any
) -> tuple[_State, _Sums]:
    """Take the steps of an epoch; return the new state and the sums over its images."""
    batches, rest = divmod(order.shape[0], spec.batch_size)
    step = partial(_step, learner, spec, digits)
    carried = state, (jnp.float32(0), jnp.int32(0), jnp.float32(0))
    if batches:
        whole = order[: batches * spec.batch_size]
        by_batch = whole.reshape(batches, spec.batch_size)
        # A scan collects an output of each step as well; a step of training has none.
        carried, _ = jax.lax.scan(lambda carry, chosen: (step(carry, chosen), None), carried, by_batch)
    if rest:  # a scan takes batches of one size only
        carried = step(carried, order[-rest:])
    return carried


def _step(
    learner: Learner, spec: TrainingSpec, digits: _Digits, carried: tuple[_State, _Sums], chosen: Any
) -> tuple[_State, _Sums]:
    """Take one step on the chosen images; return the new state and the sums so far."""
    state, totals = carried
    disturb = partial(_disturb, learner, spec, digits, chosen)
    (images, strength), state = _stateless(learner, state, disturb)
    labels = digits.labels[chosen].astype(jnp.int32)  # [batch]

    def mean_loss(trainable: list[Any]) -> tuple[Any, tuple[list[Any], _Sums]]:
        network: Any = learner.logits  # Keras annotates the call as if it returned losses, too
        logits, rest = network.stateless_call(trainable, state.rest, images, training=True)
        logits = logits.astype(jnp.float32)  # [batch, classes]
        each, squared_error = losses(spec, logits, labels, strength)  # [batch] both
        right = jnp.argmax(logits, axis=1) == labels
        correct = jnp.sum(right, dtype=jnp.int32)
        sums = jnp.sum(each), correct, jnp.sum(squared_error)
        return jnp.mean(each), (rest, sums)

    gradients, (rest, sums) = jax.grad(mean_loss, has_aux=True)(state.trainable)
    gradients = learner.add_l2(gradients, state.trainable)
    trainable, optimizer = learner.optimizer.stateless_apply(state.optimizer, gradients, state.trainable)
    state = state._replace(trainable=trainable, rest=rest, optimizer=optimizer)
    average = learner.average
    if average is not None:
        _, state = _stateless(learner, state, lambda: average.update(learner.optimizer.iterations))
    return state, jax.tree.map(jnp.add, totals, sums)


def _disturb(learner: Learner, spec: TrainingSpec, digits: _Digits, chosen: Any) -> tuple[Any, Any]:
    """Augment the chosen images; return them and the strength of this step."""
    strength = disturbance(spec, learner.optimizer.iterations, learner.steps)
    images = learner.augment(digits.images[chosen], strength)  # [batch, 28, 28] in 0..255
    return images, strength


def _stateless(learner: Learner, state: _State, call: Callable[[], Any]) -> tuple[Any, _State]:
    """Call a function of Keras's variables on the values of a state; return its result and the new state."""
    variables = _leaves(_variables(learner))
    values = list(zip(variables, _leaves(state), strict=True))
    with keras.StatelessScope(values) as scope:  # an assignment in it changes the scope, not the variable
        answer = call()
    changed = [scope.get_current_value(variable) for variable in variables]
    structure = jax.tree.structure(state)
    return answer, jax.tree.unflatten(structure, changed)


def _variables(learner: Learner) -> _State:
    return _State(
        trainable=learner.logits.trainable_variables,
        rest=learner.logits.non_trainable_variables,
        optimizer=learner.optimizer.variables,
        means=learner.average.means if learner.average else [],
        chance=learner.augmenter.variables if learner.augmenter else [],
    )


def _values(learner: Learner) -> _State:
    groups = []
    for variables in _variables(learner):
        groups.append([variable.value for variable in variables])
    return _State(*groups)


def _leaves(state: _State) -> list[Any]:
    """Return the members of all groups in one list, in the order of JAX's tree functions."""
    leaves = []
    for group in state:
        leaves.extend(group)
    return leaves


def _predictor(learner: Learner, images: np.ndarray) -> Any:
    """Compile the float32 network as a function of its weights and 1000 images."""
    network = learner.network()

    def predict(weights: list[Any], batch: Any) -> Any:
        values = list(zip(network.weights, weights, strict=True))
        with keras.StatelessScope(values):
            return network(batch, training=False)

    batch = np.zeros((PREDICTION_BATCH, *images.shape[1:]), np.uint8)
    return _compile(predict, [weight.value for weight in network.weights], batch)


def _compile(function: Callable[..., Any], *arguments: Any) -> Any:
    """Compile ahead of time for arguments like these, so that the first epoch is as fast as the others."""
    return jax.jit(function).lower(*arguments).compile()

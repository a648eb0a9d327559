"""Training of one trial in a process of its own, for a caller whose TensorFlow is set up otherwise."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from digitlab.data import Dataset
from digitlab.errors import DigitlabError, TrainingError, UserError
from digitlab.results.record import EpochRecord, Result
from digitlab.spec.trial import Trial
from digitlab.training.run import TrainOutput, train_trial
from digitlab.training.spawning import pipe, start_process


class _Trained(NamedTuple):
    """What the process sends back: the result, and the weights of the float32 network."""

    result: Result
    weights: Sequence[np.ndarray]


class _Failed(NamedTuple):
    """What the process sends back of an error: its message, and whether the user caused it."""

    message: str
    by_user: bool


def train_apart(
    trial: Trial, dataset: Dataset, *, on_epoch: Callable[[EpochRecord], None] | None = None
) -> TrainOutput:
    """Train a trial in a fresh process with TensorFlow, and build its network here.

    The result is the same, bit for bit, as that of `train_trial` in a fresh process.

    Args:
        trial: trial to train.
        dataset: data set whose fingerprint the trial names.
        on_epoch: function called with the record of each epoch as it ends.

    Raises:
        UserError, TrainingError: an error of `train_trial`, or the process died.
    """
    connection, theirs = pipe()
    process = start_process(_train, theirs)
    theirs.close()
    try:
        connection.send_bytes(pickle.dumps((trial, dataset), pickle.HIGHEST_PROTOCOL))
        while True:
            message = pickle.loads(connection.recv_bytes())
            if isinstance(message, _Trained):
                return TrainOutput(_network(trial, message.weights), message.result)
            if isinstance(message, _Failed):
                raise (UserError if message.by_user else TrainingError)(message.message)
            if on_epoch is not None:
                on_epoch(message)
    except (EOFError, OSError):
        process.join(1)
        raise TrainingError(
            f"the process that trained ended with exit status {process.exitcode}; is there enough memory?"
        ) from None
    finally:
        process.kill()  # it holds nothing that has to be kept
        process.join()
        connection.close()


def _network(trial: Trial, weights: Sequence[np.ndarray]) -> Any:
    """Build a trial's float32 network with the weights that were trained."""
    from digitlab.models.network import build

    network = build(trial.model, classes=trial.classes)
    network.set_weights(weights)
    return network


def _train(connection: Any) -> None:
    """Train the trial that comes through a pipe, and send each epoch, then the outcome."""
    with suppress(EOFError, OSError, KeyboardInterrupt):  # the caller has ended
        trial, dataset = pickle.loads(connection.recv_bytes())
        try:
            output = train_trial(
                trial, dataset, on_epoch=lambda record: connection.send_bytes(pickle.dumps(record))
            )
            answer: Any = _Trained(output.result, output.model.get_weights())
        except DigitlabError as error:
            answer = _Failed(str(error), isinstance(error, UserError))
        connection.send_bytes(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))

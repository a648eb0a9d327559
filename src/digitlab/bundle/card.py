"""The card of a bundle: what the network is, where it comes from, how well it does."""

from __future__ import annotations

from digitlab.results.record import Scores
from digitlab.spec.base import Spec
from digitlab.spec.fields import Sha256
from digitlab.spec.trial import Trial


class Card(Spec):
    """What is written beside a network.

    Attributes:
        recipe: name of the recipe.
        trial: all that decided the outcome: model, training, data, seed, threads.
        trial_id: of the trial.
        parameters: weights and biases of the network.
        multiply_adds: to classify one image.
        validation: scores on the validation part.
        test: scores on the test set, of the network as it is saved.
        train_seconds: spent in training epochs.
        environment: versions, processor and system.
        files: SHA-256 of every other file of the bundle, by name.
    """

    recipe: str
    trial: Trial
    trial_id: str
    parameters: int
    multiply_adds: int
    validation: Scores
    test: Scores
    train_seconds: float
    environment: dict[str, str]
    files: dict[str, Sha256]

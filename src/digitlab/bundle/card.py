"""The card of a bundle: what the network is, where it comes from, how well it does."""

from __future__ import annotations

import json
import re
from typing import Annotated

from pydantic import Field

from digitlab.results.calibration import Calibration
from digitlab.results.record import Result, Scores
from digitlab.spec.base import Spec
from digitlab.spec.fields import Sha256
from digitlab.spec.trial import Trial

_ROW = re.compile(r"(?<=\[)[-+\w.,\s]+(?=\])")


class Origin(Spec):
    """Where a network comes from and how well it does: what is known of it before it is written.

    Attributes:
        recipe: name of the recipe.
        made: how the weights came about, for people: the training, and all that was done after it.
        trial: all that decided the outcome: model, training, data, seed, threads. Of a network made from
            several, the one that says most of them.
        validation: scores on the validation part; None if it was trained on, too.
        test: scores on the test set, of the network as it is saved.
        calibration: fitted on the validation part.
        classes: what the ten classes are called, class 0 first; None where the data does not tell.
        train_seconds: spent in training epochs.
        environment: versions, processor and system of the training.
        commit: of the clone whose code trained it; None outside of one, and where it was not recorded.
        clean: whether that code was the commit's own, without changes; None where it was not recorded.
    """

    recipe: str
    made: str = "trained once"
    trial: Trial
    validation: Scores | None = None
    test: Scores
    calibration: Calibration
    classes: Annotated[tuple[str, ...], Field(min_length=10, max_length=10)] | None = None
    train_seconds: float
    environment: dict[str, str]
    commit: str | None = None
    clean: bool | None = None

    @classmethod
    def of(cls, result: Result, calibration: Calibration, classes: tuple[str, ...] | None = None) -> Origin:
        """Take from the result of a trial what a card keeps of it, with the names of its data's classes."""
        return cls(
            recipe=result.trial.recipe,
            trial=result.trial,
            validation=result.final_validation,
            test=result.final_test,
            calibration=calibration,
            classes=classes,
            train_seconds=result.train_seconds,
            environment=result.environment,
            commit=result.commit,
            clean=result.clean,
        )


class Proof(Spec):
    """That an exported file answers as the Keras network does, measured by its own runtime.

    Attributes:
        runtime: name and version.
        images: of the test set, all of which were classified by both.
        largest_difference: between two probabilities, 0..1.
        tolerance: the largest that is allowed.
        other_labels: the images, by index, that got another label than Keras's: near-ties, if it is proved.
        largest_lead: by which Keras preferred its label there, a difference of two probabilities.
        files: SHA-256 of each file, by its path in the export.
    """

    runtime: str
    images: int
    largest_difference: float
    tolerance: float
    other_labels: tuple[int, ...]
    largest_lead: float
    files: dict[str, Sha256]

    @property
    def failure(self) -> str | None:
        """Say what the export does otherwise than it may; None: nothing, it is proved."""
        if self.largest_difference <= self.tolerance:
            return None
        return (
            f"expected probabilities within {self.tolerance:g} of Keras's on {self.images:,} images, "
            f"received a difference of {self.largest_difference:.2g}"
        )


class Card(Origin):
    """What is written beside a network: its origin, and what its files are.

    Attributes:
        trial_id: of the trial.
        parameters: weights and biases of the network.
        multiply_adds: to classify one image.
        written_by: commit of the clone whose code wrote the bundle, and did what was done after training;
            None where that is the code that trained it.
        written_clean: whether that code was the commit's own, without changes; None as above.
        drawn_digits: share of drawn digits that the network reads, 0..1: what tells whether it reads digits
            where its classes have no names; None where they have.
        answers: probabilities that `model.onnx` gave to the pictures of the self-test, [pictures][10].
        proofs: of the exports, by format.
        files: SHA-256 of every other file of the bundle, by name.
    """

    trial_id: str
    parameters: int
    multiply_adds: int
    written_by: str | None = None
    written_clean: bool | None = None
    drawn_digits: float | None = None
    answers: tuple[tuple[float, ...], ...] = Field(min_length=1)
    proofs: dict[str, Proof]
    files: dict[str, Sha256]

    def to_bytes(self) -> bytes:
        """Write it as JSON that people read, too."""
        return card_bytes(self)


def card_bytes(card: Spec) -> bytes:
    """Write a card as JSON in which a row of numbers is a line."""
    text = json.dumps(card.to_values(), indent=2)
    return (_ROW.sub(lambda row: " ".join(row[0].split()), text) + "\n").encode()

"""The card of a bundle: what the network is, where it comes from, and its scores."""

from __future__ import annotations

import json
import re
from typing import Annotated, Self

from pydantic import Field, model_validator

from digitlab.results.calibration import Calibration
from digitlab.results.record import Result, Scores
from digitlab.spec.base import Spec
from digitlab.spec.fields import Sha256
from digitlab.spec.recipe import MAX_CLASSES, MIN_CLASSES
from digitlab.spec.trial import Trial

_NUMBERS = re.compile(r"(?<=\[)[-+\w.,\s]+(?=\])")  # between brackets, without quotes or further brackets


class Provenance(Spec):
    """Provenance and scores of a network, as known before it is written.

    Attributes:
        recipe: name of the recipe.
        made: description of how the weights were made: the training, and everything done after it.
        trial: everything that decided the outcome: model, training, data, seed, threads. For a network made
            from several trials, the one that describes them best.
        validation: scores on the validation part; None if the network was trained on it, too.
        test: scores of the saved network on the test set.
        calibration: calibration that was fitted on the validation part.
        classes: names of the classes, class 0 first; None if the data does not name them.
        train_seconds: time spent in training epochs, in seconds.
        environment: library versions, processor and operating system of the training.
        commit: commit of the clone whose code trained the network; None outside a clone or if not recorded.
        clean: whether the training code had no uncommitted changes; None if not recorded.
    """

    recipe: str
    made: str = "trained once"
    trial: Trial
    validation: Scores | None = None
    test: Scores
    calibration: Calibration
    classes: Annotated[tuple[str, ...], Field(min_length=MIN_CLASSES, max_length=MAX_CLASSES)] | None = None
    train_seconds: float
    environment: dict[str, str]
    commit: str | None = None
    clean: bool | None = None

    @model_validator(mode="after")
    def _names_each_class(self) -> Self:
        if self.classes is not None and len(self.classes) != self.trial.classes:
            raise ValueError(
                f"classes: expected {self.trial.classes} names, as its data has classes, received "
                f"{len(self.classes)}"
            )
        return self

    @classmethod
    def of(
        cls, result: Result, calibration: Calibration, classes: tuple[str, ...] | None = None
    ) -> Provenance:
        """Create the origin from the result of a trial and the names of its data's classes."""
        return cls(
            recipe=result.trial.recipe,
            made=_made(result),
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


def _made(result: Result) -> str:
    if result.trial.training.patience is None:
        return "trained once"
    best = result.final_record.epoch
    return f"trained once, for {len(result.history)} epochs; the network is that of epoch {best}"


class ParityReport(Spec):
    """Parity of an exported file with the Keras network, measured in the file's own runtime.

    Attributes:
        runtime: name and version of the runtime.
        images: number of test images, all of them classified by both networks.
        largest_difference: largest difference between two probabilities, 0..1.
        tolerance: largest difference that is allowed.
        other_labels: indices of the images with another label than Keras's: near-ties, if the export passed.
        largest_lead: largest margin of Keras's own label on those images, a difference of two probabilities.
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
        """Message on why the export did not pass; None if it passed."""
        if self.largest_difference <= self.tolerance:
            return None
        return (
            f"expected probabilities within {self.tolerance:g} of Keras's on {self.images:,} images, "
            f"received a difference of {self.largest_difference:.2g}"
        )


class Card(Provenance):
    """Card of a network, written beside it: its origin, and its files.

    Attributes:
        trial_id: ID of the trial.
        parameters: number of weights and biases.
        multiply_adds: number of multiply-adds to classify one image.
        written_by: commit of the clone whose code wrote the bundle and did everything after training; None
            outside a clone or if it is the code that trained the network.
        written_clean: whether the writing code had no uncommitted changes; None if `written_by` is None.
        drawn_digits: share of drawn digits that the network classifies correctly, 0..1, which tells whether
            unnamed classes are digits; None if the classes have names.
        answers: probabilities of `model.onnx` for the self-test pictures, [pictures][classes].
        proofs: parity of the exports, by format.
        files: SHA-256 of every other file of the bundle, by name.
    """

    trial_id: str
    parameters: int
    multiply_adds: int
    written_by: str | None = None
    written_clean: bool | None = None
    drawn_digits: float | None = None
    answers: tuple[tuple[float, ...], ...] = Field(min_length=1)
    proofs: dict[str, ParityReport]
    files: dict[str, Sha256]

    def to_bytes(self) -> bytes:
        """Return the card as readable JSON."""
        return card_bytes(self)


def card_bytes(card: Spec) -> bytes:
    """Return a card as JSON with each row of numbers on one line."""
    text = json.dumps(card.to_values(), indent=2)  # a number a line, which would make thousands
    shorter = _NUMBERS.sub(lambda match: " ".join(match[0].split()), text)
    return f"{shorter}\n".encode()

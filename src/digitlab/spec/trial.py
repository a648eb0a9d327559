"""A trial: recipe + data + seed, one training run, identified by what decides its outcome."""

from __future__ import annotations

import hashlib
from typing import Annotated

from digitlab.spec.base import Spec
from digitlab.spec.fields import Sha256, Whole
from digitlab.spec.recipe import ModelSpec, TrainingSpec

ENGINE_VERSION = 2
"""Raised whenever training would come out differently for the same trial."""

CHECKPOINT_EPOCHS = (1, 2, 5)
"""Test predictions are kept after these epochs, times every power of ten, and after the last one."""


class DataSpec(Spec):
    """The images a trial learns from.

    Attributes:
        dataset: name in the catalogue, or a folder; no part of a trial's identity.
        validation: training images set aside, stratified by class.
        split_seed: decides which; belongs to the data, so that every trial has the same split.
        fingerprint: SHA-256 of the contents, filled in when the data is known.
    """

    dataset: str = "mnist"
    validation: Annotated[int, Whole(10, 1_000_000)] = 5_000
    split_seed: Annotated[int, Whole(0, 2**32 - 1)] = 28
    fingerprint: Sha256 | None = None


def fitting_validation(images: int) -> int:
    """Give the usual size of the validation part, or a sixth where so few training images leave less."""
    return min(DataSpec().validation, max(images // 6, 10))


class Trial(Spec):
    """One training run.

    Attributes:
        recipe: name of the recipe it came from, for people; no part of its identity.
        model: the network.
        training: how it is trained, its precision resolved.
        data: what it is trained on, its fingerprint known.
        seed: the trial's seed, from which its child seeds are made.
        threads: threads that compute it.
        engine_version: `ENGINE_VERSION` of the code that trains it.
    """

    recipe: str = ""
    model: ModelSpec
    training: TrainingSpec
    data: DataSpec
    seed: Annotated[int, Whole(0, 2**32 - 1)] = 0
    threads: Annotated[int, Whole(1, 1024)] = 1
    engine_version: Annotated[int, Whole(1, 1_000_000)] = ENGINE_VERSION

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits: SHA-256 over everything that decides the outcome."""
        decisive = self.model_copy(
            update={"recipe": "", "data": self.data.model_copy(update={"dataset": ""})}
        )
        return hashlib.sha256(decisive.to_json().encode()).hexdigest()[:16]

    @property
    def family(self) -> str:
        """The id that all trials share of which a shorter one is the beginning of a longer one.

        At a constant learning rate they differ in their number of epochs alone; a schedule or fade stretches
        over the epochs, and only a training's end takes statistics anew, so there each trial is a family of
        its own.
        """
        own = (self.training.schedule, self.training.fade, self.training.renormalize)
        if any(setting is not None for setting in own):
            return self.id
        training = self.training.model_copy(update={"epochs": 1})
        return self.model_copy(update={"training": training}).id

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """The epochs after which test predictions are kept: 1, 2, 5, 10, 20, 50, ... and the last."""
        return checkpoints(self.training.epochs)


def checkpoints(last: int) -> tuple[int, ...]:
    """List the epochs after which a trial of `last` epochs keeps its test predictions, ascending."""
    powers = (10**exponent for exponent in range(len(str(last))))
    regular = (base * power for power in powers for base in CHECKPOINT_EPOCHS)
    return tuple(sorted({epoch for epoch in regular if epoch < last} | {last}))

"""A trial: recipe + data + seed, one training run, identified by what decides its outcome."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from digitlab.errors import SpecError
from digitlab.spec.base import Spec, shown
from digitlab.spec.fields import IntRange, Sha256
from digitlab.spec.recipe import (
    CLASSES,
    CNN,
    MAX_CLASSES,
    MIN_CLASSES,
    ModelSpec,
    PythonModel,
    TrainingSpec,
    has_module,
)

ENGINE_VERSION = 3
"""Version of the training code, raised whenever the same trial would yield another network."""

_NORMALIZATION_ONLY = (3,)
"""Versions that changed batch normalization alone: other networks are trained as by the version before."""

SYNTHESIS_VERSION = 3
"""Version of the synthesis, raised whenever a trial's digits are generated or damaged differently."""

_FIRST_SYNTHESIS = 1

CHECKPOINT_EPOCHS = (1, 2, 5)
"""Test predictions are kept after these epochs, times every power of ten, and after the last one."""


def engine_version_of(model: ModelSpec, code: int = ENGINE_VERSION) -> int:
    """Return the last engine version that changed how such a network is trained.

    Args:
        model: the network's spec.
        code: engine version of the code; later ones are not considered.
    """
    normalized = isinstance(model, CNN) and model.normalization is not None
    while code in _NORMALIZATION_ONLY and not normalized:
        code -= 1
    return code


def _utf8(name: str) -> str:
    """Reject a name that cannot be stored with a result, else a training would be lost when it ends."""
    # Surrogates: Python reads each byte of a path that is not UTF-8 as one.
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise ValueError("expected a name in UTF-8, received one in another encoding; rename the folder")
    return name


class DataSpec(Spec):
    """The images a trial learns from.

    Attributes:
        dataset: name in the catalogue, or a folder; no part of a trial's identity.
        validation: number of training images set aside, stratified by class.
        split_seed: seed of their choice; belongs to the data, so that every trial has the same split.
        training_size: number of the remaining images that are trained on, stratified by class; a smaller
            number is part of every larger one. None is all of them.
        fingerprint: SHA-256 of the contents, filled in when the data is known.
        class_count: number of classes, filled in when the data is known; None is ten.
    """

    dataset: Annotated[str, AfterValidator(_utf8)] = "mnist"
    validation: Annotated[int, IntRange(10, 1_000_000)] = 5_000
    split_seed: Annotated[int, IntRange(0, 2**32 - 1)] = 28
    training_size: Annotated[int, IntRange(10, 1_000_000)] | None = None
    fingerprint: Sha256 | None = None
    class_count: Annotated[int, IntRange(MIN_CLASSES, MAX_CLASSES)] | None = None

    @property
    def name(self) -> str:
        """The data set's name in the catalogue, or that of its folder."""
        path = Path(self.dataset)
        if path.is_absolute():  # a folder, as plans name it
            return path.name
        return self.dataset


def fitting_validation(images: int) -> int:
    """Return the default size of the validation part, or a sixth of the images, 10 at least, if less."""
    return min(DataSpec().validation, max(images // 6, 10))


class Trial(Spec):
    """One training run.

    Attributes:
        recipe: name of the recipe it came from, for people; no part of its identity.
        model: the network.
        training: settings of the training, its precision resolved.
        data: data it is trained on, its fingerprint known.
        seed: the trial's seed, from which its child seeds are made.
        threads: number of threads that compute it.
        engine_version: last version of the training code, up to the one that trains it, that changed how
            such a network is trained.
        synthesis_version: `SYNTHESIS_VERSION` of that code; None where no digits are generated or damaged.
    """

    recipe: str = ""
    model: ModelSpec
    training: TrainingSpec
    data: DataSpec
    seed: Annotated[int, IntRange(0, 2**32 - 1)] = 0
    threads: Annotated[int, IntRange(1, 1024)] = 1
    engine_version: Annotated[int, IntRange(1, 1_000_000)] = Field(
        default_factory=lambda: ENGINE_VERSION, validate_default=True
    )
    synthesis_version: Annotated[int, IntRange(1, 1_000_000)] | None = Field(
        default_factory=lambda: SYNTHESIS_VERSION, validate_default=True
    )

    @model_validator(mode="before")
    @classmethod
    def _records_of_the_first_synthesis(cls, values: Any) -> Any:
        """Read records that were stored before the synthesis had a version.

        Stored records name their engine version; what is planned now leaves both versions to the code.
        """
        if isinstance(values, Mapping) and "engine_version" in values:
            return {"synthesis_version": _FIRST_SYNTHESIS, **values}
        return values

    @field_validator("model")
    @classmethod
    def _has_its_code(cls, model: ModelSpec) -> ModelSpec:
        if isinstance(model, PythonModel) and not (model.code or model.packages):
            raise ValueError(
                "expected the code of model.build, which is read with the recipe that names it: name the "
                "function in a recipe's [model], not in a setting or an override"
            )
        if isinstance(model, PythonModel) and model.code and not has_module(model):
            raise ValueError(
                f"build: expected a function of {', '.join(model.code)}, which were read with the recipe, "
                f"received {shown(model.build)}; another file needs a recipe of its own"
            )
        return model

    @field_validator("engine_version")
    @classmethod
    def _only_what_changed(cls, version: int, info: ValidationInfo) -> int:
        model: ModelSpec | None = info.data.get("model")
        if model is None:  # it was refused itself
            return version
        return engine_version_of(model, version)

    @field_validator("synthesis_version")
    @classmethod
    def _only_where_it_matters(cls, version: int | None, info: ValidationInfo) -> int | None:
        training: TrainingSpec | None = info.data.get("training")
        if training is None or not training.synthesizes:  # None: it was refused itself
            return None
        return version

    @cached_property
    def id(self) -> str:
        """Sixteen hexadecimal digits: SHA-256 over everything that decides the outcome."""
        return _digest(json.dumps(self._decisive(), sort_keys=True, separators=(",", ":")))

    def _decisive(self) -> dict[str, Any]:
        """Return the values that decide the outcome."""
        values = self.to_values()
        values["recipe"] = ""
        values["data"]["dataset"] = ""  # the fingerprint says which it is
        if self.synthesis_version == _FIRST_SYNTHESIS:
            del values["synthesis_version"]  # ids of before it was counted stay what they were
        return values

    def with_seeds(self, seeds: Iterable[int]) -> tuple[Trial, ...]:
        """Return this trial with each of some seeds.

        Their ids and prefix groups are computed together, which takes a twentieth of the time.

        Args:
            seeds: seeds of the trials.
        """
        id_text = _SeedText(self._decisive())
        group_text = id_text
        if self._shares_prefixes:
            values = self._decisive()
            values["training"]["epochs"] = 1
            group_text = _SeedText(values)
        trials = []
        for seed in seeds:
            trial = self.model_copy(update={"seed": seed})
            computed = {"id": _digest(id_text.of(seed)), "prefix_group": _digest(group_text.of(seed))}
            vars(trial).update(computed)
            trials.append(trial)
        return tuple(trials)

    @property
    def classes(self) -> int:
        """Number of classes of the data, and so of the network's outputs."""
        return self.data.class_count or CLASSES

    @cached_property
    def prefix_group(self) -> str:
        """Id that trials share of which the shorter are beginnings of the longer.

        At a constant learning rate they differ in their number of epochs alone. A schedule or fade stretches
        over the epochs, statistics are recomputed at a training's end alone, and with patience a training's
        last network is its best; with these, each trial is a group of its own.
        """
        if not self._shares_prefixes:
            return self.id
        training = self.training.model_copy(update={"epochs": 1})
        return self.model_copy(update={"training": training}).id

    @property
    def _shares_prefixes(self) -> bool:
        training = self.training
        depend_on_epochs = (training.schedule, training.fade, training.renormalize, training.patience)
        return all(setting is None for setting in depend_on_epochs)

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """The epochs after which test predictions are kept: 1, 2, 5, 10, 20, 50, ... and the last."""
        return checkpoints(self.training.epochs)


class _SeedText:
    """JSON of a trial in which only the seed changes.

    Args:
        values: values of the trial.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        mark = "the seed of this trial"
        text = json.dumps({**values, "seed": mark}, sort_keys=True, separators=(",", ":"))
        # From the right: behind the seed, in the order of keys, stand only settings without free text.
        self._before, self._after = text.rsplit(json.dumps(mark), 1)

    def of(self, seed: int) -> str:
        return f"{self._before}{seed}{self._after}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def check_versions(trials: Iterable[Trial]) -> None:
    """Check that trials are of the versions of this code, before anything is trained.

    Raises:
        SpecError: a trial is of another engine or synthesis version; its stored result can still be read.
    """
    for trial in trials:
        synthesis = SYNTHESIS_VERSION if trial.training.synthesizes else None
        _check_version(trial, "engine", engine_version_of(trial.model), trial.engine_version)
        _check_version(trial, "synthesis", synthesis, trial.synthesis_version)


def _check_version(trial: Trial, what: str, ours: int | None, its: int | None) -> None:
    if its != ours:
        raise SpecError(
            f"trial {trial.id}: expected {what} version {ours}, as this digitlab trains it, received {its}: "
            "other code under the same id would give another result; plan it anew, or train it with the "
            "digitlab of its version"
        )


@cache
def checkpoints(last: int) -> tuple[int, ...]:
    """List the epochs after which a trial of `last` epochs keeps its test predictions, ascending."""
    epochs = []
    power = 1
    while power < last:
        for base in CHECKPOINT_EPOCHS:
            if base * power < last:
                epochs.append(base * power)
        power *= 10
    return (*epochs, last)

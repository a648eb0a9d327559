"""A plan: the trials that a study needs, and where in them each of its figures is read."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from digitlab.spec.base import Spec
from digitlab.spec.fields import Sha256
from digitlab.spec.recipe import Recipe
from digitlab.spec.study import Level, Study, with_settings
from digitlab.spec.trial import Trial

EPOCHS_PATH = "training.epochs"


@dataclass(frozen=True)
class Entry:
    """One figure of a cell: the trial of one seed, read after `epoch` epochs."""

    trial: Trial
    epoch: int


@dataclass(frozen=True)
class Cell:
    """One combination of levels, with an entry for each seed.

    Attributes:
        levels: one value for each axis of the study, in their order.
        entries: by seed, ascending.
    """

    levels: tuple[Level, ...]
    entries: tuple[Entry, ...]

    @property
    def label(self) -> str:
        """The levels as a reader writes them."""
        return " x ".join(str(level) for level in self.levels)


class Plan(Spec):
    """What a study will do: every trial once, and the cells that read from them.

    Attributes:
        study: the question.
        recipe: what `study.recipe` names.
        fingerprint: SHA-256 of the data's contents.
        precision: what `auto` means where it runs.
    """

    study: Study
    recipe: Recipe
    fingerprint: Sha256
    precision: Literal["float32", "mixed_bfloat16"]

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """One cell for each combination of levels, the last axis varying fastest.

        Raises:
            SpecError: a level is impossible; the message names the study, the field and the range.
        """
        axes = self.study.axes
        base = with_settings(self.recipe, self.study.overrides, f"study {self.study.name}: overrides")
        lengths = next((axis.values for axis in axes if axis.path == EPOCHS_PATH), ())
        longest = max((length for length in lengths if isinstance(length, int)), default=1)
        return tuple(
            self._cell(base, levels, longest) for levels in itertools.product(*(axis.values for axis in axes))
        )

    def _cell(self, base: Recipe, levels: tuple[Level, ...], longest: int) -> Cell:
        settings: dict[str, Any] = {
            axis.path: level for axis, level in zip(self.study.axes, levels, strict=True)
        }
        recipe = resolve_precision(with_settings(base, settings, f"study {self.study.name}"), self.precision)
        data = self.study.data.model_copy(update={"fingerprint": self.fingerprint})
        trial = Trial(recipe=recipe.name, model=recipe.model, training=recipe.training, data=data)
        trial = _longest(trial, longest)
        trials = (trial.model_copy(update={"seed": seed}) for seed in range(self.study.seeds))
        return Cell(levels, tuple(Entry(each, recipe.training.epochs) for each in trials))

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """Every trial once: all cells of the first seed, then of the second, so that an
        interrupted study has complete seeds."""
        by_seed = zip(*(cell.entries for cell in self.cells), strict=True)
        entries = (entry for seed in by_seed for entry in seed)
        return tuple({entry.trial.id: entry.trial for entry in entries}.values())

    @property
    def reference(self) -> tuple[Level, ...]:
        """The levels that the others are compared with."""
        axes = self.study.axes
        return tuple(axis.values[0] if axis.reference is None else axis.reference for axis in axes)


def make_plan(study: Study, recipe: Recipe, fingerprint: str, precision: str) -> Plan:
    """Cross the axes of a study and give each combination its trials.

    The learning rate is constant, so accuracy after k epochs is the k-th entry of a longer run's
    history: an axis over `training.epochs` trains the longest once a seed and reads the others off at
    its checkpoints.

    Args:
        study: the question.
        recipe: what `study.recipe` names.
        fingerprint: SHA-256 of the data's contents.
        precision: what `auto` means on this machine: `float32` or `mixed_bfloat16`.

    Raises:
        SpecError: a level is impossible; the message names the study, the field and the range.
    """
    values = {"study": study, "recipe": recipe, "fingerprint": fingerprint, "precision": precision}
    plan = Plan.from_values(values, f"study {study.name}")
    assert plan.cells  # made now, so that what is impossible is refused before anything runs
    return plan


def _longest(trial: Trial, epochs: int) -> Trial:
    """Lengthen a trial to `epochs` if its own last epoch is a checkpoint of the longer one."""
    training = trial.training.model_copy(update={"epochs": max(epochs, trial.training.epochs)})
    longer = trial.model_copy(update={"training": training})
    return longer if trial.training.epochs in longer.checkpoints else trial


def resolve_precision(recipe: Recipe, precision: str) -> Recipe:
    """Replace the precision `auto` of a recipe by what it means on this machine."""
    if recipe.training.precision != "auto":
        return recipe
    training = recipe.training.model_copy(update={"precision": precision})
    return recipe.model_copy(update={"training": training})

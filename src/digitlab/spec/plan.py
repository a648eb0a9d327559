"""A plan: the trials that a study asks for, and the fewest trainings that yield them."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from digitlab.spec.base import Spec
from digitlab.spec.fields import IntRange, Sha256
from digitlab.spec.recipe import Recipe
from digitlab.spec.study import RECIPE_PATH, TRAINING_SIZE_PATH, Level, R, Study, levels_text, with_settings
from digitlab.spec.trial import ENGINE_VERSION, SYNTHESIS_VERSION, DataSpec, Trial


@dataclass(frozen=True)
class Cell:
    """One combination of levels, with a trial for each seed.

    Attributes:
        levels: one value for each axis of the study, in their order.
        trials: one trial for each seed, ascending.
    """

    levels: tuple[Level, ...]
    trials: tuple[Trial, ...]

    @property
    def label(self) -> str:
        """The levels as text, for readers."""
        return levels_text(self.levels)


class Plan(Spec):
    """The trials of a study, each once, and the cells that they fill.

    Attributes:
        study: study that is planned.
        recipe: recipe that `study.recipe` names.
        recipes: recipes that the levels of an axis over `recipe` name, by name.
        fingerprint: SHA-256 of the data's contents.
        precision: precision that `auto` means where the plan runs.
        engine_version: engine version of the code that planned it; each of its trials has the last version
            up to this one that changed the training of its network. It is 2 in plans that were stored
            without one.
        synthesis_version: synthesis version of the code that planned it, and so of its trials; 1 in plans
            that were stored without one.
        own_data: data that the study itself names, where it was run on other data; None where it was run on
            its own.
    """

    study: Study
    recipe: Recipe
    recipes: dict[str, Recipe] = Field(default_factory=dict)
    fingerprint: Sha256
    precision: Literal["float32", "mixed_bfloat16"]
    engine_version: Annotated[int, IntRange(1, 1_000_000)] = 2
    synthesis_version: Annotated[int, IntRange(1, 1_000_000)] = 1
    own_data: DataSpec | None = None

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """One cell for each combination of levels, the last axis varying fastest.

        Raises:
            SpecError: a level is invalid; the message names the study, the field and the range.
        """
        values = [axis.values for axis in self.study.axes]
        return tuple(self._cell(levels) for levels in itertools.product(*values))

    def _cell(self, levels: tuple[Level, ...]) -> Cell:
        settings: dict[str, Any] = {}
        training_size: Level | None = None
        base = self.recipe
        for axis, level in zip(self.study.axes, levels, strict=True):
            if axis.path == RECIPE_PATH:
                base = self.recipes[str(level)]
            elif axis.path == TRAINING_SIZE_PATH:
                training_size = level
            else:
                settings[axis.path] = level
        source = f"study {self.study.name}"
        # Overrides first: a level of an axis goes before them.
        overridden = with_settings(base, self.study.overrides, f"{source}: overrides")
        at_level = with_settings(overridden, settings, source)
        recipe = resolve_precision(at_level, self.precision)
        values = {
            "recipe": recipe.name,
            "model": recipe.model,
            "training": recipe.training,
            "data": self._data(training_size, source),
            "engine_version": self.engine_version,
            "synthesis_version": self.synthesis_version,
        }
        trial = Trial.from_values(values, source)
        return Cell(levels, trial.with_seeds(self.study.seed_range))

    def _data(self, training_size: Level | None, source: str) -> DataSpec:
        """Return the data of a cell, whose training size an axis may vary."""
        known = self.study.data.model_copy(update={"fingerprint": self.fingerprint})
        if training_size is None:
            return known
        return DataSpec.from_values(known.to_values() | {"training_size": training_size}, f"{source}: data")

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """Every trial once: all cells of the first seed, then of the second, and so on.

        So an interrupted study has complete seeds.
        """
        by_id: dict[str, Trial] = {}
        for i in range(self.study.seeds):
            for cell in self.cells:
                trial = cell.trials[i]
                by_id[trial.id] = trial  # two cells can have a trial in common
        return tuple(by_id.values())

    @property
    def reference(self) -> tuple[Level, ...]:
        """The levels that the others are compared with."""
        levels = []
        for axis in self.study.axes:
            levels.append(axis.values[0] if axis.reference is None else axis.reference)
        return tuple(levels)

    @property
    def own_study(self) -> Study:
        """The study as it was written, with its own data."""
        if self.own_data is None:
            return self.study
        return self.study.model_copy(update={"data": self.own_data})

    @property
    def engine_versions(self) -> frozenset[int]:
        """The engine versions of its trials; networks of different kinds may have different ones."""
        return frozenset(trial.engine_version for trial in self.trials)

    def with_seeds(self, seeds: int, first_seed: int | None = None) -> Plan:
        """Return the plan with another number of seeds.

        Args:
            seeds: number of seeds.
            first_seed: first of them; None keeps the plan's.

        Raises:
            SpecError: a number is out of range.
        """
        first = self.study.first_seed if first_seed is None else first_seed
        changed = self.study.to_values() | {"seeds": seeds, "first_seed": first}
        return self._with(study=Study.from_values(changed, f"study {self.study.name}"))

    def with_precision(self, precision: str) -> Plan:
        """Return the plan for a machine on which `auto` means another precision."""
        return self._with(precision=precision)

    def on_data_instead_of(self, own: DataSpec) -> Plan:
        """Return the plan with `own_data` set: the study itself names other data than the plan's."""
        return self._with(own_data=own)

    def as_run(self, last: Plan) -> Plan:
        """Return the plan with the precision and the versions of its last run.

        Args:
            last: plan of the last run.
        """
        versions = {"engine_version": last.engine_version, "synthesis_version": last.synthesis_version}
        return self._with(precision=last.precision, **versions)

    def with_engine(self, version: int) -> Plan:
        """Return the plan with another engine version."""
        return self._with(engine_version=version)

    def _with(self, **changes: Any) -> Plan:
        values = {name: getattr(self, name) for name in Plan.model_fields}
        changed = values | changes
        if changed == values:
            return self  # with its cells, which take long to make
        return Plan(**changed)  # a model's own copy would keep the cells of the old one

    def require_possible(self) -> Self:
        """Create every trial now, and return the plan itself.

        Raises:
            SpecError: a level is invalid; the message names the study, the field and the range.
        """
        _ = self.cells  # made and kept when they are read first
        return self

    def differences(self, other: Plan) -> tuple[str, ...]:
        """List the parts in which another plan of the same name and data differs; empty for the same study.

        Not compared are the seeds, the precision of the machine, the versions of the code,
        descriptions and the location of the data.

        Args:
            other: plan to compare with.
        """
        own = _content(self)
        others = _content(other)
        return tuple(part for part in own if own[part] != others[part])

    @property
    def content(self) -> str:
        """Sixteen hexadecimal digits, equal for two plans between which `differences` finds none."""
        text = json.dumps(_content(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _content(plan: Plan) -> dict[str, Any]:
    """Return what identifies a study, in plain values by part."""
    recipes = {}
    for name, recipe in {"": plan.recipe, **plan.recipes}.items():
        # Without name and description, which decide nothing.
        recipes[name] = [recipe.model.to_values(), recipe.training.to_values()]
    data = plan.study.data
    return {
        "question": plan.study.question,
        "recipe": recipes,
        "overrides": plan.study.overrides,
        "axes": [axis.to_values() for axis in plan.study.axes],
        "validation": data.validation,
        "split_seed": data.split_seed,
        "training_size": data.training_size,
    }


def make_plan(
    study: Study,
    recipe: Recipe,
    fingerprint: str,
    precision: str,
    recipes: Mapping[str, Recipe] | None = None,
    own_data: DataSpec | None = None,
) -> Plan:
    """Cross the axes of a study and create the trials of each combination.

    Args:
        study: study to plan.
        recipe: recipe that `study.recipe` names.
        fingerprint: SHA-256 of the data's contents.
        precision: precision that `auto` means on this machine, `float32` or `mixed_bfloat16`.
        recipes: recipes that the levels of an axis over `recipe` name, by name.
        own_data: data that the study itself names, where `study.data` is other data.

    Raises:
        SpecError: a level is invalid; the message names the study, the field and the range.
    """
    values = {
        "study": study,
        "recipe": recipe,
        "recipes": dict(recipes or {}),
        "fingerprint": fingerprint,
        "precision": precision,
        "engine_version": ENGINE_VERSION,
        "synthesis_version": SYNTHESIS_VERSION,
        "own_data": own_data,
    }
    plan = Plan.from_values(values, f"study {study.name}")
    return plan.require_possible()


def covering_runs(trials: Iterable[Trial]) -> dict[str, Trial]:
    """Map each trial to the training that yields it: its own, or a longer one that passes through it.

    Args:
        trials: trials asked for, in the order in which they should be trained.

    Returns:
        Training of each trial by the trial's id, in the order given; the trainings are as few as possible.
    """
    asked = tuple(trials)
    by_group: dict[str, list[Trial]] = {}
    # Longest first, so that a shorter trial meets the training that passes through it.
    for trial in sorted(asked, key=lambda trial: -trial.training.epochs):
        runs = by_group.setdefault(trial.prefix_group, [])
        if not any(_passes_through(run, trial) for run in runs):
            runs.append(trial)
    covering = {}
    for trial in asked:
        for run in by_group[trial.prefix_group]:
            if _passes_through(run, trial):
                covering[trial.id] = run
                break
    return covering


def _passes_through(run: Trial, trial: Trial) -> bool:
    """Check whether a training of the same group has a trial's last epoch as a checkpoint."""
    return trial.training.epochs in run.checkpoints


def minimal_runs(trials: Iterable[Trial]) -> tuple[Trial, ...]:
    """List the trainings that `covering_runs` chooses, each once."""
    runs = {run.id: run for run in covering_runs(trials).values()}
    return tuple(runs.values())


def resolve_precision(recipe: R, precision: str) -> R:
    """Return a recipe with the precision `auto` replaced by `precision`."""
    if recipe.training.precision != "auto":
        return recipe
    training = recipe.training.model_copy(update={"precision": precision})
    return recipe.model_copy(update={"training": training})

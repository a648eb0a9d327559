"""A plan: the trials that a study asks for, and the fewest trainings that give them."""

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
from digitlab.spec.fields import Sha256, Whole
from digitlab.spec.recipe import Recipe
from digitlab.spec.study import RECIPE_PATH, Level, R, Study, with_settings
from digitlab.spec.trial import ENGINE_VERSION, SYNTHESIS_VERSION, DataSpec, Trial


@dataclass(frozen=True)
class Cell:
    """One combination of levels, with a trial for each seed.

    Attributes:
        levels: one value for each axis of the study, in their order.
        trials: by seed, ascending.
    """

    levels: tuple[Level, ...]
    trials: tuple[Trial, ...]

    @property
    def label(self) -> str:
        """The levels as a reader writes them."""
        return " x ".join(str(level) for level in self.levels)


class Plan(Spec):
    """What a study will do: every trial once, and the cells that read from them.

    Attributes:
        study: the question.
        recipe: what `study.recipe` names.
        recipes: what the levels of an axis over `recipe` name.
        fingerprint: SHA-256 of the data's contents.
        precision: what `auto` means where it runs.
        engine_version: of the code that planned it, and so of its trials; 2 where it was kept unsaid.
        synthesis_version: likewise; 1 where it was kept unsaid.
        own_data: the data that the study names itself, where it was run on other data (None: it was run on
            its own).
    """

    study: Study
    recipe: Recipe
    recipes: dict[str, Recipe] = Field(default_factory=dict)
    fingerprint: Sha256
    precision: Literal["float32", "mixed_bfloat16"]
    engine_version: Annotated[int, Whole(1, 1_000_000)] = 2
    synthesis_version: Annotated[int, Whole(1, 1_000_000)] = 1
    own_data: DataSpec | None = None

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """One cell for each combination of levels, the last axis varying fastest.

        Raises:
            SpecError: a level is impossible; the message names the study, the field and the range.
        """
        axes = self.study.axes
        return tuple(self._cell(levels) for levels in itertools.product(*(axis.values for axis in axes)))

    def _cell(self, levels: tuple[Level, ...]) -> Cell:
        settings: dict[str, Any] = {
            axis.path: level for axis, level in zip(self.study.axes, levels, strict=True)
        }
        named = settings.pop(RECIPE_PATH, None)
        base = self.recipe if named is None else self.recipes[named]
        source = f"study {self.study.name}"
        changed = with_settings(base, self.study.overrides, f"{source}: overrides")
        recipe = resolve_precision(with_settings(changed, settings, source), self.precision)
        data = self.study.data.model_copy(update={"fingerprint": self.fingerprint})
        trial = Trial(
            recipe=recipe.name,
            model=recipe.model,
            training=recipe.training,
            data=data,
            engine_version=self.engine_version,
            synthesis_version=self.synthesis_version,
        )
        return Cell(
            levels, tuple(trial.model_copy(update={"seed": seed}) for seed in range(self.study.seeds))
        )

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """Every trial once: all cells of the first seed, then of the second, so that an
        interrupted study has complete seeds."""
        by_seed = zip(*(cell.trials for cell in self.cells), strict=True)
        return tuple({trial.id: trial for seed in by_seed for trial in seed}.values())

    @property
    def reference(self) -> tuple[Level, ...]:
        """The levels that the others are compared with."""
        axes = self.study.axes
        return tuple(axis.values[0] if axis.reference is None else axis.reference for axis in axes)

    @property
    def own_study(self) -> Study:
        """The study as it was written, with its own data."""
        if self.own_data is None:
            return self.study
        return self.study.model_copy(update={"data": self.own_data})

    def with_seeds(self, seeds: int) -> Plan:
        """Give the same plan with another number of seeds.

        Raises:
            SpecError: the number is out of range.
        """
        changed = self.study.to_values() | {"seeds": seeds}
        return self._with(study=Study.from_values(changed, f"study {self.study.name}"))

    def with_precision(self, precision: str) -> Plan:
        """Give the same plan for a machine on which `auto` means another precision."""
        return self._with(precision=precision)

    def on_data_instead_of(self, own: DataSpec) -> Plan:
        """Give the same plan, which says that its data is not that which the study names itself."""
        return self._with(own_data=own)

    def as_run(self, last: Plan) -> Plan:
        """Give the same study as it was last run: with the precision and the versions of that run.

        Args:
            last: plan of that run.
        """
        versions = {"engine_version": last.engine_version, "synthesis_version": last.synthesis_version}
        return self._with(precision=last.precision, **versions)

    def with_engine(self, version: int) -> Plan:
        """Give the same plan of another engine version."""
        return self._with(engine_version=version)

    def _with(self, **changes: Any) -> Plan:
        values = {name: getattr(self, name) for name in Plan.model_fields}
        if values | changes == values:
            return self  # with its cells, which take long to make
        return Plan(**(values | changes))  # a model's own copy would keep the cells of the old one

    def require_possible(self) -> Self:
        """Build every trial now, and give the plan itself.

        Raises:
            SpecError: a level is impossible; the message names the study, the field and the range.
        """
        len(self.cells)
        return self

    def differences(self, other: Plan) -> tuple[str, ...]:
        """Name what another plan of the same name and data asks otherwise (empty: it is the same study).

        The number of seeds, the precision of the machine, the versions of the code, descriptions and where
        the data lies are no difference.

        Args:
            other: plan that this one is compared with.
        """
        ours, theirs = _content(self), _content(other)
        return tuple(part for part in ours if ours[part] != theirs[part])

    @property
    def content(self) -> str:
        """Sixteen hexadecimal digits that two plans share where `differences` finds none."""
        text = json.dumps(_content(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _content(plan: Plan) -> dict[str, Any]:
    recipes = {"": plan.recipe, **plan.recipes}
    data = plan.study.data
    return {
        "question": plan.study.question,
        "recipe": {
            name: [recipe.model.to_values(), recipe.training.to_values()] for name, recipe in recipes.items()
        },
        "overrides": plan.study.overrides,
        "axes": [axis.to_values() for axis in plan.study.axes],
        "validation": data.validation,
        "split_seed": data.split_seed,
    }


def make_plan(
    study: Study,
    recipe: Recipe,
    fingerprint: str,
    precision: str,
    recipes: Mapping[str, Recipe] | None = None,
    own_data: DataSpec | None = None,
) -> Plan:
    """Cross the axes of a study and give each combination its trials.

    Args:
        study: the question.
        recipe: what `study.recipe` names.
        fingerprint: SHA-256 of the data's contents.
        precision: what `auto` means on this machine: `float32` or `mixed_bfloat16`.
        recipes: what the levels of an axis over `recipe` name.
        own_data: the data that the study names itself, where `study.data` is other data.

    Raises:
        SpecError: a level is impossible; the message names the study, the field and the range.
    """
    values = {"study": study, "recipe": recipe, "recipes": dict(recipes or {})}
    values |= {"engine_version": ENGINE_VERSION, "synthesis_version": SYNTHESIS_VERSION}
    values |= {"fingerprint": fingerprint, "precision": precision, "own_data": own_data}
    plan = Plan.from_values(values, f"study {study.name}")
    return plan.require_possible()


def coverage(trials: Iterable[Trial]) -> dict[str, Trial]:
    """Say which training gives each trial: itself, or a longer one of its family on its way.

    Args:
        trials: what is asked for, in the order in which it should be trained.

    Returns:
        Id of each trial to the fewest trainings that give them all, in the order asked for.
    """
    asked = tuple(trials)
    trained: dict[str, list[Trial]] = {}
    for trial in sorted(asked, key=lambda each: -each.training.epochs):
        longer = trained.setdefault(trial.family, [])
        if not any(trial.training.epochs in each.checkpoints for each in longer):
            longer.append(trial)
    return {
        trial.id: next(each for each in trained[trial.family] if trial.training.epochs in each.checkpoints)
        for trial in asked
    }


def cover(trials: Iterable[Trial]) -> tuple[Trial, ...]:
    """List the trainings that `coverage` finds, each once."""
    return tuple({each.id: each for each in coverage(trials).values()}.values())


def resolve_precision(recipe: R, precision: str) -> R:
    """Replace the precision `auto` of a recipe by what it means on this machine."""
    if recipe.training.precision != "auto":
        return recipe
    training = recipe.training.model_copy(update={"precision": precision})
    return recipe.model_copy(update={"training": training})

"""How a study was measured, in words: everything that a reader needs to judge or repeat it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from digitlab.report.text import level_text
from digitlab.results.aggregate import StudyTable
from digitlab.spec.trial import DataSpec, Trial

INTERVALS = (
    "An interval is Student's 95 % t interval of the mean over seeds: t(n − 1) · s / √n to either side. It "
    "says how well the mean of such networks is known on this test set. It belongs to one level alone and is "
    "no test of a difference between levels."
)
CHOICES = (
    "No choice was made by the test set. Networks are compared by their error on the validation part, which "
    "is no part of what they are trained on. The test set is read after epochs that were fixed beforehand, "
    "every image once, and its errors are only reported."
)


class Fact(NamedTuple):
    """One circumstance of a study.

    Attributes:
        name: what it is about.
        lines: what is to be said, each on a line of its own.
    """

    name: str
    lines: tuple[str, ...]


def facts(table: StudyTable) -> tuple[Fact, ...]:
    """Tell how a study was measured.

    Args:
        table: the study's answer in figures.
    """
    cells = table.plan.cells
    trial = next(cell for cell in cells if cell.levels == table.plan.reference).entries[0].trial
    return (
        Fact("Recipe", (trial.recipe, ", ".join(_settings(table, trial)))),
        Fact("Varied", tuple(_varied(table))),
        Fact("Seeds", (f"{_seeds(table)}; a seed decides the initial weights and all else that is random",)),
        Fact("Data", tuple(_data(trial.data))),
        Fact("Arithmetic", (f"threads per network: {trial.threads}; engine version {trial.engine_version}",)),
        Fact("Intervals", (INTERVALS,)),
        Fact("Choices", (CHOICES,)),
        Fact("Machine", tuple(_machines(table)) or ("nothing is trained yet",)),
    )


def _seeds(table: StudyTable) -> str:
    last = table.plan.study.seeds - 1
    return f"0 to {last}, the same for every level" if last else "0 for every level"


def _data(data: DataSpec) -> Iterator[str]:
    yield f"{data.dataset}, SHA-256 {data.fingerprint}"
    yield (
        f"{data.validation:,} of its training images are set aside for validation, every class in "
        f"proportion, by split seed {data.split_seed}"
    )


def _settings(table: StudyTable, trial: Trial) -> Iterator[str]:
    varied = {axis.path for axis in table.plan.study.axes}
    for part, spec in (("model", trial.model), ("training", trial.training)):
        for path, value in _flat(part, spec.to_values()):
            if path not in varied:
                yield f"{path} = {value if isinstance(value, list) else level_text(value)}"


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Give dotted paths, as a study file and `--set` write them, and the values there."""
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list) and value:
        children = enumerate(value)
    else:
        yield path, value
        return
    for key, child in children:
        yield from _flat(f"{path}.{key}", child)


def _varied(table: StudyTable) -> Iterator[str]:
    for axis, reference in zip(table.plan.study.axes, table.plan.reference, strict=True):
        name = f"{axis.title} ({axis.path})" if axis.label else axis.path
        levels = ", ".join(level_text(level) for level in axis.values)
        yield f"{name}: {levels}; reference {level_text(reference)}"


def _machines(table: StudyTable) -> Iterator[str]:
    for environment in table.environments:
        yield ", ".join(f"{key} {value}" for key, value in environment.items())

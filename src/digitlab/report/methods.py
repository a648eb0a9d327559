"""Text on how studies were measured: everything that a reader needs to judge or repeat them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from digitlab.report.metric import metrics_of
from digitlab.results.aggregate import StudyTable
from digitlab.revision import Revision
from digitlab.spec.plan import Plan
from digitlab.spec.study import RECIPE_PATH, level_text
from digitlab.spec.trial import SYNTHESIS_VERSION, DataSpec, Trial, engine_version_of

INTERVALS = (
    "The interval of a level is Student's 95 % t interval of the mean over seeds: ± t(n − 1) · s / √n, the "
    "uncertainty of the mean on this test set. It applies to one level and does not test a difference "
    "between levels. Errors are shares: intervals are clipped to 0 and 100 %, those of differences to −100 "
    "and 100 points, without loss of coverage. If all seeds have equal results there is no interval."
)
CHOICES = (
    "No choice was made on the test set. The best level is the one with the lowest error on the validation "
    "part, which no network is trained on. The test set is evaluated after epochs fixed in advance, "
    "every image once; verdicts report differences there, and nothing is chosen by them."
)
STOPPING = (
    "A training with patience ends when the log loss on the validation part has not fallen for that many "
    "epochs, and the network of its best epoch is evaluated: the validation part chooses the epoch, the test "
    "set does not. Learning curves end where the first seed of a level has ended."
)
VERDICTS = (
    "Every level is trained with the same seeds and compared with the reference level seed by seed: "
    "Student's paired t test, corrected by Holm's rule over the levels of the study, for each metric "
    "separately. Below 0.05 it is called a difference. It is about other trainings on these test images. The "
    "95 % interval is that of the single comparison, not corrected. No other pairs of levels are compared.",
    "The sign-flip permutation test makes no assumption about the spread. Its p cannot fall below the value "
    "in brackets, so no verdict is based on it alone. It is not corrected.",
    "Detectable is the smallest true difference that these seeds detect with power 80 %, at the strictest "
    "step of Holm's rule and with the spread at its upper 80 % limit. The number of seeds that are enough is "
    "computed in the same way. Seeds that could miss even a level without errors are said to decide nothing.",
    "A level with failed seeds is unstable and called neither better nor worse, as the remaining seeds do "
    "not represent it. A spread far from the reference's is reported: two-sided F test, below 0.05 divided "
    "by the number of levels tested. Levels that collapse now and then give the paired t test more false "
    "positives.",
)
NEW_DIGITS = (
    "The tests above are about other trainings on these test images. For other digits of their kind the "
    "variance over images is added to that over seeds, from the two-way table of seeds and images: the "
    "squared half widths of the two intervals add. That interval is never narrower than the first. Its "
    "verdict is also corrected by Holm's rule; in simulations with equal errors it is wrong in at most 6 % "
    "of the studies, at 3, 5, 10 and 30 seeds."
)
INTERACTION = (
    "The interaction of two axes is tested by one contrast, of the corners: the change along the first axis, "
    "at the last level of the second minus at its first, by seed, with a paired t test that is not "
    "corrected."
)
SQUARED_ERRORS = (
    "The mean squared error is that of the ten probabilities against 1 for the true digit and 0 for the "
    "others, averaged over images and digits. Loss is what training minimizes, a metric is what is "
    "reported."
)
NO_VERSIONS = ("cores", "cpu", "system")
"""Keys of a trial's environment that are not versions of programs."""


class Entry(NamedTuple):
    """Text that holds for some studies of a report.

    Attributes:
        studies: names of the studies (empty: all of the report).
        lines: lines of the text.
    """

    studies: str
    lines: tuple[str, ...]


class MethodNote(NamedTuple):
    """One circumstance of the studies of a report.

    Attributes:
        name: name of the circumstance.
        entries: one entry if it holds for all studies, else one per group of studies that share it.
    """

    name: str
    entries: tuple[Entry, ...]


def method_notes(tables: Sequence[StudyTable]) -> tuple[MethodNote, ...]:
    """Return the circumstances under which studies were measured.

    Args:
        tables: results of the studies, at least one.
    """
    studies = [table.plan.study.name for table in tables]
    circumstances = [_circumstances(table) for table in tables]
    names: dict[str, None] = {}  # in the order in which studies have them
    for item in circumstances:
        names |= dict.fromkeys(item)
    notes = []
    for name in names:
        lines = [item.get(name, ()) for item in circumstances]
        notes.append(MethodNote(name, tuple(_entries(studies, lines))))
    return tuple(notes)


def _entries(studies: Sequence[str], lines: Sequence[tuple[str, ...]]) -> Iterator[Entry]:
    """Yield each text once, with the studies that have it; none for studies without lines."""
    by_lines: dict[tuple[str, ...], list[str]] = {}
    for study, its_lines in zip(studies, lines, strict=True):
        if its_lines:
            by_lines.setdefault(its_lines, []).append(study)
    for shared, names in by_lines.items():
        of_all = len(names) == len(studies)
        yield Entry("" if of_all else ", ".join(names), shared)


def _circumstances(table: StudyTable) -> dict[str, tuple[str, ...]]:
    """Return the lines on each circumstance of one study, without those that it does not have."""
    trial = _reference_trial(table)
    several = len(table.rows) > 1
    circumstances = {
        "Recipe": tuple(_recipes(table)),
        "Varied": tuple(_varied(table)),
        "Seeds": (f"{_seeds(table)}; a seed determines the initial weights and all other randomness",),
        "Data": tuple(_data(trial.data, table.plan)),
        "Arithmetic": (f"threads per network: {trial.threads}; {versions_text(trial)}",),
        "Choices": (CHOICES, STOPPING) if _has_patience(table) else (CHOICES,),
        "Intervals": (INTERVALS,),
        "Verdicts": VERDICTS if several else (),
        "New digits": (NEW_DIGITS,) if several else (),
        "Interaction": (INTERACTION,) if len(table.plan.study.axes) == 2 else (),
        "Squared error": (SQUARED_ERRORS,) if len(metrics_of(table.plan)) > 1 else (),
        "Machine": tuple(_machines(table)) or ("nothing is trained yet",),
        "Code": tuple(map(_revision, table.revisions)),
    }
    return {name: lines for name, lines in circumstances.items() if lines}


def _has_patience(table: StudyTable) -> bool:
    return any(cell.trials[0].training.patience is not None for cell in table.plan.cells)


def _recipes(table: StudyTable) -> Iterator[str]:
    """Yield the settings of the reference level, or of each recipe if recipes are varied."""
    plan = table.plan
    others = [i for i, axis in enumerate(plan.study.axes) if axis.path != RECIPE_PATH]
    for cell in plan.cells:
        if all(cell.levels[i] == plan.reference[i] for i in others):
            trial = cell.trials[0]
            settings = ", ".join(_settings(table, trial))
            yield f"{trial.recipe}: {settings}"


def _reference_trial(table: StudyTable) -> Trial:
    plan = table.plan
    reference = next(cell for cell in plan.cells if cell.levels == plan.reference)
    return reference.trials[0]


def method_line(table: StudyTable) -> str:
    """Return the data, seeds, versions and rules of a study in a few words.

    Args:
        table: the study's results, one row per level.
    """
    data = _reference_trial(table).data
    seeds = table.plan.study.seeds
    parts = [
        f"{data.name}, {data.validation:,} of its training images kept for validation",
        f"{seeds} seeds a level" if seeds > 1 else "one seed a level",
    ]
    if table.environments:  # the first stands for all; the notes under "Machine" list them
        parts.append(_versions(table.environments[0]))
    if _has_patience(table):
        parts.append("each training ended by the validation part; test set used for no choice")
    else:
        parts.append("test set evaluated after epochs fixed in advance, used for no choice")
    if len(table.rows) > 1:
        parts.append(
            "95 % intervals of differences not corrected, verdicts by Holm's p below 0.05, about these "
            "test images"
        )
    return "; ".join(parts) + "."


def _versions(environment: Mapping[str, str]) -> str:
    versions = [f"{name} {version}" for name, version in environment.items() if name not in NO_VERSIONS]
    cpu = environment.get("cpu", "an unknown processor")
    return f"{', '.join(versions)} on {cpu}"


def _seeds(table: StudyTable) -> str:
    study = table.plan.study
    the_same = ", the same" if study.seeds > 1 else ""
    return f"{study.seeds_text}{the_same} for every level"


def _data(data: DataSpec, plan: Plan) -> Iterator[str]:
    yield f"{data.name}, SHA-256 {data.fingerprint}"
    yield (
        f"{data.validation:,} of its training images are set aside for validation, every class in "
        f"proportion, by split seed {data.split_seed}"
    )
    sizes = {cell.trials[0].data.training_size for cell in plan.cells} - {None}
    if sizes:
        listed = ", ".join(f"{size:,}" for size in sorted(size for size in sizes if size))
        yield (
            f"{listed} of the rest are trained on, every class in proportion, a smaller set within each "
            "larger one"
        )


def _settings(table: StudyTable, trial: Trial) -> Iterator[str]:
    varied = {axis.path for axis in table.plan.study.axes}
    for part, spec in (("model", trial.model), ("training", trial.training)):
        for path, value in _flat(part, spec.to_values()):
            if any(path == axis or path.startswith(f"{axis}.") for axis in varied):
                continue  # an axis may vary a whole list
            if path.startswith("model.code."):
                digest = hashlib.sha256(str(value).encode()).hexdigest()
                yield f"{path.removeprefix('model.code.')}: SHA-256 {digest}"
                continue
            # Of lists only empty ones are left: the others are flattened to their items.
            text = str(value) if isinstance(value, list) else level_text(value)
            yield f"{path} = {text}"


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield dotted paths, as in a study file and in `--set`, with their values."""
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


def versions_text(trial: Trial) -> str:
    """Return the code versions that a trial is trained by, compared with the present ones."""
    parts = [_version("engine", trial.engine_version, engine_version_of(trial.model))]
    if trial.synthesis_version is not None:
        parts.append(_version("synthesis", trial.synthesis_version, SYNTHESIS_VERSION))
    return "; ".join(parts)


def _version(what: str, its: int, ours: int) -> str:
    if its == ours:
        return f"{what} version {its}"
    age = "older" if its < ours else "newer"
    return f"{what} version {its}, {age} than the present {ours}"


def _revision(code: Revision | None) -> str:
    if code is None:
        return "the commit was not recorded"
    if code.clean:
        return f"commit {code.commit}"
    return f"commit {code.commit}, with uncommitted changes"


def _machines(table: StudyTable) -> Iterator[str]:
    for environment in table.environments:
        yield ", ".join(f"{key} {value}" for key, value in environment.items())

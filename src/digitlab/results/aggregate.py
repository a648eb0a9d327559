"""From the results of a study's trials to one row per level."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from digitlab.errors import MissingExtraError
from digitlab.results.record import EpochRecord, Figures, Result
from digitlab.revision import Revision
from digitlab.spec.plan import Cell, Plan
from digitlab.spec.study import Level

Limits = tuple[float, float]
"""The least and the greatest value that a measure can take."""

PERCENT: Limits = (0.0, 100.0)
SQUARED: Limits = (0.0, 0.2)
"""Of ten probabilities against one-hot: two of them are wrong by 1 at most, and ten are averaged."""

_POSITIVE: Limits = (0.0, math.inf)
_ROUNDING = 1e-12  # of the largest value: a spread below it is that of decimal fractions in binary


class Estimate(NamedTuple):
    """A mean over seeds and how sure it is.

    Attributes:
        n: values.
        mean: of the values (nan: there are none).
        sd: standard deviation, ddof=1 (nan below two values).
        low: lower end of the 95 % t interval (nan below two values, or where sd is 0).
        high: upper end.
    """

    n: int
    mean: float
    sd: float
    low: float
    high: float


def _finite(estimate: Estimate) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in estimate._asdict().items()}


def t_interval(
    values: Sequence[float], confidence: float = 0.95, limits: Limits = (-math.inf, math.inf)
) -> Estimate:
    """Estimate a mean with Student's t interval.

    Where all values are equal there is no interval: error rates come in steps of one image, so that few seeds
    agree by chance, and agreement is no certainty. Ends that lie beyond what the measure can be are cut
    there. That costs no coverage, since the true mean lies within the limits, too.

    Args:
        values: one a seed.
        confidence: coverage of the interval, between 0 and 1.
        limits: the least and the greatest value that is possible.

    Raises:
        MissingExtraError: SciPy is not installed.

    Source:
        Student 1908: mean -+ t(n - 1) * sd / sqrt(n).
    """
    n = len(values)
    nan = math.nan  # always this one: estimates without an interval are equal to each other
    mean = math.fsum(values) / n if n else nan
    if n < 2:
        return Estimate(n, mean, nan, nan, nan)
    try:
        from scipy.special import stdtrit  # a tenth of the import time of scipy.stats
    except ImportError:
        raise MissingExtraError("scipy", "report") from None
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    if sd <= _ROUNDING * max(map(abs, values)):
        return Estimate(n, mean, 0.0, nan, nan)
    half = float(stdtrit(n - 1, (1 + confidence) / 2)) * sd / math.sqrt(n)
    lowest, highest = limits
    return Estimate(n, mean, sd, max(mean - half, lowest), min(mean + half, highest))


@dataclass(frozen=True)
class Row:
    """One level of a study.

    Attributes:
        levels: one value for each axis.
        seeds: of the trials that are done, ascending.
        test_errors: error on the test set in percent, one a seed.
        test_error: the same over seeds.
        validation_error: error on the validation part in percent, over seeds.
        test_mse: mean squared error of the probabilities on the test set, over seeds.
        parameters: of the network.
        multiply_adds: to classify one image.
        train_seconds: spent in training epochs, over seeds.
        failed: reasons of the trials that failed.
        interrupted: trials that were stopped while they ran.
        missing: trials not done, not failed and not interrupted.
    """

    levels: tuple[Level, ...]
    seeds: tuple[int, ...]
    test_errors: tuple[float, ...]
    test_error: Estimate
    validation_error: Estimate
    test_mse: Estimate
    parameters: int | None
    multiply_adds: int | None
    train_seconds: Estimate
    failed: tuple[str, ...]
    interrupted: int
    missing: int

    @property
    def label(self) -> str:
        """The levels as a reader writes them."""
        return " x ".join(str(level) for level in self.levels)

    def to_values(self) -> dict[str, Any]:
        """Give plain values; what is not known is None."""
        estimates = {
            "test_error_percent": self.test_error,
            "validation_error_percent": self.validation_error,
            "test_mse": self.test_mse,
            "train_seconds": self.train_seconds,
        }
        return {
            "levels": list(self.levels),
            "seeds": list(self.seeds),
            **{name: _finite(estimate) for name, estimate in estimates.items()},
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "failed": list(self.failed),
            "interrupted": self.interrupted,
            "missing": self.missing,
        }


class Curve(NamedTuple):
    """The histories of one level's trials.

    Attributes:
        label: the level.
        histories: one a seed.
    """

    label: str
    histories: tuple[tuple[EpochRecord, ...], ...]


@dataclass(frozen=True)
class StudyTable:
    """A study's answer in figures.

    Attributes:
        plan: what was asked.
        rows: one for each cell of the plan, in its order.
        curves: one for each cell, likewise (empty: only the figures were asked for).
        environments: of the trials, each different one once (likewise).
        images: in the test set (None: nothing is done yet, or it was not asked for).
        revisions: of the code that trained them, likewise; None stands for code that was not recorded.
    """

    plan: Plan
    rows: tuple[Row, ...]
    curves: tuple[Curve, ...] = ()
    environments: tuple[dict[str, str], ...] = ()
    images: int | None = None
    revisions: tuple[Revision | None, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether no trial is missing."""
        return not any(row.missing or row.interrupted for row in self.rows)


def aggregate(
    plan: Plan,
    results: Mapping[str, Result],
    failures: Mapping[str, str],
    interrupted: Container[str] = (),
) -> StudyTable:
    """Bring the results of a plan's trials together.

    Args:
        plan: of the study.
        results: by trial id; those of trials that are done.
        failures: by trial id; the reasons of those that failed.
        interrupted: ids of trials that were stopped while they ran.
    """
    figures = {trial: result.figures(result.trial.training.epochs) for trial, result in results.items()}
    environments = {tuple(sorted(result.environment.items())) for result in results.values()}
    return replace(
        tabulate(plan, figures, failures, interrupted),
        curves=tuple(_curve(cell, results) for cell in plan.cells),
        environments=tuple(dict(items) for items in sorted(environments)),
        images=next((result.final_test.images for result in results.values()), None),
        revisions=_revisions(results.values()),
    )


def _revisions(results: Iterable[Result]) -> tuple[Revision | None, ...]:
    """Give each different code once, those that were recorded first."""
    found = {(result.commit, result.clean) for result in results}
    recorded = sorted((commit, bool(clean)) for commit, clean in found if commit is not None)
    unrecorded = (None,) if len(recorded) < len(found) else ()
    return (*(Revision(*each) for each in recorded), *unrecorded)


def tabulate(
    plan: Plan,
    figures: Mapping[str, Figures],
    failures: Mapping[str, str],
    interrupted: Container[str] = (),
) -> StudyTable:
    """Bring the figures of a plan's trials together, without curves and environments.

    Args:
        plan: of the study.
        figures: by trial id; those of trials that are done.
        failures: by trial id; the reasons of those that failed.
        interrupted: ids of trials that were stopped while they ran.
    """
    return StudyTable(plan, tuple(_row(cell, figures, failures, interrupted) for cell in plan.cells))


def _row(
    cell: Cell, figures: Mapping[str, Figures], failures: Mapping[str, str], interrupted: Container[str]
) -> Row:
    seeds = {trial.id: trial.seed for trial in cell.trials}
    done = {trial: figures[trial] for trial in seeds if trial in figures}
    # What failed once, or was stopped, and was then given by a longer training is done.
    failed = tuple(failures[trial] for trial in seeds if trial in failures and trial not in figures)
    stopped = sum(trial in interrupted and trial not in figures for trial in seeds)
    test_errors = tuple(each.test_error for each in done.values())
    first = next(iter(done.values()), None)
    return Row(
        levels=cell.levels,
        seeds=tuple(seeds[trial] for trial in done),
        test_errors=test_errors,
        test_error=t_interval(test_errors, limits=PERCENT),
        validation_error=t_interval([each.validation_error for each in done.values()], limits=PERCENT),
        test_mse=t_interval([each.test_mse for each in done.values()], limits=SQUARED),
        parameters=first.parameters if first else None,
        multiply_adds=first.multiply_adds if first else None,
        train_seconds=t_interval([each.train_seconds for each in done.values()], limits=_POSITIVE),
        failed=failed,
        interrupted=stopped,
        missing=len(seeds) - len(done) - len(failed) - stopped,
    )


def _curve(cell: Cell, results: Mapping[str, Result]) -> Curve:
    return Curve(cell.label, tuple(result.history for result in _done(cell, results)))


def _done(cell: Cell, results: Mapping[str, Result]) -> list[Result]:
    return [results[trial.id] for trial in cell.trials if trial.id in results]


def trial_records(
    plan: Plan, results: Mapping[str, Result], cells: Sequence[Cell] | None = None
) -> list[dict[str, str | int | float]]:
    """List what every trial that is done gave, a flat record for each level and seed.

    Args:
        plan: of the study.
        results: by trial id.
        cells: of the plan, those that are asked for; all unless said.
    """
    asked = plan.cells if cells is None else cells
    return [_record(plan, cell, result) for cell in asked for result in _done(cell, results)]


def _record(plan: Plan, cell: Cell, result: Result) -> dict[str, str | int | float]:
    test, last = result.final_test, result.history[-1]
    levels = {axis.path: level for axis, level in zip(plan.study.axes, cell.levels, strict=True)}
    return levels | {
        "seed": result.trial.seed,
        "epochs": result.trial.training.epochs,
        "trial": result.trial.id,
        "engine_version": result.trial.engine_version,
        "test_images": test.images,
        "test_correct": test.correct,
        "test_error_percent": test.error_percent,
        "test_mse": test.mse,
        "test_log_loss": test.log_loss,
        "test_calibration_error": test.calibration_error,
        "validation_accuracy": last.validation_accuracy,
        "validation_mse": last.validation_mse,
        "train_seconds": result.train_seconds,
        "parameters": result.parameters,
        "multiply_adds": result.multiply_adds,
        "data": plan.study.data.name,
        "fingerprint": plan.fingerprint,
    }

"""Aggregation of the results of a study's trials to one row per level."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from digitlab.errors import MissingExtraError
from digitlab.results.record import EpochRecord, Figures, Result
from digitlab.revision import Revision
from digitlab.spec.plan import Cell, Plan
from digitlab.spec.study import Level, levels_text, single

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.figure import Figure

Bounds = tuple[float, float]
"""Least and greatest possible value of a measure."""

PERCENT: Bounds = (0.0, 100.0)

_POSITIVE: Bounds = (0.0, math.inf)
_ROUNDING = 1e-12  # share of the largest value: a smaller spread is rounding of decimal fractions


def squared_bounds(classes: int) -> Bounds:
    """Return the bounds of the mean squared error of probabilities: at most two are off by 1.

    Args:
        classes: number of probabilities, which are averaged.
    """
    return 0.0, 2 / classes


class Estimate(NamedTuple):
    """A mean over seeds with its spread and its t interval.

    Attributes:
        n: number of values.
        mean: mean of the values (nan: there are none).
        sd: standard deviation, ddof=1 (nan below two values).
        low: lower end of the 95 % t interval (nan below two values, or where sd is 0).
        high: upper end of that interval (nan: as for `low`).
    """

    n: int
    mean: float
    sd: float
    low: float
    high: float


def _finite(estimate: Estimate) -> dict[str, float | None]:
    """Return the fields by name; None for nan and infinity, which JSON does not have."""
    values: dict[str, float | None] = {}
    for name, value in estimate._asdict().items():
        values[name] = value if math.isfinite(value) else None
    return values


def t_interval(
    values: Sequence[float], confidence: float = 0.95, limits: Bounds = (-math.inf, math.inf)
) -> Estimate:
    """Estimate a mean with Student's t interval.

    If all values are equal there is no interval: error rates come in steps of one image, so that a few seeds
    can agree by chance. Ends beyond the limits are cut there. That costs no coverage, since the true mean
    lies within the limits, too.

    Args:
        values: values, one per seed.
        confidence: coverage of the interval, between 0 and 1.
        limits: least and greatest possible value.

    Raises:
        MissingExtraError: SciPy is not installed.

    Source:
        Student 1908: mean -+ t(n - 1) * sd / sqrt(n).
    """
    n = len(values)
    nan = math.nan  # one object, since tuples compare it by identity: such estimates are equal
    mean = math.fsum(values) / n if n else nan
    if n < 2:
        return Estimate(n, mean, nan, nan, nan)
    try:
        from scipy.special import stdtrit  # imports much faster than scipy.stats
    except ImportError:
        raise MissingExtraError("scipy", "report") from None
    squares = math.fsum((value - mean) ** 2 for value in values)
    sd = math.sqrt(squares / (n - 1))
    largest = max(abs(value) for value in values)
    if sd <= _ROUNDING * largest:
        return Estimate(n, mean, 0.0, nan, nan)
    quantile = float(stdtrit(n - 1, (1 + confidence) / 2))
    half = quantile * sd / math.sqrt(n)
    lowest, highest = limits
    low = max(mean - half, lowest)
    high = min(mean + half, highest)
    return Estimate(n, mean, sd, low, high)


@dataclass(frozen=True)
class LevelSummary:
    """Results of one level of a study.

    Attributes:
        levels: values of the level, one per axis.
        seeds: seeds of the trials that are done, ascending.
        test_errors: error on the test set in percent, one value per seed.
        test_error: error on the test set in percent, over seeds.
        validation_error: error on the validation part in percent, over seeds.
        test_mse: mean squared error of the probabilities on the test set, over seeds.
        parameters: number of weights and biases of the network (None: no trial is done).
        multiply_adds: number of multiply-adds to classify one image (None: no trial is done).
        train_seconds: time spent in training epochs, in seconds, over seeds.
        failed: reasons of the failed trials, one per trial.
        interrupted: number of trials that were stopped while they ran.
        missing: number of trials that are neither done nor failed nor interrupted.
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
        """Levels as text: `128 × relu`."""
        return levels_text(self.levels)

    def to_values(self) -> dict[str, Any]:
        """Return plain values for JSON; unknown numbers are None."""
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
    """Histories of one level's trials.

    Attributes:
        label: text of the level.
        histories: records of the epochs, one history per seed.
        finals: record of the epoch whose network was scored, one per seed: the last, unless the trial has
            patience.
    """

    label: str
    histories: tuple[tuple[EpochRecord, ...], ...]
    finals: tuple[EpochRecord, ...]


@dataclass(frozen=True, repr=False)
class StudyTable:
    """Results of a study, one row per level.

    Attributes:
        plan: the study's plan.
        rows: one row per cell of the plan, in its order.
        curves: one curve per cell of the plan, in its order (empty: not read).
        environments: distinct environments of the trials (empty: not read).
        images: number of test images (None: no trial is done, or not read).
        revisions: distinct revisions of the code that trained the trials (empty: not read); None stands for
            code that was not recorded.
    """

    plan: Plan
    rows: tuple[LevelSummary, ...]
    curves: tuple[Curve, ...] = ()
    environments: tuple[dict[str, str], ...] = ()
    images: int | None = None
    revisions: tuple[Revision | None, ...] = ()

    def to_columns(self, per: Literal["level", "seed"] = "level") -> dict[str, list[Any]]:
        """Return the table as columns, from which any library of data frames makes its own.

        Args:
            per: whether a row is a level, with means and intervals, or one training.

        Returns:
            Columns by name: one for each axis, named by its path. Of levels also `seeds` (their number), the
            means `test_error_percent`, `validation_error_percent`, `test_mse` and `train_seconds`, each with
            the `_low` and `_high` of its 95 % interval, `parameters` and `multiply_adds`; of trainings `seed`
            and `test_error_percent`.
        """
        from digitlab.results.columns import table_columns

        return table_columns(self, per)

    def to_pandas(self, per: Literal["level", "seed"] = "level") -> pd.DataFrame:
        """Return the table as a data frame of pandas, with the columns of `to_columns`.

        Args:
            per: whether a row is a level, with means and intervals, or one training.

        Raises:
            UserError: pandas is not installed.
        """
        from digitlab.results.columns import to_pandas

        return to_pandas(self, per)

    def to_arrow(self, per: Literal["level", "seed"] = "level") -> pa.Table:
        """Return the table as one of Apache Arrow, with the columns of `to_columns`.

        Args:
            per: whether a row is a level, with means and intervals, or one training.

        Raises:
            UserError: pyarrow is not installed.
        """
        from digitlab.results.columns import to_arrow

        return to_arrow(self, per)

    def __repr__(self) -> str:
        done = sum(len(row.seeds) for row in self.rows)
        return f"<StudyTable {self.plan.study.name}: {len(self.rows)} levels, {done} trainings done>"

    def _repr_html_(self) -> str:
        """Return the table, comparisons and verdicts for a notebook."""
        # By name, since the report stands above the results: it is found when a notebook asks for it.
        return import_module("digitlab.report.in_notebook").study_html(self)

    def plot(self) -> Figure:
        """Return a figure of the test error by level, with intervals, as in the report.

        Raises:
            MissingExtraError: Matplotlib is not installed.
        """
        return import_module("digitlab.report.in_notebook").study_figure(self)

    @property
    def complete(self) -> bool:
        """Whether no trial is missing or interrupted."""
        return not any(row.missing or row.interrupted for row in self.rows)


def aggregate(
    plan: Plan,
    results: Mapping[str, Result | Figures],
    failures: Mapping[str, str],
    interrupted: Container[str] = (),
) -> StudyTable:
    """Aggregate the results of a plan's trials.

    Args:
        plan: the study's plan.
        results: results of the trials that are done, by trial id; of key figures alone, only the rows are
            made.
        failures: reasons of the trials that failed, by trial id.
        interrupted: ids of trials that were stopped while they ran.
    """
    whole: dict[str, Result] = {}
    figures: dict[str, Figures] = {}
    for trial, result in results.items():
        if isinstance(result, Figures):
            figures[trial] = result
        else:
            whole[trial] = result
            figures[trial] = result.figures(result.trial.training.epochs)
    rows = [_row(cell, figures, failures, interrupted) for cell in plan.cells]
    table = StudyTable(plan, tuple(rows))
    if len(whole) < len(results):
        return table
    curves = [_curve(cell, whole) for cell in plan.cells]
    images = None
    for result in whole.values():
        images = result.final_test.images  # the same of all, since they have the same data
        break
    return replace(
        table,
        curves=tuple(curves),
        environments=_environments(whole.values()),
        images=images,
        revisions=_revisions(whole.values()),
    )


def _environments(results: Iterable[Result]) -> tuple[dict[str, str], ...]:
    """Return the distinct environments."""
    distinct = {tuple(sorted(result.environment.items())) for result in results}  # a dict cannot be in a set
    return tuple(dict(items) for items in sorted(distinct))


def _revisions(results: Iterable[Result]) -> tuple[Revision | None, ...]:
    """Return the distinct revisions, recorded ones first."""
    recorded = set()
    is_complete = True
    for result in results:
        if result.commit is None:
            is_complete = False
        else:
            recorded.add(Revision(result.commit, bool(result.clean)))
    known = tuple(sorted(recorded))
    return known if is_complete else (*known, None)


def _row(
    cell: Cell, figures: Mapping[str, Figures], failures: Mapping[str, str], interrupted: Container[str]
) -> LevelSummary:
    seeds: list[int] = []
    done: list[Figures] = []
    failed: list[str] = []
    stopped = missing = 0
    for trial in cell.trials:
        # First: a trial that failed or was stopped is done once a longer training has its results.
        if trial.id in figures:
            seeds.append(trial.seed)
            done.append(figures[trial.id])
        elif trial.id in failures:
            failed.append(failures[trial.id])
        elif trial.id in interrupted:
            stopped += 1
        else:
            missing += 1
    test_errors = tuple(item.test_error for item in done)
    return LevelSummary(
        levels=cell.levels,
        seeds=tuple(seeds),
        test_errors=test_errors,
        test_error=t_interval(test_errors, limits=PERCENT),
        validation_error=t_interval([item.validation_error for item in done], limits=PERCENT),
        test_mse=t_interval([item.test_mse for item in done], limits=squared_bounds(cell.trials[0].classes)),
        parameters=done[0].parameters if done else None,
        multiply_adds=done[0].multiply_adds if done else None,
        train_seconds=t_interval([item.train_seconds for item in done], limits=_POSITIVE),
        failed=tuple(failed),
        interrupted=stopped,
        missing=missing,
    )


def _curve(cell: Cell, results: Mapping[str, Result]) -> Curve:
    done = _done(cell, results)
    histories = tuple(result.history for result in done)
    return Curve(cell.label, histories, tuple(result.final_record for result in done))


def _done(cell: Cell, results: Mapping[str, Result]) -> list[Result]:
    return [results[trial.id] for trial in cell.trials if trial.id in results]


def trial_records(
    plan: Plan, results: Mapping[str, Result], cells: Sequence[Cell] | None = None
) -> list[dict[str, str | int | float]]:
    """Return a flat record for each level and seed that is done.

    Args:
        plan: the study's plan.
        results: results of the trials that are done, by trial id.
        cells: cells of the plan to list (None: all).
    """
    records = []
    for cell in plan.cells if cells is None else cells:
        for result in _done(cell, results):
            records.append(_record(plan, cell, result))
    return records


def _record(plan: Plan, cell: Cell, result: Result) -> dict[str, str | int | float]:
    test = result.final_test
    last_epoch = result.final_record
    levels = {axis.path: single(level) for axis, level in zip(plan.study.axes, cell.levels, strict=True)}
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
        "validation_accuracy": last_epoch.validation_accuracy,
        "validation_mse": last_epoch.validation_mse,
        "train_seconds": result.train_seconds,
        "parameters": result.parameters,
        "multiply_adds": result.multiply_adds,
        "data": plan.study.data.name,
        "fingerprint": plan.fingerprint,
    }

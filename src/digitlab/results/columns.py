"""A study's table as columns, for libraries of data frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from digitlab.errors import UserError
from digitlab.results.aggregate import Estimate, LevelSummary, StudyTable
from digitlab.spec.study import single

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Per = Literal["level", "seed"]
"""Meaning of a row: a level, with means and intervals, or one training."""


def table_columns(table: StudyTable, per: Per = "level") -> dict[str, list[Any]]:
    """Return a table as columns, as `StudyTable.to_columns` describes.

    Args:
        table: the study's table.
        per: meaning of a row.

    Raises:
        UserError: a row is to mean something else.
    """
    if per == "level":
        rows = [_level(table, row) for row in table.rows]
    elif per == "seed":
        rows = []
        for row in table.rows:
            for seed, error in zip(row.seeds, row.test_errors, strict=True):
                rows.append({**_settings(table, row), "seed": seed, "test_error_percent": error})
    else:
        raise UserError(f"per: expected level or seed, received {per!r}")
    if not rows:
        return {axis.path: [] for axis in table.plan.study.axes} | {"seed": [], "test_error_percent": []}
    return {name: [row[name] for row in rows] for name in rows[0]}


def _level(table: StudyTable, row: LevelSummary) -> dict[str, Any]:
    values = {**_settings(table, row), "seeds": len(row.seeds)}
    estimates = {
        "test_error_percent": row.test_error,
        "validation_error_percent": row.validation_error,
        "test_mse": row.test_mse,
        "train_seconds": row.train_seconds,
    }
    for name, estimate in estimates.items():
        values |= _interval(name, estimate)
    return values | {"parameters": row.parameters, "multiply_adds": row.multiply_adds}


def _interval(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.mean, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _settings(table: StudyTable, row: LevelSummary) -> dict[str, Any]:
    """Return the level of each axis, by the axis's path; lists as text."""
    axes = table.plan.study.axes
    return {axis.path: single(level) for axis, level in zip(axes, row.levels, strict=True)}


def to_pandas(table: StudyTable, per: Per) -> pd.DataFrame:
    """Return a table as a data frame of pandas.

    Args:
        table: the study's table.
        per: meaning of a row.

    Raises:
        UserError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise UserError("pandas is not installed: run  pip install pandas , or use to_columns()") from None
    return pd.DataFrame(table_columns(table, per))


def to_arrow(table: StudyTable, per: Per) -> pa.Table:
    """Return a table as one of Apache Arrow.

    Args:
        table: the study's table.
        per: meaning of a row.

    Raises:
        UserError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError:
        raise UserError("pyarrow is not installed: run  pip install pyarrow , or use to_columns()") from None
    return pa.table(table_columns(table, per))

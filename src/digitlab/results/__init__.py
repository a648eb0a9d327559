"""Records, the SQLite store, metrics and aggregation."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitlab.results.aggregate import Row, StudyTable, t_interval
    from digitlab.results.metrics import score
    from digitlab.results.record import EpochRecord, Result, Scores
    from digitlab.results.store import Store

_HOMES = {
    "Row": "aggregate",
    "StudyTable": "aggregate",
    "t_interval": "aggregate",
    "score": "metrics",
    "EpochRecord": "record",
    "Result": "record",
    "Scores": "record",
    "Store": "store",
}

__all__ = [
    "EpochRecord",
    "Result",
    "Row",
    "Scores",
    "Store",
    "StudyTable",
    "score",
    "t_interval",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

"""Results of trials: records, the SQLite store, metrics, statistics and aggregation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlab.lazy import lazy_exports

if TYPE_CHECKING:
    from digitlab.results.aggregate import Row, StudyTable, t_interval
    from digitlab.results.metrics import score
    from digitlab.results.record import EpochRecord, Result, Scores
    from digitlab.results.store import Store

__getattr__ = lazy_exports(
    __name__,
    {
        "Row": "aggregate",
        "StudyTable": "aggregate",
        "t_interval": "aggregate",
        "score": "metrics",
        "EpochRecord": "record",
        "Result": "record",
        "Scores": "record",
        "Store": "store",
    },
)

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

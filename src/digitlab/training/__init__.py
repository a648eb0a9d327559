"""Training of one network: engines, seeds, and the loop over epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlab.lazy import lazy_exports

if TYPE_CHECKING:
    from digitlab.training.engine import Engine, EpochTotals
    from digitlab.training.process import native_precision
    from digitlab.training.run import Trained, train, train_trial

__getattr__ = lazy_exports(
    __name__,
    {
        "Engine": "engine",
        "EpochTotals": "engine",
        "native_precision": "process",
        "Trained": "run",
        "train": "run",
        "train_trial": "run",
    },
)

__all__ = ["Engine", "EpochTotals", "Trained", "native_precision", "train", "train_trial"]

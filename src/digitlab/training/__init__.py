"""One network, one run: engines, seeds, and the loop over epochs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitlab.training.engine import Engine, EpochTotals
    from digitlab.training.evaluate import evaluate_bundle
    from digitlab.training.process import native_precision
    from digitlab.training.run import Trained, train, train_trial

_HOMES = {
    "Engine": "engine",
    "EpochTotals": "engine",
    "evaluate_bundle": "evaluate",
    "native_precision": "process",
    "Trained": "run",
    "train": "run",
    "train_trial": "run",
}

__all__ = ["Engine", "EpochTotals", "Trained", "evaluate_bundle", "native_precision", "train", "train_trial"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

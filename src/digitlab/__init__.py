"""digitlab: a laboratory for handwritten-digit recognition."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitlab.data import load_dataset
    from digitlab.studies import run_study
    from digitlab.training import train

__version__ = "0.1.0"

_HOMES = {"load_dataset": "data", "run_study": "studies", "train": "training"}

__all__ = ["load_dataset", "run_study", "train"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

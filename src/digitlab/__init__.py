"""digitlab: a laboratory for handwritten-digit recognition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlab.lazy import lazy_exports

if TYPE_CHECKING:
    from digitlab.data import load_dataset
    from digitlab.recognition import Recognizer
    from digitlab.studies import run_study
    from digitlab.training import train

__version__ = "0.1.0"

__getattr__ = lazy_exports(
    __name__,
    {"Recognizer": "recognition", "load_dataset": "data", "run_study": "studies", "train": "training"},
)

__all__ = ["Recognizer", "load_dataset", "run_study", "train"]

"""Running studies: the runner and its executors."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitlab.studies.executors.base import Executor
    from digitlab.studies.executors.inline import InlineExecutor
    from digitlab.studies.executors.processes import ProcessExecutor
    from digitlab.studies.runner import plan_study, read_table, run_plan, run_study

_HOMES = {
    "Executor": "executors.base",
    "InlineExecutor": "executors.inline",
    "ProcessExecutor": "executors.processes",
    "plan_study": "runner",
    "run_plan": "runner",
    "run_study": "runner",
    "read_table": "runner",
}

__all__ = [
    "Executor",
    "InlineExecutor",
    "ProcessExecutor",
    "plan_study",
    "read_table",
    "run_plan",
    "run_study",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

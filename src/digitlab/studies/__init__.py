"""Running studies: planning, the runner and its executors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlab.lazy import lazy_exports

if TYPE_CHECKING:
    from digitlab.studies.executors.base import Executor
    from digitlab.studies.executors.inline import InlineExecutor
    from digitlab.studies.executors.processes import ProcessExecutor
    from digitlab.studies.executors.ray import RayExecutor
    from digitlab.studies.planning import plan_study
    from digitlab.studies.runner import read_table, run_plans, run_study

__getattr__ = lazy_exports(
    __name__,
    {
        "Executor": "executors.base",
        "InlineExecutor": "executors.inline",
        "ProcessExecutor": "executors.processes",
        "RayExecutor": "executors.ray",
        "plan_study": "planning",
        "run_plans": "runner",
        "run_study": "runner",
        "read_table": "runner",
    },
)

__all__ = [
    "Executor",
    "InlineExecutor",
    "ProcessExecutor",
    "RayExecutor",
    "plan_study",
    "read_table",
    "run_plans",
    "run_study",
]

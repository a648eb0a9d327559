"""A process that runs an executor, to be interrupted or killed from outside.

Usage: executor_driver.py FILE... locks each file in a worker of its own until the end comes.
"""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

import executor_tasks as tasks

from digitlab.studies import ProcessExecutor
from digitlab.studies.executors.base import Event, Progress


def _tell(event: Event) -> None:
    if isinstance(event, Progress):
        print("locked", flush=True)


if __name__ == "__main__":
    files = [Path(name) for name in sys.argv[1:]]
    try:
        print("running", flush=True)
        ProcessExecutor(len(files)).run(tasks.hold_lock, files, _tell)
    except KeyboardInterrupt:
        print(f"interrupted, {len(multiprocessing.active_children())} left", flush=True)

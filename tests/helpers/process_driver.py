"""A process that runs an executor, to be interrupted or killed from outside.

Usage: process_driver.py FILE... locks each file in a worker of its own until the end comes.
"""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

from digitlab.studies import ProcessExecutor
from digitlab.studies.executors.base import Event, Progress
from executor_tasks import hold_lock


def tell(event: Event) -> None:
    if isinstance(event, Progress):
        print(event.report, flush=True)


if __name__ == "__main__":
    files = [Path(name) for name in sys.argv[1:]]
    try:
        print("running", flush=True)
        ProcessExecutor(len(files)).run(hold_lock, files, tell)
    except KeyboardInterrupt:
        print(f"interrupted, {len(multiprocessing.active_children())} left", flush=True)

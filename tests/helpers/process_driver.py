"""A process that runs an executor, to be interrupted or killed from outside.

Usage: process_driver.py FILE... locks each file in a worker of its own until the end comes.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from digitlab.studies import ProcessExecutor
from digitlab.studies.executors.base import Event, Progress


def pid(item: Any, report: Callable[[Any], None]) -> int:
    return os.getpid()


def hold_lock(item: Path, report: Callable[[Any], None]) -> None:
    """Lock a file for as long as the process lives, which shows whether it does."""
    with item.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        report("locked")
        time.sleep(600)


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

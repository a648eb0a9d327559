"""Tasks for Ray's workers, which import this module."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Report = Callable[[Any], None]


def square(item: int, report: Report) -> int:
    return item * item


def nothing(item: Any, report: Report) -> None:
    pass


def pid(item: Any, report: Report) -> int:
    return os.getpid()


def count_or_die(item: int | None, report: Report) -> int:
    if item is None:
        os._exit(1)
    for number in range(item):
        report(number)
    return item


def wait_for(item: Path, report: Report) -> None:
    """Wait until a file is there."""
    while not item.exists():
        time.sleep(0.01)


def crowd(item: Path, report: Report) -> int:
    """Say how many are in a folder at the same time."""
    mine = item / str(time.monotonic_ns())
    mine.touch()
    time.sleep(0.5)
    present = len(list(item.iterdir()))
    mine.unlink()
    return present

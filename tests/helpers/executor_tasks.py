"""Tasks for the contract of executors; a module of their own, because spawned workers import them."""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from digitlab.errors import TrainingError

Report = Callable[[Any], None]


def square(item: int, report: Report) -> int:
    return item * item


def count(item: int, report: Report) -> int:
    """Report 0, 1, 2, ..."""
    for number in range(item):
        report(number)
    return item


def echo(item: Any, report: Report) -> Any:
    report(item)
    return item


def pid(item: Any, report: Report) -> int:
    return os.getpid()


def fail_on_odd(item: int, report: Report) -> int:
    if item % 2:
        raise ValueError(f"{item} is\nodd")
    return item


def fail_for_people(item: Any, report: Report) -> None:
    raise TrainingError("the loss became nan in epoch 3")


def break_a_pipe(item: Any, report: Report) -> None:
    raise BrokenPipeError("a pipe of the task's own")


def recurse(item: int, report: Report) -> int:
    return recurse(item + 1, report)


def unpicklable_value(item: Any, report: Report) -> Any:
    return threading.Lock()


def unpicklable_report(item: Any, report: Report) -> None:
    report(threading.Lock())


class Unreadable:
    """Is pickled, and cannot be read back."""

    def __reduce__(self) -> tuple[Callable, tuple]:
        return int, ("no number",)


def unreadable_value(item: Any, report: Report) -> Unreadable:
    return Unreadable()


def hide_what_report_raises(item: Any, report: Report) -> str:
    try:
        report(item)
    except Exception:
        return "hidden"
    return "told"


def die(item: Callable[[], None] | None, report: Report) -> str:
    """Report, and end the process in the way that the item is."""
    if item is not None:
        report("dying")
        item()
    return "alive"


def die_once(item: Path | None, report: Report) -> str:
    """End the process unless the file is there already."""
    if item is not None and not item.exists():
        item.touch()
        be_killed()
    return "alive"


def be_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave_at_once() -> None:
    os._exit(3)


def leave_politely() -> None:
    sys.exit(4)


def leave_in_silence() -> None:
    """Hang up on the driver some time before the end."""
    for descriptor in range(3, 64):
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                os.close(descriptor)
    time.sleep(0.3)
    os._exit(5)


def read_address_zero() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.string_at(0)


def wait_for(item: Path, report: Report) -> None:
    """Wait until a file is there."""
    while not item.exists():
        time.sleep(0.01)


def hold_lock(item: Path, report: Report) -> None:
    """Lock a file for as long as the process lives, which shows whether it does."""
    with item.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        report("locked")
        time.sleep(600)

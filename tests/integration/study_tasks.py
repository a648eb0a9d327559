"""Tasks for worker processes, which import this module."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from digitlab.results.record import EpochRecord
from digitlab.spec import Trial
from digitlab.studies.runner import train_task


def train_and_weigh(trial: Trial, report: Callable[[EpochRecord], None]) -> int:
    """Train a trial and give the peak memory of this process in bytes.

    The kernel's own figure and not `getrusage`, which counts the process that started this one, too.
    """
    train_task(trial, report)
    peak = re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert peak is not None
    return 1024 * int(peak[1])

"""Tasks for worker processes, which import this module."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from digitlab.results.record import EpochRecord, Result
from digitlab.spec import Trial
from digitlab.studies.runner import TrainTask
from small_study import pretend


def train_and_weigh(task: TrainTask, trial: Trial, report: Callable[[EpochRecord], None]) -> int:
    """Train a trial and give the peak memory of this process in bytes.

    The kernel's own figure and not `getrusage`, which counts the process that started this one, too.
    """
    task(trial, report)
    peak = re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert peak is not None
    return 1024 * int(peak[1])


def pretend_slowly(trial: Trial, report: Callable[[EpochRecord], None]) -> Result:
    time.sleep(0.2)
    return pretend(trial, report)

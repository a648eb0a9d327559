"""Tasks for `scale.py`; a module of their own, because workers import them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

STEPS_A_SECOND = 20_000_000
"""About how many a core of the machine on which this was written does."""


def nothing(item: int, _report: Callable[[Any], None]) -> int:
    """Do nothing."""
    return item


def report_often(item: int, report: Callable[[Any], None]) -> None:
    """Report so many times, and do nothing else."""
    for number in range(item):
        report(number)


def compute(item: float, report: Callable[[Any], None]) -> float:
    """Work for about so many seconds by a fixed number of steps, and report ten times on the way."""
    total = 0.0
    for part in range(10):
        for number in range(int(item * STEPS_A_SECOND / 10)):
            total += number % 7
        report(part)
    return total

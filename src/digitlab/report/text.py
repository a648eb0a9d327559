"""Formatting of numbers and intervals for tables, sentences and figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

from digitlab.spec.study import Level

NONE = "–"
"""Text in place of a missing number."""


def number(value: float, decimals: int = 2) -> str:
    """Format a number with a fixed number of decimals, zero without a sign; a dash for nan."""
    if math.isnan(value):
        return NONE
    text = f"{value:z,.{decimals}f}"
    return text.replace("-", "−")


class Interval(Protocol):
    """An interval: anything with two ends."""

    @property
    def low(self) -> float:
        """Lower end (nan: there is no interval)."""
        ...

    @property
    def high(self) -> float:
        """Upper end (nan: there is no interval)."""
        ...


def interval(ends: Interval, decimals: int = 2) -> str:
    """Format the ends of an interval; a dash if there is none."""
    if math.isnan(ends.low):
        return NONE
    return f"{number(ends.low, decimals)} to {number(ends.high, decimals)}"


def is_numeric(levels: Iterable[Level]) -> bool:
    """Return whether all levels are numbers; booleans are not."""
    return all(isinstance(level, int | float) and not isinstance(level, bool) for level in levels)


def seeds_text(counts: Iterable[int]) -> str:
    """Format the number of seeds per level: `n = 3`, or `n = 2 to 3` if levels differ."""
    known = sorted({count for count in counts if count})
    if not known:
        return "n = 0"
    if len(known) == 1:
        return f"n = {known[0]}"
    return f"n = {known[0]} to {known[-1]}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Join words to a list: `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def probability(p: float) -> str:
    """Format a p value so that rounding never moves it up to 0.05; a dash for nan."""
    if math.isnan(p):
        return NONE
    if p < 0.001:
        return "< 0.001"
    text = f"{p:.3f}"
    if p < 0.05 <= float(text):
        # A verdict is a p below 0.05, and "0.050" beside one would contradict it.
        return f"{min(p, 0.0499):.4f}"
    return text

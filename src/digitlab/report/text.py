"""How numbers, levels and intervals are written, in tables, sentences and figures alike."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

from digitlab.spec.study import Axis, Level

NONE = "–"
"""Stands where there is no number."""


def number(value: float, decimals: int = 2) -> str:
    """Write a number with a fixed count of decimals, nought without a sign, or a dash for nan."""
    return NONE if math.isnan(value) else f"{value:z,.{decimals}f}".replace("-", "−")


class Interval(Protocol):
    """Anything with two ends."""

    @property
    def low(self) -> float:
        """The lower end, nan where there is none."""
        ...

    @property
    def high(self) -> float:
        """The upper end."""
        ...


def interval(ends: Interval, decimals: int = 2) -> str:
    """Write the ends of an interval, or a dash where there is none."""
    if math.isnan(ends.low):
        return NONE
    return f"{number(ends.low, decimals)} to {number(ends.high, decimals)}"


def level_text(level: Level) -> str:
    """Write one level as a reader knows it from the study file, on one line."""
    return str(level).lower() if isinstance(level, bool) else " ".join(str(level).split())


def levels_text(levels: Iterable[Level]) -> str:
    """Write a combination of levels without their axes: `128 × relu`."""
    return " × ".join(level_text(level) for level in levels)


def settings_text(axes: Sequence[Axis], levels: Sequence[Level]) -> str:
    """Write a combination of levels with their axes: `batch size = 200, optimizer = adam`."""
    pairs = zip(axes, levels, strict=True)
    return ", ".join(f"{axis.title} = {level_text(level)}" for axis, level in pairs)


def is_numeric(levels: Iterable[Level]) -> bool:
    """Say whether all levels are numbers; true and false are none."""
    return all(isinstance(level, int | float) and not isinstance(level, bool) for level in levels)


def seeds_text(counts: Iterable[int]) -> str:
    """Write how many seeds there are per level: `n = 3`, or `n = 2 to 3` where levels differ."""
    known = sorted({count for count in counts if count})
    if not known:
        return "n = 0"
    return f"n = {known[0]}" if len(known) == 1 else f"n = {known[0]} to {known[-1]}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Write words in a row: `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def probability(p: float) -> str:
    """Write a p value, so that rounding never moves it to 0.05 or above; a dash for nan."""
    if math.isnan(p):
        return NONE
    if p < 0.001:
        return "< 0.001"
    text = f"{p:.3f}"
    return f"{min(p, 0.0499):.4f}" if p < 0.05 <= float(text) else text

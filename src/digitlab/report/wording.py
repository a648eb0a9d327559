"""Wording of levels and amounts in the sentences of one study."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from digitlab.report.comparisons import LevelComparisons
from digitlab.report.metric import ERROR
from digitlab.report.text import listed, number, probability
from digitlab.spec.study import Level, level_text, settings_text

if TYPE_CHECKING:
    from digitlab.results.statistics import Comparison


class Wording:
    """Formats the parts of one study's sentences.

    Args:
        comparisons: comparisons of the study by one metric.
    """

    def __init__(self, comparisons: LevelComparisons) -> None:
        self.comparisons = comparisons
        self.metric = comparisons.metric
        self.reference = comparisons.levels[comparisons.reference]

    @property
    def here(self) -> str:
        """Test images that verdicts are about, as text."""
        images = self.comparisons.images
        return "on these test images" if images is None else f"on these {images:,} images"

    def changed(self, comparison: Comparison) -> tuple[int, ...]:
        """Return the indices of the axes in which a level differs from the reference."""
        levels = self._levels(comparison)
        return tuple(i for i in range(len(self.reference)) if levels[i] != self.reference[i])

    def _levels(self, comparison: Comparison) -> tuple[Level, ...]:
        return self.comparisons.levels[comparison.level]

    def level(self, comparison: Comparison) -> str:
        """Format a level with all of its settings."""
        return settings_text(self.comparisons.axes, self._levels(comparison))

    def all_of_reference(self) -> str:
        """Format the reference with all of its settings."""
        return settings_text(self.comparisons.axes, self.reference)

    def than_reference(self, comparison: Comparison) -> str:
        """Format only those settings of the reference in which a level differs from it."""
        if len(self.reference) == 1:
            return level_text(self.reference[0])
        return self._of_reference(self.changed(comparison))

    def _of_reference(self, indices: Sequence[int]) -> str:
        """Format the settings of the reference on some axes."""
        axes = [self.comparisons.axes[i] for i in indices]
        values = [self.reference[i] for i in indices]
        return settings_text(axes, values)

    def against(self, changed: Sequence[int], group: Sequence[Comparison]) -> tuple[str, str, str]:
        """Format levels that change the same settings of the reference.

        Returns:
            Unchanged settings (may be empty), the reference, and the levels.
        """
        if len(changed) > 1:  # nothing of each level can be left out
            return "", self.all_of_reference(), "; ".join(map(self.level, group))
        (axis,) = changed
        kept = [i for i in range(len(self.reference)) if i != axis]
        levels = [level_text(self._levels(comparison)[axis]) for comparison in group]
        return self._of_reference(kept), self._of_reference([axis]), listed(levels, "or")

    def amount(self, value: float) -> str:
        """Format a value of the metric."""
        return number(value, self.metric.decimals)

    def points(self, value: float) -> str:
        """Format a difference with its unit."""
        return f"{self.amount(value)}{self.metric.unit}"

    def by(self, difference: float) -> str:
        """Format a difference as `0.21 points less`."""
        direction = "less" if difference < 0 else "more"
        return f"{self.points(abs(difference))} {direction}"

    def ends(self, low: float, high: float) -> str:
        """Format an interval."""
        return f"{self.amount(low)} to {self.amount(high)}"

    def ends_of_one_side(self, low: float, high: float) -> str:
        """Format an interval that lies on one side of 0, without its sign."""
        smaller, larger = sorted((abs(low), abs(high)))
        return self.ends(smaller, larger)

    def how_much(self, comparison: Comparison) -> str:
        """Format a comparison as `networks err 0.21 points less than with 3`."""
        verb = "networks err" if self.metric is ERROR else f"the {self.metric.name} is"
        return f"{verb} {self.by(comparison.paired.mean)} than with {self.than_reference(comparison)}"

    def on_new_digits(self, comparison: Comparison) -> str:
        """Format the verdict on new digits with its interval (empty: it is unknown)."""
        digits = self.comparisons.digits(comparison)
        if digits is None or math.isnan(digits.expected.low):
            return ""
        low, high = digits.expected.low, digits.expected.high
        ends = self.ends_of_one_side(low, high)
        if low < 0 < high:  # the two ends need a direction each
            ends = f"{self.by(low)} to {self.by(high)}"
        return f"; on new digits {self.comparisons.verdict_on_new_digits(comparison)} ({ends})"

    def seeds_needed(self, group: Sequence[Comparison]) -> str:
        """Format how many seeds detect the difference of interest (empty: no more than there are)."""
        from digitlab.results.statistics import MOST_SEEDS

        wanted = f"{self.metric.difference:g}{self.metric.unit}"
        needed: list[int] = []
        for comparison in group:
            count = comparison.seeds_needed
            if count is not None and count > comparison.paired.n:
                needed.append(count)
        if not needed:
            return ""
        # The search for the number of seeds ends at MOST_SEEDS, which therefore stands for any more.
        if min(needed) >= MOST_SEEDS:
            return f"; {MOST_SEEDS} seeds or more are needed to detect {wanted}"
        or_more = "or more " if max(needed) >= MOST_SEEDS else ""
        return f"; {span(needed, str)} seeds {or_more}are enough to detect {wanted}"

    def times_the_spread(self, comparison: Comparison) -> str:
        """Format the ratio of the larger to the smaller spread, with both standard deviations."""
        low, high = sorted(comparison.spreads[:2])
        deviations = f"standard deviations {self.amount(high)} and {self.amount(low)}"
        return f"{high / low:.3g} times ({deviations})"


def span(values: Sequence[float], write: Callable[..., str]) -> str:
    """Format the least and the greatest of some values, or the one value if they are equal."""
    low, high = write(min(values)), write(max(values))
    return low if low == high else f"{low} to {high}"


def p_text(value: float) -> str:
    """Format a p value as `p = 0.031` or `p < 0.001`."""
    text = probability(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"

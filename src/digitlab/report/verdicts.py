"""Sentences made from a study's figures, never typed in."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from digitlab.report.evidence import ALPHA, Evidence, evidence_of, verdict
from digitlab.report.material import Material
from digitlab.report.metric import ERROR
from digitlab.report.text import level_text, listed, number, probability, settings_text
from digitlab.results.aggregate import StudyTable
from digitlab.results.record import Result
from digitlab.spec.study import Level

if TYPE_CHECKING:
    from digitlab.results.statistics import Comparison, PairedDifference

MOST_SENTENCES = 8
"""Levels of a study that get a sentence; the table has them all."""

FEW_UNDECIDED = 2
"""Levels without a verdict that get a sentence each; more share one."""


def verdicts(table: StudyTable, results: Mapping[str, Result] | None = None) -> tuple[str, ...]:
    """Judge each level of a study against its reference level, in sentences.

    Args:
        table: the study's answer in figures.
        results: of its trials that are done, by id; without them only the error is judged.

    Returns:
        At most `MOST_SENTENCES` and a few for each metric; none where there is only one level.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    found = evidence_of(Material(table, results or {}))
    return tuple(sentence for evidence in found for sentence in sentences(evidence))


def sentences(evidence: Evidence) -> tuple[str, ...]:
    """Write what the comparisons of a study found.

    Args:
        evidence: by one metric.
    """
    return tuple(_Judge(evidence).sentences())


class _Judge:
    """Knows how the levels of one study are called while its sentences are written."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.reference = evidence.levels[evidence.reference]

    def sentences(self) -> Iterator[str]:
        yield from self._interaction()
        groups: dict[str, list[Comparison]] = {}
        tested = [each for each in self.evidence.comparisons if verdict(each) != "not tested"]
        told = sorted(sorted(tested, key=self._rank)[:MOST_SENTENCES], key=lambda each: each.level)
        for each in told:
            groups.setdefault(verdict(each), []).append(each)
        for each in told:
            if verdict(each) in ("less", "more"):
                yield self._decided(each)
        yield from self._undecided(groups.get("undecided", []))
        for each in groups.get("no spread", []):
            yield self._without_spread(each)
        yield from self._untold([each for each in tested if each not in told])
        yield from self._untested([each for each in self.evidence.comparisons if each not in tested])

    def _rank(self, comparison: Comparison) -> tuple[int, bool, float]:
        """Put first what tells the most: one setting changed, then a verdict, then a large difference."""
        decided = verdict(comparison) in ("less", "more")
        return len(self._changed(comparison)), not decided, -abs(comparison.paired.mean)

    def _changed(self, comparison: Comparison) -> tuple[int, ...]:
        """Give the axes in which a level differs from the reference, by their positions."""
        pairs = enumerate(zip(self._levels(comparison), self.reference, strict=True))
        return tuple(place for place, (level, other) in pairs if level != other)

    def _levels(self, comparison: Comparison) -> tuple[Level, ...]:
        return self.evidence.levels[comparison.level]

    def _named(self, levels: Sequence[Level]) -> str:
        return settings_text(self.evidence.axes, levels)

    def _settings(self, places: Sequence[int], levels: Sequence[Level]) -> str:
        return settings_text([self.evidence.axes[i] for i in places], [levels[i] for i in places])

    def _than_reference(self, comparison: Comparison) -> str:
        """Name the reference beside a level that has been named: only what differs from it."""
        if len(self.reference) == 1:
            return level_text(self.reference[0])
        return self._settings(self._changed(comparison), self.reference)

    def _amount(self, value: float) -> str:
        return number(value, self.evidence.metric.decimals)

    def _ends(self, low: float, high: float) -> str:
        return f"{self._amount(low)} to {self._amount(high)}"

    def _how_much(self, comparison: Comparison) -> str:
        """Say `networks err 0.21 points less than with 3`, or the like of another metric."""
        mean = comparison.paired.mean
        amount = f"{self._amount(abs(mean))}{self.evidence.metric.unit} {'less' if mean < 0 else 'more'}"
        verb = "networks err" if self.evidence.metric is ERROR else f"the {self.evidence.metric.name} is"
        return f"{verb} {amount} than with {self._than_reference(comparison)}"

    def _decided(self, comparison: Comparison) -> str:
        paired = comparison.paired
        low, high = sorted((abs(paired.low), abs(paired.high)))  # a verdict's interval lies on one side of 0
        return (
            f"With {self._named(self._levels(comparison))}, {self._how_much(comparison)} (95 % interval "
            f"{self._ends(low, high)}, {paired.n} seeds, paired t, Holm {_p(comparison.holm_p)})."
        )

    def _undecided(self, group: Sequence[Comparison]) -> Iterator[str]:
        """Write one sentence for all levels that change the same settings, if they are more than a few."""
        alike: dict[tuple[int, ...], list[Comparison]] = {}
        for each in group:
            alike.setdefault(self._changed(each), []).append(each)
        for changed, members in alike.items():
            if len(members) <= FEW_UNDECIDED:
                yield from (self._no_difference(changed, [each]) for each in members)
            else:
                yield self._no_difference(changed, members)

    def _no_difference(self, changed: Sequence[int], group: Sequence[Comparison]) -> str:
        metric = self.evidence.metric
        means = [each.paired.mean for each in group]
        low, high = min(each.paired.low for each in group), max(each.paired.high for each in group)
        if len(group) == 1:
            interval = f"95 % interval {self._ends(low, high)}, Holm {_p(group[0].holm_p)}"
        else:
            interval = f"95 % intervals within {self._ends(low, high)}"
        seeds = _range([each.paired.n for each in group], str)
        sentence = (
            f"no difference in {metric.name} that {seeds} seeds can show between "
            f"{self._pairs(changed, group)} ({_range(means, self._amount)}{metric.unit}, {interval}; "
            f"{self._power(group)})."
        )
        kept = [place for place in range(len(self.reference)) if place not in changed]
        if not kept or len(changed) > 1:
            return sentence[0].upper() + sentence[1:]
        return f"With {self._settings(kept, self.reference)}, {sentence}"

    def _pairs(self, changed: Sequence[int], group: Sequence[Comparison]) -> str:
        """Write which levels are compared: `neurons = 64 or 256 and 128`."""
        if len(changed) > 1:
            levels = "; ".join(self._named(self._levels(each)) for each in group)
            return f"{self._named(self.reference)} and {levels}"
        (place,) = changed
        levels = [level_text(self._levels(each)[place]) for each in group]
        title = self.evidence.axes[place].title
        return f"{title} = {listed(levels, 'or')} and {level_text(self.reference[place])}"

    def _power(self, group: Sequence[Comparison]) -> str:
        """Say what the seeds would have seen, and how many would see what one wants to."""
        from digitlab.results.statistics import MOST_SEEDS

        seen = _range([each.detectable for each in group], self._amount)
        text = f"they would have seen {seen}{self.evidence.metric.unit} four times in five"
        counts = [(each.seeds_needed or 0, each.paired.n) for each in group]
        needed = [count for count, n in counts if count > n]
        if not needed:
            return text
        wanted = f"{self.evidence.metric.difference:g}{self.evidence.metric.unit}"
        if min(needed) >= MOST_SEEDS:
            return f"{text}; it takes {MOST_SEEDS} seeds or more to see {wanted}"
        most = "or more " if max(needed) >= MOST_SEEDS else ""
        return f"{text}; about {_range(needed, str)} seeds {most}would see {wanted}"

    def _without_spread(self, comparison: Comparison) -> str:
        paired = comparison.paired
        named, metric = self._named(self._levels(comparison)), self.evidence.metric
        if paired.mean:
            what = self._how_much(comparison)
        else:
            what = f"the {metric.name} is the same as with {self._than_reference(comparison)}"
        return (
            f"With {named}, {what}, with each of {paired.n} seeds alike: without a spread there is no test."
        )

    def _untold(self, rest: Sequence[Comparison]) -> Iterator[str]:
        if not rest:
            return
        count = Counter(map(verdict, rest))
        words = {
            "less": "with {} the {} is lower",
            "more": "with {} the {} is higher",
            "undecided": "{} are undecided",
            "no spread": "{} have no spread to test by",
        }
        name = self.evidence.metric.name
        found = listed([text.format(count[word], name) for word, text in words.items() if count[word]])
        yield (
            f"{len(rest)} more levels were tested against {self._named(self.reference)}: {found}; "
            "the table has them all."
        )

    def _untested(self, group: Sequence[Comparison]) -> Iterator[str]:
        if not group:
            return
        name = self.evidence.metric.name
        if len(group) == len(self.evidence.comparisons):
            yield f"Nothing is tested in {name}: it takes two seeds that two levels share."
            return
        levels = "; ".join(self._named(self._levels(each)) for each in group)
        if len(self.reference) == 1:
            named = listed([level_text(self._levels(each)[0]) for each in group])
            levels = f"{self.evidence.axes[0].title} = {named}"
        yield f"Not tested in {name}: {levels}; it takes two seeds that both levels have."

    def _interaction(self) -> Iterator[str]:
        found = self.evidence.interaction
        if found is None or math.isnan(found.paired.p):
            return
        first, second = self.evidence.axes
        begin, end = level_text(first.values[0]), level_text(first.values[-1])
        at, and_at = level_text(second.values[0]), level_text(second.values[-1])
        low, high = map(number, found.changes)
        what = (
            f"from {first.title} = {begin} to {end} the error changes by {low} points at {second.title} = "
            f"{at} and by {high} points at {and_at}, {number(abs(found.paired.mean))} points apart "
            f"({_corner_test(found.paired)})"
        )
        if found.paired.p < ALPHA:
            yield f"The axes interact: {what}."
        else:
            yield f"No interaction that {found.paired.n} seeds can show: {what}."


def _corner_test(paired: PairedDifference) -> str:
    low, high = paired.low, paired.high
    if paired.p < ALPHA:
        low, high = sorted((abs(low), abs(high)))
    return f"95 % interval {number(low)} to {number(high)}, {paired.n} seeds, paired t, {_p(paired.p)}"


def _range(values: Sequence[float], write: Callable[..., str]) -> str:
    low, high = write(min(values)), write(max(values))
    return low if low == high else f"{low} to {high}"


def _p(value: float) -> str:
    text = probability(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"

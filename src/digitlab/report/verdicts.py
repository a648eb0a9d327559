"""Sentences on the comparisons of a study, generated from its numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from digitlab.report.evidence import ALPHA, Evidence, evidence_of
from digitlab.report.material import Material
from digitlab.report.text import listed, number
from digitlab.report.wording import Wording, p_text, span
from digitlab.results.aggregate import StudyTable
from digitlab.results.record import Result
from digitlab.spec.study import level_text

if TYPE_CHECKING:
    from digitlab.results.statistics import Comparison, PairedDifference

MOST_SENTENCES = 8
"""Maximum number of levels of a study that get a sentence; the table has them all."""

FEW_UNDECIDED = 2
"""Maximum number of levels without a verdict that get a sentence each; more share one."""


def verdicts(table: StudyTable, results: Mapping[str, Result] | None = None) -> tuple[str, ...]:
    """Return the verdicts on each level of a study against its reference level, as sentences.

    Args:
        table: the study's results, one row per level.
        results: results of the trials that are done, by trial id; without them only the error is compared.

    Returns:
        At most `MOST_SENTENCES` and a few for each metric; none if there is only one level.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    found = evidence_of(Material(table, results or {}))
    return tuple(sentence for evidence in found for sentence in sentences(evidence))


def sentences(evidence: Evidence) -> tuple[str, ...]:
    """Return the findings of a study's comparisons as sentences.

    Args:
        evidence: comparisons of the study by one metric.
    """
    return tuple(_Judge(evidence).sentences())


class _Judge:
    """Writes the sentences of one study."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.words = Wording(evidence)

    def sentences(self) -> Iterator[str]:
        yield from self._interaction()
        if self.evidence.is_unstable(self.evidence.reference):
            yield self._unstable_reference()
            return
        tested = [each for each in self.evidence.comparisons if self._kind(each) != "not tested"]
        told = sorted(sorted(tested, key=self._rank)[:MOST_SENTENCES], key=lambda each: each.level)
        groups: dict[str, list[Comparison]] = {}
        for each in told:
            kind = self._kind(each)
            groups.setdefault("decided" if kind in ("less", "more") else kind, []).append(each)
        yield from map(self._decided, groups.get("decided", []))
        yield from map(self._unstable, groups.get("unstable", []))
        yield from map(self._by_its_own_interval, groups.get("alone", []))
        yield from self._undecided(groups.get("too few", []), self._cannot_decide)
        yield from self._undecided(groups.get("undecided", []), self._no_difference)
        yield from map(self._without_spread, groups.get("no spread", []))
        yield from self._wide([each for each in tested if each.wide])
        yield from self._untold([each for each in tested if each not in told])
        yield from self._untested([each for each in self.evidence.comparisons if each not in tested])

    def _kind(self, comparison: Comparison) -> str:
        """Return the verdict; an undecided level is `alone` if its own interval excludes 0, or `too few`."""
        found = self.evidence.verdict(comparison)
        if found != "undecided":
            return found
        if comparison.paired.p < ALPHA:
            return "alone"
        return "too few" if comparison.too_few else found

    def _rank(self, comparison: Comparison) -> tuple[int, bool, float]:
        """Return a sort key: fewest settings changed first, then a verdict, then a large difference."""
        telling = self._kind(comparison) in ("less", "more", "unstable", "alone")
        return len(self.words.changed(comparison)), not telling, -abs(comparison.paired.mean)

    def _decided(self, comparison: Comparison) -> str:
        words, paired = self.words, comparison.paired
        return (
            f"With {words.level(comparison)}, {words.how_much(comparison)} {words.here} (95 % interval "
            f"{words.ends_of_one_side(paired.low, paired.high)}, {paired.n} seeds, paired t, Holm "
            f"{p_text(comparison.holm_p)}){words.on_new_digits(comparison)}."
        )

    def _unstable(self, comparison: Comparison) -> str:
        failed, total = self.evidence.trials[comparison.level]
        sentence = (
            f"With {self.words.level(comparison)}, {failed} of {total} seeds failed: unstable, and called "
            f"neither better nor worse than {self.words.than_reference(comparison)}"
        )
        if not comparison.paired.n:
            return f"{sentence}."
        return f"{sentence} (the remaining seeds: {self.words.by(comparison.paired.mean)})."

    def _unstable_reference(self) -> str:
        failed, total = self.evidence.trials[self.evidence.reference]
        return (
            f"With {self.words.all_of_reference()}, the reference, {failed} of {total} seeds failed: "
            f"unstable, so that no level is called better or worse than it in {self.evidence.metric.name}."
        )

    def _by_its_own_interval(self, comparison: Comparison) -> str:
        """Describe a level that would differ from the reference if it were tested alone."""
        words, paired = self.words, comparison.paired
        own = f"95 % {words.ends_of_one_side(paired.low, paired.high)}, {paired.n} seeds, paired t"
        return (
            f"With {words.level(comparison)}, {words.how_much(comparison)} {words.here} by its own interval "
            f"({own}, {p_text(paired.p)}), which is undecided as one of {self.evidence.tests} levels tested "
            f"(Holm {p_text(comparison.holm_p)}{words.seeds_needed([comparison])})."
        )

    def _undecided(
        self, group: Sequence[Comparison], write: Callable[[Sequence[int], Sequence[Comparison]], str]
    ) -> Iterator[str]:
        """Yield one sentence for all levels that change the same settings, if more than `FEW_UNDECIDED`."""
        alike: dict[tuple[int, ...], list[Comparison]] = {}
        for each in group:
            alike.setdefault(self.words.changed(each), []).append(each)
        for changed, members in alike.items():
            if len(members) <= FEW_UNDECIDED:
                yield from (write(changed, [each]) for each in members)
            else:
                yield write(changed, members)

    def _no_difference(self, changed: Sequence[int], group: Sequence[Comparison]) -> str:
        seen = span([each.detectable for each in group], self.words.amount)
        return self._pooled(
            changed,
            group,
            f"can show no difference in {self.evidence.metric.name}",
            f"they detect {seen}{self.evidence.metric.unit} with power 80 %, if the spread is at its upper "
            "limit",
        )

    def _cannot_decide(self, changed: Sequence[int], group: Sequence[Comparison]) -> str:
        return self._pooled(
            changed,
            group,
            f"cannot decide about the {self.evidence.metric.name}",
            f"they could miss even a level that makes no {self.evidence.metric.name}",
        )

    def _pooled(self, changed: Sequence[int], group: Sequence[Comparison], found: str, seen: str) -> str:
        """Describe levels that were each tested against the reference, but not against one another."""
        words = self.words
        low, high = min(each.paired.low for each in group), max(each.paired.high for each in group)
        if len(group) == 1:
            interval = f"95 % interval {words.ends(low, high)}, Holm {p_text(group[0].holm_p)}"
        else:
            interval = f"each against it alone, 95 % intervals within {words.ends(low, high)}"
        kept, reference, levels = words.against(changed, group)
        begin = f"With {kept}, against" if kept else "Against"
        means = span([each.paired.mean for each in group], words.amount)
        seeds = span([each.paired.n for each in group], str)
        return (
            f"{begin} {reference}, {seeds} seeds {found} with {levels} {words.here} "
            f"({means}{self.evidence.metric.unit}, {interval}; {seen}{words.seeds_needed(group)})."
        )

    def _without_spread(self, comparison: Comparison) -> str:
        words, paired = self.words, comparison.paired
        if paired.mean:
            what = words.how_much(comparison)
        else:
            name = self.evidence.metric.name
            what = f"the {name} is the same as with {words.than_reference(comparison)}"
        return (
            f"With {words.level(comparison)}, {what} {words.here}, with each of {paired.n} seeds alike: "
            "no test without a spread."
        )

    def _wide(self, group: Sequence[Comparison]) -> Iterator[str]:
        """Warn of very different spreads: trainings that collapse now and then inflate false positives."""
        words = self.words
        wider = [each for each in group if each.spreads.level > each.spreads.reference]
        for each in wider:
            yield (
                f"With {words.level(each)}, the seeds spread {words.times_the_spread(each)} as far as with "
                f"{words.than_reference(each)}: some of its trainings may have gone wrong, and its test "
                "may have too many false positives."
            )
        narrower = [each for each in group if each not in wider]
        if narrower:
            most = max(narrower, key=lambda each: each.spreads.reference / each.spreads.level)
            yield (
                f"With {words.all_of_reference()}, the reference, the seeds spread up to "
                f"{words.times_the_spread(most)} as far as with {listed([*map(words.level, narrower)])}: "
                "some of its trainings may have gone wrong, and tests against it may have too many "
                "false positives."
            )

    def _untold(self, rest: Sequence[Comparison]) -> Iterator[str]:
        if not rest:
            return
        count = Counter(map(self.evidence.verdict, rest))
        words = {
            "less": "with {} the {} is lower",
            "more": "with {} the {} is higher",
            "undecided": "{} are undecided",
            "unstable": "{} are unstable",
            "no spread": "{} have no spread",
        }
        name = self.evidence.metric.name
        found = listed([text.format(count[word], name) for word, text in words.items() if count[word]])
        yield (
            f"{len(rest)} more levels were tested against {self.words.all_of_reference()} {self.words.here}: "
            f"{found}; the table has them all."
        )

    def _untested(self, group: Sequence[Comparison]) -> Iterator[str]:
        if not group:
            return
        name = self.evidence.metric.name
        if len(group) == len(self.evidence.comparisons):
            yield f"Nothing is tested in {name}: a test needs two seeds that two levels share."
            return
        levels = "; ".join(map(self.words.level, group))
        if len(self.evidence.axes) == 1:
            named = listed([level_text(self.evidence.levels[each.level][0]) for each in group])
            levels = f"{self.evidence.axes[0].title} = {named}"
        yield f"Not tested in {name}: {levels}; a test needs two seeds that both levels have."

    def _interaction(self) -> Iterator[str]:
        found = self.evidence.interaction
        if found is not None and found.unstable:
            yield "The interaction of the axes is not tested: seeds failed at their ends."
            return
        if found is None or math.isnan(found.paired.p):
            return
        first, second = self.evidence.axes
        begin, end = level_text(first.values[0]), level_text(first.values[-1])
        at, and_at = level_text(second.values[0]), level_text(second.values[-1])
        low, high = map(number, found.changes)
        what = (
            f"from {first.title} = {begin} to {end} the error changes by {low} points at "
            f"{second.title} = {at} and by {high} points at {and_at}, {number(abs(found.paired.mean))} "
            f"points apart {self.words.here} ({_corner_test(found.paired)})"
        )
        if found.paired.p < ALPHA:
            yield f"The axes interact: {what}."
        elif found.too_few:
            yield f"{found.paired.n} seeds cannot decide whether the axes interact: {what}."
        else:
            yield f"No interaction that {found.paired.n} seeds can show: {what}."


def _corner_test(paired: PairedDifference) -> str:
    low, high = paired.low, paired.high
    if paired.p < ALPHA:
        low, high = sorted((abs(low), abs(high)))
    return f"95 % interval {number(low)} to {number(high)}, {paired.n} seeds, paired t, {p_text(paired.p)}"

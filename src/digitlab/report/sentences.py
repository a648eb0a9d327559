"""Sentences on the comparisons of a study, generated from its numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from digitlab.report.comparisons import ALPHA, LevelComparisons, compare_levels
from digitlab.report.study_data import StudyData
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


def study_sentences(table: StudyTable, results: Mapping[str, Result] | None = None) -> tuple[str, ...]:
    """Return the verdicts on each level of a study against its reference level, as sentences.

    Args:
        table: the study's results, one row per level.
        results: results of the trials that are done, by trial id; without them only the error is compared.

    Returns:
        At most `MOST_SENTENCES` and a few for each metric; none if there is only one level.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    sentences: list[str] = []
    for comparisons in compare_levels(StudyData(table, results or {})):
        sentences += comparison_sentences(comparisons)
    return tuple(sentences)


def comparison_sentences(comparisons: LevelComparisons) -> tuple[str, ...]:
    """Return the findings of a study's comparisons as sentences.

    Args:
        comparisons: comparisons of the study by one metric.
    """
    return tuple(_SentenceWriter(comparisons).sentences())


class _SentenceWriter:
    """Writes the sentences on a study by one metric."""

    def __init__(self, comparisons: LevelComparisons) -> None:
        self.comparisons = comparisons
        self.metric = comparisons.metric
        self.words = Wording(comparisons)

    def sentences(self) -> Iterator[str]:
        yield from self._interaction()
        if self.comparisons.is_unstable(self.comparisons.reference):
            # Every comparison is with the reference, so that none means anything.
            yield self._unstable_reference()
            return
        tested: list[Comparison] = []
        untested: list[Comparison] = []
        for comparison in self.comparisons.by_level:
            if self._kind(comparison) == "not tested":
                untested.append(comparison)
            else:
                tested.append(comparison)
        described = self._most_telling(tested)
        groups: dict[str, list[Comparison]] = {}
        for comparison in described:
            groups.setdefault(self._kind(comparison), []).append(comparison)
        for comparison in described:  # lower and higher ones together, in the order of the levels
            if self._kind(comparison) in ("less", "more"):
                yield self._decided(comparison)
        yield from map(self._unstable, groups.get("unstable", []))
        yield from map(self._by_its_own_interval, groups.get("alone", []))
        yield from self._undecided(groups.get("too few", []), self._cannot_decide)
        yield from self._undecided(groups.get("undecided", []), self._no_difference)
        yield from map(self._without_spread, groups.get("no spread", []))
        yield from self._wide([comparison for comparison in tested if comparison.wide])
        yield from self._only_in_the_table([item for item in tested if item not in described])
        yield from self._untested(untested)

    def _most_telling(self, tested: Sequence[Comparison]) -> list[Comparison]:
        """Select the comparisons that get a sentence, in the order of the levels."""
        ranked = sorted(tested, key=self._rank)
        return sorted(ranked[:MOST_SENTENCES], key=lambda comparison: comparison.level)

    def _kind(self, comparison: Comparison) -> str:
        """Return the verdict; an undecided level is `alone` if its own interval excludes 0, or `too few`."""
        verdict = self.comparisons.verdict(comparison)
        if verdict != "undecided":
            return verdict
        if comparison.paired.p < ALPHA:
            return "alone"
        return "too few" if comparison.too_few else verdict

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
        failed, total = self.comparisons.trials[comparison.level]
        sentence = (
            f"With {self.words.level(comparison)}, {failed} of {total} seeds failed: unstable, and called "
            f"neither better nor worse than {self.words.than_reference(comparison)}"
        )
        if not comparison.paired.n:
            return f"{sentence}."
        return f"{sentence} (the remaining seeds: {self.words.by(comparison.paired.mean)})."

    def _unstable_reference(self) -> str:
        failed, total = self.comparisons.trials[self.comparisons.reference]
        return (
            f"With {self.words.all_of_reference()}, the reference, {failed} of {total} seeds failed: "
            f"unstable, so that no level is called better or worse than it in {self.metric.name}."
        )

    def _by_its_own_interval(self, comparison: Comparison) -> str:
        """Describe a level that would differ from the reference if it were tested alone."""
        words, paired = self.words, comparison.paired
        own = f"95 % {words.ends_of_one_side(paired.low, paired.high)}, {paired.n} seeds, paired t"
        return (
            f"With {words.level(comparison)}, {words.how_much(comparison)} {words.here} by its own interval "
            f"({own}, {p_text(paired.p)}), which is undecided as one of {self.comparisons.tests} levels "
            f"tested (Holm {p_text(comparison.holm_p)}{words.seeds_needed([comparison])})."
        )

    def _undecided(
        self, group: Sequence[Comparison], write: Callable[[Sequence[int], Sequence[Comparison]], str]
    ) -> Iterator[str]:
        """Yield one sentence for all levels that change the same settings, if more than `FEW_UNDECIDED`."""
        by_settings: dict[tuple[int, ...], list[Comparison]] = {}
        for comparison in group:
            by_settings.setdefault(self.words.changed(comparison), []).append(comparison)
        for changed, members in by_settings.items():
            if len(members) > FEW_UNDECIDED:
                yield write(changed, members)
                continue
            for comparison in members:
                yield write(changed, [comparison])

    def _no_difference(self, changed: Sequence[int], group: Sequence[Comparison]) -> str:
        detectable = span([comparison.detectable for comparison in group], self.words.amount)
        return self._pooled(
            changed,
            group,
            f"can show no difference in {self.metric.name}",
            f"they detect {detectable}{self.metric.unit} with power 80 %, if the spread is at its upper "
            "limit",
        )

    def _cannot_decide(self, changed: Sequence[int], group: Sequence[Comparison]) -> str:
        return self._pooled(
            changed,
            group,
            f"cannot decide about the {self.metric.name}",
            f"they could miss even a level that makes no {self.metric.name}",
        )

    def _pooled(self, changed: Sequence[int], group: Sequence[Comparison], finding: str, power: str) -> str:
        """Describe levels that were each tested against the reference, but not against one another."""
        words = self.words
        low = min(comparison.paired.low for comparison in group)
        high = max(comparison.paired.high for comparison in group)
        if len(group) == 1:
            interval = f"95 % interval {words.ends(low, high)}, Holm {p_text(group[0].holm_p)}"
        else:
            interval = f"each against it alone, 95 % intervals within {words.ends(low, high)}"
        kept, reference, levels = words.against(changed, group)
        begin = f"With {kept}, against" if kept else "Against"
        means = span([comparison.paired.mean for comparison in group], words.amount)
        seeds = span([comparison.paired.n for comparison in group], str)
        return (
            f"{begin} {reference}, {seeds} seeds {finding} with {levels} {words.here} "
            f"({means}{self.metric.unit}, {interval}; {power}{words.seeds_needed(group)})."
        )

    def _without_spread(self, comparison: Comparison) -> str:
        words, paired = self.words, comparison.paired
        if paired.mean:
            what = words.how_much(comparison)
        else:
            what = f"the {self.metric.name} is the same as with {words.than_reference(comparison)}"
        return (
            f"With {words.level(comparison)}, {what} {words.here}, with each of {paired.n} seeds alike: "
            "no test without a spread."
        )

    def _wide(self, group: Sequence[Comparison]) -> Iterator[str]:
        """Warn of very different spreads: trainings that collapse now and then inflate false positives."""
        words = self.words
        narrower: list[Comparison] = []
        for comparison in group:
            if comparison.spreads.level <= comparison.spreads.reference:
                narrower.append(comparison)
                continue
            yield (
                f"With {words.level(comparison)}, the seeds spread {words.times_the_spread(comparison)} as "
                f"far as with {words.than_reference(comparison)}: some of its trainings may have gone "
                "wrong, and its test may have too many false positives."
            )
        if not narrower:
            return
        # Of these the reference is the wide one: one sentence, with the largest ratio, names them all.
        narrowest = max(narrower, key=lambda item: item.spreads.reference / item.spreads.level)
        levels = listed([words.level(comparison) for comparison in narrower])
        yield (
            f"With {words.all_of_reference()}, the reference, the seeds spread up to "
            f"{words.times_the_spread(narrowest)} as far as with {levels}: some of its trainings may have "
            "gone wrong, and tests against it may have too many false positives."
        )

    def _only_in_the_table(self, rest: Sequence[Comparison]) -> Iterator[str]:
        """Count the verdicts on the levels that are too many for a sentence each."""
        if not rest:
            return
        counts = Counter(map(self.comparisons.verdict, rest))
        name = self.metric.name
        endings = {
            "less": f"with {counts['less']} the {name} is lower",
            "more": f"with {counts['more']} the {name} is higher",
            "undecided": f"{counts['undecided']} are undecided",
            "unstable": f"{counts['unstable']} are unstable",
            "no spread": f"{counts['no spread']} have no spread",
        }
        verdicts = listed([text for verdict, text in endings.items() if counts[verdict]])
        yield (
            f"{len(rest)} more levels were tested against {self.words.all_of_reference()} {self.words.here}: "
            f"{verdicts}; the table has them all."
        )

    def _untested(self, group: Sequence[Comparison]) -> Iterator[str]:
        if not group:
            return
        name = self.metric.name
        if len(group) == len(self.comparisons.by_level):
            yield f"Nothing is tested in {name}: a test needs two seeds that two levels share."
            return
        axes = self.comparisons.axes
        if len(axes) == 1:  # the title once, before the values of its axis
            values = [self.comparisons.levels[comparison.level][0] for comparison in group]
            levels = f"{axes[0].title} = {listed([level_text(value) for value in values])}"
        else:
            levels = "; ".join(map(self.words.level, group))
        yield f"Not tested in {name}: {levels}; a test needs two seeds that both levels have."

    def _interaction(self) -> Iterator[str]:
        interaction = self.comparisons.interaction
        if interaction is None:
            return
        if interaction.unstable:
            yield "The interaction of the axes is not tested: seeds failed at their ends."
            return
        paired = interaction.paired
        if math.isnan(paired.p):
            return
        first, second = self.comparisons.axes
        begin, end = level_text(first.values[0]), level_text(first.values[-1])
        at, and_at = level_text(second.values[0]), level_text(second.values[-1])
        low, high = map(number, interaction.changes)
        what = (
            f"from {first.title} = {begin} to {end} the error changes by {low} points at "
            f"{second.title} = {at} and by {high} points at {and_at}, {number(abs(paired.mean))} "
            f"points apart {self.words.here} ({_corner_test(paired)})"
        )
        if paired.p < ALPHA:
            yield f"The axes interact: {what}."
        elif interaction.too_few:
            yield f"{paired.n} seeds cannot decide whether the axes interact: {what}."
        else:
            yield f"No interaction that {paired.n} seeds can show: {what}."


def _corner_test(paired: PairedDifference) -> str:
    low, high = paired.low, paired.high
    if paired.p < ALPHA:  # all on one side of 0, and without a sign, as the distance is written
        low, high = sorted((abs(low), abs(high)))
    return f"95 % interval {number(low)} to {number(high)}, {paired.n} seeds, paired t, {p_text(paired.p)}"

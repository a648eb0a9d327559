"""Summary of trainings: accuracy with its interval, time, and time to a target accuracy."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from training_cases import TrainingCase

from digitlab.results.aggregate import t_interval

TARGETS = (0.990, 0.994, 0.995)
TEST_IMAGES = 10_000


class Schedule(NamedTuple):
    """Results of a schedule of fixed length, over the seeds.

    Attributes:
        epochs: number of epochs, their median.
        n: number of networks.
        mean: mean of their accuracy on the test set, 0..1.
        sd: standard deviation of their accuracy, ddof = 1 (nan for one network).
        low: lower end of the 95 % t interval of the mean (nan for one network, or where all are equal).
        high: upper end of that interval.
        seconds: median of the training time, in seconds.
    """

    epochs: int
    n: int
    mean: float
    sd: float
    low: float
    high: float
    seconds: float

    @property
    def ends(self) -> tuple[float, float]:
        """Ends of the interval of the mean; without a t interval, the noise of one network's accuracy."""
        if math.isnan(self.low):
            return self.mean - noise(self.mean), self.mean + noise(self.mean)
        return self.low, self.high


class Summary(NamedTuple):
    """Summary of a case's runs.

    Attributes:
        name: name of the case.
        ours: whether it is a recipe of digitlab.
        schedules: schedules from the shortest to the full one.
        import_seconds: median import time over the seeds, in seconds.
        compile_seconds: median compile time over the seeds, in seconds.
        whole_seconds: median of import, compile and training time together, in seconds.
        published: published accuracy of its full schedule, 0..1 (None: it is a recipe of digitlab).
        source: source of the published accuracy.
        counts: whether it is a recipe of digitlab, or reaches its published accuracy within noise.
        versions: versions of its libraries, where it is not a recipe of digitlab.
    """

    name: str
    ours: bool
    schedules: tuple[Schedule, ...]
    import_seconds: float
    compile_seconds: float
    whole_seconds: float
    published: float | None
    source: str
    counts: bool
    versions: Mapping[str, str]

    @property
    def full(self) -> Schedule:
        """The full schedule: as it is published, or the recipe's."""
        return self.schedules[-1]


def summarize(case: TrainingCase, runs: Sequence[dict[str, Any]]) -> Summary:
    """Summarize the runs of a case.

    Args:
        case: program that trained.
        runs: runs from the log, at least one.
    """
    imports = [run["import_seconds"] for run in runs]
    compiles = [run["compile_seconds"] for run in runs]
    trainings = [run["epochs"][-1]["seconds"] for run in runs]
    wholes = [sum(parts) for parts in zip(imports, compiles, trainings, strict=True)]
    # Each entry of `epochs` is a schedule of its own, which every run has.
    by_schedule = zip(*(run["epochs"] for run in runs), strict=True)
    schedules = tuple(_schedule(ends) for ends in by_schedule)
    published = case.published
    return Summary(
        name=case.name,
        ours=case.ours,
        schedules=schedules,
        import_seconds=statistics.median(imports),
        compile_seconds=statistics.median(compiles),
        whole_seconds=statistics.median(wholes),
        published=published,
        source=case.source,
        counts=published is None or schedules[-1].mean >= published - noise(published),
        versions=runs[-1]["versions"],
    )


def _schedule(ends: Sequence[dict[str, Any]]) -> Schedule:
    """Summarize one schedule over the seeds; scikit-learn's may end after a few epochs more or less."""
    accuracies = [end["accuracy"] for end in ends]
    estimate = t_interval(accuracies, limits=(0.0, 1.0))
    return Schedule(
        epochs=round(statistics.median(end["epoch"] for end in ends)),
        n=len(ends),
        mean=statistics.mean(accuracies),
        sd=estimate.sd,
        low=estimate.low,
        high=estimate.high,
        seconds=statistics.median(end["seconds"] for end in ends),
    )


def noise(accuracy: float, images: int = TEST_IMAGES) -> float:
    """Return the half width of the 95 % interval of one network's accuracy.

    Args:
        accuracy: measured accuracy, 0..1.
        images: number of images that it was measured on.

    Source:
        The normal approximation of the binomial distribution.
    """
    return 1.96 * math.sqrt(accuracy * (1 - accuracy) / images)


class TimeToTarget(NamedTuple):
    """Schedules with which a case reaches a target.

    They are None where no schedule reaches it, or where the case is a peer that does not count.

    Attributes:
        schedule: quickest schedule whose mean reaches the target.
        ratio: seconds of `schedule`, divided by those of digitlab's quickest schedule whose mean reaches the
            target (nan: either is missing).
        earliest: quickest schedule whose interval reaches the target, wherever its mean is.
        confident: quickest schedule whose whole interval is above the target.
        ratios: seconds of `earliest` and of `confident`, each divided as in `ratio`.
    """

    schedule: Schedule | None
    ratio: float
    earliest: Schedule | None
    confident: Schedule | None
    ratios: tuple[float, float]

    @property
    def undecided(self) -> bool:
        """Whether the intervals leave open if, or after how many epochs, the target is reached."""
        return self.earliest is not self.confident


def times_to_target(summaries: Sequence[Summary], target: float) -> list[TimeToTarget]:
    """Return when each case reaches a target.

    Args:
        summaries: summaries of all cases.
        target: mean accuracy to reach, 0..1.
    """
    means = [_quickest(summary, lambda schedule: schedule.mean >= target) for summary in summaries]
    earliest = [_quickest(summary, lambda schedule: schedule.ends[1] >= target) for summary in summaries]
    confident = [_quickest(summary, lambda schedule: schedule.ends[0] > target) for summary in summaries]
    ours = []
    for schedule, summary in zip(means, summaries, strict=True):
        if schedule and summary.ours:
            ours.append(schedule.seconds)
    best = min(ours, default=math.nan)

    def ratio(schedule: Schedule | None) -> float:
        return schedule.seconds / best if schedule else math.nan

    times = []
    for mean, first, last in zip(means, earliest, confident, strict=True):
        times.append(TimeToTarget(mean, ratio(mean), first, last, (ratio(first), ratio(last))))
    return times


def _quickest(summary: Summary, reaches: Callable[[Schedule], bool]) -> Schedule | None:
    if not summary.counts:
        return None
    reaching = filter(reaches, summary.schedules)
    return min(reaching, key=lambda schedule: schedule.seconds, default=None)


def median_ratio(values: Sequence[float], others: Sequence[float]) -> float:
    """Return the median over the rounds of the ratio within a round, between figures close in time.

    Args:
        values: numerator in each round.
        others: denominator in each round.
    """
    return statistics.median(value / other for value, other in zip(values, others, strict=True))

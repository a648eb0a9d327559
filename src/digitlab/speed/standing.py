"""What the runs of the board say: accuracy and time of each contestant, and time to a target."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from digitlab.results.aggregate import t_interval
from digitlab.speed.contestants import Contestant

TARGETS = (0.990, 0.994, 0.995)
TEST_IMAGES = 10_000


class Schedule(NamedTuple):
    """A schedule of fixed length, over the seeds.

    Attributes:
        epochs: of it.
        n: networks.
        mean: of their accuracy on the test set, 0..1.
        sd: likewise, ddof = 1 (nan of one network).
        low: lower end of the 95 % t interval of the mean (nan of one network, or where all are equal).
        high: upper end.
        seconds: of training, their median.
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
        """Where the mean may lie; without an interval, within the noise of one network on its images."""
        if math.isnan(self.low):
            return self.mean - noise(self.mean), self.mean + noise(self.mean)
        return self.low, self.high


class Standing(NamedTuple):
    """How a contestant stands.

    Attributes:
        name: of the contestant.
        ours: whether it is a recipe of digitlab.
        schedules: from the shortest to the full one.
        import_seconds: median over the seeds.
        compile_seconds: likewise.
        whole_seconds: likewise, of import, compile and training together.
        published: accuracy that its full schedule is published with, 0..1 (None: it is ours).
        source: where that is.
        counts: whether it is ours or reaches that within noise.
        versions: of its libraries, where they are not digitlab's.
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
        """The schedule as it is published, or the recipe's."""
        return self.schedules[-1]


def standing_of(contestant: Contestant, runs: Sequence[dict[str, Any]]) -> Standing:
    """Summarize the runs of a contestant.

    Args:
        contestant: who trained.
        runs: as the book keeps them, at least one.
    """
    parts = [(run["import_seconds"], run["compile_seconds"], run["epochs"][-1]["seconds"]) for run in runs]
    imports, compiles, _ = zip(*parts, strict=True)
    schedules = tuple(_schedule(each) for each in zip(*(run["epochs"] for run in runs), strict=True))
    published = contestant.published
    return Standing(
        name=contestant.name,
        ours=contestant.ours,
        schedules=schedules,
        import_seconds=statistics.median(imports),
        compile_seconds=statistics.median(compiles),
        whole_seconds=statistics.median(map(sum, parts)),
        published=published,
        source=contestant.source,
        counts=published is None or schedules[-1].mean >= published - noise(published),
        versions=runs[-1]["versions"],
    )


def _schedule(ends: Sequence[dict[str, Any]]) -> Schedule:
    """One schedule of every seed; scikit-learn's may end after a few epochs more or less."""
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
    """Give the half width of the 95 % interval of one network's accuracy on so many images.

    Args:
        accuracy: 0..1.
        images: that it was measured on.

    Source:
        The normal approximation of the binomial distribution.
    """
    return 1.96 * math.sqrt(accuracy * (1 - accuracy) / images)


class Reach(NamedTuple):
    """A contestant and a target.

    Attributes:
        schedule: the quickest whose mean reaches the target (None: none does, or the peer does not count).
        ratio: its seconds to those of ours that reaches the target first (nan: there is none).
        earliest: the quickest whose interval reaches the target, wherever its mean is (None likewise).
        surely: the quickest whose whole interval is above the target (None: of none is it).
        ratios: of the seconds of both to those of ours (nan: there is none).
    """

    schedule: Schedule | None
    ratio: float
    earliest: Schedule | None
    surely: Schedule | None
    ratios: tuple[float, float]

    @property
    def undecided(self) -> bool:
        """Whether it is open if, or after how many epochs, the target is reached."""
        return self.earliest is not self.surely


def reaches(standings: Sequence[Standing], target: float) -> list[Reach]:
    """Say when each contestant reaches a target.

    Args:
        standings: of all.
        target: mean accuracy, 0..1.
    """
    means = [_quickest(each, lambda schedule: schedule.mean >= target) for each in standings]
    earliest = [_quickest(each, lambda schedule: schedule.ends[1] >= target) for each in standings]
    surely = [_quickest(each, lambda schedule: schedule.ends[0] > target) for each in standings]
    ours = [
        schedule.seconds
        for schedule, standing in zip(means, standings, strict=True)
        if schedule and standing.ours
    ]
    best = min(ours, default=math.nan)

    def ratio(schedule: Schedule | None) -> float:
        return schedule.seconds / best if schedule else math.nan

    return [
        Reach(mean, ratio(mean), first, sure, (ratio(first), ratio(sure)))
        for mean, first, sure in zip(means, earliest, surely, strict=True)
    ]


def _quickest(standing: Standing, reaches_it: Callable[[Schedule], bool]) -> Schedule | None:
    if not standing.counts:
        return None
    reaching = filter(reaches_it, standing.schedules)
    return min(reaching, key=lambda schedule: schedule.seconds, default=None)

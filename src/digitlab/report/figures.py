"""What the figures of a study show, as numbers: nothing is drawn here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from digitlab.report.material import Material
from digitlab.report.metric import ERROR, Metric
from digitlab.report.text import is_numeric, levels_text, seeds_text
from digitlab.results.aggregate import Curve, Estimate, StudyTable, t_interval
from digitlab.results.record import EpochRecord, Result
from digitlab.spec.plan import Cell
from digitlab.spec.recipe import CLASSES
from digitlab.spec.study import Level

WIDE_RATIO = 8
"""Levels that span more than this factor stand on a logarithmic axis."""

Scale = Literal["linear", "log", "category"]


class Series(NamedTuple):
    """One line of a figure: a metric at each level of the first axis.

    Attributes:
        label: the levels of the other axes (empty: there is no other axis).
        test: on the test set, over seeds.
        validation: on the validation part, over seeds.
        singles: on the test set, one a seed, by level.
    """

    label: str
    test: tuple[Estimate, ...]
    validation: tuple[Estimate, ...]
    singles: tuple[tuple[float, ...], ...]


class ErrorByLevel(NamedTuple):
    """A metric against the levels of the first axis, one line for each combination of the other axes.

    Attributes:
        metric: what the errors are.
        axis: title of the first axis.
        levels: of the first axis, in the order of the study.
        scale: how the levels stand on their axis.
        others: titles of the other axes (empty: there is none).
        series: the lines.
    """

    metric: Metric
    axis: str
    levels: tuple[Level, ...]
    scale: Scale
    others: str
    series: tuple[Series, ...]

    @property
    def seeds(self) -> str:
        """How many seeds a level has: `n = 3`."""
        return seeds_text(estimate.n for series in self.series for estimate in series.test)


def error_by_level(material: Material, metric: Metric = ERROR) -> ErrorByLevel:
    """Give the errors of a study by level.

    Args:
        material: of the study.
        metric: what the errors are; those but `ERROR` need results.
    """
    first, *others = material.table.plan.study.axes
    lines: dict[tuple[Level, ...], list[int]] = {}
    # The first axis varies slowest, so every line comes in the order of its levels.
    for place, row in enumerate(material.table.rows):
        lines.setdefault(row.levels[1:], []).append(place)
    return ErrorByLevel(
        metric=metric,
        axis=first.title,
        levels=first.values,
        scale=_scale(first.values),
        others=" × ".join(axis.title for axis in others),
        series=tuple(_series(material, metric, levels, places) for levels, places in lines.items()),
    )


def _series(material: Material, metric: Metric, levels: tuple[Level, ...], places: Sequence[int]) -> Series:
    pairs = material.levels()
    singles = tuple(tuple(material.by_seed(*pairs[place], metric).values()) for place in places)
    histories = [material.table.curves[place].histories for place in places]
    return Series(
        label=levels_text(levels),
        test=tuple(t_interval(values, limits=metric.limits) for values in singles),
        validation=tuple(
            t_interval([metric.of_validation(history[-1]) for history in each], limits=metric.limits)
            for each in histories
        ),
        singles=singles,
    )


def _scale(levels: Sequence[Level]) -> Scale:
    if not is_numeric(levels):
        return "category"
    values = [float(level) for level in levels]
    return "log" if min(values) > 0 and max(values) > WIDE_RATIO * min(values) else "linear"


class Band(NamedTuple):
    """A metric by epoch over seeds.

    Attributes:
        mean: float [epochs].
        low: the smallest of the seeds, likewise.
        high: the largest.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


class LevelCurves(NamedTuple):
    """How the networks of one level learned.

    Attributes:
        label: the level.
        n: networks.
        epochs: counted from 1, int [epochs].
        training: on the training images, as each batch saw it before its step.
        validation: on the validation part after the epoch.
    """

    label: str
    n: int
    epochs: np.ndarray
    training: Band
    validation: Band


class LearningCurves(NamedTuple):
    """A metric by epoch, one line for each level that has a network.

    Attributes:
        metric: what the errors are.
        axes: titles of the axes.
        levels: the lines, in the order of the study.
    """

    metric: Metric
    axes: str
    levels: tuple[LevelCurves, ...]

    @property
    def seeds(self) -> str:
        """How many seeds a level has: `n = 3`."""
        return seeds_text(level.n for level in self.levels)


def learning_curves(table: StudyTable, metric: Metric = ERROR) -> LearningCurves:
    """Give the errors of a study by epoch; of levels that are read off one training, the longest.

    Args:
        table: the study's answer in figures.
        metric: what the errors are.
    """
    longest: dict[str, tuple[Cell, Curve]] = {}
    for cell, curve in zip(table.plan.cells, table.curves, strict=True):
        family = cell.trials[0].family
        known = longest.get(family)
        if curve.histories and (known is None or _extent(curve) > _extent(known[1])):
            longest[family] = cell, curve
    return LearningCurves(
        metric=metric,
        axes=" × ".join(axis.title for axis in table.plan.study.axes),
        levels=tuple(_level_curves(cell, curve, metric) for cell, curve in longest.values()),
    )


def _extent(curve: Curve) -> tuple[int, int]:
    return len(curve.histories), len(curve.histories[0])


def _level_curves(cell: Cell, curve: Curve, metric: Metric) -> LevelCurves:
    return LevelCurves(
        label=levels_text(cell.levels),
        n=len(curve.histories),
        epochs=np.array([record.epoch for record in curve.histories[0]]),
        training=_band(curve, metric.of_training),
        validation=_band(curve, metric.of_validation),
    )


def _band(curve: Curve, read: Callable[[EpochRecord], float]) -> Band:
    values = np.array([[read(record) for record in history] for history in curve.histories])
    return Band(values.mean(axis=0), values.min(axis=0), values.max(axis=0))


@dataclass(frozen=True)
class Misread:
    """A test image that networks misread.

    Attributes:
        index: of the image in the test set.
        truth: its published class, 0..9.
        wrong: networks that answered anything else.
        total: networks asked.
        usual: the most common wrong answer, the smaller digit of equally common ones.
        corrected: the digit by re-labelling, where the published class is known to be wrong.
    """

    index: int
    truth: int
    wrong: int
    total: int
    usual: int
    corrected: int | None = None


def most_misread(
    predictions: Sequence[np.ndarray],
    labels: np.ndarray,
    count: int = 24,
    corrections: Mapping[int, int] | None = None,
) -> tuple[Misread, ...]:
    """Find the test images that the most networks misread.

    Args:
        predictions: classes that each network gave, uint8 [n] in 0..9, one array a network.
        labels: published classes, uint8 [n] in 0..9.
        count: how many images at most.
        corrections: index of an image to its digit by re-labelling, where its label is known to be wrong.

    Returns:
        The most misread first; of equally misread ones that on whose wrong answer the most agree, then the
        one of the smaller index. Fewer than `count` where fewer were misread at all.

    Raises:
        ValueError: an array of predictions is not as long as the labels.
    """
    votes = np.zeros((len(labels), CLASSES), int)
    images = np.arange(len(labels))
    for classes in predictions:
        if classes.shape != labels.shape:
            raise ValueError(f"expected predictions of shape {labels.shape}, received {classes.shape}")
        votes[images, classes] += 1
    votes[images, labels] = 0
    wrong = votes.sum(axis=1)
    known = corrections or {}
    worst: list[int] = np.lexsort((-votes.max(axis=1), -wrong))[:count].tolist()
    return tuple(
        Misread(i, int(labels[i]), int(wrong[i]), len(predictions), int(votes[i].argmax()), known.get(i))
        for i in worst
        if wrong[i]
    )


class Kernels(NamedTuple):
    """What the first convolution of a network looks for.

    Attributes:
        label: the level.
        seed: of the network.
        epochs: that it has been trained for.
        asked: epochs of the level; fewer where it is read off a longer training, whose kernels these are.
        weights: float [filters, rows, columns].
    """

    label: str
    seed: int
    epochs: int
    asked: int
    weights: np.ndarray


def first_kernels(material: Material, trained: Iterable[Result] = ()) -> tuple[Kernels, ...]:
    """Give the kernels of the first network of each level, where they are kept.

    Args:
        material: of the study.
        trained: results of other studies; a longer training that a level is read off may be among them.
    """
    longer = {result.trial.family: result for result in trained if result.final_kernels}
    found = []
    for row, cell in material.levels():
        for own in material.results_of(row, cell)[:1]:
            result = own if own.final_kernels else longer.get(own.trial.family)
            if result is not None:
                epochs, asked = result.trial.training.epochs, own.trial.training.epochs
                weights = np.array(result.final_kernels)
                found.append(Kernels(levels_text(cell.levels), own.trial.seed, epochs, asked, weights))
    return tuple(found)

"""Numbers behind the figures of a study; `drawing` draws them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from digitlab.report.metric import ERROR, Metric
from digitlab.report.study_data import StudyData
from digitlab.report.text import is_numeric, seeds_text
from digitlab.results.aggregate import Curve, Estimate, StudyTable, t_interval
from digitlab.results.record import EpochRecord, Result
from digitlab.spec.plan import Cell
from digitlab.spec.study import Level, levels_text, single

WIDE_RATIO = 8
"""Levels that span more than this factor are placed on a logarithmic axis."""

Scale = Literal["linear", "log", "category"]


class Series(NamedTuple):
    """One line of a figure: a metric at each level of the first axis.

    Attributes:
        label: levels of the other axes (empty: there is no other axis).
        test: metric on the test set, over seeds, by level.
        validation: metric on the validation part, over seeds, by level.
        singles: metric on the test set, one value per seed, by level.
    """

    label: str
    test: tuple[Estimate, ...]
    validation: tuple[Estimate, ...]
    singles: tuple[tuple[float, ...], ...]


class ErrorByLevel(NamedTuple):
    """A metric by the levels of the first axis, one line for each combination of the other axes.

    Attributes:
        metric: metric that is shown.
        axis: title of the first axis.
        levels: levels of the first axis, in the order of the study.
        scale: scale of the horizontal axis.
        others: titles of the other axes (empty: there are none).
        series: lines of the figure.
    """

    metric: Metric
    axis: str
    levels: tuple[Level, ...]
    scale: Scale
    others: str
    series: tuple[Series, ...]

    @property
    def seeds(self) -> str:
        """Number of seeds per level, as text: `n = 3`."""
        return seeds_text(estimate.n for series in self.series for estimate in series.test)


def error_by_level(study_data: StudyData, metric: Metric = ERROR) -> ErrorByLevel:
    """Return the errors of a study by level.

    Args:
        study_data: the study's results, predictions and data.
        metric: metric of the errors; any other than `ERROR` needs the study_data's results.
    """
    first, *others = study_data.table.plan.study.axes
    lines: dict[tuple[Level, ...], list[int]] = {}
    # The first axis varies slowest, so every line has its levels in order.
    for i, row in enumerate(study_data.table.rows):
        lines.setdefault(row.levels[1:], []).append(i)
    return ErrorByLevel(
        metric=metric,
        axis=first.title,
        levels=first.values,
        scale=_scale(first.values),
        others=" × ".join(axis.title for axis in others),
        series=tuple(_series(study_data, metric, levels, rows) for levels, rows in lines.items()),
    )


def _series(study_data: StudyData, metric: Metric, others: tuple[Level, ...], rows: Sequence[int]) -> Series:
    """Return the line of some rows of the table, whose levels of the other axes are the same."""
    pairs = study_data.levels()
    singles = []
    validation = []
    for i in rows:
        row, cell = pairs[i]
        singles.append(tuple(study_data.by_seed(row, cell, metric).values()))
        finals = [metric.of_validation(record) for record in study_data.table.curves[i].finals]
        validation.append(t_interval(finals, limits=metric.limits))
    return Series(
        label=levels_text(others),
        test=tuple(t_interval(values, limits=metric.limits) for values in singles),
        validation=tuple(validation),
        singles=tuple(singles),
    )


def _scale(levels: Sequence[Level]) -> Scale:
    if not is_numeric(levels):
        return "category"
    values = [float(single(level)) for level in levels]
    low, high = min(values), max(values)
    if low > 0 and high > WIDE_RATIO * low:
        return "log"
    return "linear"


class Band(NamedTuple):
    """Mean and range over seeds of a metric, by epoch.

    Attributes:
        mean: mean of the seeds, float [epochs].
        low: smallest value of the seeds, float [epochs].
        high: largest value of the seeds, float [epochs].
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


class LevelCurves(NamedTuple):
    """Learning curves of the networks of one level.

    Attributes:
        label: text of the level.
        n: number of networks.
        epochs: epochs counted from 1, int [epochs].
        training: metric on the training images, computed on each batch before its update.
        validation: metric on the validation part after each epoch.
    """

    label: str
    n: int
    epochs: np.ndarray
    training: Band
    validation: Band


class LearningCurves(NamedTuple):
    """A metric by epoch, one line for each level that has a network.

    Attributes:
        metric: metric that is shown.
        axes: titles of the axes.
        levels: curves of the levels, in the order of the study.
    """

    metric: Metric
    axes: str
    levels: tuple[LevelCurves, ...]

    @property
    def seeds(self) -> str:
        """Number of seeds per level, as text: `n = 3`."""
        return seeds_text(level.n for level in self.levels)


def learning_curves(table: StudyTable, metric: Metric = ERROR) -> LearningCurves:
    """Return the errors of a study by epoch; of levels that share a training, only the longest.

    Args:
        table: the study's results, one row per level.
        metric: metric of the errors.
    """
    longest: dict[str, tuple[Cell, Curve]] = {}
    for cell, curve in zip(table.plan.cells, table.curves, strict=True):
        family = cell.trials[0].prefix_group
        known = longest.get(family)
        if curve.histories and (known is None or _extent(curve) > _extent(known[1])):
            longest[family] = cell, curve
    return LearningCurves(
        metric=metric,
        axes=" × ".join(axis.title for axis in table.plan.study.axes),
        levels=tuple(_level_curves(cell, curve, metric) for cell, curve in longest.values()),
    )


def _extent(curve: Curve) -> tuple[int, int]:
    """Return the numbers of seeds and epochs: more seeds count more than more epochs."""
    return len(curve.histories), len(curve.histories[0])


def _level_curves(cell: Cell, curve: Curve, metric: Metric) -> LevelCurves:
    # Patience may end the seeds of a level after different epochs: a band needs all of them.
    shortest = min(len(history) for history in curve.histories)
    histories = [history[:shortest] for history in curve.histories]
    return LevelCurves(
        label=cell.label,
        n=len(histories),
        epochs=np.array([record.epoch for record in histories[0]]),
        training=_band(histories, metric.of_training),
        validation=_band(histories, metric.of_validation),
    )


def _band(histories: Sequence[Sequence[EpochRecord]], read: Callable[[EpochRecord], float]) -> Band:
    values = np.array([[read(record) for record in history] for history in histories])
    return Band(values.mean(axis=0), values.min(axis=0), values.max(axis=0))


@dataclass(frozen=True)
class Misread:
    """A test image that networks misread.

    Attributes:
        index: index of the image in the test set.
        truth: published class of the image, from 0 on.
        wrong: number of networks that predicted another class.
        total: number of networks.
        usual: most common wrong prediction, the smallest of equally common ones.
        corrected: class by re-labelling, if the published class is known to be wrong.
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
        predictions: predicted classes, uint8 [n], one array per network.
        labels: published classes, uint8 [n].
        count: maximum number of images.
        corrections: classes by re-labelling, by image index, for labels that are known to be wrong.

    Returns:
        The images, most misread first; of equally misread ones, those on whose wrong class more networks
        agree, then those of smaller index. Fewer than `count` if fewer were misread.

    Raises:
        ValueError: an array of predictions is not as long as the labels.
    """
    classes_seen = 1 + max(int(array.max()) for array in (labels, *predictions))
    votes = np.zeros((len(labels), classes_seen), int)
    images = np.arange(len(labels))
    for classes in predictions:
        if classes.shape != labels.shape:
            raise ValueError(f"expected predictions of shape {labels.shape}, received {classes.shape}")
        votes[images, classes] += 1
    votes[images, labels] = 0  # only wrong answers are left
    wrong = votes.sum(axis=1)
    agreement = votes.max(axis=1)
    # By the last key first; the sort is stable, so that equal ones stay in the order of the test set.
    worst: list[int] = np.lexsort((-agreement, -wrong))[:count].tolist()
    misread = []
    for i in worst:
        if wrong[i]:
            item = Misread(
                index=i,
                truth=int(labels[i]),
                wrong=int(wrong[i]),
                total=len(predictions),
                usual=int(votes[i].argmax()),
                corrected=(corrections or {}).get(i),
            )
            misread.append(item)
    return tuple(misread)


class Kernels(NamedTuple):
    """Kernels of the first convolution of a network.

    Attributes:
        label: text of the level.
        seed: seed of the network.
        epochs: number of epochs that it was trained for.
        asked: epochs of the level; fewer if it is read from a longer training, whose kernels these are.
        weights: weights of the kernels, float [filters, rows, columns].
    """

    label: str
    seed: int
    epochs: int
    asked: int
    weights: np.ndarray


def first_kernels(study_data: StudyData, trained: Iterable[Result] = ()) -> tuple[Kernels, ...]:
    """Return the kernels of the first network of each level, if they are stored.

    Args:
        study_data: the study's results, predictions and data.
        trained: results in which a longer training that a level is read from is searched, too.
    """
    longer = {result.trial.prefix_group: result for result in trained if result.final_kernels}
    kernels = []
    for row, cell in study_data.levels():
        results = study_data.results_of(row, cell)
        if not results:
            continue
        own = results[0]
        result = own if own.final_kernels else longer.get(own.trial.prefix_group)
        if result is None:
            continue
        kernels.append(
            Kernels(
                label=cell.label,
                seed=own.trial.seed,
                epochs=result.final_record.epoch,
                asked=own.final_record.epoch,
                weights=np.array(result.final_kernels),
            )
        )
    return tuple(kernels)

"""What the figures of a study show, as numbers: nothing is drawn here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from digitlab.report.text import is_numeric, levels_text, seeds_text
from digitlab.results.aggregate import Curve, Estimate, Row, StudyTable
from digitlab.results.record import EpochRecord
from digitlab.spec.recipe import CLASSES
from digitlab.spec.study import Level

WIDE_RATIO = 8
"""Levels that span more than this factor stand on a logarithmic axis."""

Scale = Literal["linear", "log", "category"]


class Series(NamedTuple):
    """One line of a figure: errors at each level of the first axis.

    Attributes:
        label: the levels of the other axes (empty: there is no other axis).
        test: error on the test set in percent.
        validation: error on the validation part in percent.
        singles: error on the test set in percent, one a seed, by level.
    """

    label: str
    test: tuple[Estimate, ...]
    validation: tuple[Estimate, ...]
    singles: tuple[tuple[float, ...], ...]


class ErrorByLevel(NamedTuple):
    """Error against the levels of the first axis, one line for each combination of the other axes.

    Attributes:
        axis: title of the first axis.
        levels: of the first axis, in the order of the study.
        scale: how the levels stand on their axis.
        others: titles of the other axes (empty: there is none).
        series: the lines.
    """

    axis: str
    levels: tuple[Level, ...]
    scale: Scale
    others: str
    series: tuple[Series, ...]

    @property
    def seeds(self) -> str:
        """How many seeds a level has: `n = 3`."""
        return seeds_text(estimate.n for series in self.series for estimate in series.test)


def error_by_level(table: StudyTable) -> ErrorByLevel:
    """Give the errors of a study by level.

    Args:
        table: the study's answer in figures.
    """
    first, *others = table.plan.study.axes
    lines: dict[tuple[Level, ...], list[Row]] = {}
    for row in table.rows:  # the first axis varies slowest, so every line comes in the order of its levels
        lines.setdefault(row.levels[1:], []).append(row)
    return ErrorByLevel(
        axis=first.title,
        levels=first.values,
        scale=_scale(first.values),
        others=" × ".join(axis.title for axis in others),
        series=tuple(_series(levels, rows) for levels, rows in lines.items()),
    )


def _series(levels: tuple[Level, ...], rows: Sequence[Row]) -> Series:
    return Series(
        label=levels_text(levels),
        test=tuple(row.test_error for row in rows),
        validation=tuple(row.validation_error for row in rows),
        singles=tuple(row.test_errors for row in rows),
    )


def _scale(levels: Sequence[Level]) -> Scale:
    if not is_numeric(levels):
        return "category"
    values = [float(level) for level in levels]
    return "log" if min(values) > 0 and max(values) > WIDE_RATIO * min(values) else "linear"


class Band(NamedTuple):
    """An error by epoch over seeds.

    Attributes:
        mean: in percent, float [epochs].
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
        training: error on the training images, as each batch saw it before its step.
        validation: error on the validation part after the epoch.
    """

    label: str
    n: int
    epochs: np.ndarray
    training: Band
    validation: Band


class LearningCurves(NamedTuple):
    """Errors by epoch, one line for each level that has a network.

    Attributes:
        axes: titles of the axes.
        levels: the lines, in the order of the study.
    """

    axes: str
    levels: tuple[LevelCurves, ...]

    @property
    def seeds(self) -> str:
        """How many seeds a level has: `n = 3`."""
        return seeds_text(level.n for level in self.levels)


def learning_curves(table: StudyTable) -> LearningCurves:
    """Give the errors of a study by epoch.

    Args:
        table: the study's answer in figures.
    """
    cells = zip(table.plan.cells, table.curves, strict=True)
    return LearningCurves(
        axes=" × ".join(axis.title for axis in table.plan.study.axes),
        levels=tuple(
            _level_curves(levels_text(cell.levels), curve) for cell, curve in cells if curve.histories
        ),
    )


def _level_curves(label: str, curve: Curve) -> LevelCurves:
    return LevelCurves(
        label=label,
        n=len(curve.histories),
        epochs=np.array([record.epoch for record in curve.histories[0]]),
        training=_band(curve, lambda record: record.accuracy),
        validation=_band(curve, lambda record: record.validation_accuracy),
    )


def _band(curve: Curve, accuracy: Callable[[EpochRecord], float]) -> Band:
    errors = 100 * (1 - np.array([[accuracy(record) for record in history] for history in curve.histories]))
    return Band(errors.mean(axis=0), errors.min(axis=0), errors.max(axis=0))


@dataclass(frozen=True)
class Misread:
    """A test image that networks misread.

    Attributes:
        index: of the image in the test set.
        truth: its published class, 0..9.
        wrong: networks that answered anything else.
        total: networks asked.
        usual: the most common wrong answer, the smaller digit of equally common ones.
    """

    index: int
    truth: int
    wrong: int
    total: int
    usual: int


def most_misread(
    predictions: Sequence[np.ndarray], labels: np.ndarray, count: int = 24
) -> tuple[Misread, ...]:
    """Find the test images that the most networks misread.

    Args:
        predictions: classes that each network gave, uint8 [n] in 0..9, one array a network.
        labels: published classes, uint8 [n] in 0..9.
        count: how many images at most.

    Returns:
        The most misread first, the smaller index of equally misread ones; fewer than `count` where fewer were
        misread at all.

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
    worst = np.argsort(-wrong, kind="stable")[:count]
    return tuple(
        Misread(int(i), int(labels[i]), int(wrong[i]), len(predictions), int(votes[i].argmax()))
        for i in worst
        if wrong[i]
    )

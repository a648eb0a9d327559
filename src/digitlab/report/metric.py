"""Metrics of a report: the error always, the mean squared error if the loss itself is varied."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from digitlab.results.aggregate import PERCENT, Bounds, squared_bounds
from digitlab.results.record import EpochRecord, Scores
from digitlab.spec.plan import Plan
from digitlab.spec.recipe import CLASSES

LOSS_PATH = "training.loss"
"""Path of the axis that is reported by both metrics: the minimized loss must not be the only judge."""


class Metric(NamedTuple):
    """A metric by which networks are compared.

    Attributes:
        name: unique name in words.
        key: unique name for files and ids.
        axis: title of its axis in a figure, with the unit.
        unit: unit of a difference, with a blank before it (empty: there is none).
        decimals: number of decimals that are written.
        difference: smallest difference of interest, in its unit.
        limits: least and greatest possible value.
        of_scores: function that reads it from scores on the validation part or the test set.
        of_training: function that reads it from an epoch's record, on the training images.
        of_validation: function that reads it from an epoch's record, on the validation part.
    """

    name: str
    key: str
    axis: str
    unit: str
    decimals: int
    difference: float
    limits: Bounds
    of_scores: Callable[[Scores], float]
    of_training: Callable[[EpochRecord], float]
    of_validation: Callable[[EpochRecord], float]

    @property
    def largest(self) -> float:
        """Largest possible difference between two levels."""
        low, high = self.limits
        return high - low


ERROR = Metric(
    name="error",
    key="error",
    axis="error %",
    unit=" points",
    decimals=2,
    difference=0.1,
    limits=PERCENT,
    of_scores=lambda scores: scores.error_percent,
    of_training=lambda record: 100 * (1 - record.accuracy),
    of_validation=lambda record: 100 * (1 - record.validation_accuracy),
)

SQUARED_ERROR = Metric(
    name="mean squared error",
    key="squared-error",
    axis="mean squared error",
    unit="",
    decimals=5,
    difference=0.0001,
    limits=squared_bounds(CLASSES),
    of_scores=lambda scores: scores.mse,
    of_training=lambda record: record.mse,
    of_validation=lambda record: record.validation_mse,
)


def metrics_of(plan: Plan) -> tuple[Metric, ...]:
    """Return the metrics by which the levels of a study are compared.

    Args:
        plan: the study's plan.
    """
    varied = {axis.path for axis in plan.study.axes}
    if LOSS_PATH not in varied:
        return (ERROR,)
    return ERROR, SQUARED_ERROR._replace(limits=squared_bounds(plan.study.data.class_count or CLASSES))

"""The metrics that a report follows: error always, squared error where the loss itself is varied."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from digitlab.results.aggregate import PERCENT, SQUARED, Limits
from digitlab.results.record import EpochRecord, Scores
from digitlab.spec.plan import Plan

LOSS_PATH = "training.loss"
"""Path of the axis over which both metrics are followed: what is minimized must not alone be the judge."""


class Metric(NamedTuple):
    """What networks are compared by.

    Attributes:
        name: unique among metrics, in words.
        key: unique among metrics, for names of files and ids.
        axis: what stands beside its axis in a figure and in the title of a column, with the unit.
        unit: what follows a difference, with a blank before it (empty: there is none).
        decimals: with which it is written.
        difference: that one would want to see, in its unit.
        limits: the least and the greatest value that it can take.
        of_scores: reads it from the scores on the validation part or the test set.
        of_training: reads it from an epoch, on the training images.
        of_validation: likewise, on the validation part.
    """

    name: str
    key: str
    axis: str
    unit: str
    decimals: int
    difference: float
    limits: Limits
    of_scores: Callable[[Scores], float]
    of_training: Callable[[EpochRecord], float]
    of_validation: Callable[[EpochRecord], float]

    @property
    def largest(self) -> float:
        """The largest difference that two levels can have."""
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
    limits=SQUARED,
    of_scores=lambda scores: scores.mse,
    of_training=lambda record: record.mse,
    of_validation=lambda record: record.validation_mse,
)


def metrics_of(plan: Plan) -> tuple[Metric, ...]:
    """List the metrics by which the levels of a study are compared.

    Args:
        plan: of the study.
    """
    varied = {axis.path for axis in plan.study.axes}
    return (ERROR, SQUARED_ERROR) if LOSS_PATH in varied else (ERROR,)

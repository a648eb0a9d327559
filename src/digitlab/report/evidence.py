"""What the figures of a study prove: every level against the reference level, as numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from digitlab.report.material import Material
from digitlab.report.metric import ERROR, Metric, metrics_of
from digitlab.report.text import is_numeric
from digitlab.results.resampling import BootstrapDifference, bootstrap_difference
from digitlab.spec.plan import Cell
from digitlab.spec.study import Axis, Level

if TYPE_CHECKING:  # SciPy's tests take half a second to import: only who compares waits for them
    from digitlab.results.statistics import Comparison, PairedDifference

ALPHA = 0.05
"""Below it a corrected p is a verdict."""


class Interaction(NamedTuple):
    """Whether what one axis does depends on the other: the four corners of two crossed axes.

    Attributes:
        changes: of the error, in percentage points and averaged over seeds, from the first to the last level
            of the first axis: at the first and at the last level of the second.
        paired: the second change minus the first, by seed.
    """

    changes: tuple[float, float]
    paired: PairedDifference


class Evidence(NamedTuple):
    """Each level of a study against its reference level, by one metric.

    Attributes:
        metric: what is compared.
        axes: of the study.
        levels: of the study, one value for each axis.
        reference: position of the reference level among them.
        comparisons: one for each other level, in their order.
        new_digits: what to expect on new digits, for each comparison (None: unknown; empty: for none).
        interaction: of two axes that can be crossed at their ends (None: there are none, or no seed has all).
    """

    metric: Metric
    axes: tuple[Axis, ...]
    levels: tuple[tuple[Level, ...], ...]
    reference: int
    comparisons: tuple[Comparison, ...]
    new_digits: tuple[BootstrapDifference | None, ...] = ()
    interaction: Interaction | None = None

    @property
    def tested(self) -> bool:
        """Whether any level could be tested."""
        return any(comparison.paired.n > 1 for comparison in self.comparisons)


def verdict(comparison: Comparison) -> str:
    """Say in a word what a comparison found: `less`, `more`, `undecided`, `no spread` or `not tested`."""
    if comparison.paired.n < 2:
        return "not tested"
    if math.isnan(comparison.holm_p):
        return "no spread"
    if comparison.holm_p >= ALPHA:
        return "undecided"
    return "less" if comparison.paired.mean < 0 else "more"


def evidence_of(material: Material) -> tuple[Evidence, ...]:
    """Compare the levels of a study with its reference level, by each of its metrics.

    Args:
        material: of the study.

    Returns:
        One for each metric whose values are known; none where there is only one level.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    if len(material.table.rows) < 2:
        return ()
    known = (metric for metric in metrics_of(material.table.plan) if metric is ERROR or material.results)
    return tuple(_evidence(material, metric) for metric in known)


def _evidence(material: Material, metric: Metric) -> Evidence:
    from digitlab.results.statistics import compare

    plan, pairs = material.table.plan, material.levels()
    levels = tuple(cell.levels for _, cell in pairs)
    reference = levels.index(plan.reference)
    values = [material.by_seed(row, cell, metric) for row, cell in pairs]
    comparisons = compare(values, reference, metric.difference)
    judged_by_classes = metric is ERROR and material.predictions
    return Evidence(
        metric=metric,
        axes=plan.study.axes,
        levels=levels,
        reference=reference,
        comparisons=comparisons,
        new_digits=_on_new_digits(material, reference, comparisons) if judged_by_classes else (),
        interaction=_interaction(plan.study.axes, values) if metric is ERROR else None,
    )


def _on_new_digits(
    material: Material, reference: int, comparisons: Sequence[Comparison]
) -> tuple[BootstrapDifference | None, ...]:
    if material.digits is None:
        return ()
    right = [_right(material, cell, material.digits.y_test) for cell in material.table.plan.cells]
    base = right[reference]
    found = []
    for comparison in comparisons:
        level = right[comparison.level]
        shared = sorted(base.keys() & level.keys())
        found.append(
            bootstrap_difference(
                np.stack([level[seed] for seed in shared]), np.stack([base[seed] for seed in shared])
            )
            if len(shared) > 1
            else None
        )
    return tuple(found)


def _right(material: Material, cell: Cell, labels: np.ndarray) -> dict[int, np.ndarray]:
    """Give by seed which test images were classified right, bool [n]."""
    known = (trial for trial in cell.trials if trial.id in material.predictions)
    return {trial.seed: material.predictions[trial.id] == labels for trial in known}


def _interaction(axes: Sequence[Axis], values: Sequence[dict[int, float]]) -> Interaction | None:
    """Contrast the corners; ends are chosen by the study file, before there are figures.

    Where levels are words, only two of them have ends.
    """
    if len(axes) != 2 or not all(_has_ends(axis) for axis in axes):
        return None
    from digitlab.results.statistics import paired_difference

    columns = len(axes[1].values)
    corners = values[0], values[columns - 1], values[-columns], values[-1]
    seeds = sorted(set.intersection(*(set(corner) for corner in corners)))
    if not seeds:
        return None
    first_low, first_high, last_low, last_high = ([corner[seed] for seed in seeds] for corner in corners)
    low, high = np.subtract(last_low, first_low), np.subtract(last_high, first_high)
    return Interaction(
        (float(low.mean()), float(high.mean())), paired_difference(high.tolist(), low.tolist())
    )


def _has_ends(axis: Axis) -> bool:
    return len(axis.values) == 2 or (len(axis.values) > 2 and is_numeric(axis.values))

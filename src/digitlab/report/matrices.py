"""Tables of numbers with shades: the confusion matrix, and the test error of two crossed axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from digitlab.data.classes import class_numbers, numbered
from digitlab.report.tables import TextTable
from digitlab.report.text import number
from digitlab.results.aggregate import StudyTable
from digitlab.results.record import Scores
from digitlab.spec.study import level_text

LARGEST_MATRIX = 15
"""Largest number of classes whose confusion matrix is shown as a whole."""
MOST_MISTAKES = 20
"""Largest number of mistakes that are listed of more classes."""
PALEST = 0.1  # smallest shade of a known error, 0..1


def confusion_counts(scores: Sequence[Scores]) -> np.ndarray:
    """Return the sum of confusion matrices: images by [true class, predicted class], int [classes, classes].

    Args:
        scores: scores of the networks, at least one.
    """
    return np.sum([item.confusion for item in scores], axis=0)


def confusion_table(counts: np.ndarray, classes: Sequence[str] | None = None) -> TextTable:
    """Return the mistakes of networks as a table: a confusion matrix, or the commonest of many classes.

    Args:
        counts: numbers of images by [true class, predicted class], int [classes, classes].
        classes: names of the classes (None: unknown).
    """
    names = classes or class_numbers(len(counts))
    if len(counts) > LARGEST_MATRIX:
        return _commonest_mistakes(counts, names)
    return _matrix(counts, names)


def _commonest_mistakes(counts: np.ndarray, names: Sequence[str]) -> TextTable:
    """List the commonest mistakes of many classes, whose matrix would be wider than a page."""
    mistakes = counts * ~np.eye(len(counts), dtype=bool)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:MOST_MISTAKES]
    rows = []
    for truth, read in zip(*np.unravel_index(order, counts.shape), strict=True):
        count = int(mistakes[truth, read])
        if count:
            share = 100 * count / int(counts[truth].sum())
            rows.append((names[truth], names[read], str(count), number(share)))
    return TextTable(
        columns=("true class", "read as", "images", "% of the class"),
        rows=tuple(rows),
        right=(False, False, True, True),
    )


def _matrix(counts: np.ndarray, names: Sequence[str]) -> TextTable:
    """Return a confusion matrix as a table: true classes down, predicted classes across, the error last.

    The shade of a mistake grows with the square root of its count, so that rare ones are visible; correct
    predictions have none.
    """
    mistakes = counts * ~np.eye(len(counts), dtype=bool)
    shades = np.sqrt(mistakes / (mistakes.max() or 1)).round(2)
    rows = []
    for i, name in enumerate(numbered(names)):
        total = int(counts[i].sum())
        error = 100 * float(mistakes[i].sum()) / total if total else math.nan
        cells = [str(count) for count in counts[i].tolist()]
        rows.append((name, *cells, number(error)))
    digits = [str(i) for i in range(len(counts))]
    return TextTable(
        columns=("true\N{NO-BREAK SPACE}↓ read\N{NO-BREAK SPACE}→", *digits, "error %"),
        rows=tuple(rows),
        right=(True,) * (len(counts) + 2),
        shades=tuple((0.0, *row, 0.0) for row in shades.tolist()),  # none of the name and the error
    )


def pivot_table(table: StudyTable) -> TextTable | None:
    """Return the test error of two crossed axes as a table: the first axis down, the second across.

    The shade grows with the logarithm of the error.

    Args:
        table: the study's results, one row per level.

    Returns:
        The table, or None unless there are exactly two axes with several levels each.
    """
    axes = table.plan.study.axes
    if len(axes) != 2 or min(len(axis.values) for axis in axes) < 2:
        return None
    down, across = axes
    # Levels are listed with the second axis varying fastest.
    errors = np.array([row.test_error.mean for row in table.rows]).reshape(len(down.values), -1)
    rows = []
    for level, means in zip(down.values, errors.tolist(), strict=True):
        rows.append((level_text(level), *map(number, means)))
    return TextTable(
        columns=(
            f"{down.title}\N{NO-BREAK SPACE}↓ {across.title}\N{NO-BREAK SPACE}→",
            *map(level_text, across.values),
        ),
        rows=tuple(rows),
        right=(True,) * (len(across.values) + 1),
        shades=tuple((0.0, *row) for row in _shades(errors)),
    )


def _shades(errors: np.ndarray) -> list[list[float]]:
    """Map errors to shades from `PALEST` to 1, unknown ones to 0."""
    known = errors[errors > 0]  # nan is not
    if not known.size:
        return np.zeros_like(errors).tolist()
    low, high = math.log(known.min()), math.log(known.max())
    span = (high - low) or 1
    with np.errstate(invalid="ignore"):  # of the levels without a result
        # An error of 0 has no logarithm; it is as pale as the smallest one.
        position = (np.log(np.maximum(errors, known.min())) - low) / span
    return np.nan_to_num(PALEST + (1 - PALEST) * position).round(2).tolist()

"""Grouping of components into lines of writing, which may climb or wave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from digitlab.recognition.components import Components


@dataclass(frozen=True)
class RowParameters:
    """Thresholds of the grouping into rows; lengths are in heights of the writing.

    Attributes:
        tall: height from which a component may be a digit.
        speck: size below which a component outside of all rows is dirt.
        torn: gap between the upper and lower part of a torn digit, at most, as a share of the height of both.
        together: height of a torn digit, at most.
        overlap: vertical overlap of neighbours, at least, as a share of the lower one's height.
        within: limit in place of `overlap` for a single component within a line, or at its end.
        steepest: slope of a line, at most, as a tangent: that of 25 degrees.
        apart: gap above which two parts of a line are read separately.
        beside: distance of signs from the ends of their row, at most.
        above: distance of the bar of a 5 and the like above or below their row, at most.
        flat: width, in its own heights, from which a component that is lower than the rest is a bar.
        few: number of components up to which torn ones are joined before the height is known.
        wavy: vertical step between two digits of a wavy row, at most.
        step: vertical step, and gap, between two parts of a row of which one follows the other, at most.
        straight: deviation of digits from a row's middle line, at most, before the line is taken to be bent.
        outvoted: number of digits of a row from which on ink that sticks out of it is cut off.
        sticks_out: distance that ink of such a row reaches above or below most of it, at most.
        pattern: number of components of a pattern along the page's edge, at least.
        solid: share of their boxes that the components of a pattern fill, at least.
        pale: height of pale ink that can be a digit of a row: at least, at most.
    """

    tall: float = 0.45
    speck: float = 0.12
    torn: float = 0.1
    together: float = 1.35
    overlap: float = 0.35
    within: float = 0.25
    steepest: float = 0.466
    apart: float = 3.0
    beside: float = 1.0
    above: float = 0.85
    flat: float = 1.6
    few: int = 6
    wavy: float = 1.5
    step: float = 1.1
    straight: float = 0.28
    outvoted: int = 4
    sticks_out: float = 0.5
    pattern: int = 4
    solid: float = 0.45
    pale: tuple[float, float] = (0.5, 1.7)


PARAMETERS = RowParameters()


def join_torn(
    components: Components, indices: np.ndarray, highest: float, parameters: RowParameters
) -> list[list[int]]:
    """Join digits that are torn in an upper and a lower part.

    Args:
        components: the page's components.
        indices: indices of the components to consider, int [m].
        highest: height of a joined digit, at most, in pixels.
        parameters: thresholds of the grouping.

    Returns:
        Indices of the components of each digit.
    """
    boxes = components.boxes[indices]
    if not len(boxes):
        return []
    left, top, right, bottom = boxes.T
    # Matrices [m, m]: of each component with each.
    narrower = np.minimum(right - left, (right - left)[:, None])
    overlap = np.minimum(right, right[:, None]) - np.maximum(left, left[:, None])
    whole = np.maximum(bottom, bottom[:, None]) - np.minimum(top, top[:, None])
    gap = np.maximum(top, top[:, None]) - np.minimum(bottom, bottom[:, None])
    lower = np.minimum(bottom - top, (bottom - top)[:, None])
    is_torn = (overlap > 0.3 * narrower) & (whole <= highest)
    is_torn &= (gap >= -0.1 * whole) & (gap < parameters.torn * whole)
    # A small component, such as a dot in a 0, is not the upper or lower part of a digit.
    is_torn &= lower > 0.15 * whole
    unit_of = np.arange(len(indices))
    for one, other in np.argwhere(np.triu(is_torn, 1)):
        unit_of[unit_of == unit_of[other]] = unit_of[one]
    units: dict[int, list[int]] = {}
    for unit, index in zip(unit_of.tolist(), indices.tolist(), strict=True):
        units.setdefault(unit, []).append(index)
    return list(units.values())


def group_units(
    components: Components, units: list[list[int]], height: float, parameters: RowParameters
) -> list[list[int]]:
    """Group units, each a digit of one or more components, into lines.

    Args:
        components: the page's components.
        units: indices of the components of each unit.
        height: usual height of digits, in pixels.
        parameters: thresholds of the grouping.

    Returns:
        Indices of the components of each line from left to right, the highest line first.
    """
    if not units:
        return []
    boxes = np.array([unit_box(components, unit) for unit in units], float)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    slope = _slope(middles, height, parameters)
    level = middles[:, 1] - slope * middles[:, 0]
    chains = _chains(boxes, level, parameters)
    chains = _absorbed(chains, boxes, level, parameters)
    chains = _merged(chains, boxes, level, parameters)
    chains = _unwaved(chains, boxes, level, parameters)
    chains.sort(key=lambda chain: float(level[chain].mean()))
    lines = []
    for chain in chains:
        lines.append([index for unit in chain for index in units[unit]])
    return lines


def unit_box(components: Components, members: Sequence[int]) -> np.ndarray:
    """Return the bounding box of components: left, top, right and bottom in pixels, int [4]."""
    boxes = components.boxes[list(members)]
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _slope(middles: np.ndarray, height: float, parameters: RowParameters) -> float:
    """Estimate the slope of the lines: the median over all units of that to the nearest unit on the right."""
    # Matrices [n, n]: from each unit to each.
    right = middles[None, :, 0] - middles[:, None, 0]
    down = middles[None, :, 1] - middles[:, None, 1]
    is_beside = (right > 0.2 * height) & (np.abs(down) < parameters.steepest * right + 0.15 * height)
    distance = np.where(is_beside, right + 2 * np.abs(down), np.inf)
    units = np.flatnonzero(np.isfinite(distance.min(axis=1)))
    if not len(units):
        return 0.0
    nearest = distance.argmin(axis=1)[units]
    return float(np.median(down[units, nearest] / right[units, nearest]))


def _chains(boxes: np.ndarray, level: np.ndarray, parameters: RowParameters) -> list[list[int]]:
    """Link each unit with the next one on its right if each is the other's nearest."""
    heights = boxes[:, 3] - boxes[:, 1]
    middles = (boxes[:, 0] + boxes[:, 2]) / 2
    # Matrices [n, n]: from each unit, a row, to each on its right, a column.
    lower = np.minimum(heights, heights[:, None])
    higher = np.maximum(heights, heights[:, None])
    step = np.abs(level[None, :] - level[:, None])
    overlap = ((heights + heights[:, None]) / 2 - step) / lower
    gap = np.maximum(boxes[None, :, 0] - boxes[:, None, 2], 0)
    may_follow = (middles[None, :] > middles[:, None]) & (overlap > parameters.overlap)
    may_follow &= (gap < parameters.apart * higher) & (higher < 3 * lower)
    cost = np.where(may_follow, gap + 2 * step + 0.5 * (higher - lower), np.inf)
    nearest_right = cost.argmin(axis=1).tolist()
    nearest_left = cost.argmin(axis=0).tolist()
    next_of: dict[int, int] = {}
    for i, right in enumerate(nearest_right):
        if np.isfinite(cost[i, right]) and nearest_left[right] == i:
            next_of[i] = right
    starts = set(range(len(boxes))) - set(next_of.values())
    chains = []
    for start in sorted(starts):
        chain = [start]
        while chain[-1] in next_of:
            chain.append(next_of[chain[-1]])
        chains.append(chain)
    return chains


def _merged(
    chains: list[list[int]], boxes: np.ndarray, level: np.ndarray, parameters: RowParameters
) -> list[list[int]]:
    """Merge parts of one line, of which one ends where the other begins, the nearest first."""
    heights = boxes[:, 3] - boxes[:, 1]
    chains = [list(chain) for chain in chains]
    while True:
        nearest, least = None, np.inf
        for i, chain in enumerate(chains):
            for j, other in enumerate(chains):
                gap = boxes[other[0], 0] - boxes[chain[-1], 2]
                if i == j or gap >= least or gap < -0.3 * heights[chain[-1]]:
                    continue
                if _continues(chain, other, gap, heights, level, parameters):
                    nearest, least = (i, j), gap
        if nearest is None:
            return chains
        i, j = nearest
        chains[i] += chains[j]
        del chains[j]


def _continues(
    chain: list[int],
    other: list[int],
    gap: float,
    heights: np.ndarray,
    level: np.ndarray,
    parameters: RowParameters,
) -> bool:
    """Return whether a chain continues another one on its right: as high, and on the same level.

    Args:
        chain: units of the left chain.
        other: units of the right chain.
        gap: gap between them, in pixels.
        heights: height of each unit.
        level: level of each unit.
        parameters: thresholds of the grouping.
    """
    end, begin = chain[-3:], other[:3]
    step = abs(level[end].mean() - level[begin].mean())
    low, high = sorted((heights[end].mean(), heights[begin].mean()))
    overlap = ((low + high) / 2 - step) / low
    if gap < parameters.apart * high:
        return bool(overlap > parameters.overlap)
    # Over a wide gap they must be more alike.
    return bool(overlap > 0.6 and high < 1.7 * low)


def _absorbed(
    chains: list[list[int]], boxes: np.ndarray, level: np.ndarray, parameters: RowParameters
) -> list[list[int]]:
    """Add single units to the longer line that they stand in, such as the head of a 9 apart from its stem."""
    heights = boxes[:, 3] - boxes[:, 1]
    middles = (boxes[:, 0] + boxes[:, 2]) / 2
    kept = sorted(chains, key=len, reverse=True)
    for chain in kept[::-1]:
        if len(chain) > 1:
            continue
        unit = chain[0]
        reach = parameters.beside * heights[unit]
        for other in kept:
            if other is chain:
                continue
            if not boxes[other, 0].min() - reach <= middles[unit] <= boxes[other, 2].max() + reach:
                continue
            nearest = other[int(np.abs(middles[other] - middles[unit]).argmin())]
            overlap = (heights[nearest] + heights[unit]) / 2 - abs(level[nearest] - level[unit])
            is_in_line = overlap > parameters.within * min(heights[nearest], heights[unit])
            if is_in_line and heights[unit] < 1.3 * heights[nearest]:
                other.append(unit)
                other.sort(key=lambda member: boxes[member, 0])
                kept = [remaining for remaining in kept if remaining is not chain]
                break
    return kept


def _unwaved(
    chains: list[list[int]], boxes: np.ndarray, level: np.ndarray, parameters: RowParameters
) -> list[list[int]]:
    """Merge lines that alternate from left to right and are never one above the other: a wavy row."""
    chains = sorted(chains, key=lambda chain: float(level[chain].mean()))
    i = 0
    while i + 1 < len(chains):
        upper, lower = chains[i], chains[i + 1]
        both = sorted(upper + lower, key=lambda unit: boxes[unit, 0])
        if _is_wave(both, set(upper), boxes, level, parameters):
            chains[i : i + 2] = [both]
            i = 0  # the merged line may form a wave with the one above it
        else:
            i += 1
    return chains


def _is_wave(
    both: list[int], upper: set[int], boxes: np.ndarray, level: np.ndarray, parameters: RowParameters
) -> bool:
    """Return whether two lines alternate, or one begins where the other ends, a step higher or lower.

    Args:
        both: units of both lines, from left to right.
        upper: units of the upper line.
        boxes: box of each unit.
        level: level of each unit.
        parameters: thresholds of the grouping.
    """
    lefts, tops, rights, bottoms = boxes[both].T
    height = float(np.median(bottoms - tops))
    gaps = lefts[1:] - rights[:-1]
    steps = np.abs(np.diff(level[both]))
    if not len(gaps) or gaps.min() < -0.15 * height or gaps.max() > parameters.apart * height:
        return False
    changes = [(unit in upper) != (next_unit in upper) for unit, next_unit in pairwise(both)]
    if sum(changes) >= 2:
        return bool(steps.max() < parameters.wavy * height)
    joint = changes.index(True)
    return bool(steps[joint] < parameters.step * height and gaps[joint] < parameters.step * height)

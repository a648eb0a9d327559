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
    narrower = np.minimum(right - left, (right - left)[:, None])
    over = (np.minimum(right, right[:, None]) - np.maximum(left, left[:, None])) > 0.3 * narrower
    whole = np.maximum(bottom, bottom[:, None]) - np.minimum(top, top[:, None])
    gap = np.maximum(top, top[:, None]) - np.minimum(bottom, bottom[:, None])
    torn = over & (gap >= -0.1 * whole) & (gap < parameters.torn * whole) & (whole <= highest)
    # A small component, such as a dot in a 0, is not the upper or lower part of a digit.
    torn &= np.minimum(bottom - top, (bottom - top)[:, None]) > 0.15 * whole
    units: dict[int, list[int]] = {}
    owner = np.arange(len(indices))
    for one, other in np.argwhere(np.triu(torn, 1)):
        owner[owner == owner[other]] = owner[one]
    for position, index in enumerate(indices.tolist()):
        units.setdefault(int(owner[position]), []).append(index)
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
    return [[index for number in chain for index in units[number]] for chain in chains]


def unit_box(components: Components, members: Sequence[int]) -> np.ndarray:
    """Return the bounding box of components: left, top, right and bottom in pixels, int [4]."""
    boxes = components.boxes[list(members)]
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _slope(middles: np.ndarray, height: float, parameters: RowParameters) -> float:
    """Estimate the slope of the lines: the median over all units of that to the nearest unit on the right."""
    right = middles[None, :, 0] - middles[:, None, 0]
    down = middles[None, :, 1] - middles[:, None, 1]
    beside = (right > 0.2 * height) & (np.abs(down) < parameters.steepest * right + 0.15 * height)
    far = np.where(beside, right + 2 * np.abs(down), np.inf)
    nearest = far.argmin(axis=1)
    first = np.flatnonzero(np.isfinite(far.min(axis=1)))
    if not len(first):
        return 0.0
    steps = nearest[first]
    return float(np.median(down[first, steps] / right[first, steps]))


def _chains(boxes: np.ndarray, level: np.ndarray, parameters: RowParameters) -> list[list[int]]:
    """Link each unit with the next one on its right if each is the other's nearest."""
    heights = boxes[:, 3] - boxes[:, 1]
    middles = (boxes[:, 0] + boxes[:, 2]) / 2
    lower, higher = np.minimum(heights, heights[:, None]), np.maximum(heights, heights[:, None])
    down = np.abs(level[None, :] - level[:, None])
    overlap = ((heights + heights[:, None]) / 2 - down) / lower
    gap = np.maximum(boxes[None, :, 0] - boxes[:, None, 2], 0)
    may = (middles[None, :] > middles[:, None]) & (overlap > parameters.overlap)
    may &= (gap < parameters.apart * higher) & (higher < 3 * lower)
    cost = np.where(may, gap + 2 * down + 0.5 * (higher - lower), np.inf)
    after, before = cost.argmin(axis=1), cost.argmin(axis=0)
    linked = {
        index: int(after[index])
        for index in range(len(boxes))
        if np.isfinite(cost[index, after[index]]) and before[after[index]] == index
    }
    starts = set(range(len(boxes))) - set(linked.values())
    chains = []
    for start in sorted(starts):
        chain = [start]
        while chain[-1] in linked:
            chain.append(linked[chain[-1]])
        chains.append(chain)
    return chains


def _merged(
    chains: list[list[int]], boxes: np.ndarray, level: np.ndarray, parameters: RowParameters
) -> list[list[int]]:
    """Merge parts of one line, of which one ends where the other begins, the nearest first."""
    heights = boxes[:, 3] - boxes[:, 1]
    chains = [list(chain) for chain in chains]
    while True:
        best, least = None, np.inf
        for one, first in enumerate(chains):
            for other, second in enumerate(chains):
                gap = boxes[second[0], 0] - boxes[first[-1], 2]
                if one == other or gap >= least or gap < -0.3 * heights[first[-1]]:
                    continue
                ends, begins = first[-3:], second[:3]
                down = abs(level[ends].mean() - level[begins].mean())
                low, high = sorted((heights[ends].mean(), heights[begins].mean()))
                near = gap < parameters.apart * high
                needed = parameters.overlap if near else 0.6
                if ((low + high) / 2 - down) / low > needed and (near or high < 1.7 * low):
                    best, least = (one, other), gap
        if best is None:
            return chains
        one, other = best
        chains[one] += chains[other]
        del chains[other]


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
        for other in kept:
            if other is chain:
                continue
            reach = parameters.beside * heights[unit]
            if not boxes[other, 0].min() - reach <= middles[unit] <= boxes[other, 2].max() + reach:
                continue
            near = other[int(np.abs(middles[other] - middles[unit]).argmin())]
            common = (heights[near] + heights[unit]) / 2 - abs(level[near] - level[unit])
            if (
                common > parameters.within * min(heights[near], heights[unit])
                and heights[unit] < 1.3 * heights[near]
            ):
                other.append(unit)
                other.sort(key=lambda one: boxes[one, 0])
                kept = [one for one in kept if one is not chain]
                break
    return kept


def _unwaved(
    chains: list[list[int]], boxes: np.ndarray, level: np.ndarray, parameters: RowParameters
) -> list[list[int]]:
    """Merge lines that alternate from left to right and are never one above the other: a wavy row."""
    chains = sorted(chains, key=lambda chain: float(level[chain].mean()))
    at = 0
    while at + 1 < len(chains):
        both = sorted(chains[at] + chains[at + 1], key=lambda unit: boxes[unit, 0])
        if _is_wave(both, set(chains[at]), boxes, level, parameters):
            chains[at : at + 2] = [both]
            at = 0
        else:
            at += 1
    return chains


def _is_wave(
    both: list[int], upper: set[int], boxes: np.ndarray, level: np.ndarray, parameters: RowParameters
) -> bool:
    members = boxes[both]
    height = float(np.median(members[:, 3] - members[:, 1]))
    gaps = members[1:, 0] - members[:-1, 2]
    steps = np.abs(np.diff(level[both]))
    if not len(gaps) or gaps.min() < -0.15 * height or gaps.max() > parameters.apart * height:
        return False
    changes = [(one in upper) != (other in upper) for one, other in pairwise(both)]
    if sum(changes) >= 2:
        return bool(steps.max() < parameters.wavy * height)
    joint = changes.index(True)  # one begins where the other ends, a step higher or lower
    return bool(steps[joint] < parameters.step * height and gaps[joint] < parameters.step * height)

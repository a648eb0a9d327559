"""Assignment of ink to the characters that the row reader found, and the ink that it passed over."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from digitlab.recognition.row_crop import RowCrop
from digitlab.recognition.row_reader import RowAnswer

PASSED_OVER = 0.42
"""Height, in heights of the row, from which ink that belongs to no character is reported."""


@dataclass(frozen=True, eq=False)
class InkRegion:
    """Ink in a row that is one character, or may be one.

    Attributes:
        intensity: intensity of this ink alone within its box, uint8 [h, w], 0 none .. 255 full.
        box: left, top, right and bottom, in pixels of the row's crop.
        character: index of the character in the reader's text; None if the reader passed the ink over.
        heard: the reader's highest probability of any symbol along the ink, 0..1; 0 for a character.
        at_edge: whether ink that was passed over touches the left or right edge of the crop, where it may be
            cut off.
    """

    intensity: np.ndarray
    box: tuple[int, int, int, int]
    character: int | None
    heard: float = 0.0
    at_edge: bool = False


def assign_ink(crop: RowCrop, answer: RowAnswer) -> list[InkRegion]:
    """Assign the ink of a row to its characters.

    Args:
        crop: the row's crop.
        answer: the reader's output for the row.

    Returns:
        Regions from left to right: one for each character, and those that the reader passed over.
    """
    character_map = _character_map(crop, answer)
    regions = []
    for i in range(len(answer.text)):
        mask = character_map == i + 1
        if mask.any():
            regions.append(_region(crop, mask, i))
        else:
            regions.append(_region_without_ink(crop, answer, i))
    unassigned = ((character_map == 0) & (crop.labels > 0)).view(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(unassigned, connectivity=8, ltype=cv2.CV_32S)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_HEIGHT] < PASSED_OVER * crop.row.height:
            continue
        region = _region(crop, labels == label, None)
        left, _, right, _ = region.box
        at_edge = left <= 0 or right >= crop.grey.shape[1]
        regions.append(replace(region, heard=_heard(left, right, crop, answer), at_edge=at_edge))
    regions.sort(key=lambda region: region.box[0] + region.box[2])
    return regions


def _region(crop: RowCrop, mask: np.ndarray, character: int | None) -> InkRegion:
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    # Strokes have a soft edge around the pixels that are taken for ink.
    rows, columns = mask.shape
    top, bottom = max(0, top - 1), min(rows, top + height + 1)
    left, right = max(0, left - 1), min(columns, left + width + 1)
    window = slice(top, bottom), slice(left, right)
    own = mask[window]
    near = cv2.dilate(own.view(np.uint8), np.ones((3, 3), np.uint8))
    other_ink = (crop.labels[window] > 0) & ~own
    near[other_ink] = 0
    contrast = crop.contrast[window]
    # The upper quartile stands for full ink: single pixels may be darker, edges are paler.
    full = float(np.percentile(contrast[own], 75)) or 1.0
    intensity = np.where(near, np.minimum(contrast * (255 / full), 255), 0).astype(np.uint8)
    return InkRegion(intensity, (left, top, right, bottom), character)


def _region_without_ink(crop: RowCrop, answer: RowAnswer, character: int) -> InkRegion:
    """Return the region of a character without ink of its own: it is too pale, or the reader guessed."""
    height, width = crop.grey.shape
    start, _, stop = answer.spans[character]
    left = min(int(start), width - 1)
    right = max(int(np.ceil(stop)), left + 1)
    contrast = crop.contrast[:, left:right]
    intensity = np.where(contrast > contrast.max() // 2, contrast, 0).astype(np.uint8)
    if intensity.any():
        intensity = cv2.normalize(intensity, np.zeros_like(intensity), 0, 255, cv2.NORM_MINMAX)
    return InkRegion(intensity, (left, 0, right, height), character)


@dataclass(frozen=True)
class _Extent:
    """The first column of a component, the column after its last, and its height, in pixels."""

    left: int
    right: int
    height: int

    def distance(self, column: float) -> float:
        return max(self.left - column, column - self.right, 0.0)


def _character_map(crop: RowCrop, answer: RowAnswer) -> np.ndarray:
    """Return the character of each pixel, int32 [h, w]: 1 more than its index, 0 for none."""
    labels = crop.labels
    character_map = np.zeros(labels.shape, np.int32)
    if not answer.text:
        return character_map
    peaks = answer.spans[:, 1]
    extents = _extents(labels)
    slack = 0.02 * crop.row.height
    characters_of: dict[int, list[int]] = {}  # by the component's label
    for label, extent in extents.items():
        has_peak = (peaks >= extent.left - slack) & (peaks < extent.right + slack)
        characters_of[label] = np.flatnonzero(has_peak).tolist()
    _assign_the_rest(characters_of, extents, peaks, crop.row.height)
    cuts: dict[int, np.ndarray] = {}  # by the character at its right
    for label, characters in characters_of.items():
        if not characters:
            continue
        left, right = extents[label].left, extents[label].right
        pixels = labels[:, left:right] == label
        part = character_map[:, left:right]
        part[pixels] = characters[0] + 1
        for character in characters[1:]:
            if character not in cuts:
                cuts[character] = _cut(crop.contrast, peaks[character - 1], peaks[character])
            beyond = np.arange(left, right)[None] >= cuts[character][:, None]
            part[pixels & beyond] = character + 1
    return character_map


def _extents(labels: np.ndarray) -> dict[int, _Extent]:
    extents = {}
    for label in np.unique(labels[labels > 0]).tolist():
        left, _, width, height = cv2.boundingRect((labels == label).view(np.uint8))
        extents[label] = _Extent(left, left + width, height)
    return extents


def _assign_the_rest(
    characters_of: dict[int, list[int]], extents: dict[int, _Extent], peaks: np.ndarray, height: float
) -> None:
    """Assign the nearest ink to characters without any, and ink without a peak to what it is a part of.

    Args:
        characters_of: indices of the characters of each component, by its label; filled in place.
        extents: extent of each component, by its label.
        peaks: column of each character's peak.
        height: height of the row's digits, in pixels.
    """
    assigned = {character for characters in characters_of.values() for character in characters}
    for character in range(len(peaks)):
        if character in assigned:
            continue
        free = [
            label
            for label, characters in characters_of.items()
            if not characters and extents[label].height > 0.3 * height
        ]
        distances = [extents[label].distance(peaks[character]) for label in free]
        if distances and min(distances) < 0.35 * height:
            nearest = free[int(np.argmin(distances))]
            characters_of[nearest] = [character]
    for label, characters in characters_of.items():
        if characters:
            continue
        for other, characters_of_other in list(characters_of.items()):
            if len(characters_of_other) != 1 or other == label:
                continue
            if _is_part(extents[label], extents[other], height):
                characters_of[label] = characters_of_other
                break


def _is_part(extent: _Extent, other: _Extent, height: float) -> bool:
    """Return whether a component overlaps another one in columns, or is small and next to it."""
    overlap = min(extent.right, other.right) - max(extent.left, other.left)
    narrower = min(extent.right - extent.left, other.right - other.left)
    is_small = extent.height < 0.6 * height
    return overlap > 0.5 * narrower or (is_small and overlap > -0.1 * height)


def _cut(contrast: np.ndarray, left: float, right: float) -> np.ndarray:
    """Find the path from top to bottom between two columns that crosses the least ink: a column per row."""
    first = int(left)
    last = max(int(np.ceil(right)), first + 1)
    cost = contrast[:, first : last + 1].astype(np.float32) / 255 + 0.02
    total = cost.copy()
    predecessor = np.zeros(cost.shape, np.int8)  # -1, 0 or 1 column aside, in the row above
    for row in range(1, len(cost)):
        above = np.pad(total[row - 1], 1, constant_values=np.inf)
        # A step aside costs a little, so that the path is straight where there is no ink.
        steps = np.stack([above[:-2] + 0.02, above[1:-1], above[2:] + 0.02])
        predecessor[row] = steps.argmin(axis=0) - 1
        total[row] += steps.min(axis=0)
    path = np.empty(len(cost), int)
    column = int(total[-1].argmin())
    for row in range(len(cost) - 1, -1, -1):
        path[row] = column
        column = min(max(column + int(predecessor[row, column]), 0), cost.shape[1] - 1)
    return path + first


def _heard(left: int, right: int, crop: RowCrop, answer: RowAnswer) -> float:
    """Return the highest probability of any symbol in the middle half of ink; others may share its sides."""
    frames = len(answer.heard)
    frames_per_column = frames / crop.grey.shape[1]
    quarter = (right - left) / 4
    first = min(int((left + quarter) * frames_per_column), frames - 1)
    last = max(int(np.ceil((right - quarter) * frames_per_column)), first + 1)
    return float(answer.heard[first:last].max())

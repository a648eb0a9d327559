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
class Place:
    """Ink in a row that is one character, or may be one.

    Attributes:
        strength: intensity of this ink alone within its box, uint8 [h, w], 0 none .. 255 full.
        box: left, top, right and bottom, in pixels of the row's crop.
        character: index of the character in the reader's text; None if the reader passed the ink over.
        heard: the reader's highest probability of any symbol along the ink, 0..1; 0 for a character.
        at_edge: whether ink that was passed over touches the left or right edge of the crop, where it may be
            cut off.
    """

    strength: np.ndarray
    box: tuple[int, int, int, int]
    character: int | None
    heard: float = 0.0
    at_edge: bool = False


def find_places(crop: RowCrop, answer: RowAnswer) -> list[Place]:
    """Assign the ink of a row to its characters.

    Args:
        crop: the row's crop.
        answer: the reader's output for the row.

    Returns:
        Places from left to right: one for each character, and those that the reader passed over.
    """
    territory = _territories(crop, answer)
    places = []
    for index in range(len(answer.text)):
        own = territory == index + 1
        if own.any():
            places.append(_place(crop, own, index))
        else:
            places.append(_blank_place(crop, answer, index))
    height = crop.row.height
    passed = ((territory == 0) & (crop.labels > 0)).view(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(passed, connectivity=8, ltype=cv2.CV_32S)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_HEIGHT] < PASSED_OVER * height:
            continue
        place = _place(crop, labels == label, None)
        at_edge = place.box[0] <= 0 or place.box[2] >= crop.grey.shape[1]
        places.append(replace(place, heard=_heard(place.box, crop, answer), at_edge=at_edge))
    places.sort(key=lambda place: place.box[0] + place.box[2])
    return places


def _place(crop: RowCrop, own: np.ndarray, character: int | None) -> Place:
    left, top, width, height = cv2.boundingRect(own.view(np.uint8))
    # Strokes have a soft edge around the pixels that are taken for ink.
    rows, columns = own.shape
    top, bottom = max(0, top - 1), min(rows, top + height + 1)
    left, right = max(0, left - 1), min(columns, left + width + 1)
    window = slice(top, bottom), slice(left, right)
    near = cv2.dilate(own[window].view(np.uint8), np.ones((3, 3), np.uint8))
    near[(crop.labels[window] > 0) & ~own[window]] = 0
    contrast = crop.contrast[window]
    full = float(np.percentile(contrast[own[window]], 75)) or 1.0
    strength = np.where(near, np.minimum(contrast * (255 / full), 255), 0).astype(np.uint8)
    return Place(strength, (left, top, right, bottom), character)


def _blank_place(crop: RowCrop, answer: RowAnswer, index: int) -> Place:
    """Return the place of a character without ink of its own: it is too pale, or the reader guessed."""
    left, _, right = answer.places[index]
    one = min(int(left), crop.grey.shape[1] - 1)
    other = max(int(np.ceil(right)), one + 1)
    contrast = crop.contrast[:, one:other]
    seen = np.where(contrast > contrast.max() // 2, contrast, 0).astype(np.uint8)
    strength = cv2.normalize(seen, np.zeros_like(seen), 0, 255, cv2.NORM_MINMAX) if seen.any() else seen
    return Place(strength, (one, 0, other, crop.grey.shape[0]), index)


def _territories(crop: RowCrop, answer: RowAnswer) -> np.ndarray:
    """Return the character of each pixel, int32 [h, w]: 1 more than its index, 0 for none."""
    labels = crop.labels
    territory = np.zeros(labels.shape, np.int32)
    if not answer.text:
        return territory
    peaks = answer.places[:, 1]
    height = crop.row.height
    spans = _spans(labels)
    owners: dict[int, list[int]] = {}
    for label, (left, right, _) in spans.items():
        slack = 0.02 * height
        owners[label] = np.flatnonzero((peaks >= left - slack) & (peaks < right + slack)).tolist()
    _settle(owners, spans, peaks, height)
    cuts: dict[int, np.ndarray] = {}
    for label, own in owners.items():
        if not own:
            continue
        left, right, _ = spans[label]
        pixels = labels[:, left:right] == label
        part = territory[:, left:right]
        part[pixels] = own[0] + 1
        for character in own[1:]:
            if character not in cuts:
                cuts[character] = _cut(crop.contrast, peaks[character - 1], peaks[character])
            beyond = np.arange(left, right)[None] >= cuts[character][:, None]
            part[pixels & beyond] = character + 1
    return territory


def _spans(labels: np.ndarray) -> dict[int, tuple[int, int, int]]:
    """Return each label's first column, the column after its last, and its height, in pixels."""
    spans = {}
    for label in np.unique(labels[labels > 0]).tolist():
        left, _, width, height = cv2.boundingRect((labels == label).view(np.uint8))
        spans[label] = left, left + width, height
    return spans


def _settle(
    owners: dict[int, list[int]],
    spans: dict[int, tuple[int, int, int]],
    peaks: np.ndarray,
    height: float,
) -> None:
    """Assign ink without a peak to the character it is a part of, and the nearest ink to one without."""
    taken = {character for own in owners.values() for character in own}
    for character in range(len(peaks)):
        if character in taken:
            continue
        free = [label for label, own in owners.items() if not own and spans[label][2] > 0.3 * height]
        distances = [_aside(spans[label], peaks[character]) for label in free]
        if distances and min(distances) < 0.35 * height:
            owners[free[int(np.argmin(distances))]] = [character]
    for label, own in owners.items():
        if own:
            continue
        left, right, tall = spans[label]
        for other, characters in list(owners.items()):
            if len(characters) != 1 or other == label:
                continue
            one, end, _ = spans[other]
            common = min(right, end) - max(left, one)
            small = tall < 0.6 * height
            if common > 0.5 * min(right - left, end - one) or (small and common > -0.1 * height):
                owners[label] = characters
                break


def _aside(span: tuple[int, int, int], column: float) -> float:
    return max(span[0] - column, column - span[1], 0.0)


def _cut(contrast: np.ndarray, left: float, right: float) -> np.ndarray:
    """Find the path from top to bottom between two columns that crosses the least ink: a column per row."""
    first, last = int(left), max(int(np.ceil(right)), int(left) + 1)
    cost = contrast[:, first : last + 1].astype(np.float32) / 255 + 0.02
    total, came = cost.copy(), np.zeros(cost.shape, np.int8)
    for row in range(1, len(cost)):
        above = np.pad(total[row - 1], 1, constant_values=np.inf)
        ways = np.stack([above[:-2] + 0.02, above[1:-1], above[2:] + 0.02])
        came[row] = ways.argmin(axis=0) - 1
        total[row] += ways.min(axis=0)
    path = np.empty(len(cost), int)
    column = int(total[-1].argmin())
    for row in range(len(cost) - 1, -1, -1):
        path[row] = column
        column = min(max(column + int(came[row, column]), 0), cost.shape[1] - 1)
    return path + first


def _heard(box: tuple[int, int, int, int], crop: RowCrop, answer: RowAnswer) -> float:
    """Return the highest probability of any symbol along a box's middle half; others may share its sides."""
    scale = len(answer.heard) / crop.grey.shape[1]
    quarter = (box[2] - box[0]) / 4
    first = min(int((box[0] + quarter) * scale), len(answer.heard) - 1)
    last = max(int(np.ceil((box[2] - quarter) * scale)), first + 1)
    return float(answer.heard[first:last].max())

"""A pen that writes numbers at any size: skeletons of our own, and MNIST's validation digits.

What it gives is ink: float32 [h, w], 0 for the paper to 1 for full ink, cut to what is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Protocol

import cv2
import numpy as np

from digitlab.data import Dataset, load, stratified_split
from digitlab.spec.trial import DataSpec
from digitlab.synthesis.stroke_sampler import StrokeSampler

Strokes = list[np.ndarray]
"""Of one digit, each float64 [points, 2] of (x, y); a digit is 1 high, its head at 0."""
FINE = 4
"""Ink is drawn at this many times its size, and averaged down."""
_SHIFT = 4  # bits of a pixel's fraction in OpenCV's coordinates

# As `digitlab.synthesis.letter_skeletons` writes skeletons: points in tenths of the height, `|` where the pen
# turns a corner, `;` where it is lifted. Forms that schools teach; none of them is trained on.
_SCHOOL = {
    0: ("3.2,0 0.8,1.6 0,5 0.8,8.4 3.2,10 5.6,8.4 6.4,5 5.6,1.6 3.2,0",),
    1: ("4,0 2,10", "0,3.2 3.2,0 | 3,10"),
    2: ("0.3,2.2 1.4,0.4 3.2,0 5.2,0.7 5.6,2.6 4.6,5 | 0,10 | 6,10",),
    3: ("0.3,1.4 2.6,0 5.2,1 5.2,3.4 2.6,4.8 | 5.2,5.6 6,7.6 4.6,9.6 2.4,10 0,8.8",),
    4: ("3.8,0 0,6.6 | 6.4,6.6 ; 4.6,4 4.6,10", "3,0 0,6.2 | 6,6.2 ; 5,3.4 4.2,10"),
    5: ("5.6,0 1,0 | 0.4,4.6 | 2.8,3.8 5.2,4.8 5.8,7 4.8,9.4 2.4,10 0,9",),
    6: ("4.6,0 1.6,3 0.2,6.6 1.2,9.4 3.2,10 5.4,9 5.6,6.6 4,5.2 1.8,5.6 0.4,7.4",),
    7: ("0,0.2 6,0 | 2.4,10 ; 1.4,5 5.6,4.8", "0,0.2 5.8,0 | 2,10"),
    8: ("3,4.6 0.8,3.4 0.6,1.4 3,0 5.4,1.4 5.2,3.4 3,4.6 0.6,6 0.2,8.4 3,10 5.8,8.4 5.4,6 3,4.6",),
    9: ("5.2,2.6 4,0.2 1.6,0.2 0.2,2.4 1.2,4.8 3.4,5 5.2,2.6 | 5,6 4.2,10",),
}


def skeleton(text: str, chance: np.random.Generator, unrest: float = 0.01) -> Strokes:
    """Read a skeleton, and let a hand draw it.

    Args:
        text: as in this file's table.
        chance: generator of what the hand does.
        unrest: distance by which points stray, as a share of the height.
    """
    hand = StrokeSampler(chance, 1, unrest)
    strokes = []
    for stroke in text.split(";"):
        curves = [_points(curve) for curve in stroke.split("|")]
        strokes.append(hand.stroke(*curves)[0])
    return strokes


def _points(text: str) -> list[tuple[float, float]]:
    """Read the points between two corners, in heights."""
    points = []
    for point in text.split():
        x, y = point.split(",")
        points.append((float(x) / 10, float(y) / 10))
    return points


def draw(strokes: Strokes, height: float, pen: float, size: tuple[int, int] | None = None) -> np.ndarray:
    """Draw strokes with a round pen.

    Args:
        strokes: strokes in which a digit is 1 high.
        height: height of a digit, in pixels.
        pen: its width in pixels.
        size: height and width of the ink, the origin in the corner; None cuts it to the strokes.

    Returns:
        The ink, float32 [h, w].
    """
    points = [stroke * height for stroke in strokes]
    if size is None:
        low = np.concatenate(points).min(axis=0) - pen / 2
        high = np.concatenate(points).max(axis=0) + pen / 2
        width, tall = np.ceil(high - low).astype(int) + 1
        points = [stroke - low for stroke in points]
        size = tall, width
    canvas = np.zeros((size[0] * FINE, size[1] * FINE), np.uint8)
    thickness = max(1, round(pen * FINE))
    for stroke in points:
        fixed = np.round((stroke * FINE) * (1 << _SHIFT)).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(canvas, [fixed], False, 255, thickness, cv2.LINE_8, _SHIFT)
    averaged = cv2.resize(canvas, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return cut(averaged / np.float32(255))


def cut(ink: np.ndarray) -> np.ndarray:
    """Cut ink to what is written."""
    is_ink = ink > 0.3
    rows = np.flatnonzero(is_ink.any(axis=1))
    columns = np.flatnonzero(is_ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


class Writer(Protocol):
    """Whoever writes digits."""

    def ink(self, digit: int, height: int) -> np.ndarray:
        """Write one digit of so many pixels' height; cut to its ink."""
        ...


class Drawer:
    """A hand that draws skeletons: one form of each digit, one slant, one pen.

    Args:
        chance: generator of the hand's habits and of each digit.
        slant: slant to the right, in widths a height; None draws it, the 1s upright with the rest.
        pen: width of the pen as a share of the height; None draws it.
    """

    def __init__(
        self, chance: np.random.Generator, slant: float | None = None, pen: float | None = None
    ) -> None:
        self._chance = chance
        self._slant = chance.uniform(-0.05, 0.2) if slant is None else slant
        self._wide = chance.uniform(0.75, 1.05)
        self._form = {digit: str(chance.choice(forms)) for digit, forms in _SCHOOL.items()}
        self.pen = chance.uniform(0.06, 0.12) if pen is None else pen

    def strokes(self, digit: int) -> Strokes:
        """Draw one digit's strokes, with this hand's slant and width."""
        return [self.habit(stroke) for stroke in skeleton(self._form[digit], self._chance)]

    def habit(self, stroke: np.ndarray) -> np.ndarray:
        """Give a stroke this hand's slant and width."""
        x, y = stroke[:, 0], stroke[:, 1]
        return np.stack([x * self._wide + self._slant * (1 - y), y], axis=1)

    def ink(self, digit: int, height: int) -> np.ndarray:
        """Write one digit of so many pixels' height."""
        pen = max(1.5, self.pen * height)
        return draw(self.strokes(digit), height - pen, pen)


class MnistWriter:
    """MNIST's validation digits, enlarged; each digit is another writer's.

    Args:
        chance: generator by which digits are taken.
    """

    def __init__(self, chance: np.random.Generator) -> None:
        self._chance = chance

    def ink(self, digit: int, height: int) -> np.ndarray:
        """Write one digit of so many pixels' height."""
        images = validation_digits()[digit]
        image = images[int(self._chance.integers(len(images)))]
        left, top, width, tall = cv2.boundingRect((image > 60).view(np.uint8))
        written = image[top : top + tall, left : left + width]
        size = max(2, round(width * height / tall)), height
        large = cv2.resize(written, size, interpolation=cv2.INTER_CUBIC)
        return np.clip(large / np.float32(255) * 1.6 - 0.3, 0, 1)  # steeper: enlarged edges are soft


def validation_part(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return the images and labels that the training of the shipped networks set aside: n is 5,000.

    Returns:
        Images, uint8 [n, 28, 28], and labels, uint8 [n].
    """
    spec = DataSpec()  # every recipe has this split, so that no network was trained on these digits
    _, held_out = stratified_split(dataset.y_train, spec.validation, spec.split_seed)
    return dataset.x_train[held_out], dataset.y_train[held_out]


@cache
def validation_digits() -> dict[int, np.ndarray]:
    """Return the digits of MNIST's validation part by digit, each uint8 [n, 28, 28]."""
    images, labels = validation_part(load("mnist"))
    return {digit: images[labels == digit] for digit in range(10)}


def some_writer(chance: np.random.Generator) -> Writer:
    """Take a drawing hand twice out of three times, MNIST's digits else."""
    return Drawer(chance) if chance.random() < 2 / 3 else MnistWriter(chance)


def number(chance: np.random.Generator, least: int, most: int, digits: str = "0123456789") -> str:
    """Draw a number of some length, of these digits."""
    return "".join(chance.choice(list(digits), int(chance.integers(least, most + 1))))


def write(
    text: str,
    writer: Writer,
    height: int,
    chance: np.random.Generator,
    gap: tuple[float, float] = (0.15, 0.4),
    drift: float = 0.03,
) -> np.ndarray:
    """Write a number from left to right.

    Args:
        text: its digits; a space leaves half a digit's height.
        writer: who writes.
        height: height of a digit, in pixels.
        chance: generator of gaps and drift.
        gap: between two digits, from and to, as shares of the height.
        drift: standard deviation of a digit's place from the baseline, as a share of the height.

    Returns:
        The ink, cut to what is written.
    """
    parts = [None if sign == " " else writer.ink(int(sign), height) for sign in text]
    tops = [round(height * drift * float(chance.normal())) for _ in parts]
    gaps = [round(height * float(chance.uniform(*gap))) for _ in parts]
    return place(parts, tops, gaps, height)


def place(
    parts: Sequence[np.ndarray | None], tops: Sequence[int], gaps: Sequence[int], height: int
) -> np.ndarray:
    """Put ink side by side: each part's top and the gap after it in pixels; None is a space."""
    low = min(tops)
    tall = 0
    wide = height * len(parts) + sum(max(gap, 0) for gap in gaps)  # enough for spaces, too
    for part, top in zip(parts, tops, strict=True):
        if part is not None:
            tall = max(tall, top - low + part.shape[0])
            wide += part.shape[1]
    ink = np.zeros((tall, wide), np.float32)
    left = 0
    for part, top, gap in zip(parts, tops, gaps, strict=True):
        if part is None:
            left += height // 2
            continue
        head = top - low
        view = ink[head : head + part.shape[0], left : left + part.shape[1]]
        np.maximum(view, part, out=view)  # where the gap is below 0, parts overlap
        left += part.shape[1] + gap
    return cut(ink)


Maker = Callable[[np.random.Generator], tuple[np.ndarray | bytes, str]]
"""Makes one picture of a kind: uint8 [h, w] or [h, w, 3], or a file's bytes; and its right answer."""

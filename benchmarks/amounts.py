"""Amounts as on cheques, and lines of forms: written by a writer on printed paper, with signs between."""

from __future__ import annotations

import cv2
import numpy as np
from paper import level, pad, photographed
from pen import Writer, draw, number, place, skeleton

PRINTS = ("plain", "waves", "screen", "dotted line", "frame", "tint", "copy")
"""Printed papers, none of which the training's papers are made by."""

_POINT, _COMMA = "0,9.6 0.1,9.8", "0.6,9.2 0.2,11.4"
_APOSTROPHE = "0.5,-0.4 0.2,1.4"
_CLOSINGS = ("0,5 9,4.6", "0,4.4 7,4 ; 0,6.2 7,5.8", "0,5 2,4 4,6 6,4 8,6 10,5", "0,6.4 3,5 | 8,5")
_BASELINE = 0.92
"""Top of a point or comma that stands on the baseline, as a share of the digits' height."""
_SHARE_OF_CENTS = 0.45


def amount(writer: Writer, chance: np.random.Generator) -> tuple[np.ndarray, str]:
    """Write an amount: whole part, signs, cents or a line in their place, and sometimes a closing line.

    Returns:
        A picture, uint8 [h, w], and its digits.
    """
    height = int(chance.integers(36, 80))
    whole = number(chance, 1, 1, "123456789") + number(chance, 1, 5)  # without a leading zero
    line = _AmountLine(height, chance)
    separator = str(chance.choice([_POINT, _APOSTROPHE, ""], p=(0.4, 0.2, 0.4)))
    for i, digit in enumerate(whole):
        ends_group = i > 0 and (len(whole) - i) % 3 == 0
        if ends_group and separator:
            line.add_sign(separator, _BASELINE if separator == _POINT else -0.05)
        line.add(writer.ink(int(digit), height), 0)
    text = whole
    if chance.random() < _SHARE_OF_CENTS:
        cents = number(chance, 2, 2)
        line.add_sign(_POINT if chance.random() < 0.5 else _COMMA, _BASELINE)
        size = round(height * float(chance.choice((1.0, 0.75))))
        top = 0.0 if size == height or chance.random() < 0.5 else -0.1  # small cents may be raised
        for digit in cents:
            line.add(writer.ink(int(digit), size), top)
        text += cents
    elif chance.random() < 0.3:
        line.add_sign(_POINT, _BASELINE)
        line.add_sign("0,5 4,4.8", 0.48)
    if chance.random() < 0.35:
        line.add_sign(str(chance.choice(_CLOSINGS)), 0.4)
    return printed(line.ink(), height, chance), text


class _AmountLine:
    """Digits and signs in the order in which they are written, each a little above or below its place."""

    def __init__(self, height: int, chance: np.random.Generator) -> None:
        self._height = height
        self._chance = chance
        self._pen = max(1.5, height * 0.08)
        self._parts: list[np.ndarray | None] = []
        self._tops: list[int] = []

    def add(self, ink: np.ndarray, top: float) -> None:
        """Add ink whose top is this share of the height below that of the digits."""
        drift = self._height * 0.03 * float(self._chance.normal())
        self._parts.append(ink)
        self._tops.append(round(top * self._height + drift))

    def add_sign(self, text: str, top: float) -> None:
        """Draw the skeleton of a sign, and add it."""
        strokes = skeleton(text, self._chance)
        self.add(draw(strokes, self._height, self._pen), top)

    def ink(self) -> np.ndarray:
        """Put all side by side; some touch."""
        gaps = [round(self._height * float(self._chance.uniform(-0.03, 0.25))) for _ in self._parts]
        return place(self._parts, self._tops, gaps, self._height)


def form_line(writer: Writer, chance: np.random.Generator) -> tuple[np.ndarray, str]:
    """Write a number into the boxes or combs of a form, a digit in each."""
    text = number(chance, 4, 8)
    height = int(chance.integers(28, 60))
    box_width = round(height * chance.uniform(1.1, 1.5))
    box_height = round(height * chance.uniform(1.3, 1.7))
    ink = np.zeros((box_height, box_width * len(text)), np.float32)
    for i, digit in enumerate(text):
        box = ink[:, i * box_width : (i + 1) * box_width]
        _write_in_box(writer.ink(int(digit), height), box, chance)
    margin = height // 3
    ink = pad(ink, margin, margin, margin, margin)
    paper = _bright(ink.shape, chance)
    edge = float(paper.mean()) * chance.uniform(0.45, 0.85)
    foot = margin + box_height
    right = margin + box_width * len(text)
    is_comb = chance.random() < 0.4  # short lines between the digits, and none above them
    head = margin + box_height * 2 // 3 if is_comb else margin
    for i in range(len(text) + 1):
        column = margin + i * box_width
        cv2.line(paper, (column, head), (column, foot), edge, 1)
    cv2.line(paper, (margin, foot), (right, foot), edge, 1)
    if not is_comb:
        cv2.line(paper, (margin, margin), (right, margin), edge, 1)
    return photographed(ink, paper, chance), text


def _write_in_box(digit: np.ndarray, box: np.ndarray, chance: np.random.Generator) -> None:
    """Write a digit near the middle of a box, cut to it."""
    tall, wide = box.shape
    digit = digit[:tall, :wide]
    left = (wide - digit.shape[1]) // 2 + round(wide * 0.06 * float(chance.normal()))
    top = (tall - digit.shape[0]) // 2 + round(tall * 0.05 * float(chance.normal()))
    left = int(np.clip(left, 0, wide - digit.shape[1]))
    top = int(np.clip(top, 0, tall - digit.shape[0]))
    box[top : top + digit.shape[0], left : left + digit.shape[1]] = digit


def printed(ink: np.ndarray, height: int, chance: np.random.Generator) -> np.ndarray:
    """Put ink on one of `PRINTS`, with a margin: uint8 [h, w]."""
    margins = [round(height * float(chance.uniform(0.1, 0.6))) for _ in range(4)]
    top, bottom, left, right = margins
    ink = pad(ink, top, bottom, left, right)
    name = str(chance.choice(PRINTS))
    paper = _bright(ink.shape, chance)
    tall, wide = paper.shape
    depth = chance.uniform(0.06, 0.25)
    step = height * chance.uniform(0.08, 0.3)
    if name == "waves":
        _print_waves(paper, height, step, depth, chance)
    elif name == "screen":
        _print_screen(paper, step, depth, chance)
    elif name == "dotted line":
        row = tall - bottom + round(height * 0.05)  # just below the digits
        dots = np.sin(np.arange(wide, dtype=np.float32) / 2) > 0
        paper[row : row + 2, :] *= np.where(dots, 0.5, 1)
    elif name == "frame":
        inset = max(1, bottom // 3)
        grey = float(paper.mean()) * chance.uniform(0.3, 0.8)
        cv2.rectangle(paper, (inset, inset), (wide - 1 - inset, tall - 1 - inset), grey, 2)
    elif name == "tint":
        edge = round(wide * chance.uniform(0, 0.5))
        paper[:, :edge] *= 1 - depth
        paper[: top // 2] *= 1 - depth
    picture = photographed(ink, paper, chance)
    if name == "copy":
        return _copied(picture, chance)
    return picture


def _print_waves(
    paper: np.ndarray, height: int, step: float, depth: float, chance: np.random.Generator
) -> None:
    """Print three sets of waving lines over each other, as on cheques."""
    rows, columns = np.indices(paper.shape, np.float32)
    for phase in chance.uniform(0, 2 * np.pi, 3):
        waving = rows + height * 0.3 * np.sin(columns / height * 2 + phase)
        lines = np.abs(np.sin(np.pi * waving / step)) > 0.93
        paper *= 1 - depth / 2 * lines


def _print_screen(paper: np.ndarray, step: float, depth: float, chance: np.random.Generator) -> None:
    """Print parallel bars at some angle."""
    rows, columns = np.indices(paper.shape, np.float32)
    angle = chance.uniform(0, np.pi)
    across = np.cos(angle) * columns + np.sin(angle) * rows
    bars = np.sin(2 * np.pi * across / step) > 0.5
    paper *= 1 - depth * bars


def _copied(picture: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Copy a picture badly: the paper becomes white, the ink darker, with specks."""
    specks = chance.random(picture.shape) < 0.002
    is_paper = picture > np.median(picture) * 0.72
    return level(np.where(is_paper, 250, picture * 0.5) * ~specks)


def _bright(size: tuple[int, ...], chance: np.random.Generator) -> np.ndarray:
    """Paper of a light grey, float32 [h, w]."""
    noise = chance.normal(0, 1, size).astype(np.float32)
    grain = cv2.GaussianBlur(noise, (0, 0), 1.2)
    return (chance.uniform(190, 245) + chance.uniform(1, 8) * grain).astype(np.float32)

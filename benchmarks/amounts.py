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
_SHARE_OF_CENTS = 0.45


def amount(writer: Writer, chance: np.random.Generator) -> tuple[np.ndarray, str]:
    """Write an amount: whole part, signs, cents or a line in their place, and sometimes a closing line.

    Returns:
        A picture, uint8 [h, w], and its digits.
    """
    height = int(chance.integers(36, 80))
    whole = number(chance, 1, 1, "123456789") + number(chance, 1, 5)
    pen = max(1.5, height * 0.08)
    parts: list[np.ndarray | None] = []
    tops: list[int] = []

    def add(ink: np.ndarray, top: float) -> None:
        parts.append(ink)
        tops.append(round(top * height + height * 0.03 * float(chance.normal())))

    def sign(text: str, top: float) -> None:
        add(draw(skeleton(text, chance), height, pen), top)

    between = str(chance.choice([_POINT, _APOSTROPHE, ""], p=(0.4, 0.2, 0.4)))
    for index, digit in enumerate(whole):
        if index and (len(whole) - index) % 3 == 0 and between:
            sign(between, 0.92 if between == _POINT else -0.05)
        add(writer.ink(int(digit), height), 0)
    text = whole
    if chance.random() < _SHARE_OF_CENTS:
        cents = number(chance, 2, 2)
        sign(_POINT if chance.random() < 0.5 else _COMMA, 0.92)
        size = round(height * float(chance.choice((1.0, 0.75))))
        raised = 0.0 if size == height or chance.random() < 0.5 else -0.1
        for digit in cents:
            add(writer.ink(int(digit), size), raised)
        text += cents
    elif chance.random() < 0.3:
        sign(_POINT, 0.92)
        sign("0,5 4,4.8", 0.48)
    if chance.random() < 0.35:
        sign(str(chance.choice(_CLOSINGS)), 0.4)
    gaps = [round(height * float(chance.uniform(-0.03, 0.25))) for _ in parts]
    return printed(place(parts, tops, gaps, height), height, chance), text


def form_line(writer: Writer, chance: np.random.Generator) -> tuple[np.ndarray, str]:
    """Write a number into the boxes or combs of a form, a digit in each."""
    text = number(chance, 4, 8)
    height = int(chance.integers(28, 60))
    cell, tall = round(height * chance.uniform(1.1, 1.5)), round(height * chance.uniform(1.3, 1.7))
    ink = np.zeros((tall, cell * len(text)), np.float32)
    for index, digit in enumerate(text):
        one = writer.ink(int(digit), height)[:tall, :cell]
        left = (cell - one.shape[1]) // 2 + round(cell * 0.06 * float(chance.normal()))
        top = (tall - one.shape[0]) // 2 + round(tall * 0.05 * float(chance.normal()))
        left, top = int(np.clip(left, 0, cell - one.shape[1])), int(np.clip(top, 0, tall - one.shape[0]))
        ink[top : top + one.shape[0], index * cell + left : index * cell + left + one.shape[1]] = one
    margin = height // 3
    paper = _bright(pad(ink, *[margin] * 4).shape, chance)
    edge = float(paper.mean()) * chance.uniform(0.45, 0.85)
    foot, right = margin + tall, margin + cell * len(text)
    comb = chance.random() < 0.4
    for index in range(len(text) + 1):
        head = margin + (tall * 2 // 3 if comb else 0)
        cv2.line(paper, (margin + index * cell, head), (margin + index * cell, foot), edge, 1)
    cv2.line(paper, (margin, foot), (right, foot), edge, 1)
    if not comb:
        cv2.line(paper, (margin, margin), (right, margin), edge, 1)
    return photographed(pad(ink, *[margin] * 4), paper, chance), text


def printed(ink: np.ndarray, height: int, chance: np.random.Generator) -> np.ndarray:
    """Put ink on one of `PRINTS`, with a margin: uint8 [h, w]."""
    margins = [round(height * float(chance.uniform(0.1, 0.6))) for _ in range(4)]
    ink = pad(ink, *margins)
    name = str(chance.choice(PRINTS))
    paper = _bright(ink.shape, chance)
    rows, columns = np.mgrid[0 : ink.shape[0], 0 : ink.shape[1]].astype(np.float32)
    depth = chance.uniform(0.06, 0.25)
    step = height * chance.uniform(0.08, 0.3)
    if name == "waves":
        for phase in chance.uniform(0, 2 * np.pi, 3):
            way = rows + height * 0.3 * np.sin(columns / height * 2 + phase)
            paper *= 1 - depth / 2 * (np.abs(np.sin(np.pi * way / step)) > 0.93)
    elif name == "screen":
        angle = chance.uniform(0, np.pi)
        paper *= 1 - depth * (
            np.sin(2 * np.pi * (np.cos(angle) * columns + np.sin(angle) * rows) / step) > 0.5
        )
    elif name == "dotted line":
        row = ink.shape[0] - margins[1] + round(height * 0.05)
        paper[row : row + 2, :] *= np.where(np.sin(columns[0] / 2) > 0, 0.5, 1)
    elif name == "frame":
        inset = max(1, margins[1] // 3)
        corner = (ink.shape[1] - 1 - inset, ink.shape[0] - 1 - inset)
        cv2.rectangle(paper, (inset, inset), corner, float(paper.mean()) * chance.uniform(0.3, 0.8), 2)
    elif name == "tint":
        paper[:, : round(ink.shape[1] * chance.uniform(0, 0.5))] *= 1 - depth
        paper[: margins[0] // 2] *= 1 - depth
    picture = photographed(ink, paper, chance)
    if name == "copy":
        specks = chance.random(picture.shape) < 0.002
        picture = level(np.where(picture > np.median(picture) * 0.72, 250, picture * 0.5) * ~specks)
    return picture


def _bright(size: tuple[int, ...], chance: np.random.Generator) -> np.ndarray:
    """Paper of a light grey, float32 [h, w]."""
    grain = cv2.GaussianBlur(chance.normal(0, 1, size).astype(np.float32), (0, 0), 1.2)
    return (chance.uniform(190, 245) + chance.uniform(1, 8) * grain).astype(np.float32)

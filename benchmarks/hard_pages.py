"""Pages that are hard to read, and pages without a number: a maker of one picture for each kind."""

from __future__ import annotations

import io

import cv2
import numpy as np
from hard_numbers import turned
from paper import around, grey_paper, level, look, pad, photographed
from pen import Drawer, Maker, cut, draw, number, skeleton, some_writer, write
from PIL import Image

from digitlab.synthesis.stroke_sampler import StrokeSampler

Picture = tuple[np.ndarray, str]


def rising_rows(chance: np.random.Generator) -> Picture:
    """Three to five rows that rise together, one of them larger, close to each other."""
    hand = Drawer(chance)
    height = int(chance.integers(28, 45))
    rows = [number(chance, 5, 9) for _ in range(int(chance.integers(3, 6)))]
    larger = int(chance.integers(len(rows)))
    inks = []
    for i, text in enumerate(rows):
        size = round(height * (1.5 if i == larger else 1))
        inks.append(write(text, hand, size, chance, gap=(0.3, 0.6)))
    space = int(height * chance.uniform(0.35, 0.6))  # between two rows
    page_height = sum(ink.shape[0] + space for ink in inks)
    page_width = max(ink.shape[1] for ink in inks)
    page = np.zeros((page_height, page_width), np.float32)
    top = 0
    for ink in inks:
        page[top : top + ink.shape[0], : ink.shape[1]] = ink
        top += ink.shape[0] + space
    page = cut(turned(np.pad(page, height), chance.uniform(2, 6)))
    margins = [int(height * chance.uniform(0.8, 2)) for _ in range(4)]
    return look(pad(page, *margins), chance), "\n".join(rows)


def column(chance: np.random.Generator) -> Picture:
    """Digits with straight bars below each other, each a row of its own."""
    digits = number(chance, 3, 5, "444777721")
    height = int(chance.integers(45, 85))
    hand = Drawer(chance, slant=chance.uniform(0, 0.25))
    inks = [hand.ink(int(digit), height) for digit in digits]
    pitch = int(height * chance.uniform(1.4, 1.9))
    page = np.zeros((pitch * len(inks), height), np.float32)
    for i, ink in enumerate(inks):
        left = (height - ink.shape[1]) // 2 + int(height * chance.uniform(-0.06, 0.06))
        left = int(np.clip(left, 0, max(0, height - ink.shape[1])))
        top = i * pitch
        page[top : top + ink.shape[0], left : left + ink.shape[1]] = ink[:, : height - left]
    margins = [int(height * chance.uniform(0.3, 0.6)) for _ in range(4)]
    return look(pad(cut(page), *margins), chance), "\n".join(digits)


def tiff_pages(chance: np.random.Generator) -> tuple[bytes, str]:
    """A TIFF of two to four pages, a number on each."""
    hand = some_writer(chance)
    texts = [number(chance, 2, 5) for _ in range(int(chance.integers(2, 5)))]
    pages = []
    for text in texts:
        ink = write(text, hand, int(chance.integers(40, 80)), chance)
        picture = look(around(ink, 0.6, chance), chance)
        pages.append(Image.fromarray(picture))
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    return file.getvalue(), "\n\n".join(texts)


def texture(chance: np.random.Generator) -> Picture:
    """Cloth, gravel, waves, a screen of points: no writing."""
    height, width = (int(chance.integers(120, 500)) for _ in range(2))
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    kind = int(chance.integers(4))
    step = chance.uniform(6, 40)
    if kind == 0:  # grains of some size
        noise = chance.normal(0, 1, (height, width))
        grain = cv2.GaussianBlur(noise, (0, 0), step / 6)
        values = 128 + 60 * grain / grain.std()
    elif kind == 1:  # waves
        angle = chance.uniform(0, np.pi)
        across = np.cos(angle) * columns + np.sin(angle) * rows + 5 * np.sin(rows / step)
        values = 128 + 100 * np.sin(2 * np.pi * across / step)
    elif kind == 2:  # woven
        values = 128 + 50 * np.sin(2 * np.pi * rows / step) + 50 * np.sin(2 * np.pi * columns / step)
    else:  # hatched
        values = np.full((height, width), 230.0)
        for _ in range(int(chance.integers(40, 200))):
            x, y = chance.uniform(0, (width, height))
            along, down = chance.normal(0, 1, 2) * step * 3
            end = int(x + along), int(y + down)
            cv2.line(values, (int(x), int(y)), end, chance.uniform(0, 120), 2)
    return level(values + chance.normal(0, 3, values.shape)), ""


def empty_paper(chance: np.random.Generator) -> Picture:
    """Paper in uneven light, a third of it ruled: nothing is written."""
    height, width = (int(chance.integers(60, 500)) for _ in range(2))
    ink = np.zeros((height, width), np.float32)
    if chance.random() < 0.34:
        step = int(chance.integers(20, 60))
        ink[step // 2 :: step] = chance.uniform(0.2, 0.6)
    return photographed(ink, grey_paper(ink.shape, chance), chance), ""


def running_hand(chance: np.random.Generator) -> Picture:
    """Two to four lines of words in a running hand: arches, loops, cups and dots, joined."""
    height = int(chance.integers(24, 50))
    slant, pen = chance.uniform(0, 0.4), height * chance.uniform(0.06, 0.1)
    lines = []
    for _ in range(int(chance.integers(2, 5))):
        strokes: list[np.ndarray] = []
        left = 0.0
        for _ in range(int(chance.integers(2, 5))):
            word, end = _word(chance, left)
            for stroke in word:
                lean = (1 - stroke[:, 1:]) * (slant, 0)  # the head of a stroke to the right of its foot
                strokes.append(stroke + lean)
            left = end + chance.uniform(0.6, 0.9)
        lines.append(draw(strokes, height, pen))
    pitch = int(height * 2.3)
    page_height = pitch * len(lines) + height * 2
    page_width = max(line.shape[1] for line in lines)
    page = np.zeros((page_height, page_width), np.float32)
    for i, line in enumerate(lines):
        top = i * pitch
        page[top : top + line.shape[0], : line.shape[1]] += line  # loops of two lines may cross
    ink = cut(page.clip(0, 1))
    return look(around(ink, 0.15, chance), chance), ""


# Each letter from where the pen comes, at the foot on the left, to where it goes on: points in heights.
_JOINED = (
    "0,10 1.2,6 2,5 2.2,7 2.2,10 | 2.6,7 3.6,5 4.4,6 4.4,9 5.4,10",  # n
    "0,10 1,6 1.2,5 | 1.2,8.6 2.2,10 3.6,8.6 3.9,5 | 3.9,9 5,10",  # u
    "0,10 1.8,8 2.6,6 1.8,5 0.9,7 1.2,9.4 2.6,10 3.8,9.4",  # e
    "0,10 2,5 2.8,1 2,-1.5 1.2,0 1.2,8 2,10 3.4,9.4",  # l
    "0,10 2.6,5.4 1.2,5.2 0.4,7.6 1.2,10 2.6,8.6 3,5.2 | 3,9 4.2,10",  # a
    "0,10 1.8,5 | 2.2,6 3,7.6 2.6,10 1.4,9.6 | 2.6,10 3.8,9.6",  # s
    "0,10 1,5.4 | 1.2,9 2,10 3.2,9",  # i
    "0,10 1.4,5 2,6 1.8,15 0.4,16 0,14 2.2,10.6 3.6,9.4",  # j, g
    "0,10 1,6 1.6,5 1.8,10 | 2.2,6 3,5 3.4,10 | 3.8,6 4.6,5 5.2,6 5.2,9 6.2,10",  # m
    "0,10 2,4 2.6,0 2.2,-1 1.4,2 1.2,10 | 1.8,7 3,5 3.8,6.6 3.8,9 5,10",  # h
)  # fmt: skip


def _word(chance: np.random.Generator, left: float) -> tuple[list[np.ndarray], float]:
    """Draw a word: its strokes, and where it ends."""
    strokes = []
    for _ in range(int(chance.integers(3, 9))):
        for stroke in skeleton(str(chance.choice(_JOINED)), chance, 0.02):
            strokes.append(stroke + np.array([left, 0]))
        left = float(strokes[-1][-1, 0])
    return strokes, left


def scribble(chance: np.random.Generator) -> Picture:
    """One long line that goes here and there."""
    hand = StrokeSampler(chance, 1)
    points = [(hand.uniform(0, 2), hand.uniform(0, 1)) for _ in range(int(chance.integers(12, 30)))]
    ink = draw([hand.stroke(points)[0]], int(chance.integers(60, 200)), chance.uniform(2, 6))
    return look(around(ink, 0.3, chance), chance), ""


PAGES: dict[str, Maker] = {
    "rising rows": rising_rows,
    "column with straight bars": column,
    "several TIFF pages": tiff_pages,
    "texture": texture,
    "empty paper": empty_paper,
    "running handwriting": running_hand,
    "scribble": scribble,
}

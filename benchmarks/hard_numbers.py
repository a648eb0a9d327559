"""Numbers that are hard to read: a maker of one picture for each kind."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
from paper import around, coloured, grey_paper, level, look, pad, photographed
from pen import Drawer, Maker, MnistWriter, cut, draw, number, place, skeleton, some_writer, write

Picture = tuple[np.ndarray, str]

_SIGNS = {
    "+": "3,2 3,8 ; 0,5 6,5",
    "-": "0,5 5,5",
    "=": "0,4 6,4 ; 0,6.4 6,6.4",
    "x": "0,2.4 5,7.6 ; 5,2.4 0,7.6",
    "÷": "0,5 6,5 ; 3,2.4 3.05,2.4 ; 3,7.6 3.05,7.6",
}
_BARS = "22444555777013689"
"""Digits with lying bars more often than the others."""
_COLOURS = (
    ((200, 30, 30), (45, 115, 45)),  # red on green
    ((230, 145, 50), (120, 175, 235)),  # orange on sky
    ((60, 110, 220), (150, 95, 40)),  # blue on brown
    ((200, 80, 160), (100, 135, 60)),  # pink on olive
    ((20, 140, 140), (190, 85, 70)),  # teal on brick
)


def close_cut(chance: np.random.Generator) -> Picture:
    """A number in a picture that is hardly higher than its digits."""
    text = number(chance, 4, 9)
    height = int(chance.integers(45, 90))
    ink = write(text, some_writer(chance), height, chance, gap=(0.2, 0.5))
    margins = [int(height * chance.uniform(0.25, 0.45)) for _ in range(4)]
    return look(pad(ink, *margins), chance), text


def roomy(chance: np.random.Generator) -> Picture:
    """Its twin: the same with much paper around it."""
    text = number(chance, 4, 9)
    ink = write(text, some_writer(chance), int(chance.integers(45, 90)), chance, gap=(0.2, 0.5))
    return look(around(ink, 1.5, chance), chance), text


def aligned_bars(chance: np.random.Generator) -> Picture:
    """A close strip of digits of one height, whose bars lie in line."""
    text = number(chance, 4, 9, _BARS)
    height = int(chance.integers(40, 75))
    hand = Drawer(chance, slant=0)
    ink = write(text, hand, height, chance, gap=(0.2, 0.35), drift=0)
    margins = [int(height * chance.uniform(0.12, 0.3)) for _ in range(4)]
    return look(pad(ink, *margins), chance), text


def on_a_line(chance: np.random.Generator) -> Picture:
    """A number that stands on a ruled line, touches it or crosses it a little."""
    text = number(chance, 4, 7)
    height = int(chance.integers(35, 80))
    ink = write(text, some_writer(chance), height, chance, gap=(0.2, 0.45), drift=0.04)
    below = int(height * chance.uniform(0.05, 0.8))
    ink = pad(ink, int(height * chance.uniform(0.1, 0.6)), below, height // 4, height // 4)
    row = ink.shape[0] - below - int(height * chance.uniform(0.0, 0.08))
    thick = int(chance.integers(1, 4))
    line = np.zeros_like(ink)
    line[row : row + thick] = chance.uniform(0.5, 1)
    return look(np.maximum(ink, line), chance), text


def zeros_together(chance: np.random.Generator) -> Picture:
    """A digit and two to four zeros that touch or are joined by arcs at their heads."""
    text = number(chance, 1, 2, "123456789") + "0" * int(chance.integers(2, 5))
    height = int(chance.integers(40, 90))
    hand = Drawer(chance)
    joined = chance.random() < 0.7
    gap = chance.uniform(0.04, 0.2) if joined else chance.uniform(-0.03, 0.05)
    strokes: list[np.ndarray] = []
    left = 0.0
    previous = ""
    for sign in text:
        digit = [stroke + np.array([left, 0]) for stroke in hand.strokes(int(sign))]
        right = np.concatenate(digit)[:, 0].max()
        if joined and sign == previous == "0":
            end, head = strokes[-1][-1], digit[0][0]
            sag = chance.uniform(-0.1, 0.1)
            middle = (end + head) / 2 + (0, sag)
            arc = skeleton(_skeleton_of(end, middle, head), chance, 0)[0]
            digit.insert(0, arc)
        strokes += digit
        previous = sign
        left = right + (gap if sign == "0" else chance.uniform(0.15, 0.3))
    ink = draw(strokes, height, hand.pen * height)
    return look(around(ink, 0.4, chance), chance), text


def _skeleton_of(*points: np.ndarray) -> str:
    """Write points as `skeleton` reads them."""
    return " ".join(f"{10 * x:.3f},{10 * y:.3f}" for x, y in points)


def sums(chance: np.random.Generator) -> Picture:
    """Digits with signs of arithmetic between them; the signs are no digits and leave nothing."""
    height = int(chance.integers(45, 90))
    hand = Drawer(chance)
    parts: list[np.ndarray] = []
    tops: list[int] = []
    text = ""
    for i in range(int(chance.integers(2, 4))):
        if i > 0:
            name = str(chance.choice(list(_SIGNS)))
            strokes = skeleton(_SIGNS[name], chance)
            sign = draw(strokes, height * chance.uniform(0.7, 0.9), hand.pen * height)
            parts.append(sign)
            tops.append((height - sign.shape[0]) // 2)
        for digit in number(chance, 1, 2):
            parts.append(hand.ink(int(digit), height))
            tops.append(0)
            text += digit
    gaps = [int(height * chance.uniform(0.25, 0.45)) for _ in parts]
    ink = place(parts, tops, gaps, height)
    return look(around(ink, 0.4, chance), chance), text


def wavy(chance: np.random.Generator) -> Picture:
    """A number whose digits go up and down by up to nine tenths of their height, from left to right."""
    text = number(chance, 4, 7)
    height = int(chance.integers(40, 80))
    writer = some_writer(chance)
    parts = [writer.ink(int(digit), height) for digit in text]
    tops = [int(height * chance.uniform(0, 0.9)) for _ in parts]
    gaps = [int(height * chance.uniform(0.35, 0.8)) for _ in parts]
    ink = place(parts, tops, gaps, height)
    return look(around(ink, 0.4, chance), chance), text


def tight(margin: str, chance: np.random.Generator) -> Picture:
    """A number, or one digit, cut to its ink and a margin: in pixels, or in percent of its height."""
    text = number(chance, 2, 7) if chance.random() < 0.8 else number(chance, 1, 1)
    height = int(chance.integers(30, 140))
    ink = write(text, some_writer(chance), height, chance, gap=(0.1, 0.4))
    size, unit = margin.split()
    pixels = int(size) if unit == "px" else round(int(size) / 100 * ink.shape[0])
    return look(pad(ink, pixels, pixels, pixels, pixels), chance), text


def two_inks(chance: np.random.Generator) -> Picture:
    """A number written with two pens, of which the second is far fainter."""
    text = number(chance, 4, 6)
    height = int(chance.integers(50, 90))
    writer = some_writer(chance)
    first_pale = int(chance.integers(1, len(text)))
    colours = np.array([(250, 120, 160), (120, 165, 230), (150, 200, 150), (185, 185, 185)])
    parts = [writer.ink(int(digit), height) for digit in text]
    gaps = [int(height * chance.uniform(0.2, 0.45)) for _ in parts]
    tall = max(part.shape[0] for part in parts)
    wide = sum(part.shape[1] for part in parts) + sum(gaps)
    dark = np.zeros((tall, wide), np.float32)
    pale = np.zeros((tall, wide), np.float32)
    left = 0
    for i, part in enumerate(parts):
        ink = dark if i < first_pale else pale
        ink[: part.shape[0], left : left + part.shape[1]] = part
        left += part.shape[1] + gaps[i]
    picture = coloured(dark, (20, 20, 20), (255, 255, 255)).astype(float)
    share = pale[..., None]
    picture = picture * (1 - share) + colours[int(chance.integers(len(colours)))] * share
    margin = int(0.4 * height)
    margins = ((margin, margin), (margin, margin), (0, 0))
    return np.pad(level(picture), margins, constant_values=255), text


def equal_luminance(chance: np.random.Generator) -> Picture:
    """Colours that a grey picture can hardly tell apart."""
    text = number(chance, 2, 5)
    ink = write(text, some_writer(chance), int(chance.integers(50, 100)), chance, gap=(0.2, 0.45))
    pen, background = _COLOURS[int(chance.integers(len(_COLOURS)))]
    weights = np.array([0.299, 0.587, 0.114])  # of luminance, as a decoder makes a picture grey
    # Moved to the pen's luminance, give or take little.
    move = weights @ np.array(pen) - weights @ np.array(background) + chance.uniform(-8, 8)
    red, green, blue = (int(value) for value in np.clip(np.array(background) + move, 0, 255))
    return coloured(around(ink, 0.4, chance), pen, (red, green, blue)), text


def slanting(degrees: float, chance: np.random.Generator) -> Picture:
    """A number that climbs or falls by so many degrees."""
    text = number(chance, 4, 7)
    ink = write(text, some_writer(chance), int(chance.integers(45, 80)), chance)
    ink = around(ink, 0.5, chance)
    angle = chance.choice((-1, 1)) * degrees
    return look(cut_to_paper(turned(ink, angle), chance), chance), text


def turned(ink: np.ndarray, degrees: float) -> np.ndarray:
    """Turn ink, in a picture that has room for it."""
    height, width = ink.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    extent = np.abs(matrix[:, :2]) @ (width, height)  # of the turned picture: width and height
    matrix[:, 2] += extent / 2 - (width / 2, height / 2)  # its middle stays in the middle
    size = int(extent[0]), int(extent[1])
    return cv2.warpAffine(ink, matrix, size, flags=cv2.INTER_CUBIC).clip(0, 1)


def cut_to_paper(ink: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Cut to the ink, and leave a margin."""
    return around(cut(ink), 0.25, chance)


def long_row(chance: np.random.Generator) -> Picture:
    """Two hundred digits in a row of about 3,000 pixels."""
    text = number(chance, 200, 200)
    ink = write(text, MnistWriter(chance), 18, chance, gap=(0.1, 0.3))
    return look(around(ink, 0.6, chance), chance, "white"), text


def upside_down(chance: np.random.Generator) -> Picture:
    """A number that stands on its head, half of whose digits or more are then none."""
    digits = [*number(chance, 3, 4, "3479"), *number(chance, 1, 2)]
    text = "".join(chance.permutation(digits))
    ink = write(text, some_writer(chance), int(chance.integers(50, 90)), chance)
    return look(around(ink[::-1, ::-1], 0.5, chance), chance), ""


def on_grey(chance: np.random.Generator) -> Picture:
    """A number as it should be, on grey paper: what every reader must read."""
    text = number(chance, 3, 6)
    ink = write(text, some_writer(chance), int(chance.integers(45, 90)), chance)
    ink = around(ink, 0.8, chance)
    return photographed(ink, grey_paper(ink.shape, chance), chance), text


MARGINS = ("0 px", "1 px", "4 px", "10 %", "25 %")
NUMBERS: dict[str, Maker] = {
    "close cut": close_cut,
    "twin: roomy": roomy,
    "twin: on grey paper": on_grey,
    "aligned bars": aligned_bars,
    "touches a line": on_a_line,
    "zeros run together": zeros_together,
    "signs of arithmetic": sums,
    "wavy row": wavy,
    **{f"cut to its ink: {margin}": partial(tight, margin) for margin in MARGINS},
    "fainter ink beside darker": two_inks,
    "equal luminance": equal_luminance,
    "row at 15 degrees": partial(slanting, 15.0),
    "200 digits in a row": long_row,
    "upside down": upside_down,
}

"""Single digits that are hard to read, and letters: a maker of one picture for each kind."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
from paper import around, grey_paper, level, look, pad, photographed, square
from pen import Drawer, Maker, Strokes, draw, number, skeleton, some_writer, write

from digitlab.synthesis.glyphs import glyphs_of
from digitlab.synthesis.stroke_sampler import StrokeSampler, arc

Picture = tuple[np.ndarray, str]

_UPRIGHT = "3,0 3,10"
_SHAPES = {
    "shape: 7 with its bar low": (
        7,
        "0,0.6 4,0 | 1.6,10 0.9,8.3 | 5.2,7.8",
        "0,0.4 4.4,0 | 1.8,10 ; -0.4,8.1 4.4,7.7",
    ),
    "shape: 4 round, nearly closed": (
        4,
        "2.8,0.3 1.4,1.4 | 0.2,3.6 | 1,5.2 | 4,4.2 ; 4,1 2.8,10",
        "3.2,0.2 0.8,1.8 | 0.1,3.8 | 1.2,5.2 | 4,4.4 ; 4.3,0.8 3.2,10",
    ),
    "shape: 9 with a tail to the left": (
        9,
        "4.2,0.7 2.4,0 1,1.2 1.8,2.9 4.1,2.6 | 5.2,5.8 7.6,8.6 | 7,9.6 5,9.7 -1.5,8.8",
        "4.2,1 2.2,0 0.8,1.6 2.4,3.2 4.2,1.4 | 5,5.6 6.4,9 4.4,9.8 | -1,9.2",
    ),
    "shape: 9 open at the head": (
        9,
        "3.4,0.6 1.6,0.2 0.4,2.4 1.4,4.8 3.6,4.6 | 3.2,8.2 2,10 -0.2,8.8",
        "3.6,0.2 1,0.4 0.2,2.8 1,4.6 3.2,4.4 4.4,3.8 | 4.2,10",
    ),
    "shape: 5 without a belly": (
        5,
        "5.4,0 0.8,0.4 2.4,0.6 | 2.4,7.6 1.9,9.8 0.6,9.2",
        "5,0 0.8,0.2 | 0.8,2.6 | 2.6,3 2.8,8.4 1.6,10 0.2,9.2",
    ),
    "shape: 6 with a small bowl": (
        6,
        "3,0 1,7.4 0.7,9.2 1.5,10 2.4,9.2 2.2,8 1.5,7.6 0.9,8.5",
        "3.4,0 1,6.6 0.7,9.2 1.8,10 2.9,8.8 2,7.4 0.9,8.4",
    ),
    "shape: 3 nearly straight": (
        3,
        "0.4,1.4 1,0.1 | 2.6,0.2 3.1,2 2.8,5 3.3,8 2.6,9.8 1.1,9.4",
        "0,1.2 1.4,0 2.8,1.2 2.2,4.6 3,5.6 3.2,8.2 2,10 0.2,9.4",
    ),
}
_LETTERS = (
    "0,0 0.3,10 | 0.6,3 2.4,0.2 5,0.6 | 6.4,2 6.4,10",  # n
    "5,0 1.4,0.8 0,5 1.4,9 5,10 8.6,9 10,5 8.6,0.8 5,0 ; 5.6,6.8 11,10.4",  # Q
    "0,10 3,0 | 6,10 ; 1.2,6.3 4.8,6.3",  # A
    "6,0 0,0 | 0,10 | 6,10 ; 0,5 4.5,5",  # E
    "6,0 0,0 | 0,10 ; 0,5 4.5,5",  # F
    "0,0 0,10 ; 6,0 6,10 ; 0,5 6,5",  # H
    "0,0 0,10 ; 6,0 0,5.5 | 6,10",  # K
    "0,10 0,0 | 3.5,6 | 7,0 | 7,10",  # M
    "0,10 0,0 | 6,10 | 6,0",  # N
    "0,0 0,10 ; 0,0 4,0 5.8,2.4 4,5 0,5",  # P
    "0,0 0,10 ; 0,0 4,0 5.8,2.4 4,5 0,5 ; 2,5 6,10",  # R
    "0,0 6,0 ; 3,0 3,10",  # T
    "0,0 0,7 1,9.4 3,10 5,9.4 6,7 6,0",  # U
    "0,0 1.8,10 | 3.5,3 | 5.2,10 | 7,0",  # W
    "0,0 6,10 ; 6,0 0,10",  # X
    "0,0 0,10 ; 0,6 2,4 4.6,4.6 5,6.4 5,10",  # h
    "0,10 0,3 ; 0,6 2,3.2 4,4 4.4,6 4.4,10 ; 4.4,6 6,3.4 8,3.6 8.8,6 8.8,10",  # m
    "0.3,6 5.6,5 4.6,2.4 2,2.2 0.2,5 0.8,8.6 3,10 5.8,8.6",  # e
)  # fmt: skip
"""What on a page of its own nobody takes for a digit."""


def _canvas(strokes: Strokes, chance: np.random.Generator) -> np.ndarray:
    """A drawing on a canvas of some size, the digit taking a half to nine tenths of it."""
    side = int(chance.integers(80, 401))
    tall = side * chance.uniform(0.5, 0.85)
    extent = np.ptp(np.concatenate(strokes), axis=0)
    height = tall / max(extent[1], extent[0] / 1.1)
    pen = height * chance.uniform(0.04, 0.12)
    return square(draw(strokes, height, max(pen, 1.5)), side)


def upright_1(chance: np.random.Generator) -> Picture:
    """A 1 that stands exactly upright: alone, as small as MNIST's, or among digits."""
    if chance.random() < 0.6:
        strokes = skeleton(_UPRIGHT, chance, 0)
        ink = _canvas(strokes, chance)
        if chance.random() < 0.3:
            small = draw(strokes, int(chance.integers(17, 23)), chance.uniform(2, 4))
            ink = square(small, 28)
        return look(ink, chance), "1"
    hand = Drawer(chance, slant=0)

    def strokes_of(digit: int) -> Strokes:
        if digit == 1:
            return skeleton(_UPRIGHT, chance, 0)
        return Drawer.strokes(hand, digit)

    hand.strokes = strokes_of
    text = number(chance, 2, 3) + "1" + number(chance, 2, 3)
    ink = write(text, hand, int(chance.integers(40, 90)), chance)
    return look(around(ink, 0.9, chance), chance), text


def slanted_1(chance: np.random.Generator) -> Picture:
    """Its twin: a 1 that leans."""
    lean = chance.choice((-1, 1)) * chance.uniform(0.08, 0.25)
    strokes = []
    for stroke in skeleton(_UPRIGHT, chance, 0):
        strokes.append(stroke + (1 - stroke[:, 1:]) * (lean, 0))  # the head moves, the foot stays
    return look(_canvas(strokes, chance), chance), "1"


def at_the_edge(chance: np.random.Generator) -> Picture:
    """A digit whose strokes run out of the picture on one side or two, by half the pen's width at most."""
    digit = int(chance.integers(10))
    hand = Drawer(chance, pen=chance.uniform(0.07, 0.17))
    height = int(chance.choice((20, 28, 60, 120, 160)))
    ink = hand.ink(digit, height)
    widest = 0.4 if chance.random() < 0.5 else 0.08
    margins = [int(height * chance.uniform(0.02, widest)) for _ in range(4)]
    for side in chance.choice(4, int(chance.integers(1, 3)), replace=False):
        margins[side] = -round(hand.pen * height * chance.uniform(0, 0.5))  # below 0: cut into the ink
    top, bottom, left, right = margins
    return look(pad(ink, top, bottom, left, right), chance), str(digit)


def near_the_edge(chance: np.random.Generator) -> Picture:
    """Its twin: a large digit with a margin on every side."""
    digit = int(chance.integers(10))
    ink = Drawer(chance).ink(digit, int(chance.choice((28, 60, 120, 160))))
    return look(around(ink, 0.15, chance), chance), str(digit)


_BODIES_OF_5 = (
    "1,0 | 0.4,4.6 | 2.8,3.8 5.6,6 5,9 2,10 0,9",
    "1.2,0 | 0.9,2.8 | 3.4,1.6 6,4 5.6,8 2.8,10 0.2,8.4",
    "0,1.4 3,0 6.2,2.6 6.2,6.4 4,9.4 0.6,9",
)
"""What is below the bar: with its stem, with a short one, with none."""


def _five_in_parts(apart: float, chance: np.random.Generator) -> Strokes:
    """A 5 whose bar stands apart, by a share of the height of what is below it."""
    body = skeleton(str(chance.choice(_BODIES_OF_5)), chance)
    bar = skeleton("0.8,0 5.6,-0.2", chance)
    return [*bar, *(stroke + np.array([0, apart]) for stroke in body)]


def small_in_parts(chance: np.random.Generator) -> Picture:
    """A digit of two parts, 15 to 24 pixels high in a picture of 28 to 40."""
    digit = int(chance.choice((5, 5, 4, 7)))
    if digit == 5:
        strokes = _five_in_parts(chance.uniform(0.2, 0.6), chance)
    else:
        forms = {4: "2,0 0,5.8 | 3.6,5.8 ; 6,3 5.6,10", 7: "0,0 5,0 ; 5.4,2.2 2.4,10"}
        strokes = skeleton(forms[digit], chance)
    extent = np.ptp(np.concatenate(strokes), axis=0).max()
    height = chance.uniform(15, 24)
    ink = draw(strokes, height / extent, chance.uniform(1.5, 3))
    picture = square(ink, int(chance.integers(28, 41)))
    return look(picture, chance), str(digit)


def bar_far_above(chance: np.random.Generator) -> Picture:
    """A 5 whose bar stands 0.3 to 0.65 of its height above it."""
    strokes = _five_in_parts(chance.uniform(0.3, 0.65), chance)
    return look(_canvas(strokes, chance), chance), "5"


def ragged(chance: np.random.Generator) -> Picture:
    """A dry pen: of the strokes there are grains alone."""
    digit = int(chance.integers(10))
    side = int(chance.integers(80, 200))
    hand = Drawer(chance, pen=chance.uniform(0.08, 0.14))
    ink = square(hand.ink(digit, int(side * chance.uniform(0.6, 0.8))), side)
    grain = int(chance.integers(1, 3))  # pixels
    count = -(-side // grain)  # rounded up
    noise = np.kron(chance.random((count, count)), np.ones((grain, grain)))[:side, :side]
    is_grain = (ink > 0.5) & (noise < chance.uniform(0.4, 0.6))
    grains = is_grain.astype(np.float32)
    is_dark = chance.random() < 0.7
    return level(255 - 255 * grains if is_dark else 255 * grains), str(digit)


def pale_stroke(chance: np.random.Generator) -> Picture:
    """A digit of several strokes, of which one is pale: the bar of a 4, of a 5 or across a 7."""
    forms = {
        4: ("4,0 0,6.4 ; 5.8,3 5,10", "0,6.4 7.4,6.2"),
        5: ("1,0 | 0.4,4.6 | 2.8,3.8 5.6,6 5,9 2,10 0,9", "0.8,0 5.6,-0.3"),
        7: ("0,0 6,0 | 2.2,10", "1.4,5 5.4,4.8"),
    }
    digit = int(chance.choice(list(forms), p=(0.6, 0.2, 0.2)))
    side = int(chance.integers(150, 320))
    height, top = side * chance.uniform(0.45, 0.65), side * 0.18
    pen = height * chance.uniform(0.04, 0.09)
    offset = np.array([0.35 * side, top])
    picture = np.full((side, side), 255.0)
    ink = chance.uniform(20, 90)
    pale = 255 - chance.uniform(18, 45)
    dark, faint = forms[digit]
    for text, grey in ((faint, pale), (dark, ink)):
        layer = np.zeros((side * 4, side * 4), np.uint8)
        for stroke in skeleton(text, chance):
            points = np.round((stroke * height + offset) * 4).astype(np.int32)
            cv2.polylines(layer, [points], False, 255, round(pen * 4))
        share = cv2.resize(layer, (side, side), interpolation=cv2.INTER_AREA) / 255
        picture = picture * (1 - share) + grey * share
    return level(picture), str(digit)


def shape(name: str, chance: np.random.Generator) -> Picture:
    """A digit of an unusual shape."""
    digit, *forms = _SHAPES[name]
    strokes = skeleton(str(chance.choice(forms)), chance, 0.015)
    return look(_canvas(_slanted(strokes, chance), chance), chance), str(digit)


def held_back_shape(chance: np.random.Generator) -> Picture:
    """A digit of a shape that the drawn digits of training never have."""
    digit = int(chance.integers(10))
    glyphs, shares = glyphs_of(digit, held_back=True)
    glyph = glyphs[int(chance.choice(len(glyphs), p=shares))]
    strokes = [stroke[0] for stroke in glyph.draw(StrokeSampler(chance, 1))]
    return look(_canvas(_slanted(strokes, chance), chance), chance), str(digit)


def _slanted(strokes: Strokes, chance: np.random.Generator) -> Strokes:
    slant, wide = chance.uniform(-0.08, 0.15), chance.uniform(0.85, 1.15)
    slanted = []
    for stroke in strokes:
        x, y = stroke[:, 0], stroke[:, 1]
        slanted.append(np.stack([x * wide + slant * (1 - y), y], axis=1))
    return slanted


def wide_5(chance: np.random.Generator) -> Picture:
    """A 5 that is wider than high: its bar, its belly's top and foot lie."""
    hand = StrokeSampler(chance, 1, 0.008)
    wide = chance.uniform(0.85, 1.3)
    belly = arc((wide * 0.5, 0.68), (wide * 0.5, chance.uniform(0.28, 0.34)), -150, chance.uniform(95, 120))
    left = (wide * 0.1, chance.uniform(0, 0.05))
    bar = [(wide * chance.uniform(0.85, 1.05), -0.03), left]
    strokes = [hand.stroke(bar, [(0, 0.42)], belly)[0]]
    return look(_canvas(strokes, chance), chance), "5"


def letter(chance: np.random.Generator) -> Picture:
    """A letter that is like no digit."""
    strokes = skeleton(str(chance.choice(_LETTERS)), chance, 0.015)
    return look(_canvas(_slanted(strokes, chance), chance), chance), ""


def pattern_at_the_edge(chance: np.random.Generator) -> Picture:
    """A digit on grey paper, and a pattern of squares in several greys along one edge."""
    digit = int(chance.integers(10))
    height = int(chance.integers(60, 120))
    ink = around(some_writer(chance).ink(digit, height), 1.6, chance)
    paper = grey_paper(ink.shape, chance)
    cell = int(chance.integers(6, 16))
    deep = int(chance.integers(2, 5))
    pattern = chance.random((deep, -(-ink.shape[1] // cell)))
    shown = np.where(chance.random(pattern.shape) < 0.7, pattern, 1)
    large = np.kron(shown, np.ones((cell, cell)))[: ink.shape[0] // 5, : ink.shape[1]]
    paper[: large.shape[0]] *= large
    turns = int(chance.choice((0, 2)))
    return photographed(ink, np.rot90(paper, turns).copy(), chance), str(digit)


DIGITS: dict[str, Maker] = {
    "upright 1": upright_1,
    "twin: slanted 1": slanted_1,
    "touches the edge": at_the_edge,
    "twin: near the edge": near_the_edge,
    "small, in parts": small_in_parts,
    "bar far above": bar_far_above,
    "ragged ink": ragged,
    "pale stroke": pale_stroke,
    **{name: partial(shape, name) for name in _SHAPES},
    "shape: held back, of every digit": held_back_shape,
    "wide 5": wide_5,
    "letter": letter,
    "pattern at the edge": pattern_at_the_edge,
}

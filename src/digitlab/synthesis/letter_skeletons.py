"""Letters and other drawings as skeletons of strokes: handwriting that is no digit.

A line of a table is a name and its strokes: points `x,y` in tenths of the height in the frame of
`StrokeSampler`, `|` where the pen turns a corner, `;` where it is lifted. Letters that a digit may look like
are in a table of their own: they occur in words, but alone they are no non-digits to train on, since some
people write a 9 like a P and a 4 like a Y. Rejection, which is fitted afterwards, takes the rarer of them for
non-digits (`digitlab.synthesis.non_digits.draw_lookalikes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from digitlab.synthesis.glyphs import Glyph
from digitlab.synthesis.stroke_sampler import StrokeSampler

_LETTERS = """
A  0,10 3,0 | 6,10 ; 1.2,6.3 4.8,6.3
A  0,10 1,4 3,0 5,4 6,10 ; 1,6 5,6
C  6,1.5 4,0 1.5,1.5 0,5 1.5,8.8 4,10 6,8.5
C  6,2.4 5,0.4 2.8,0 0.8,2 0,5 0.8,8.4 3.2,10 5.8,9.2
E  6,0 0,0 | 0,10 | 6,10 ; 0,5 4.5,5
E  5.5,1 3,0 0.8,1.5 1,3.8 3,4.6 | 0.6,5.6 0,8 2,10 5.5,8.8
F  6,0 0,0 | 0,10 ; 0,5 4.5,5
F  0.5,0 0.5,10 ; 0,0.3 6,0 ; 0.5,4.8 4.5,4.8
H  0,0 0,10 ; 6,0 6,10 ; 0,5 6,5
H  0.4,0 0,10 ; 5.4,0 5.6,10 ; -0.6,5.2 6.4,4.6
K  0,0 0,10 ; 6,0 0,5.5 | 6,10
K  0,0 0.2,10 ; 5.6,0.2 3,3.6 0.4,5.4 | 3,6.4 4.4,9.4 6.4,9.6
L  0,0 0,10 | 5.5,10
L  1,0 0.4,5 0,9.4 | 2.4,9.8 4,9.2 5.6,9.8
M  0,10 0.5,0 | 3.5,6 | 6.5,0 | 7,10
M  0,10 1,1 2,0.5 3,4 3.5,10 | 4,3 5.5,0.5 6.6,2 7,10
N  0,10 0,0 | 6,10 | 6,0
N  0,10 0.6,1 1.4,0.6 | 4.8,9.6 | 5.6,2 6.6,0
R  0,0 0,10 ; 0,0.3 3.5,0 6,2.3 4,4.7 0,5 ; 2,5 6,10
R  0,10 0,0 | 4,0 5.8,2.3 4,4.7 0.5,5 | 6,10
U  0,0 0,6 1,9.2 3,10 5,9.2 6,6 6,0
U  0,0 0.2,7 2,10 4.5,8.5 5.5,4 5.5,0 | 5.6,8 6.8,10
V  0,0 3,10 | 6,0
V  -0.4,1 0.6,0.2 1.6,4 3,10 | 4.6,3 6,0 7,0.4
W  0,0 1.8,10 | 3.5,3 | 5.2,10 | 7,0
W  0,0 0.3,7 1.6,10 3,8.5 3.5,3 | 4,8.5 5.5,10 6.7,7 7,0
X  0,0 6,10 ; 6,0 0,10
X  0,1.5 1.5,0 3,4 4.2,9.5 6,9 ; 6,0.3 3,5 0,10
a  6,1.5 3.4,0 0.5,2.5 0.4,7.5 2.5,10 5,7.5 6,1 | 5.9,8 7.5,10
a  6,0.5 3,0 0,4 1,9 3.5,9 5.8,5 ; 6,0 6,10
c  5.5,2 3,0 0,4.5 1.8,9.6 5.8,8
c  5,2.6 4.4,0.4 2,0.4 0.2,3.6 0.4,8 2.6,10 6.4,8.6
d  5.6,5 3,4 0.3,6.4 1.5,9.8 4,9.3 5.6,6 ; 5.8,0 5.8,10
d  4.8,5.4 2.6,4.2 0.4,6 0.6,9.2 2.6,9.8 4.6,8 5.4,0 | 5.2,8.6 6,10 7,9
e  0.3,5.4 5.8,4.2 | 5.2,1 3,0 0.3,3.5 0.8,8.4 3.4,10 6.2,8
e  0.6,6 3.4,4.6 4.8,2 3.2,0 1,2 0.4,6 1.8,9.6 4,9.8 6.6,8
f  5.5,1.2 4,0 2.5,2 2.3,10 ; 0,4.2 5,4.2
f  0,6 4,4 5,1 3.7,0 2.6,2.5 2.2,7 2.6,10
h  0,0 0,10 ; 0,6.5 2.5,4.4 4.5,5.2 5,10
h  0,7 2,4 2.6,1 1.8,0 1,2.5 1,10 | 1.2,7 3,5 4.4,6 4.3,9 5.6,10
j  4,2.5 4,8 3,10 0.5,9 ; 4,0 4.2,0.3
j  2,2.6 2.2,8 0.8,10 -0.8,8.6 1.4,6.6 4,5 ; 2.2,0 2.4,0.4
k  0,0 0,10 ; 4.5,4 0,7.4 | 4.8,10
k  0.6,8 2.4,2 1.8,0 0.8,1.4 0.6,10 | 0.8,6.4 3,4.6 3.4,6.4 1,7.4 | 3.4,9.8 5,9
m  0,1 0.8,0 1,10 | 1.4,3 3,0.3 4,2 4,10 | 4.4,3 6,0.3 7,2 7.2,10
m  0,0 0,10 | 0.4,3 2.2,0.4 3.4,3 3.4,10 | 3.8,3 5.6,0.4 6.8,3 6.8,10
n  0,0 0.3,10 | 0.6,4 2.8,0.6 4.6,2 5,10
n  0,2 1,0 1.4,10 | 1.7,4 3.6,0.3 5.2,2 5.4,8 6.5,10
r  0,0.4 0.4,10 | 0.6,4 2.4,0.6 5,1
r  0,2 1.5,0 | 1.8,2 4.4,1.8 4.3,4 4.2,8.5 6,10
t  2,0 2,8 3.2,10 5.2,9 ; 0,3 4.8,3
t  2.4,0 2.3,10 ; 0,3 5,3
u  0,0 0,7 1.8,10 4.4,7.8 5,0 | 5.1,8.4 6.8,10
u  0,0 0.2,7.6 2,10 4.2,8.5 5,0 ; 5,0 5,10
v  0,0 2.6,10 | 5.4,0
v  0,1 1,0 2,7 2.8,10 5,4 5.2,0 6.5,0.6
w  0,0 1.6,10 | 3,2.5 | 4.4,10 | 6.2,0
w  0,0 0.3,8 1.8,10 3,7 3.2,1 | 3.5,8 5,10 6.2,6 6.2,0
x  0,0 5.5,10 ; 5.5,0 0,10
x  0,0.5 1.5,0.8 2.4,5 1.4,9 0,9.5 ; 5,0.4 3.4,1 2.6,5 3.6,9.2 5.4,9
x  0,0.6 2,1.6 3.2,8.4 5.4,9.6 ; 5.2,0 0.2,10
""".strip().splitlines()  # fmt: skip

_LOOKALIKES = """
B  0,0 0,10 ; 0,0.2 3.6,0 4.8,2.4 3.2,4.8 0,5 | 4,5.2 5.6,7.6 3.8,10 0,9.8
B  0.2,10 0.4,0 | 3.6,0.2 4.4,2.6 2.4,4.6 1,4.8 | 3.8,5 5.2,7.6 3,10 -0.6,9.2
D  0,0 0,10 ; 0,0 3.6,0.8 5.8,5 3.6,9.4 0,10
D  0.6,0.6 0.4,9.8 | 3.4,9.6 6,6 5,1.6 2,0 -0.6,0.8
G  6,1.6 3.4,0 0.4,3 0.4,7.6 3,10 5.8,8.6 6,5.4 | 3.6,5.4
G  5.6,1.8 3.6,0 0.8,2.4 0.6,7 2.8,9.8 5,8 5.4,5 | 5.6,8 5.4,10.6
I  0,0 0,10
I  1.4,0 1.4,10 ; 0,0 2.8,0 ; 0,10 2.8,10
J  4,0 4,7.6 2.6,10 0.4,9.4 0,7.6
J  1.4,0 5.6,0 ; 4,0 3.8,8 2.2,10 0,8.2
O  3,0 0.4,2.6 0.4,7.4 3,10 5.6,7.4 5.6,2.6 3,0
O  3.4,0.2 0.8,1.6 0,5.4 1.6,9.6 4.6,9.4 6,5.6 5,1.2 2.6,0 1.8,1.4
P  0,0 0,10 ; 0,0.3 3.5,0 6,2.4 4,5 0,5.3
P  0.6,0.4 0.4,10 ; -0.6,1.4 1.6,0 4.6,0.4 5.4,2.6 3.6,5 0.6,5.2
Q  3,0 0.4,2.6 0.4,7.4 3,10 5.6,7.4 5.6,2.6 3,0 ; 3.6,7 6.6,10.6
Q  3.4,0 0.4,2.6 0.6,8 3,9.8 5.4,7.4 5.4,2 3.4,0 | 2,8 3.4,8 5,10 7,9.4
S  5.6,1.6 3.4,0 0.8,1.4 1.2,4 4.4,5.6 5.4,8 3,10 0,8.6
S  6,0.6 3.6,0 1.4,1.4 1.8,3.8 4,6 4,8.8 2,10 -0.4,9 1.4,7.6
T  0,0 6,0 ; 3,0 3,10
T  -0.4,1.2 1,0 5,0.8 6.6,0 ; 3.4,0.6 3.2,8 2,10 0.2,9
Y  0,0 3,4.8 ; 6,0 3,4.8 | 3,10
Y  0,0 0.4,3.4 2,5 4.4,4 5.4,0 ; 5.4,0 5,6 4,10
Z  0,0 5.6,0 | 0,10 | 6,10
Z  0.2,1 1.4,0 5,0.4 | 0.2,9.6 | 3,9 6.2,10 ; 1.2,5 4.6,4.8
b  0,0 0,10 ; 0,6 2.4,4.2 4.6,6 4.4,8.8 2,10 0,9
b  0,7 2.4,2 1.8,0 0.8,2 0.6,9 2.4,10 4.4,8 3.6,5.4 | 5.6,5.6
g  4.8,1.4 2.6,0 0.4,2 0.6,5.2 2.6,6 4.8,3.4 ; 5,0.4 4.8,8.4 2.6,10 0.4,9
g  4.8,1 2,0 0.2,3 1.8,5.4 4.6,3 5,0.6 | 4.8,6 3,10 0.8,9.4 2.4,7.4 6.4,5
i  0,4 0,10 ; 0,1 0.1,1.3
i  -1,7 0.6,4 | 0.6,9 1.4,10 3,8.4 ; 0.8,0.8 1.2,1.4
l  0,0 0,10
l  -0.6,7 2,2.6 1.6,0.2 0.6,1.4 0.6,8.4 1.6,10 3.4,8.4
o  3,0 0.4,2.6 0.4,7.4 3,10 5.4,7.4 5.4,2.6 3,0
o  3.4,0.4 0.6,1.6 0.4,7 2.8,9.8 5,7 4.6,1.6 2.8,0.6 4,2 7,1.4
p  0,0 0,10 ; 0,1 2.5,0 4.6,2 4,5 2,6 0,5
p  0,1 0.6,0.4 0.4,10 | 0.6,1.4 2.6,0 4.4,1.4 4.2,4.4 2.4,5.8 0.6,4.6
q  4.6,1 2.4,0 0.4,2 0.6,5 2.6,5.8 4.4,4 ; 4.6,0.4 4.6,10
q  4.4,1.2 2,0 0.4,2.6 2,5.6 4.2,3.4 4.6,0.8 | 4.4,10 | 6.4,6.4
s  4.8,1.4 2.8,0 0.6,1.6 1.4,4 4,5.6 4.6,8.2 2.4,10 0,8.8
s  -1,9 2.4,0 | 3.8,5.6 3.4,9 1.4,10 0,8.8
y  0,0 2.4,5.4 ; 5,0 0.8,10
y  0,0 0.4,4 2.2,5.6 4.4,4 5,0 | 4.6,7 2.4,10 0.2,8.6
z  0,0 4.8,0 | 0,10 | 5.2,10
z  0,1 1.6,0 3.6,1.4 1.4,4.8 | 3.6,5.4 4,8 2,10 -0.2,9
""".strip().splitlines()  # fmt: skip

_DRAWINGS = """
ae 0.3,2 2.5,0.5 3.4,3 3.3,9 1.5,9.6 0.3,7.4 1.5,5.4 3.4,5.2 | 6.6,4.6 6.2,1 4.4,0.5 3.4,4 4,8.6 5.4,9.8 7,8
ll 0,7 1.8,3 2,0.4 1,1.4 1,7.5 2,10 3.4,7 4.8,3 5,0.4 4,1.4 4,7.5 5,10 6.4,8
ou 3.5,1 1,1.5 0.3,6 2,9.6 4,6.5 3.5,1.4 | 5,2.2 6,1 6.2,7.6 7.6,9.5 9,6 9,1 | 9.2,8 10,9.8
mu 0,0 0,10 ; 0,0 0.4,6 2.4,6.8 4.5,5 4.6,0 | 4.8,5 6,6.8
@  4.6,4 3,3.4 2,5.2 3,6.8 4.6,5.6 4.8,3.8 | 5,6.4 6.6,6.4 7.2,3.6 5.4,0.4 2,0.4 0,4 1,8.6 4,10 6.8,9
<  6,0 0,3.6 | 6,7.2
>  0,0 6,3.6 | 0,7.2
[] 0,0 6,0 | 6,6.5 | 0,6.5 | 0,0
3k 3,0 6,7 | 0,7 | 3,0
<3 3,9 0,4 0.4,0.8 2,0.4 3,3 | 4,0.4 5.8,0.8 6,4 3,9
st 3.2,0 5,9 | 0,3.4 | 6.4,3.4 | 1.2,9 | 3.2,0
:) 3.5,0 0.6,1.6 0,5 1.6,9 4.8,9.2 7,6 6.4,1.8 3.5,0 ; 2.2,3 2.3,3.8 ; 4.8,3 4.8,3.8 ; 1.8,6 3.4,7.6 5.4,5.8
zz 0,0 6,1.5 | 0,3.4 | 6,5 | 0,6.8 | 6,8.4 | 1,10
mm 0,10 1,0 | 2,10 | 3,0 | 4,10 | 5,0 | 6,10
ee 0,6 2.4,4 1.6,1.4 0.6,4 1.6,8 3.2,6 4.4,3.6 3.6,1.2 2.8,4 3.8,8 5.4,6 6.6,3.6 5.8,1.4 5,4 6,8 7.6,6
@@ 3.4,5 4.4,4.4 4.2,6 2.8,6.2 2.2,4.4 3.4,2.8 5.4,3.6 5.4,6.6 3.2,7.8 0.8,6.4 0.8,2.8 3.4,0.8 6.6,2.2 7,6
""".strip().splitlines()  # fmt: skip

_X_HEIGHT = 0.62
"""Height of small letters without ascenders, as a share of a capital's height."""
_WITHOUT_ASCENDERS = frozenset("acemnorsuvwxz")
_WITH_DESCENDERS = frozenset("gjpqy")

Skeleton = list[list[list[tuple[float, float]]]]
"""A list of strokes, each a list of pieces, each a list of points (x, y)."""


def parse_skeleton(strokes: str) -> Skeleton:
    """Parse the strokes of a skeleton, in tenths, into the frame of `StrokeSampler`."""
    skeleton: Skeleton = []
    for stroke in strokes.split(";"):
        pieces = [[_parse_point(point) for point in piece.split()] for piece in stroke.split("|")]
        skeleton.append(pieces)
    return skeleton


def _parse_point(point: str) -> tuple[float, float]:
    x, y = point.split(",")
    return float(x) / 10, float(y) / 10


def draw_skeleton(skeleton: Skeleton, hand: StrokeSampler) -> list[np.ndarray]:
    """Draw a skeleton's strokes by a batch of hands, each float64 [n, points, 2]."""
    return [hand.stroke(*pieces) for pieces in skeleton]


def _set_on_baseline(name: str, skeleton: Skeleton) -> Skeleton:
    """Scale and place a letter as in a word beside digits: 0 is the head, 1 the baseline."""
    scale, top = 1.0, 0.0
    if name in _WITHOUT_ASCENDERS:
        scale, top = _X_HEIGHT, 1 - _X_HEIGHT
    elif name in _WITH_DESCENDERS:
        # As high as a capital, but from the x-height down: its tail is below the baseline.
        top = 1 - _X_HEIGHT
    placed: Skeleton = []
    for stroke in skeleton:
        placed.append([[(x * scale, top + y * scale) for x, y in piece] for piece in stroke])
    return placed


def _glyphs(rows: Sequence[str], lookalike: bool = False) -> tuple[Glyph, ...]:
    glyphs = []
    for row in rows:
        name, strokes = row.split(maxsplit=1)
        skeleton = _set_on_baseline(name, parse_skeleton(strokes))
        draw = partial(draw_skeleton, skeleton)
        glyphs.append(Glyph(-1, name, 1.0, draw, lookalike=lookalike))
    return tuple(glyphs)


LETTERS = _glyphs(_LETTERS) + _glyphs(_LOOKALIKES, lookalike=True)
"""Capital and small letters, each in two variants or more; their `digit` is -1 and their name the letter.

They are placed as in a word beside digits: capitals from 0 to 1, an `a` from 0.38 to 1, a `p` below 1.
"""
DRAWINGS = _glyphs(_DRAWINGS)
"""Hearts, stars, joined letters and scrawls: digit-sized ink that is neither a letter nor a digit."""

"""Signs that people write between numbers, as skeletons of strokes at their position on the row.

The skeletons are in the notation of `letters`; y is 0 at the head of a digit and 10 at the baseline.
"""

from __future__ import annotations

from functools import partial

from digitlab.synthesis.glyphs import Glyph
from digitlab.synthesis.letter_skeletons import draw_skeleton, parse_skeleton

_SIGNS = """
plus           3,2.6 3,8.4 ; 0,5.5 6.2,5.5
minus          0,5.6 5,5.6
equals         0,4.2 6,4.2 ; 0,7 6,7
slash          5.4,-1.6 0,11.8
backslash      0,-1.6 5.4,11.8
times          0.4,3 5,8 ; 5,3 0.4,8
divided        0,5.6 5,5.6 ; 2.5,3 2.6,3.2 ; 2.5,8 2.6,8.2
opening        2,-0.8 0.4,2 0,5 0.4,8.4 2,11
closing        0,-0.8 1.6,2 2,5 1.6,8.4 0,11
opening_square 2,-0.6 0,-0.6 | 0,10.8 | 2,10.8
closing_square 0,-0.6 2,-0.6 | 2,10.8 | 0,10.8
opening_curly  3,-0.6 1.6,0.4 1.6,4 0.2,5 | 1.6,6 1.6,9.6 3,10.8
closing_curly  0,-0.6 1.4,0.4 1.4,4 2.8,5 | 1.4,6 1.4,9.6 0,10.8
percent        6,0 0,10 ; 1.4,0.4 0,2 1.4,3.8 2.6,2 1.4,0.4 ; 5,6.4 3.6,8.2 5,10 6.4,8.2 5,6.4
hash           2.4,0 1.2,10 ; 5.2,0 4.2,10 ; 0,3.3 6.4,3.3 ; 0,6.8 6.2,6.8
dollar         5.4,2.2 3,1 0.8,2.4 1.4,4.2 4.6,5.6 5.4,7.6 3,9 0.4,7.6 ; 3,-0.6 3,10.6
euro           6,1.4 4,0 1.8,1.6 1,5 1.8,8.6 4,10 6,8.8 ; 0,4 4.6,4 ; 0,6 4.2,6
pound          5.4,2 4.4,0.2 2.4,0.6 1.8,3 2.2,7 1.2,9.6 0,9.8 | 2,9.2 4,10 6,9 ; 0.2,5.2 4.2,5.2
point          0,9.7 0.2,9.9 0.1,10.1
comma          0.6,9.4 0.5,10.4 0,11.4
colon          0,4.6 0.2,4.9 ; 0,9.3 0.2,9.6
semicolon      0.4,5 0.6,5.3 ; 0.6,9.2 0.5,10.2 0,11.2
apostrophe     0.6,-0.6 0.5,0.8 0,1.6
asterisk       2.4,0.6 2.4,5.4 ; 0,1.8 4.8,4.2 ; 4.8,1.8 0,4.2
tick           0,6 2.2,9.6 | 6.6,0.4
arrow          0,5.5 7,5.5 ; 4.6,3.2 7,5.5 | 4.8,7.8
question       0.2,2 2,0 4.6,0.6 5,3 2.8,4.8 2.5,7 ; 2.5,9.6 2.6,10
exclamation    1,0 1,7 ; 1,9.6 1,10
ampersand      6.6,10 1.4,3 1.6,0.6 3.2,0.2 4,2 1,5.6 0.4,8.4 2.4,10 5,8.4 6.4,5
degree         1.4,-0.4 0,0.8 1.4,2.2 2.6,0.8 1.4,-0.4
tilde          0,6 1.2,4.8 3.6,6.2 5,5
underscore     0,10.6 6,10.6
line           0,5.6 7,5.2 16,5.5
wave           0,6 1.8,4.6 4,6.2 6,4.7 8.2,6.2 10,5
""".strip().splitlines()  # fmt: skip

_LIKE_A_DIGIT = frozenset(
    [
        "minus",
        "slash",
        "backslash",
        "opening",
        "closing",
        "closing_square",
        "point",
        "comma",
        "colon",
        "semicolon",
        "apostrophe",
        "degree",
        "tilde",
        "underscore",
        "line",
        "wave",
    ]
)
"""Signs that, scaled to the size of a digit, may be taken for a stroke of a 1, a 0, a 2 or two digits."""


def _sign(row: str) -> Glyph:
    name, strokes = row.split(maxsplit=1)
    draw = partial(draw_skeleton, parse_skeleton(strokes))
    return Glyph(-1, name, 1.0, draw, lookalike=name in _LIKE_A_DIGIT)


SIGNS = {glyph.name: glyph for glyph in map(_sign, _SIGNS)}
"""Signs by name; their `digit` is -1.

Their strokes are at their position beside digits: a minus at half the height, a comma at the baseline.
"""

"""Random contents of rows: numbers as on forms and cheques, and rows that are no numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digitlab.synthesis.letters import DRAWINGS, LETTERS
from digitlab.synthesis.signs import SIGNS

SPACE = "space"


@dataclass(frozen=True)
class Token:
    """One item on a row.

    Attributes:
        kind: kind of the item, `digit`, `sign`, `letter`, `drawing` or `space`.
        value: digit, 0..9; index of a letter or drawing; 0 otherwise.
        name: name of a sign.
        small: whether it is written smaller and higher, as cents often are.
        underlined: whether a line is drawn under it.
    """

    kind: str
    value: int = 0
    name: str = ""
    small: bool = False
    underlined: bool = False


Text = list[Token]

_OPENINGS = ("hash", "dollar", "asterisk", "equals", "minus", "opening", "euro", "pound", "times")
_CLOSINGS = ("minus", "equals", "hash", "asterisk", "closing", "tilde", "point", "comma", "line", "wave")
_TOGETHER = frozenset(("hash", "asterisk", "equals", "minus", "times", "point"))
"""Signs that people often repeat."""
_BETWEEN = ("plus", "minus", "times", "equals", "colon", "divided", "point")
_LONE = [name for name, sign in SIGNS.items() if not sign.lookalike]


def label(text: Text) -> str:
    """Return a row's target text: the digits, `?` for a letter or drawing, nothing for signs."""
    marks = {"digit": lambda token: str(token.value), "letter": lambda _: "?", "drawing": lambda _: "?"}
    return "".join(marks[token.kind](token) for token in text if token.kind in marks)


def draw_text(random: np.random.Generator) -> Text:
    """Draw the content of a row."""
    writers = (_lone, _plain, _amount, _date, _sum, _long, _alike, _word, _mixed, _strange, _nothing)
    shares = (0.13, 0.34, 0.27, 0.06, 0.04, 0.03, 0.04, 0.035, 0.02, 0.015, 0.02)
    return writers[random.choice(len(writers), p=shares)](random)


def draw_number(random: np.random.Generator) -> Text:
    """Draw a row that is a number: plain, an amount, a date or a long one."""
    writers = (_plain, _amount, _date, _long)
    return writers[random.choice(len(writers), p=(0.5, 0.38, 0.08, 0.04))](random)


def draw_amount(random: np.random.Generator) -> Text:
    """Draw an amount of money as on a cheque."""
    return _amount(random)


def digits_of(number: str, small: bool = False, underlined: bool = False) -> Text:
    """Return the tokens of a number's digits."""
    return [Token("digit", int(digit), small=small, underlined=underlined) for digit in number]


def _lone(random: np.random.Generator) -> Text:
    return digits_of(str(random.integers(10)))


def _number(random: np.random.Generator, least: int, most: int) -> str:
    """Draw a number of `least` to `most` digits; 40 % of those of two or more get zeros at the end."""
    length = int(random.integers(least, most + 1))
    written = "".join(map(str, random.integers(0, 10, length)))
    zeros = int(random.integers(1, length)) if length > 1 and random.random() < 0.4 else 0
    return written[: length - zeros] + "0" * zeros


def _plain(random: np.random.Generator) -> Text:
    text = digits_of(_number(random, 2, 8))
    if random.random() < 0.12:
        text.insert(int(random.integers(1, len(text))), Token(SPACE))
    return text


def _amount(random: np.random.Generator) -> Text:
    text: Text = []
    if random.random() < 0.35:
        opening = Token("sign", name=str(random.choice(_OPENINGS)))
        text += [opening] * int(random.integers(1, 3) if opening.name in _TOGETHER else 1)
    text += _grouped(random, _number(random, 1, 7))
    if random.random() < 0.45:
        text += _cents(random)
    if random.random() < 0.4:
        closing = Token("sign", name=str(random.choice(_CLOSINGS)))
        text += [closing] * int(random.integers(1, 4) if closing.name in _TOGETHER else 1)
    return text


def _grouped(random: np.random.Generator, number: str) -> Text:
    """Separate thousands by a point, a comma, an apostrophe, a gap, or not at all."""
    mark = random.choice(["", "point", "comma", "apostrophe", SPACE], p=[0.35, 0.42, 0.12, 0.03, 0.08])
    text: Text = []
    for i, token in enumerate(digits_of(number)):
        if i and mark and (len(number) - i) % 3 == 0:
            text.append(Token(SPACE) if mark == SPACE else Token("sign", name=str(mark)))
        text.append(token)
    return text


def _cents(random: np.random.Generator) -> Text:
    cents = "00" if random.random() < 0.7 else f"{random.integers(100):02}"
    raised = random.random() < 0.35
    underlined = random.random() < (0.5 if raised else 0.12)
    mark = random.choice(["comma", "point", "", "minus"], p=[0.6, 0.25, 0.1, 0.05])
    marks = [Token("sign", name=str(mark))] if mark else []
    return [*marks, *digits_of(cents, small=raised, underlined=underlined)]


def _date(random: np.random.Generator) -> Text:
    """Draw a date, a time or a telephone number: groups of digits with signs between."""
    mark = Token(
        "sign", name=str(random.choice(["point", "slash", "minus", "colon"], p=[0.43, 0.07, 0.35, 0.15]))
    )
    gap = [mark] if random.random() < 0.8 else [Token(SPACE)]
    groups = [
        "".join(map(str, random.integers(0, 10, random.integers(2, 5)))) for _ in range(random.integers(2, 4))
    ]
    text = digits_of(groups[0])
    for group in groups[1:]:
        text += [*gap, *digits_of(group)]
    return text


def _sum(random: np.random.Generator) -> Text:
    mark = Token("sign", name=str(random.choice(_BETWEEN)))
    return [*digits_of(_number(random, 1, 3)), mark, *digits_of(_number(random, 1, 3))]


def _long(random: np.random.Generator) -> Text:
    return digits_of("".join(map(str, random.integers(0, 10, random.integers(9, 17)))))


def _alike(random: np.random.Generator) -> Text:
    """Draw one digit many times, which is hard to count."""
    digit = 0 if random.random() < 0.4 else int(random.integers(10))
    before = digits_of(_number(random, 1, 2)) if random.random() < 0.6 else []
    return [*before, *[Token("digit", digit)] * int(random.integers(2, 7))]


def _word(random: np.random.Generator) -> Text:
    return [Token("letter", int(random.integers(len(LETTERS)))) for _ in range(random.integers(2, 9))]


def _mixed(random: np.random.Generator) -> Text:
    """Draw a number with one to three letters before or after it that cannot be taken for digits."""
    plain = [i for i, letter in enumerate(LETTERS) if not letter.lookalike]
    letters = [Token("letter", int(random.choice(plain))) for _ in range(random.integers(1, 4))]
    number = digits_of(_number(random, 1, 5))
    gap = [Token(SPACE)] if random.random() < 0.6 else []
    return [*letters, *gap, *number] if random.random() < 0.4 else [*number, *gap, *letters]


def _strange(random: np.random.Generator) -> Text:
    """Draw a letter alone that cannot be taken for a digit, or drawings."""
    if random.random() < 0.6:
        plain = [i for i, letter in enumerate(LETTERS) if not letter.lookalike]
        return [Token("letter", int(random.choice(plain)))]
    return [Token("drawing", int(random.integers(len(DRAWINGS)))) for _ in range(random.integers(1, 3))]


def _nothing(random: np.random.Generator) -> Text:
    """Draw nothing, or signs alone."""
    if random.random() < 0.5:
        return []
    return [Token("sign", name=str(random.choice(_LONE))) for _ in range(random.integers(1, 3))]

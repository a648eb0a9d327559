"""Random contents of rows: numbers as on forms and cheques, and rows that are no numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from digitlab.synthesis.letter_skeletons import DRAWINGS, LETTERS
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
"""Signs that occur alone on a row, since none may be taken for a digit."""
_UNMISTAKABLE = [i for i, letter in enumerate(LETTERS) if not letter.lookalike]
"""Indices of the letters that cannot be taken for digits."""


def label(text: Text) -> str:
    """Return a row's target text: the digits, `?` for a letter or drawing, nothing for signs."""
    characters = []
    for token in text:
        if token.kind == "digit":
            characters.append(str(token.value))
        elif token.kind in ("letter", "drawing"):
            characters.append("?")
    return "".join(characters)


def draw_text(random: np.random.Generator) -> Text:
    """Draw the content of a row."""
    return _draw_kind(
        random,
        {
            _lone: 0.13,
            _plain: 0.34,
            _amount: 0.27,
            _date: 0.06,
            _sum: 0.04,
            _long: 0.03,
            _alike: 0.04,
            _word: 0.035,
            _mixed: 0.02,
            _strange: 0.015,
            _nothing: 0.02,
        },
    )


def draw_number(random: np.random.Generator) -> Text:
    """Draw a row that is a number: plain, an amount, a date or a long one."""
    return _draw_kind(random, {_plain: 0.5, _amount: 0.38, _date: 0.08, _long: 0.04})


def _draw_kind(
    random: np.random.Generator, shares: Mapping[Callable[[np.random.Generator], Text], float]
) -> Text:
    """Choose a kind of content by the share of each, and draw it."""
    kinds = list(shares)
    draw = kinds[random.choice(len(kinds), p=list(shares.values()))]
    return draw(random)


def draw_amount(random: np.random.Generator) -> Text:
    """Draw an amount of money as on a cheque."""
    return _amount(random)


def digits_of(number: str, small: bool = False, underlined: bool = False) -> Text:
    """Return the tokens of a number's digits."""
    return [Token("digit", int(digit), small=small, underlined=underlined) for digit in number]


def _sign(name: str) -> Token:
    return Token("sign", name=name)


def _lone(random: np.random.Generator) -> Text:
    return digits_of(str(random.integers(10)))


def _random_digits(random: np.random.Generator, count: int) -> str:
    return "".join(str(digit) for digit in random.integers(0, 10, count))


def _number(random: np.random.Generator, least: int, most: int) -> str:
    """Draw a number of `least` to `most` digits; 40 % of those of two or more get zeros at the end."""
    length = int(random.integers(least, most + 1))
    digits = _random_digits(random, length)
    zeros = 0
    if length > 1 and random.random() < 0.4:
        zeros = int(random.integers(1, length))
    return digits[: length - zeros] + "0" * zeros


def _plain(random: np.random.Generator) -> Text:
    text = digits_of(_number(random, 2, 8))
    if random.random() < 0.12:
        text.insert(int(random.integers(1, len(text))), Token(SPACE))
    return text


def _amount(random: np.random.Generator) -> Text:
    text: Text = []
    if random.random() < 0.35:
        opening = str(random.choice(_OPENINGS))
        text += [_sign(opening)] * (int(random.integers(1, 3)) if opening in _TOGETHER else 1)
    text += _grouped(random, _number(random, 1, 7))
    if random.random() < 0.45:
        text += _cents(random)
    if random.random() < 0.4:
        closing = str(random.choice(_CLOSINGS))
        text += [_sign(closing)] * (int(random.integers(1, 4)) if closing in _TOGETHER else 1)
    return text


def _grouped(random: np.random.Generator, number: str) -> Text:
    """Separate thousands by a point, a comma, an apostrophe, a gap, or not at all."""
    mark = str(random.choice(["", "point", "comma", "apostrophe", SPACE], p=[0.35, 0.42, 0.12, 0.03, 0.08]))
    separator = Token(SPACE) if mark == SPACE else _sign(mark)
    text: Text = []
    for i, token in enumerate(digits_of(number)):
        begins_group = i > 0 and (len(number) - i) % 3 == 0
        if mark and begins_group:
            text.append(separator)
        text.append(token)
    return text


def _cents(random: np.random.Generator) -> Text:
    cents = "00" if random.random() < 0.7 else f"{random.integers(100):02}"
    raised = random.random() < 0.35
    underlined = random.random() < (0.5 if raised else 0.12)
    mark = str(random.choice(["comma", "point", "", "minus"], p=[0.6, 0.25, 0.1, 0.05]))
    marks = [_sign(mark)] if mark else []
    return [*marks, *digits_of(cents, small=raised, underlined=underlined)]


def _date(random: np.random.Generator) -> Text:
    """Draw a date, a time or a telephone number: groups of digits with signs between."""
    mark = str(random.choice(["point", "slash", "minus", "colon"], p=[0.43, 0.07, 0.35, 0.15]))
    separator = _sign(mark) if random.random() < 0.8 else Token(SPACE)
    group_count = random.integers(2, 4)
    groups = [_random_digits(random, int(random.integers(2, 5))) for _ in range(group_count)]
    text = digits_of(groups[0])
    for group in groups[1:]:
        text += [separator, *digits_of(group)]
    return text


def _sum(random: np.random.Generator) -> Text:
    operator = _sign(str(random.choice(_BETWEEN)))
    return [*digits_of(_number(random, 1, 3)), operator, *digits_of(_number(random, 1, 3))]


def _long(random: np.random.Generator) -> Text:
    return digits_of(_random_digits(random, int(random.integers(9, 17))))


def _alike(random: np.random.Generator) -> Text:
    """Draw one digit many times, which is hard to count."""
    digit = 0 if random.random() < 0.4 else int(random.integers(10))
    before = digits_of(_number(random, 1, 2)) if random.random() < 0.6 else []
    repeated = [Token("digit", digit)] * int(random.integers(2, 7))
    return [*before, *repeated]


def _word(random: np.random.Generator) -> Text:
    length = random.integers(2, 9)
    return [Token("letter", int(random.integers(len(LETTERS)))) for _ in range(length)]


def _unmistakable_letter(random: np.random.Generator) -> Token:
    """Draw a letter that cannot be taken for a digit."""
    return Token("letter", int(random.choice(_UNMISTAKABLE)))


def _mixed(random: np.random.Generator) -> Text:
    """Draw a number with one to three letters before or after it that cannot be taken for digits."""
    letters = [_unmistakable_letter(random) for _ in range(random.integers(1, 4))]
    number = digits_of(_number(random, 1, 5))
    gap = [Token(SPACE)] if random.random() < 0.6 else []
    if random.random() < 0.4:
        return [*letters, *gap, *number]
    return [*number, *gap, *letters]


def _strange(random: np.random.Generator) -> Text:
    """Draw a letter alone that cannot be taken for a digit, or drawings."""
    if random.random() < 0.6:
        return [_unmistakable_letter(random)]
    return [Token("drawing", int(random.integers(len(DRAWINGS)))) for _ in range(random.integers(1, 3))]


def _nothing(random: np.random.Generator) -> Text:
    """Draw nothing, or signs alone."""
    if random.random() < 0.5:
        return []
    return [_sign(str(random.choice(_LONE))) for _ in range(random.integers(1, 3))]

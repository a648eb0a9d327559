"""From ink to pieces that may be digits; which of them are is the network's to say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np

from digitlab.recognition.furniture import without_furniture
from digitlab.recognition.neighbours import gaps
from digitlab.recognition.pieces import Piece, connected_pieces, join

TALL = 0.34
"""Of the usual height: what is lower is a fragment, a point or a dash, and no digit of its own."""
MOST_PIECES = 600
"""Of ink, that are looked at in one picture."""
MOST_JOINS = 400
"""Ways to join pieces that are looked at in one picture."""
_FURNISHED = 4 * MOST_PIECES  # pieces, furniture among them; more are a texture
_JOINED = 40  # times the picture's area: of all joins together, which takes so much memory and time

_SPECK = 0.1  # of the usual height: what is smaller in both directions is dirt where it lies alone
_FRAGMENT = 0.2  # of the usual height: what is higher may be a part of another digit
_REACH = 0.35  # of the usual height: pieces this close may belong to one digit
_TALLEST, _WIDEST = 1.5, 1.35  # of the usual height, for a digit that is put together
_PARTS = 4  # at most, of a broken digit
_TORN = 0.08  # of the height of a whole: so narrow a gap between upper and lower part is a torn stroke
_TORN_GAIN = 0.5  # nats for joining what is torn


@dataclass(frozen=True)
class Join:
    """Some pieces that may together be one digit.

    Attributes:
        members: their numbers.
        doubt: what speaks against it before the network has seen it, in nats; below 0: for it.
        beside: whether one of them, which is no speck, lies beside the largest: it may be the next digit.
    """

    members: tuple[int, ...]
    doubt: float
    beside: bool


@dataclass(frozen=True, eq=False)
class Writing:
    """What may be digits in a picture.

    Attributes:
        pieces: of ink, without what is no writing.
        joins: ways to put some of them together.
        height: usual height of a digit, in pixels.
    """

    pieces: tuple[Piece, ...]
    joins: tuple[Join, ...]
    height: float

    def is_tall(self, piece: Piece) -> bool:
        """Whether it is large enough to be a digit beside the others."""
        return piece.height >= TALL * self.height

    def is_tall_together(self, members: Sequence[int]) -> bool:
        """Whether pieces are, put together."""
        group = [self.pieces[number] for number in members]
        return _height(group) >= TALL * self.height

    def joined(self) -> list[Piece]:
        """The pieces that the joins make."""
        return [join([self.pieces[number] for number in one.members]) for one in self.joins]


def find_digits(strength: np.ndarray) -> Writing:
    """Find what may be digits; dirt, ruled lines, underlines and frames are left out.

    Args:
        strength: of ink, uint8 [h, w], 0 paper .. 255 full ink.
    """
    pieces = connected_pieces(strength, smallest=3)
    if len(pieces) <= _FURNISHED:
        pieces = without_furniture(pieces, strength.shape)
    if not pieces:
        return Writing((), (), 0.0)
    if len(pieces) > MOST_PIECES:
        return Writing(tuple(pieces), (), usual_height(pieces))
    near = gaps(pieces, _REACH * max(piece.height for piece in pieces))
    height = _height_when_joined(pieces, near)
    near = {pair: gap for pair, gap in near.items() if gap <= _REACH * height}
    attached = {number for pair in near for number in pair}
    kept = [
        number
        for number, piece in enumerate(pieces)
        if max(piece.height, piece.width) >= _SPECK * height or number in attached
    ]
    place = {number: at for at, number in enumerate(kept)}
    near = {(place[a], place[b]): gap for (a, b), gap in near.items()}
    pieces = [pieces[number] for number in kept]
    joins = _affordable(_joins(pieces, near, height), pieces, _JOINED * strength.size)
    return Writing(tuple(pieces), tuple(joins), height)


def usual_height(pieces: Sequence[Piece]) -> float:
    """Estimate the height of a digit, in pixels: the median over the ink of the heights of its pieces."""
    heights = np.array([piece.height for piece in pieces], float)
    mass = np.array([piece.mass for piece in pieces], float)
    order = np.argsort(heights)
    total = np.cumsum(mass[order])
    return float(heights[order][np.searchsorted(total, total[-1] / 2)])


def _height_when_joined(pieces: Sequence[Piece], near: Mapping[tuple[int, int], float]) -> float:
    """The usual height, after pieces one above the other with a narrow gap have been put together."""
    group = list(range(len(pieces)))
    for a, b in near:
        if _is_torn(pieces, (a, b), near):
            old, new = group[a], group[b]
            group = [new if number == old else number for number in group]
    stacks: dict[int, list[Piece]] = {}
    for number, piece in zip(group, pieces, strict=True):
        stacks.setdefault(number, []).append(piece)
    return usual_height([join(stack) for stack in stacks.values()])


def _is_torn(pieces: Sequence[Piece], pair: tuple[int, int], near: Mapping[tuple[int, int], float]) -> bool:
    """Whether one piece is right above the other."""
    one, other = pieces[pair[0]], pieces[pair[1]]
    overlap = min(one.right, other.right) - max(one.left, other.left)
    whole = max(one.bottom, other.bottom) - min(one.top, other.top)
    return overlap > 0.3 * min(one.width, other.width) and near.get(pair, np.inf) < _TORN * whole


def _joins(pieces: Sequence[Piece], near: Mapping[tuple[int, int], float], height: float) -> Iterator[Join]:
    """Every connected set of two to four pieces that is no larger than a digit."""
    beside: dict[int, set[int]] = {}
    for a, b in near:
        beside.setdefault(a, set()).add(b)
        beside.setdefault(b, set()).add(a)
    sets = {frozenset(pair) for pair in near}
    for size in range(2, _PARTS + 1):
        for members in sorted(map(sorted, sets)):
            group = [pieces[number] for number in members]
            if _fits(group, height) or len(members) == len(pieces):
                torn = any(_is_torn(pieces, pair, near) for pair in combinations(members, 2))
                doubt = _doubt(group, height) - _TORN_GAIN * torn
                yield Join(tuple(members), doubt, _has_beside(group, height))
        if size < _PARTS:
            sets = {one | {other} for one in sets for number in one for other in beside[number] - one}
            if len(sets) > MOST_JOINS:
                return


def _affordable(joins: Iterable[Join], pieces: Sequence[Piece], area: float) -> Iterator[Join]:
    """Take the first joins, as long as they are few enough and their boxes have no larger an area in all."""
    for one in islice(joins, MOST_JOINS):
        group = [pieces[number] for number in one.members]
        area -= _width(group) * _height(group)
        if area < 0:
            return
        yield one


def _width(group: Sequence[Piece]) -> int:
    return max(piece.right for piece in group) - min(piece.left for piece in group)


def _height(group: Sequence[Piece]) -> int:
    return max(piece.bottom for piece in group) - min(piece.top for piece in group)


def _fits(group: Sequence[Piece], height: float) -> bool:
    wide, tall = _width(group), _height(group)
    single = max(piece.height for piece in group)
    return wide <= _WIDEST * max(height, single, tall) and tall <= _TALLEST * max(height, 0.8 * single)


def _doubt(group: Sequence[Piece], height: float) -> float:
    """Two tall pieces side by side are rather two digits; one above the other, rather one."""
    tall = [piece for piece in group if piece.height >= 0.6 * height]
    return 0.7 * sum(_are_beside(one, other) for one, other in combinations(tall, 2))


def _has_beside(group: Sequence[Piece], height: float) -> bool:
    largest = max(group, key=lambda piece: piece.mass)
    parts = [piece for piece in group if piece is not largest and piece.height >= _FRAGMENT * height]
    return any(_are_beside(largest, piece) for piece in parts)


def _are_beside(one: Piece, other: Piece) -> bool:
    overlap = min(one.right, other.right) - max(one.left, other.left)
    return overlap < 0.3 * min(one.width, other.width)

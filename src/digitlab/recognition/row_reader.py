"""The reader of rows: from the grey picture of a row to what is written in it, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from digitlab.recognition.ctc import decode
from digitlab.recognition.ctc_paths import align
from digitlab.recognition.lengths import LengthRange
from digitlab.spec.rows import ALPHABET, BLANK
from digitlab.synthesis.row_form import by_width, row_form

STRETCHES = (1.0, 0.88, 1.14)
"""Widths at which a row is read, its own first; the sum of three posteriors gained 2.4 points of amounts."""
SURE = 0.98
"""Probability of a text in the first look from which there is no other: two of three rows."""
MOST_ALTERNATIVES = 5
"""Texts that are told beside the likeliest."""


class RowNetwork(Protocol):
    """A network that reads rows; threads may share it."""

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """Give the probabilities of the symbols and the blank in each frame.

        Args:
            rows: in row form, uint8 [n, 32, W].

        Returns:
            float32 [n, W / 4, 12].
        """
        ...


@dataclass(frozen=True, eq=False)
class RowAnswer:
    """What the reader makes of a row.

    Attributes:
        text: the likeliest, of the digits and "?"; empty where there is nothing to read.
        probability: of the whole text, as the networks' posteriors have it, 0..1.
        alternatives: texts with their probabilities, the likeliest first, `text` among them.
        places: of each character its first column in the row, the column of its peak, and the one after its
            last, float [n, 3].
        shares: for each character the probabilities of the digits and of "?" at its place, float [n, 11].
        heard: for each frame how probable any symbol is there, float [T]; the highest of all looks.
    """

    text: str
    probability: float
    alternatives: tuple[tuple[str, float], ...]
    places: np.ndarray
    shares: np.ndarray
    heard: np.ndarray


class RowReader:
    """Reads rows with a network.

    Args:
        network: that was trained on rows.
    """

    def __init__(self, network: RowNetwork) -> None:
        self.network = network

    def read(self, rows: Sequence[np.ndarray], lengths: LengthRange | None = None) -> list[RowAnswer]:
        """Read rows, those of one width at once.

        Args:
            rows: grey, of either polarity, each uint8 [h, w].
            lengths: how many characters each has, where that is known.
        """
        return self.read_crops([[row] for row in rows], lengths)

    def read_crops(
        self, rows: Sequence[Sequence[np.ndarray]], lengths: LengthRange | None = None
    ) -> list[RowAnswer]:
        """Read rows of which there are several crops: the posteriors of all of a row's looks are summed.

        Of a row with one crop that the first look is sure of there is no other look.

        Args:
            rows: the crops of each row, one or more, each uint8 [h, w]; places are told in the first.
            lengths: how many characters each row has, where that is known.
        """
        first = by_width([row_form(crops[0]) for crops in rows], self.network.probabilities)
        answers: dict[int, RowAnswer] = {}
        for number, (crops, look) in enumerate(zip(rows, first, strict=True)):
            if len(crops) > 1:
                continue
            answer = _answer(crops[0].shape[1], [look], lengths)
            if answer.probability >= SURE:
                answers[number] = answer
        unsure = [number for number in range(len(rows)) if number not in answers]
        forms = [
            [row_form(crop, stretch) for crop in rows[number] for stretch in STRETCHES][1:]
            for number in unsure
        ]
        more = iter(by_width([form for ones in forms for form in ones], self.network.probabilities))
        for number, ones in zip(unsure, forms, strict=True):
            looks = [first[number], *(next(more) for _ in ones)]
            answers[number] = _answer(rows[number][0].shape[1], looks, lengths)
        return [answers[number] for number in range(len(rows))]


def _answer(width: int, looks: Sequence[np.ndarray], lengths: LengthRange | None) -> RowAnswer:
    """Put looks together; the first ones, as many as there are stretches at most, are of one crop."""
    found = decode(looks, lengths)
    heard = _heard(looks[: len(STRETCHES)])
    if not found:
        return RowAnswer("", 0.0, (), np.zeros((0, 3)), np.zeros((0, len(ALPHABET))), heard)
    text = found[0].text
    probabilities = [float(np.exp(one.log_probability)) for one in found]
    alternatives = tuple(
        (one.text, min(1.0, share))
        for one, share in zip(found[:MOST_ALTERNATIVES], probabilities, strict=False)
    )
    try:
        spans = align(looks[0], text)
    except ValueError:  # more characters than this width has frames, though another had enough
        return RowAnswer("", 0.0, alternatives, np.zeros((0, 3)), np.zeros((0, len(ALPHABET))), heard)
    scale = width / len(looks[0])
    places = np.array([(one.start, one.peak + 0.5, one.stop) for one in spans], float).reshape(-1, 3) * scale
    shares = _shares(text, [(one.text, share) for one, share in zip(found, probabilities, strict=True)])
    return RowAnswer(text, min(1.0, probabilities[0]), alternatives, places, shares, heard)


def _heard(looks: Sequence[np.ndarray]) -> np.ndarray:
    """How probable any symbol is along the row, the highest of the looks, in the frames of the longest."""
    most = max(len(look) for look in looks)
    at = np.linspace(0, 1, most)
    along = [np.interp(at, np.linspace(0, 1, len(look)), 1 - look[:, BLANK]) for look in looks]
    return np.max(along, axis=0)


def _shares(text: str, found: Sequence[tuple[str, float]]) -> np.ndarray:
    """For each character how probable each symbol is in its place.

    A text that differs elsewhere speaks for it, too: one whose beginning or end is the same up to there. What
    no text accounts for is spread over the characters: of 200 digits hardly any one text is probable, and yet
    each digit may be.
    """
    shares = np.zeros((len(text), len(ALPHABET)))
    total = sum(probability for _, probability in found)
    if not text or not total:
        return shares
    each = min(total, 1.0) ** (1 / len(text)) / total
    for other, probability in found:
        same_before = _common(text, other)
        same_after = _common(text[::-1], other[::-1])
        for place in range(len(text)):
            after = len(text) - place - 1
            if place <= same_before and place < len(other):
                symbol = other[place]
            elif after <= same_after and after < len(other):
                symbol = other[len(other) - 1 - after]
            else:
                continue
            if len(other) != len(text) and symbol != text[place]:
                continue
            shares[place, ALPHABET.index(symbol)] += probability * each
    return shares


def _common(one: str, other: str) -> int:
    count = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    return count

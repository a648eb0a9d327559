"""The row reader: from the grey picture of a row to its text and the positions of its characters."""

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
"""Factors of its width at which a row is read; combining three posteriors gained 2.4 points on amounts."""
SURE = 0.98
"""Probability of a text in the first forward pass from which there is no other pass: two of three rows."""
MOST_ALTERNATIVES = 5
"""Largest number of alternatives, the likeliest text among them."""


class FrameClassifier(Protocol):
    """A network that classifies each frame of a row; threads may share it."""

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """Compute the probabilities of the symbols and the blank in each frame.

        Args:
            rows: rows in row form, uint8 [n, 32, W].

        Returns:
            Probabilities, float32 [n, W / 4, 12].
        """
        ...


@dataclass(frozen=True, eq=False)
class RowAnswer:
    """The reader's output for a row.

    Attributes:
        text: the likeliest text, of digits and "?"; empty if there is nothing to read.
        probability: posterior of the whole text, not calibrated, 0..1.
        alternatives: texts with their probabilities, the likeliest first, `text` among them.
        places: first column, column of the peak, and column after the last of each character, in pixels of
            the row, float [n, 3].
        shares: probabilities of the digits and of "?" at each character's position, float [n, 11].
        heard: probability of any symbol in each frame, float [T]; the highest of the first crop's passes.
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
        network: the network that reads rows.
    """

    def __init__(self, network: FrameClassifier) -> None:
        self.network = network

    def read(self, rows: Sequence[np.ndarray], lengths: LengthRange | None = None) -> list[RowAnswer]:
        """Read rows, those of one width in one batch.

        Args:
            rows: grey pictures of rows, of either polarity, each uint8 [h, w].
            lengths: admissible numbers of characters of each row, if known.
        """
        return self.read_crops([[row] for row in rows], lengths)

    def read_crops(
        self, rows: Sequence[Sequence[np.ndarray]], lengths: LengthRange | None = None
    ) -> list[RowAnswer]:
        """Read rows with several crops each: the posteriors of all forward passes over a row are averaged.

        A row of one crop has no further pass if the first one is confident.

        Args:
            rows: crops of each row, one or more, each uint8 [h, w]; places are columns of the first one.
            lengths: admissible numbers of characters of each row, if known.
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
    """Decode the forward passes over a row; those of its first crop, at most one a stretch, come first."""
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
    except ValueError:  # the text has more characters than this pass has frames; a wider one had enough
        return RowAnswer("", 0.0, alternatives, np.zeros((0, 3)), np.zeros((0, len(ALPHABET))), heard)
    scale = width / len(looks[0])
    places = np.array([(one.start, one.peak + 0.5, one.stop) for one in spans], float).reshape(-1, 3) * scale
    shares = _shares(text, [(one.text, share) for one, share in zip(found, probabilities, strict=True)])
    return RowAnswer(text, min(1.0, probabilities[0]), alternatives, places, shares, heard)


def _heard(looks: Sequence[np.ndarray]) -> np.ndarray:
    """Return the highest probability of any symbol over all passes, in the frames of the longest."""
    most = max(len(look) for look in looks)
    at = np.linspace(0, 1, most)
    along = [np.interp(at, np.linspace(0, 1, len(look)), 1 - look[:, BLANK]) for look in looks]
    return np.max(along, axis=0)


def _shares(text: str, found: Sequence[tuple[str, float]]) -> np.ndarray:
    """Return the probability of each symbol at each character's position, float [n, 11].

    A text that differs elsewhere counts for a character, too, if its beginning or its end up to there is the
    same. The probability that no text accounts for is spread over the characters: of 200 digits hardly any
    text is probable, and yet each digit may be.
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

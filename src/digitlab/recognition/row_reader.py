"""The row reader: from the grey picture of a row to its text and the positions of its characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
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
        spans: first column, column of the peak, and column after the last of each character, in pixels of
            the row, float [n, 3].
        shares: probabilities of the digits and of "?" at each character's position, float [n, 11].
        heard: probability of any symbol in each frame, float [T]; the highest of the first crop's passes.
    """

    text: str
    probability: float
    alternatives: tuple[tuple[str, float], ...]
    spans: np.ndarray
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
            rows: crops of each row, one or more, each uint8 [h, w]; spans are columns of the first one.
            lengths: admissible numbers of characters of each row, if known.
        """
        first_passes = by_width([row_form(crops[0]) for crops in rows], self.network.probabilities)
        answers: dict[int, RowAnswer] = {}
        for i, crops in enumerate(rows):
            if len(crops) > 1:
                continue
            answer = _answer(crops[0].shape[1], [first_passes[i]], lengths)
            if answer.probability >= SURE:
                answers[i] = answer
        doubtful = [i for i in range(len(rows)) if i not in answers]
        # All forms of these rows in one list, so that those of one width are one batch.
        forms: list[np.ndarray] = []
        for i in doubtful:
            forms += _further_forms(rows[i])
        further_passes = iter(by_width(forms, self.network.probabilities))
        for i in doubtful:
            count = len(rows[i]) * len(STRETCHES) - 1
            passes = [first_passes[i], *islice(further_passes, count)]
            answers[i] = _answer(rows[i][0].shape[1], passes, lengths)
        return [answers[i] for i in range(len(rows))]


def _further_forms(crops: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return a row's crops in row form at all stretches, without the first one, which was read already."""
    forms = [row_form(crop, stretch) for crop in crops for stretch in STRETCHES]
    return forms[1:]


def _answer(width: int, passes: Sequence[np.ndarray], lengths: LengthRange | None) -> RowAnswer:
    """Decode the forward passes over a row; those of its first crop, at most one a stretch, come first."""
    hypotheses = decode(passes, lengths)
    heard = _heard(passes[: len(STRETCHES)])
    no_spans = np.zeros((0, 3))
    no_shares = np.zeros((0, len(ALPHABET)))
    if not hypotheses:
        return RowAnswer("", 0.0, (), no_spans, no_shares, heard)
    texts = [(hypothesis.text, float(np.exp(hypothesis.log_probability))) for hypothesis in hypotheses]
    alternatives = tuple((text, min(1.0, probability)) for text, probability in texts[:MOST_ALTERNATIVES])
    text, probability = alternatives[0]
    try:
        characters = align(passes[0], text)
    except ValueError:  # the text has more characters than this pass has frames; a wider one had enough
        return RowAnswer("", 0.0, alternatives, no_spans, no_shares, heard)
    pixels_per_frame = width / len(passes[0])
    frames = np.array([(span.start, span.peak + 0.5, span.stop) for span in characters], float)
    spans = frames.reshape(-1, 3) * pixels_per_frame
    return RowAnswer(text, probability, alternatives, spans, _shares(text, texts), heard)


def _heard(passes: Sequence[np.ndarray]) -> np.ndarray:
    """Return the highest probability of any symbol over all passes, in the frames of the longest."""
    most = max(len(frames) for frames in passes)
    at = np.linspace(0, 1, most)
    along_row = []
    for frames in passes:
        any_symbol = 1 - frames[:, BLANK]
        along_row.append(np.interp(at, np.linspace(0, 1, len(frames)), any_symbol))
    return np.max(along_row, axis=0)


def _shares(text: str, texts: Sequence[tuple[str, float]]) -> np.ndarray:
    """Return the probability of each symbol at each character's position, float [n, 11].

    A text that differs elsewhere counts for a character, too, if its beginning or its end up to there is the
    same. The probability that no text accounts for is spread over the characters: of 200 digits hardly any
    text is probable, and yet each digit may be.
    """
    shares = np.zeros((len(text), len(ALPHABET)))
    total = sum(probability for _, probability in texts)
    if not text or not total:
        return shares
    factor = min(total, 1.0) ** (1 / len(text)) / total
    for other, probability in texts:
        same_before = _common_beginning(text, other)
        same_after = _common_beginning(text[::-1], other[::-1])
        for i in range(len(text)):
            after = len(text) - i - 1
            if i <= same_before and i < len(other):
                symbol = other[i]
            elif after <= same_after and after < len(other):
                symbol = other[len(other) - 1 - after]
            else:
                continue
            # In a text of another length, a differing symbol may be in place of another character.
            if len(other) != len(text) and symbol != text[i]:
                continue
            shares[i, ALPHABET.index(symbol)] += probability * factor
    return shares


def _common_beginning(one: str, other: str) -> int:
    """Return the number of characters with which both texts begin."""
    count = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    return count

"""The second opinion: the ink at each place that the row reader named, seen by the classifier of digits.

The two know nothing of each other: one reads grey rows whole, the other one digit's ink alone. How likely a
digit is right follows from what both say, by a logistic regression. Ink as large as a digit that the reader
passed over is judged here, too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digitlab.bundle.runtime import Classifier
from digitlab.recognition.mnist_form import to_mnist_form
from digitlab.recognition.places import Place
from digitlab.recognition.reading import Opinions
from digitlab.recognition.row_reader import RowAnswer
from digitlab.recognition.strokes import stroke_width
from digitlab.results.calibration import tempered
from digitlab.spec.rows import ALPHABET


@dataclass(frozen=True)
class VerifyParameters:
    """When a digit counts as read.

    The first three are the logistic regression of `benchmarks/opinions.py`: the log-odds of a right digit.

    Attributes:
        offset: of the log-odds.
        told: weight of the log-odds of the row reader's digit at its place.
        agreement: weight of the classifier's probability of its digit times how likely the ink is a digit at
            all; it is negative where that digit is another.
        letter: weight of how unlikely the ink is a digit at all, where it may be a letter: it stands alone,
            or is one piece that is read as several digits. Chosen on drawn letters and on people's digits.
        letter_agreed: the same where the classifier names the same digit.
        right: how likely a digit is right from which it is read.
        certain: how sure the classifier is of a digit that stands alone, and that it is one, from which it is
            read against the row reader.
        seen: the row reader's probability of that digit, at least, where it says "?".
        digit: how likely ink is a digit at all from which the classifier's opinion counts.
        alone: how sure the classifier is of the only ink of a page, of which the row reader says nothing.
        bar: width of an upright stroke, in its heights, at most, that alone is a 1 if the classifier says so.
        fine: of the usual width of the digits' strokes: a straight stroke under it is a line of the paper.
        heard: how probable a symbol is along ink that was passed over, from which the row reader knew of it.
        sure: how likely the row is right from which what it knew of and passed over is no digit.
        floor: of each class, in both opinions: neither is ever certain that it is not.
    """

    offset: float = 0.44
    told: float = 0.83
    agreement: float = 1.83
    letter: float = 3.0
    letter_agreed: float = 0.3
    right: float = 0.8
    certain: float = 0.97
    seen: float = 0.15
    digit: float = 0.5
    alone: float = 0.93
    bar: float = 0.4
    fine: float = 0.7
    heard: float = 0.3
    sure: float = 0.75
    floor: float = 2e-3


PARAMETERS = VerifyParameters()


@dataclass(frozen=True, eq=False)
class Judgement:
    """What is known of a place.

    Attributes:
        place: its ink.
        form: the same in MNIST form, uint8 [28, 28].
        probabilities: of the digits 0..9, of both opinions together, float64 [10].
        opinions: of both.
        accepted: whether it is read as the likeliest digit.
        is_sign: whether it is ink of digit size that is no digit: a sign, a stroke, the side of a box.
    """

    place: Place
    form: np.ndarray
    probabilities: np.ndarray
    opinions: Opinions
    accepted: bool
    is_sign: bool = False

    @property
    def digit(self) -> int:
        """The likeliest digit."""
        return int(self.probabilities.argmax())


@dataclass(frozen=True, eq=False)
class RowPlaces:
    """A row that is judged.

    Attributes:
        answer: of the row reader.
        confidence: how likely the answer is right, 0..1.
        places: its ink, from left to right.
        alone: whether it is the only row of its page.
        pieces: of connected ink.
    """

    answer: RowAnswer
    confidence: float
    places: Sequence[Place]
    alone: bool = False
    pieces: int = 2

    @property
    def may_be_a_letter(self) -> bool:
        """Whether it is one character, or one piece of ink, alone on its page."""
        return self.alone and (len(self.answer.text) == 1 or self.pieces == 1)


@dataclass(frozen=True, eq=False)
class _Seen:
    """What the classifier sees at a place: form, calibrated probabilities [10], how likely it is a digit."""

    form: np.ndarray
    probabilities: np.ndarray
    likely: float

    @property
    def digit(self) -> int:
        return int(self.probabilities.argmax())

    @property
    def certainty(self) -> float:
        """How sure it is of the digit, and that it is one."""
        return min(self.likely, float(self.probabilities.max()))


def judge(
    rows: Sequence[RowPlaces], classifier: Classifier, parameters: VerifyParameters = PARAMETERS
) -> list[list[Judgement]]:
    """Ask the classifier about all places of all rows at once.

    Args:
        rows: with their places.
        classifier: of single digits.
        parameters: when a digit counts as read.
    """
    seen = iter(_look([place for row in rows for place in row.places], classifier))
    return [[_judgement(row, place, next(seen), parameters) for place in row.places] for row in rows]


def _look(places: Sequence[Place], classifier: Classifier) -> list[_Seen]:
    forms = np.zeros((len(places), 28, 28), np.uint8)
    for number, place in enumerate(places):
        if place.strength.any():
            forms[number] = to_mnist_form(place.strength)
    calibration = classifier.card.calibration
    inside = classifier.look(forms)
    calibrated = tempered(inside.probabilities, calibration.temperature)
    likely = np.ones(len(forms)) if calibration.rejection is None else calibration.rejection.likely(inside)
    return [_Seen(*one) for one in zip(forms, calibrated, likely.tolist(), strict=True)]


def _judgement(row: RowPlaces, place: Place, seen: _Seen, parameters: VerifyParameters) -> Judgement:
    is_lone = row.alone and len(row.places) == 1
    if place.character is None:
        return _lone(place, seen, parameters) if is_lone else _passed_over(row, place, seen, parameters)
    symbol = row.answer.text[place.character]
    shares = row.answer.shares[place.character]
    digit = None if symbol == "?" else int(symbol)
    opinions = _opinions(seen, digit, float(shares[ALPHABET.index(symbol)]))
    trusted = seen.likely * seen.probabilities + (1 - seen.likely) / 10
    both = np.maximum(shares[:10], parameters.floor) * np.maximum(trusted, parameters.floor)
    if digit is not None:
        right = likely_right(opinions, row.may_be_a_letter, parameters)
        if right >= parameters.right:
            return Judgement(place, seen.form, _with(both, digit, right), opinions, True)
    if is_lone and _is_clear(
        place, seen, None if digit is not None else float(shares[seen.digit]), parameters
    ):
        return Judgement(place, seen.form, _summing_to_one(seen.probabilities), opinions, True)
    return Judgement(place, seen.form, _summing_to_one(both), opinions, False)


def _is_clear(place: Place, seen: _Seen, heard: float | None, parameters: VerifyParameters) -> bool:
    """Whether the classifier, which was made for it, reads one character that the row reader does not.

    Args:
        place: of the character.
        seen: by the classifier.
        heard: the row reader's probability of the classifier's digit where it says "?"; else None.
        parameters: when it is clear.
    """
    if seen.certainty >= parameters.certain and (heard is None or heard >= parameters.seen):
        return True
    # A straight upright stroke, which the reader hardly met alone, is a 1 to everybody.
    height, width = place.strength.shape
    is_bar = width <= parameters.bar * height
    return heard is not None and seen.digit == 1 and seen.likely >= parameters.digit and is_bar


def _lone(place: Place, seen: _Seen, parameters: VerifyParameters) -> Judgement:
    """Judge the only ink of a page where the reader hears nothing, as of a straight upright stroke.

    What is left of a page without it is nothing, so that it is no sign; the classifier decides.
    """
    sure = float(seen.probabilities.max()) >= parameters.alone
    accepted = seen.likely >= parameters.digit and sure
    return Judgement(place, seen.form, _summing_to_one(seen.probabilities), _opinions(seen), accepted)


def _passed_over(row: RowPlaces, place: Place, seen: _Seen, parameters: VerifyParameters) -> Judgement:
    """Judge ink of digit size that no character of the row has.

    What the reader knew of and passed over is no digit where the row is likely right; what it did not, where
    the classifier sees none. A straight stroke is a 1 to the classifier, and may be a slash, a bracket or a
    line of the paper.
    """
    if _is_line(row, place, parameters):
        is_sign = True
    elif place.heard >= parameters.heard:
        is_sign = row.confidence >= parameters.sure
    else:
        is_sign = seen.likely < parameters.digit or seen.digit == 1
    probabilities = _summing_to_one(seen.probabilities)
    return Judgement(place, seen.form, probabilities, _opinions(seen), False, is_sign)


def _is_line(row: RowPlaces, place: Place, parameters: VerifyParameters) -> bool:
    """Whether ink that was passed over is a line, drawn by a finer pen than the digits: the side of a box."""
    height, width = place.strength.shape
    if place.at_edge or width > parameters.bar * height:
        return False
    written = [_thickness(one) for one in row.places if one.character is not None and one.strength.any()]
    return bool(written) and _thickness(place) < parameters.fine * float(np.median(written))


def _thickness(place: Place) -> float:
    return stroke_width((place.strength > place.strength.max() // 2).view(np.uint8))


def likely_right(
    opinions: Opinions, may_be_a_letter: bool = False, parameters: VerifyParameters = PARAMETERS
) -> float:
    """Give how likely the row reader's digit is right by what both say, 0..1.

    Args:
        opinions: of both.
        may_be_a_letter: whether the ink stands alone, so that it may be no digit.
        parameters: weights.
    """
    weights = (parameters.offset, parameters.told, parameters.agreement)
    odds = sum(weight * value for weight, value in zip(weights, evidence(opinions), strict=True))
    if may_be_a_letter:
        agree = opinions.form_digit == opinions.row_digit
        odds -= (parameters.letter_agreed if agree else parameters.letter) * (1 - opinions.likely_digit)
    return 1 / (1 + math.exp(-odds))


def evidence(opinions: Opinions) -> tuple[float, float, float]:
    """Give what tells whether the row reader's digit is right, in the order of the parameters' weights."""
    sign = 1 if opinions.form_digit == opinions.row_digit else -1
    agreement = sign * opinions.likely_digit * opinions.form_probability
    told = min(max(opinions.row_probability, 1e-4), 1 - 1e-4)
    return 1.0, math.log(told / (1 - told)), agreement


def _opinions(seen: _Seen, digit: int | None = None, told: float = 0.0) -> Opinions:
    return Opinions(digit, told, seen.digit, float(seen.probabilities.max()), seen.likely)


def _with(shares: np.ndarray, digit: int, probability: float) -> np.ndarray:
    """Give one digit its probability, and the others the rest in proportion."""
    others = shares.astype(np.float64)
    others[digit] = 0
    probabilities = (1 - probability) * others / others.sum()
    probabilities[digit] = probability
    return probabilities


def _summing_to_one(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float64) / values.sum(dtype=np.float64)

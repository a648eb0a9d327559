"""Check of the row reader's digits by the classifier of single digits.

The two networks are independent: one reads whole grey rows, the other the ink of one digit. A logistic
regression combines their outputs to the probability that a digit is right. Ink of a digit's size that the row
reader passed over is judged here, too.
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
from digitlab.results.calibration import apply_temperature
from digitlab.spec.rows import ALPHABET


@dataclass(frozen=True)
class VerifyParameters:
    """Weights and thresholds by which a digit is accepted.

    The first three are the logistic regression fitted by `benchmarks/opinions.py`, on the log-odds that a
    digit is right.

    Attributes:
        offset: offset of the log-odds.
        told: weight of the log-odds of the row reader's probability of its digit.
        agreement: weight of the classifier's probability of its digit times the probability that the ink is a
            digit at all; the product counts as negative if the networks' digits differ.
        letter: weight, against the digit, of the probability that the ink is not a digit, for one piece of
            ink that is alone on its page and read as several digits.
        letter_agreed: weight in place of `letter` if the networks' digits are the same.
        lone_offset: offset of the log-odds that the only character of a page is the digit that is read, and
            no letter. This regression is fitted to people's digits and to letters of handwriting fonts.
        lone_told: weight, there, of the log-odds of the row reader's probability of its digit.
        lone_digit: weight, there, of the log-odds that the ink is a digit at all.
        lone_right: probability, there, from which the character is accepted. Letters were a tenth of the
            characters that it was fitted to, so it is no confidence of a reading.
        right: probability that a digit is right from which it is accepted.
        certain: certainty of the classifier, of the digit and that it is one, from which the only character
            of a page is accepted against the row reader.
        seen: the row reader's probability of that digit, at least, if its symbol is "?".
        digit: probability that ink is a digit at all from which the classifier's digit counts.
        alone: the classifier's probability of its digit from which the only ink of a page is accepted though
            the row reader found nothing.
        bar: width of an upright stroke, at most, in its heights.
        fine: share of the digits' usual stroke width below which an upright stroke is a line of the paper.
        heard: the row reader's probability of any symbol along ink that it passed over, from which it
            considered that ink.
        sure: probability that the row is right from which ink that was considered and passed over is not a
            digit.
        floor: smallest probability of each class in both outputs: neither network ever excludes one.
    """

    offset: float = 0.48
    told: float = 0.79
    agreement: float = 1.91
    letter: float = 3.0
    letter_agreed: float = 0.3
    lone_offset: float = -1.64
    lone_told: float = 0.72
    lone_digit: float = 0.35
    lone_right: float = 0.33
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
    """Result of the check of one place.

    Attributes:
        place: the place with its ink.
        form: the ink in MNIST form, uint8 [28, 28].
        probabilities: probabilities of the digits 0..9 by both networks together, float64 [10].
        opinions: separate outputs of both networks.
        accepted: whether the ink is read as the likeliest digit.
        is_sign: whether the ink has a digit's size, but is not one: a sign, a stroke, the side of a box.
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
    """A row to be checked.

    Attributes:
        answer: the row reader's output.
        confidence: calibrated probability that the row reader's text is right, 0..1.
        places: places of the row's ink, from left to right.
        alone: whether the row is the only one of its page.
        pieces: number of connected pieces of ink.
    """

    answer: RowAnswer
    confidence: float
    places: Sequence[Place]
    alone: bool = False
    pieces: int = 2

    @property
    def is_lone_character(self) -> bool:
        """Whether the row is one character, alone on its page."""
        return self.alone and len(self.answer.text) == 1

    @property
    def may_be_a_letter(self) -> bool:
        """Whether the row is one piece of ink, alone on its page, that is read as several digits."""
        return self.alone and self.pieces == 1 and len(self.answer.text) > 1


@dataclass(frozen=True, eq=False)
class _Seen:
    """The classifier's output: ink in MNIST form, calibrated probabilities, probability of being a digit."""

    form: np.ndarray
    probabilities: np.ndarray
    likely: float

    @property
    def digit(self) -> int:
        return int(self.probabilities.argmax())

    @property
    def certainty(self) -> float:
        """The smaller of the probabilities of the likeliest digit, and that the ink is a digit."""
        return min(self.likely, float(self.probabilities.max()))


def judge(
    rows: Sequence[RowPlaces], classifier: Classifier, parameters: VerifyParameters = PARAMETERS
) -> list[list[Judgement]]:
    """Run the classifier on all places of all rows in one call, and judge each place by both outputs.

    Args:
        rows: rows with their places.
        classifier: the classifier of single digits.
        parameters: weights and thresholds.

    Returns:
        Judgements of each row's places, in their order.
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
    calibrated = apply_temperature(inside.probabilities, calibration.temperature)
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
        accepted = right >= parameters.right
        if row.is_lone_character:
            # Two networks that name different digits are no reason to print one of them.
            accepted = (accepted or opinions.form_digit == digit) and (
                likely_no_letter(opinions, parameters) >= parameters.lone_right
            )
        if accepted:
            return Judgement(place, seen.form, _with(both, digit, right), opinions, True)
    if is_lone and _is_clear(
        place, seen, None if digit is not None else float(shares[seen.digit]), parameters
    ):
        return Judgement(place, seen.form, _summing_to_one(seen.probabilities), opinions, True)
    return Judgement(place, seen.form, _summing_to_one(both), opinions, False)


def _is_clear(place: Place, seen: _Seen, heard: float | None, parameters: VerifyParameters) -> bool:
    """Return whether the classifier is certain of a page's only character, of which the row reader is not.

    Args:
        place: the character's place.
        seen: the classifier's output.
        heard: the row reader's probability of the classifier's digit if its symbol is "?"; else None.
        parameters: weights and thresholds.
    """
    if seen.certainty >= parameters.certain and (heard is None or heard >= parameters.seen):
        return True
    # A straight upright stroke alone is a 1; the row reader has hardly seen one alone in training.
    height, width = place.strength.shape
    is_bar = width <= parameters.bar * height
    return heard is not None and seen.digit == 1 and seen.likely >= parameters.digit and is_bar


def _lone(place: Place, seen: _Seen, parameters: VerifyParameters) -> Judgement:
    """Judge the only ink of a page, in which the row reader found nothing, such as a straight upright stroke.

    It is never a sign, since without it nothing is left on the page; the classifier decides.
    """
    sure = float(seen.probabilities.max()) >= parameters.alone
    accepted = seen.likely >= parameters.digit and sure
    return Judgement(place, seen.form, _summing_to_one(seen.probabilities), _opinions(seen), accepted)


def _passed_over(row: RowPlaces, place: Place, seen: _Seen, parameters: VerifyParameters) -> Judgement:
    """Judge ink of a digit's size that belongs to no character of the row.

    Ink that the row reader considered is a sign if the row is likely right; other ink is one if the
    classifier rejects it or takes it for a 1, since a straight stroke may be a slash, a bracket or a line of
    the paper.
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
    """Return whether ink that was passed over is a line finer than the digits' strokes: the side of a box."""
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
    """Compute the probability that the row reader's digit is right from both networks' outputs, 0..1.

    Args:
        opinions: separate outputs of both networks.
        may_be_a_letter: whether the digit is part of ink that may be a letter (`RowPlaces.may_be_a_letter`).
        parameters: weights of the logistic regression.
    """
    weights = (parameters.offset, parameters.told, parameters.agreement)
    odds = sum(weight * value for weight, value in zip(weights, evidence(opinions), strict=True))
    if may_be_a_letter:
        agree = opinions.form_digit == opinions.row_digit
        odds -= (parameters.letter_agreed if agree else parameters.letter) * (1 - opinions.likely_digit)
    return _probability(odds)


def likely_no_letter(opinions: Opinions, parameters: VerifyParameters = PARAMETERS) -> float:
    """Compute the probability that the only character of a page is the row reader's digit, 0..1.

    Args:
        opinions: separate outputs of both networks.
        parameters: weights of the logistic regression.
    """
    told, digit = log_odds(opinions.row_probability), log_odds(opinions.likely_digit)
    odds = parameters.lone_offset + parameters.lone_told * told + parameters.lone_digit * digit
    return _probability(odds)


def log_odds(probability: float) -> float:
    """Return the log-odds of a probability, which is taken to be at least 0.0001 from 0 and from 1."""
    bounded = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(bounded / (1 - bounded))


def _probability(odds: float) -> float:
    """Return the probability of log-odds."""
    return 1 / (1 + math.exp(-odds))


def evidence(opinions: Opinions) -> tuple[float, float, float]:
    """Return the inputs of the logistic regression: 1, log-odds of the row reader's digit, agreement."""
    sign = 1 if opinions.form_digit == opinions.row_digit else -1
    agreement = sign * opinions.likely_digit * opinions.form_probability
    return 1.0, log_odds(opinions.row_probability), agreement


def _opinions(seen: _Seen, digit: int | None = None, told: float = 0.0) -> Opinions:
    return Opinions(digit, told, seen.digit, float(seen.probabilities.max()), seen.likely)


def _with(shares: np.ndarray, digit: int, probability: float) -> np.ndarray:
    """Set the probability of one digit, and share the rest among the others in proportion."""
    others = shares.astype(np.float64)
    others[digit] = 0
    probabilities = (1 - probability) * others / others.sum()
    probabilities[digit] = probability
    return probabilities


def _summing_to_one(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float64) / values.sum(dtype=np.float64)

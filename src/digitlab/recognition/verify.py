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
from digitlab.recognition.ink_regions import InkRegion
from digitlab.recognition.mnist_form import to_mnist_form
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
        letter_agreed: weight instead of `letter` if the networks' digits are the same.
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
    """Result of the check of the ink of one character, or of ink that may be one.

    Attributes:
        region: the ink.
        form: the ink in MNIST form, uint8 [28, 28].
        probabilities: probabilities of the digits 0..9 by both networks together, float64 [10].
        opinions: separate outputs of both networks.
        accepted: whether the ink is read as the likeliest digit.
        is_sign: whether the ink has a digit's size, but is not one: a sign, a stroke, the side of a box.
    """

    region: InkRegion
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
class RowRegions:
    """A row to be checked.

    Attributes:
        answer: the row reader's output.
        confidence: calibrated probability that the row reader's text is right, 0..1.
        regions: regions of the row's ink, from left to right.
        alone: whether the row is the only one of its page.
        pieces: number of connected pieces of ink.
    """

    answer: RowAnswer
    confidence: float
    regions: Sequence[InkRegion]
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
class _Classified:
    """The classifier's output: ink in MNIST form, calibrated probabilities, probability of being a digit."""

    form: np.ndarray
    probabilities: np.ndarray
    in_distribution: float

    @property
    def digit(self) -> int:
        return int(self.probabilities.argmax())

    @property
    def certainty(self) -> float:
        """The smaller of the probabilities of the likeliest digit, and that the ink is a digit."""
        return min(self.in_distribution, float(self.probabilities.max()))


def judge(
    rows: Sequence[RowRegions], classifier: Classifier, parameters: VerifyParameters = PARAMETERS
) -> list[list[Judgement]]:
    """Run the classifier on all regions of all rows in one call, and judge each region by both outputs.

    Args:
        rows: rows with their regions.
        classifier: the classifier of single digits.
        parameters: weights and thresholds.

    Returns:
        Judgements of each row's regions, in their order.
    """
    all_classified = iter(_classify([region for row in rows for region in row.regions], classifier))
    judgements: list[list[Judgement]] = []
    for row in rows:
        judgements.append([])
        for region in row.regions:
            judgements[-1].append(_judge_one(row, region, next(all_classified), parameters))
    return judgements


def _classify(regions: Sequence[InkRegion], classifier: Classifier) -> list[_Classified]:
    forms = np.zeros((len(regions), 28, 28), np.uint8)
    for i, region in enumerate(regions):
        if region.intensity.any():
            forms[i] = to_mnist_form(region.intensity)
    calibration = classifier.card.calibration
    inside = classifier.look(forms)
    calibrated = apply_temperature(inside.probabilities, calibration.temperature)
    likely = np.ones(len(forms)) if calibration.rejection is None else calibration.rejection.likely(inside)
    return [_Classified(*output) for output in zip(forms, calibrated, likely.tolist(), strict=True)]


def _judge_one(
    row: RowRegions, region: InkRegion, classified: _Classified, parameters: VerifyParameters
) -> Judgement:
    is_lone = row.alone and len(row.regions) == 1
    if region.character is None and is_lone:
        return _lone(region, classified, parameters)
    if region.character is None:
        return _passed_over(row, region, classified, parameters)
    symbol = row.answer.text[region.character]
    shares = row.answer.shares[region.character]
    digit = None if symbol == "?" else int(symbol)
    opinions = _opinions(classified, digit, float(shares[ALPHABET.index(symbol)]))
    # The less the ink is like a digit, the less the classifier's digit counts: in the end all count alike.
    in_distribution = classified.in_distribution
    trusted = in_distribution * classified.probabilities + (1 - in_distribution) / 10
    both = np.maximum(shares[:10], parameters.floor) * np.maximum(trusted, parameters.floor)
    if digit is not None:
        right = likely_right(opinions, row.may_be_a_letter, parameters)
        accepted = right >= parameters.right
        if row.is_lone_character:
            # Two networks that name different digits are no reason to print one of them.
            agrees = opinions.form_digit == digit
            no_letter = likely_no_letter(opinions, parameters) >= parameters.lone_right
            accepted = (accepted or agrees) and no_letter
        if accepted:
            return Judgement(region, classified.form, _with(both, digit, right), opinions, True)
    heard = float(shares[classified.digit]) if digit is None else None
    if is_lone and _is_clear(region, classified, heard, parameters):
        probabilities = _summing_to_one(classified.probabilities)
        return Judgement(region, classified.form, probabilities, opinions, True)
    return Judgement(region, classified.form, _summing_to_one(both), opinions, False)


def _is_clear(
    region: InkRegion, classified: _Classified, heard: float | None, parameters: VerifyParameters
) -> bool:
    """Return whether the classifier is certain of a page's only character, of which the row reader is not.

    Args:
        region: the character's ink.
        classified: the classifier's output.
        heard: the row reader's probability of the classifier's digit if its symbol is "?"; else None.
        parameters: weights and thresholds.
    """
    if classified.certainty >= parameters.certain and (heard is None or heard >= parameters.seen):
        return True
    # A straight upright stroke alone is a 1; the row reader has hardly seen one alone in training.
    height, width = region.intensity.shape
    is_bar = width <= parameters.bar * height
    is_one = classified.digit == 1 and classified.in_distribution >= parameters.digit
    return heard is not None and is_one and is_bar


def _lone(region: InkRegion, classified: _Classified, parameters: VerifyParameters) -> Judgement:
    """Judge the only ink of a page, in which the row reader found nothing, such as a straight upright stroke.

    It is never a sign, since without it nothing is left on the page; the classifier decides.
    """
    is_confident = float(classified.probabilities.max()) >= parameters.alone
    accepted = classified.in_distribution >= parameters.digit and is_confident
    probabilities = _summing_to_one(classified.probabilities)
    return Judgement(region, classified.form, probabilities, _opinions(classified), accepted)


def _passed_over(
    row: RowRegions, region: InkRegion, classified: _Classified, parameters: VerifyParameters
) -> Judgement:
    """Judge ink of a digit's size that belongs to no character of the row.

    Ink that the row reader considered is a sign if the row is likely right; other ink is one if the
    classifier rejects it or takes it for a 1, since a straight stroke may be a slash, a bracket or a line of
    the paper.
    """
    if _is_line(row, region, parameters):
        is_sign = True
    elif region.heard >= parameters.heard:
        is_sign = row.confidence >= parameters.sure
    else:
        is_sign = classified.in_distribution < parameters.digit or classified.digit == 1
    probabilities = _summing_to_one(classified.probabilities)
    return Judgement(region, classified.form, probabilities, _opinions(classified), False, is_sign)


def _is_line(row: RowRegions, region: InkRegion, parameters: VerifyParameters) -> bool:
    """Return whether ink that was passed over is a line finer than the digits' strokes: the side of a box."""
    height, width = region.intensity.shape
    if region.at_edge or width > parameters.bar * height:
        return False
    characters = [other for other in row.regions if other.character is not None and other.intensity.any()]
    if not characters:
        return False
    usual = float(np.median([_thickness(other) for other in characters]))
    return _thickness(region) < parameters.fine * usual


def _thickness(region: InkRegion) -> float:
    mask = region.intensity > region.intensity.max() // 2
    return stroke_width(mask.view(np.uint8))


def likely_right(
    opinions: Opinions, may_be_a_letter: bool = False, parameters: VerifyParameters = PARAMETERS
) -> float:
    """Compute the probability that the row reader's digit is right from both networks' outputs, 0..1.

    Args:
        opinions: separate outputs of both networks.
        may_be_a_letter: whether the digit is part of ink that may be a letter (`RowRegions.may_be_a_letter`).
        parameters: weights of the logistic regression.
    """
    one, told, agreement = evidence(opinions)
    odds = parameters.offset * one + parameters.told * told + parameters.agreement * agreement
    if may_be_a_letter:
        agree = opinions.form_digit == opinions.row_digit
        weight = parameters.letter_agreed if agree else parameters.letter
        odds -= weight * (1 - opinions.likely_digit)
    return _probability(odds)


def likely_no_letter(opinions: Opinions, parameters: VerifyParameters = PARAMETERS) -> float:
    """Compute the probability that the only character of a page is the row reader's digit, 0..1.

    Args:
        opinions: separate outputs of both networks.
        parameters: weights of the logistic regression.
    """
    told = log_odds(opinions.row_probability)
    digit = log_odds(opinions.likely_digit)
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


def _opinions(
    classified: _Classified, row_digit: int | None = None, row_probability: float = 0.0
) -> Opinions:
    return Opinions(
        row_digit=row_digit,
        row_probability=row_probability,
        form_digit=classified.digit,
        form_probability=float(classified.probabilities.max()),
        likely_digit=classified.in_distribution,
    )


def _with(shares: np.ndarray, digit: int, probability: float) -> np.ndarray:
    """Set the probability of one digit, and share the rest among the others in proportion."""
    others = shares.astype(np.float64)
    others[digit] = 0
    probabilities = (1 - probability) * others / others.sum()
    probabilities[digit] = probability
    return probabilities


def _summing_to_one(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float64) / values.sum(dtype=np.float64)

"""The second opinion: the ink at each place that the row reader named, seen by the classifier of digits.

The two know nothing of each other: one reads grey rows whole, the other one digit's ink alone. Where they
agree the digit is certain; where not, only a high posterior of the row counts. Ink as large as a digit that
the reader passed over is found here, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from digitlab.bundle.runtime import BATCH, Classifier
from digitlab.recognition.mnist_form import to_mnist_form
from digitlab.recognition.reading import Opinions
from digitlab.recognition.row_crop import RowCrop
from digitlab.recognition.row_reader import RowAnswer
from digitlab.results.calibration import tempered
from digitlab.results.rejection import Inside
from digitlab.spec.rows import ALPHABET


@dataclass(frozen=True)
class VerifyParameters:
    """When a digit counts as read. Shares right are of composed rows of validation digits and people's pens.

    Attributes:
        agreed: the row reader's probability from which a digit counts that the classifier sees, too; 96 % and
            more are right at any.
        unlike: the same where the classifier names the digit and takes the ink for no digit; under it 70 %
            are right.
        alone: the same where the classifier sees another digit; under it 60 % are right, above it 98 %.
        doubted: the same where it sees another and takes the ink for no digit; above it 96 % are right.
        digit: how likely ink is a digit at all from which the classifier's opinion counts.
        certain: how sure the classifier is of a digit that stands alone, and that it is one, from which it is
            read though the row reader says "?".
        seen: the row reader's probability of that digit, at least.
        bar: width of an upright stroke, in its heights, at most, that alone is a 1 if the classifier says so.
        passed_over: height, in heights of the row, from which ink that was passed over is told.
        heard: how probable a symbol is along such ink from which it is no sign.
        floor: of each class, in both opinions: neither is ever certain that it is not.
    """

    agreed: float = 0.25
    unlike: float = 0.6
    alone: float = 0.93
    doubted: float = 0.85
    digit: float = 0.5
    certain: float = 0.95
    seen: float = 0.15
    bar: float = 0.4
    passed_over: float = 0.6
    heard: float = 0.3
    floor: float = 2e-3


PARAMETERS = VerifyParameters()


@dataclass(frozen=True, eq=False)
class Place:
    """Ink in a row that is one character, or may be.

    Attributes:
        strength: of its ink alone, uint8 [h, w] in its box, 0 none .. 255 full.
        box: left, top, right and bottom in the row's crop.
        character: its index in the reader's text; None where the reader passed it over.
        heard: how probable the reader took any symbol to be along it, 0..1; of ink that it passed over.
    """

    strength: np.ndarray
    box: tuple[int, int, int, int]
    character: int | None
    heard: float = 0.0


@dataclass(frozen=True, eq=False)
class Judgement:
    """What is known of a place.

    Attributes:
        place: its ink.
        form: the same in MNIST form, uint8 [28, 28].
        probabilities: of the digits 0..9, of both opinions together, float64 [10].
        opinions: of both.
        accepted: whether it is read as the likeliest digit.
        is_sign: whether it is ink of digit size that neither network takes for a digit: a sign, a stroke.
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


def find_places(crop: RowCrop, answer: RowAnswer, parameters: VerifyParameters = PARAMETERS) -> list[Place]:
    """Give each character its ink.

    Args:
        crop: of the row.
        answer: of the reader.
        parameters: from which size ink is told that no character has.

    Returns:
        Places from left to right: one for each character, and those that the reader passed over.
    """
    territory = _territories(crop, answer)
    places = []
    for index in range(len(answer.text)):
        own = territory == index + 1
        if own.any():
            places.append(_place(crop, own, index))
        else:
            places.append(_blank_place(crop, answer, index))
    height = crop.row.height
    passed = ((territory == 0) & (crop.labels > 0)).view(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(passed, connectivity=8, ltype=cv2.CV_32S)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_HEIGHT] < parameters.passed_over * height:
            continue
        place = _place(crop, labels == label, None)
        places.append(replace(place, heard=_heard(place.box, crop, answer)))
    places.sort(key=lambda place: place.box[0] + place.box[2])
    return places


def judge(
    answers: Sequence[RowAnswer],
    places: Sequence[Sequence[Place]],
    classifier: Classifier,
    parameters: VerifyParameters = PARAMETERS,
    alone: Sequence[bool] | None = None,
) -> list[list[Judgement]]:
    """Ask the classifier about all places of all rows at once.

    Args:
        answers: of the row reader, one a row.
        places: of each row.
        classifier: of single digits.
        parameters: when a digit counts as read.
        alone: of each row whether it is the only one of its page; none is unless said.
    """
    flat = [
        (answer, place, only and len(row) == 1)
        for answer, row, only in zip(answers, places, alone or [False] * len(answers), strict=True)
        for place in row
    ]
    forms = np.zeros((len(flat), 28, 28), np.uint8)
    for number, (_, place, _) in enumerate(flat):
        if place.strength.any():
            forms[number] = to_mnist_form(place.strength)
    probabilities, likely = _classify(classifier, forms)
    judged = iter(
        [
            _lone(place, forms[number], probabilities[number], float(likely[number]), parameters)
            if only and place.character is None
            else _judgement(
                answer, place, forms[number], probabilities[number], float(likely[number]), parameters
            )
            for number, (answer, place, only) in enumerate(flat)
        ]
    )
    return [[next(judged) for _ in row] for row in places]


def _classify(classifier: Classifier, forms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities [n, 10], and how likely each form is a digit [n]."""
    calibration = classifier.card.calibration
    probabilities = classifier.probabilities(forms)
    calibrated = tempered(probabilities, calibration.temperature)
    if calibration.rejection is None or not len(forms):
        return calibrated, np.ones(len(forms))
    # A few at a time: what comes with the features, the maps of all layers, is large.
    starts = range(0, len(forms), BATCH)
    features = [classifier.inside(forms[start : start + BATCH])["features"] for start in starts]
    return calibrated, calibration.rejection.likely(Inside(np.concatenate(features), probabilities))


def _lone(
    place: Place, form: np.ndarray, by_form: np.ndarray, likely: float, parameters: VerifyParameters
) -> Judgement:
    """Judge the only ink of a page where the reader hears nothing, as of a straight upright stroke.

    What is left of a page without it is nothing, so that it is no sign; the classifier decides.
    """
    best = int(by_form.argmax())
    opinions = Opinions(None, 0.0, best, float(by_form[best]), likely)
    accepted = likely >= parameters.digit and float(by_form[best]) >= parameters.alone
    return Judgement(place, form, _summing_to_one(by_form), opinions, accepted)


def _judgement(
    answer: RowAnswer,
    place: Place,
    form: np.ndarray,
    by_form: np.ndarray,
    likely: float,
    parameters: VerifyParameters,
) -> Judgement:
    best = int(by_form.argmax())
    if place.character is None:
        opinions = Opinions(None, 0.0, best, float(by_form[best]), likely)
        # A straight stroke is a 1 to the classifier, and may be a slash, a bracket or a line of the paper.
        like_a_digit = likely >= parameters.digit and best != 1
        is_sign = not like_a_digit and place.heard < parameters.heard
        return Judgement(place, form, _summing_to_one(by_form), opinions, False, is_sign)
    shares = answer.shares[place.character]
    symbol = answer.text[place.character]
    told = shares[ALPHABET.index(symbol)]
    digit = None if symbol == "?" else int(symbol)
    opinions = Opinions(digit, float(told), best, float(by_form[best]), likely)
    trusted = likely * by_form + (1 - likely) / 10
    row = np.maximum(shares[:10], parameters.floor)
    both = _summing_to_one(row * np.maximum(trusted, parameters.floor))
    if digit is None:
        # Of one character alone the classifier, which was made for it, knows more.
        certain = min(likely, float(by_form[best])) >= parameters.certain and shares[best] >= parameters.seen
        # A straight upright stroke, which the reader hardly met alone, is a 1 to everybody.
        height, width = place.strength.shape
        is_bar = best == 1 and likely >= parameters.digit and width <= parameters.bar * height
        if len(answer.text) == 1 and is_bar:
            return Judgement(place, form, _summing_to_one(by_form), opinions, True)
        return Judgement(place, form, both, opinions, len(answer.text) == 1 and bool(certain))
    if best == digit:
        needed = parameters.agreed if likely >= parameters.digit else parameters.unlike
    else:
        needed = parameters.alone if likely >= parameters.digit else parameters.doubted
    accepted = bool(told >= needed)
    if accepted and int(both.argmax()) != digit:
        # The row is read against the classifier, whose opinion counts for nothing.
        both = _summing_to_one(row)
        accepted = int(both.argmax()) == digit
    return Judgement(place, form, both, opinions, accepted)


def _summing_to_one(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float64) / values.sum(dtype=np.float64)


def _place(crop: RowCrop, own: np.ndarray, character: int | None) -> Place:
    left, top, width, height = cv2.boundingRect(own.view(np.uint8))
    # With the soft edge of its strokes, which lies around what is taken for ink.
    rows, columns = own.shape
    top, bottom = max(0, top - 1), min(rows, top + height + 1)
    left, right = max(0, left - 1), min(columns, left + width + 1)
    window = slice(top, bottom), slice(left, right)
    near = cv2.dilate(own[window].view(np.uint8), np.ones((3, 3), np.uint8))
    near[(crop.labels[window] > 0) & ~own[window]] = 0
    contrast = crop.contrast[window]
    full = float(np.percentile(contrast[own[window]], 75)) or 1.0
    strength = np.where(near, np.minimum(contrast * (255 / full), 255), 0).astype(np.uint8)
    return Place(strength, (left, top, right, bottom), character)


def _blank_place(crop: RowCrop, answer: RowAnswer, index: int) -> Place:
    """Where a character has no ink of its own: too pale to be told from paper, or a guess."""
    left, _, right = answer.places[index]
    one = min(int(left), crop.grey.shape[1] - 1)
    other = max(int(np.ceil(right)), one + 1)
    contrast = crop.contrast[:, one:other]
    seen = np.where(contrast > contrast.max() // 2, contrast, 0).astype(np.uint8)
    strength = cv2.normalize(seen, np.zeros_like(seen), 0, 255, cv2.NORM_MINMAX) if seen.any() else seen
    return Place(strength, (one, 0, other, crop.grey.shape[0]), index)


def _territories(crop: RowCrop, answer: RowAnswer) -> np.ndarray:
    """Which character each pixel of ink belongs to, int32 [h, w]: 1 more than its index, 0 for none."""
    labels = crop.labels
    territory = np.zeros(labels.shape, np.int32)
    if not answer.text:
        return territory
    peaks = answer.places[:, 1]
    height = crop.row.height
    spans = _spans(labels)
    owners: dict[int, list[int]] = {}
    for label, (left, right, _) in spans.items():
        slack = 0.02 * height
        owners[label] = np.flatnonzero((peaks >= left - slack) & (peaks < right + slack)).tolist()
    _settle(owners, spans, peaks, height)
    cuts: dict[int, np.ndarray] = {}
    for label, own in owners.items():
        if not own:
            continue
        left, right, _ = spans[label]
        pixels = labels[:, left:right] == label
        part = territory[:, left:right]
        part[pixels] = own[0] + 1
        for character in own[1:]:
            if character not in cuts:
                cuts[character] = _cut(crop.contrast, peaks[character - 1], peaks[character])
            beyond = np.arange(left, right)[None] >= cuts[character][:, None]
            part[pixels & beyond] = character + 1
    return territory


def _spans(labels: np.ndarray) -> dict[int, tuple[int, int, int]]:
    """By label its first column, the one after its last, and its height in rows."""
    spans = {}
    for label in np.unique(labels[labels > 0]).tolist():
        left, _, width, height = cv2.boundingRect((labels == label).view(np.uint8))
        spans[label] = left, left + width, height
    return spans


def _settle(
    owners: dict[int, list[int]],
    spans: dict[int, tuple[int, int, int]],
    peaks: np.ndarray,
    height: float,
) -> None:
    """Give ink without a peak to the character that it is a part of; to one without ink, the nearest."""
    taken = {character for own in owners.values() for character in own}
    for character in range(len(peaks)):
        if character in taken:
            continue
        free = [label for label, own in owners.items() if not own and spans[label][2] > 0.3 * height]
        distances = [_aside(spans[label], peaks[character]) for label in free]
        if distances and min(distances) < 0.35 * height:
            owners[free[int(np.argmin(distances))]] = [character]
    for label, own in owners.items():
        if own:
            continue
        left, right, tall = spans[label]
        for other, characters in list(owners.items()):
            if len(characters) != 1 or other == label:
                continue
            one, end, _ = spans[other]
            common = min(right, end) - max(left, one)
            small = tall < 0.6 * height
            if common > 0.5 * min(right - left, end - one) or (small and common > -0.1 * height):
                owners[label] = characters
                break


def _aside(span: tuple[int, int, int], column: float) -> float:
    return max(span[0] - column, column - span[1], 0.0)


def _cut(contrast: np.ndarray, left: float, right: float) -> np.ndarray:
    """The path from top to bottom between two columns that crosses the least ink: a column for each row."""
    first, last = int(left), max(int(np.ceil(right)), int(left) + 1)
    cost = contrast[:, first : last + 1].astype(np.float32) / 255 + 0.02
    total, came = cost.copy(), np.zeros(cost.shape, np.int8)
    for row in range(1, len(cost)):
        above = np.pad(total[row - 1], 1, constant_values=np.inf)
        ways = np.stack([above[:-2] + 0.02, above[1:-1], above[2:] + 0.02])
        came[row] = ways.argmin(axis=0) - 1
        total[row] += ways.min(axis=0)
    path = np.empty(len(cost), int)
    column = int(total[-1].argmin())
    for row in range(len(cost) - 1, -1, -1):
        path[row] = column
        column = min(max(column + int(came[row, column]), 0), cost.shape[1] - 1)
    return path + first


def _heard(box: tuple[int, int, int, int], crop: RowCrop, answer: RowAnswer) -> float:
    """How probable the reader took any symbol to be along a box."""
    scale = len(answer.heard) / crop.grey.shape[1]
    first = min(int(box[0] * scale), len(answer.heard) - 1)
    last = max(int(np.ceil(box[2] * scale)), first + 1)
    return float(answer.heard[first:last].max())

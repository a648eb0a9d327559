"""The recognizer: a bundle, the preparation of pictures, and rejection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from digitlab.bundle.data import require_digits
from digitlab.bundle.runtime import BATCH, Classifier, load_classifier
from digitlab.recognition.choose import choose
from digitlab.recognition.cuts import best_slices, cuttings, may_be_cut
from digitlab.recognition.lines import find_lines
from digitlab.recognition.pieces import Piece
from digitlab.recognition.prepare import Ink, find_ink, to_mnist_form
from digitlab.recognition.reading import Box, ReadDigit, Reading, Reason, Step
from digitlab.recognition.segment import MOST_PIECES, TALL, Writing, find_digits, usual_height
from digitlab.recognition.sources import Source, decode_source
from digitlab.results.calibration import tempered
from digitlab.results.rejection import Inside

MOST = 300
"""Digits that are read in one picture."""
SMALLEST = 8
"""Pixels: the height from which ink can be a digit."""
ALONE, AMONG_DIGITS = 0.5, 0.15
"""How likely ink must be a digit to be read as one: where it stands alone, and among digits."""

_MOST_CUT = 4_000_000  # pixels: of all boxes that are cut, more than any picture has


@dataclass(frozen=True, eq=False)
class _Judged:
    """Ink with what the network says of it.

    Attributes:
        piece: the ink.
        form: in MNIST form, uint8 [28, 28].
        probabilities: calibrated, float32 [10].
        likely: how likely it is a digit at all, 0..1.
    """

    piece: Piece
    form: np.ndarray
    probabilities: np.ndarray
    likely: float


class Recognizer:
    """Reads the digits in pictures; threads may share it.

    Args:
        model: the name of a network that comes with digitlab, or the folder of a bundle.
        threads: that compute one batch, 1 or more.

    Attributes:
        classifier: that it asks.

    Raises:
        BundleError: there is none of that name, the bundle is damaged, or its classes are no digits.
    """

    def __init__(self, model: str | Path = "best", threads: int = 1) -> None:
        self.classifier: Classifier = load_classifier(model, threads)
        require_digits(self.classifier.card, str(model))

    def read(self, image: Source, explain: bool = False) -> Reading:
        """Read one picture.

        Args:
            image: a file's path or bytes; an array uint8 [h, w], [h, w, 3] (RGB) or [h, w, 4] (RGBA); or what
                `decode_image` gave.
            explain: keep the steps of the preparation.

        Raises:
            ImageError: the file or the array is no picture that can be read.
        """
        return self.read_many([image], explain)[0]

    def read_many(self, images: Iterable[Source], explain: bool = False) -> list[Reading]:
        """Read pictures, their digits classified together; the arguments are those of `read`.

        Raises:
            ImageError: one of them cannot be read.
        """
        inks = [find_ink(decode_source(image), explain) for image in images]
        writings = [find_digits(ink.strength) for ink in inks]
        judged = self._judge([_candidates(writing) for writing in writings])
        chosen = [_chosen(writing, known) for writing, known in zip(writings, judged, strict=True)]
        cut = self._cut([_without_dirt(found) for found in chosen])
        return [
            _reading(ink, writing, found) for ink, writing, found in zip(inks, writings, cut, strict=True)
        ]

    def _judge(self, groups: Sequence[Sequence[Piece]]) -> list[list[_Judged]]:
        """Ask the network about all pieces of all groups at once."""
        pieces = [piece for group in groups for piece in group]
        forms = np.empty((len(pieces), 28, 28), np.uint8)
        for number, piece in enumerate(pieces):
            forms[number] = to_mnist_form(piece.strength)
        answers = zip(pieces, forms, *self._ask(forms), strict=True)
        judged = [_Judged(*answer) for answer in answers]
        ends = np.cumsum([0, *map(len, groups)])
        return [judged[start:end] for start, end in pairwise(ends)]

    def _ask(self, forms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Calibrated probabilities [n, 10], and how likely each image is a digit [n]."""
        calibration = self.classifier.card.calibration
        probabilities = self.classifier.probabilities(forms)
        calibrated = tempered(probabilities, calibration.temperature)
        if calibration.rejection is None or not len(forms):
            return calibrated, np.ones(len(forms))
        # A few at a time: what comes with the features, the maps of all layers, is large.
        starts = range(0, len(forms), BATCH)
        features = [self.classifier.inside(forms[start : start + BATCH])["features"] for start in starts]
        inside = Inside(np.concatenate(features), probabilities)
        return calibrated, calibration.rejection.likely(inside)

    def _cut(self, pages: Sequence[Sequence[_Judged]]) -> list[list[_Judged]]:
        """Cut what looks like several digits, where that leaves better ones."""
        doubtful = [
            (page, number, cuttings(known.piece))
            for page, found in enumerate(pages)
            for number, known in _to_cut(found)
        ]
        judged = self._judge([[part.piece for part in cutting.slices] for _, _, cutting in doubtful])
        replaced: dict[tuple[int, int], list[_Judged]] = {}
        for (page, number, cutting), slices in zip(doubtful, judged, strict=True):
            likely = [_goodness(known) for known in slices]
            path = best_slices(cutting, likely, _goodness(pages[page][number]))
            if path:
                replaced[page, number] = [slices[at] for at in path]
        return [
            [part for number, known in enumerate(found) for part in replaced.get((page, number), [known])]
            for page, found in enumerate(pages)
        ]


def _to_cut(found: Sequence[_Judged]) -> Iterator[tuple[int, _Judged]]:
    """The first that look like several digits, with their numbers; boxes without end are a texture."""
    area = 0
    for number, known in enumerate(found):
        if _may_be_several(known):
            area += known.piece.width * known.piece.height
            if area > _MOST_CUT:
                return
            yield number, known


def _candidates(writing: Writing) -> list[Piece]:
    """The tall pieces, then the joins: what the network is asked about."""
    if _unreadable(writing) is not None:
        return []
    return [*filter(writing.is_tall, writing.pieces), *writing.joined()]


def _chosen(writing: Writing, judged: Sequence[_Judged]) -> list[_Judged]:
    if not judged:
        return []
    tall = [number for number, piece in enumerate(writing.pieces) if writing.is_tall(piece)]
    good = np.array([_goodness(known) for known in judged])
    apart = np.zeros(len(writing.pieces))
    apart[tall] = good[: len(tall)]
    chosen = choose(writing, apart, good[len(tall) :])
    return [judged[number + len(tall) if is_join else tall.index(number)] for number, is_join in chosen]


def _goodness(known: _Judged) -> float:
    """How much ink looks like one digit: like a digit at all, and like one rather than another."""
    return known.likely * float(known.probabilities.max())


def _without_dirt(found: Sequence[_Judged]) -> list[_Judged]:
    """Leave out what is too small beside the others, now that the height of a digit is known."""
    if not found:
        return []
    least = TALL * usual_height([known.piece for known in found])
    return [known for known in found if known.piece.height >= least]


def _may_be_several(known: _Judged) -> bool:
    wide = known.piece.width / known.piece.height
    if wide <= (0.7 if known.likely < ALONE else 0.85):
        return False
    return may_be_cut(known.piece, _goodness(known))


def _unreadable(writing: Writing) -> Reason | None:
    if not writing.pieces:
        return Reason.NO_INK
    if writing.height < SMALLEST:
        return Reason.TOO_SMALL
    if sum(map(writing.is_tall, writing.pieces)) > MOST or len(writing.pieces) > MOST_PIECES:
        return Reason.TOO_MANY
    return None


def _reading(ink: Ink, writing: Writing, found: Sequence[_Judged]) -> Reading:
    reason = _unreadable(writing)
    if reason:
        return Reading("rejected", "", (), reason, ink.steps)
    by_piece = {id(known.piece): known for known in found}
    lines = find_lines([known.piece for known in found])
    least = _least_likely(found)
    digits = [
        _digit(by_piece[id(piece)], number, ink.box(piece.left, piece.top, piece.right, piece.bottom), least)
        for number, line in enumerate(lines)
        for piece in line
    ]
    return _verdict(digits, ink.steps)


def _least_likely(found: Sequence[_Judged]) -> float:
    """Digits vouch for what stands among them: it need not look as much like a digit as what stands alone."""
    sure = sum(known.likely >= ALONE for known in found)
    return AMONG_DIGITS if sure >= 2 and sure >= 0.6 * len(found) else ALONE


def _digit(known: _Judged, line: int, box: Box, least: float) -> ReadDigit:
    second, first = (int(digit) for digit in np.argsort(known.probabilities)[-2:])
    values = tuple(float(value) for value in known.probabilities)
    reason = None if known.likely >= least else Reason.NOT_A_DIGIT
    return ReadDigit(first, values[first], second, values[second], values, box, line, known.form, reason)


def _verdict(digits: Sequence[ReadDigit], steps: tuple[Step, ...]) -> Reading:
    """A page is read if most of its pieces are digits."""
    rejected = sum(digit.reason is not None for digit in digits)
    if 2 * rejected >= len(digits):
        return Reading("rejected", "", tuple(digits), Reason.NOT_A_DIGIT, steps)
    lines: dict[int, str] = {}
    for digit in digits:
        lines[digit.line] = lines.get(digit.line, "") + ("?" if digit.reason else str(digit.digit))
    return Reading("ok", "\n".join(lines.values()), tuple(digits), None, steps)

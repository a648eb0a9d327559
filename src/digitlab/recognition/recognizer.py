"""The recognizer: from pictures by way of pages, rows, the row reader and the classifier to readings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from digitlab.bundle.data import require_digits
from digitlab.bundle.rows_runtime import load_row_network
from digitlab.bundle.runtime import Classifier, load_classifier
from digitlab.recognition.lengths import LengthRange
from digitlab.recognition.page import Page, make_page
from digitlab.recognition.places import find_places
from digitlab.recognition.reading import Box, ReadDigit, Reading, ReadLine, Reason, Step
from digitlab.recognition.row_crop import RowCrop, crop_row
from digitlab.recognition.row_grouping import PARAMETERS
from digitlab.recognition.row_reader import MOST_ALTERNATIVES, RowAnswer, RowReader
from digitlab.recognition.rows import Layout, find_rows, page_as_row, whole_picture
from digitlab.recognition.sources import Source, source_pages
from digitlab.recognition.verify import Judgement, RowPlaces, judge

MOST = 300
"""Largest number of digits that are read on one page."""
SMALLEST = 8
"""Smallest height of writing, in pixels, that can be distinguished from dirt."""
MOST_AREA = 5.0
"""Largest total area of a page's rows, in areas of the page: rows overlap in textures, hardly in writing."""
DOUBTFUL = 0.9
"""Probability of a page's only row below which the page, if it is hardly higher, is read as one row, too."""
UNLIKELY = 0.4
"""Probability of a page's rows, if there are several, below which the page is read as one row, too."""
LEAST_AS_ROW = 0.4
"""Probability of a page read as one row above which it may replace the page's rows."""
ENOUGH_AS_ROW = 0.6
"""Probability of a page read as one row above which it replaces rows side by side, whatever theirs is."""
HIGHEST_AS_ROW = 200
"""Height in pixels, at most, of a page that is read as one row although no row is found on it."""
ROW_HIGH = 1.6
"""Height, at most, of a page that is read as one row, too, in heights of its only row's crop."""
ROWS_HIGH = 2.5
"""Height, at most, of a page that is read as one row, too, in heights of the highest crop of several rows."""
NARROWEST_AS_ROW = 0.4
"""Width, at least, of a page that is read as one row, in its heights."""
MOST_ROWS_SHOWN = 12
"""Largest number of a page's rows among the pictures of its preparation."""
MOST_REFUSED = 0.5
"""Share of a picture's characters that are not digits from which the picture is rejected."""
SOME_REFUSED = 0.25
"""Share of characters that are not digits from which the picture is rejected if the rest is a guess."""
GUESS = 0.25
"""Geometric mean of the lines' probabilities below which a picture's lines are a guess."""
TURNED_LENGTH = 3
"""Smallest number of characters of a row that shows whether its page is upside down."""
CLEAR = 0.8
"""Confidence from which a row without `?` is clear: if its page is not so as it is but is after half a turn,
the page is upside down."""
CUT_OFF = 0.5
"""Share of the components of a row without digits that a page edge cuts off, from which it is a pattern."""


class Recognizer:
    """Reads the digits in pictures; threads may share it.

    Args:
        model: the classifier of single digits: name of a network that comes with digitlab, or a bundle's
            folder.
        rows: the row reader: name of a network that comes with digitlab, or a bundle's folder.
        threads: number of threads that compute one batch, 1 or more.

    Attributes:
        classifier: the network of single digits, which checks the digits of the row reader.
        row_reader: the row reader.

    Raises:
        BundleError: no bundle of that name exists, a bundle is damaged, or the classes are not digits.
    """

    def __init__(self, model: str | Path = "best", rows: str | Path = "numbers", threads: int = 1) -> None:
        self.classifier: Classifier = load_classifier(model, threads)
        require_digits(self.classifier.card, str(model))
        network = load_row_network(rows, threads)
        self.row_reader = RowReader(network)
        self._calibration = network.card.calibration

    def read(self, image: Source, explain: bool = False, lengths: LengthRange | None = None) -> Reading:
        """Read one picture.

        Args:
            image: a file's path or bytes; an array uint8 [h, w], [h, w, 3] (RGB) or [h, w, 4] (RGBA); or a
                picture decoded by `decode_image`.
            explain: whether to keep pictures of the preparation steps.
            lengths: admissible numbers of characters of each row, if known.

        Raises:
            ImageError: the file or the array is not a readable picture.
        """
        return self.read_many([image], explain, lengths)[0]

    def read_many(
        self, images: Iterable[Source], explain: bool = False, lengths: LengthRange | None = None
    ) -> list[Reading]:
        """Read pictures, their rows and digits in common batches; see `read` for the arguments.

        Raises:
            ImageError: one of the files or arrays is not a readable picture.
        """
        files = [source_pages(image) for image in images]
        sheets = [[_lay_out(make_page(picture, explain)) for picture in pages] for pages in files]
        rows = iter(self._read_rows([sheet.crops for file in sheets for sheet in file], lengths))
        found = [[[next(rows) for _ in sheet.crops] for sheet in file] for file in sheets]
        self._read_as_rows(sheets, found, lengths)
        self._refuse_upside_down(sheets, found, lengths)
        read = [
            [_read_page(sheet, rows) for sheet, rows in zip(pages, file, strict=True)]
            for pages, file in zip(sheets, found, strict=True)
        ]
        return [_reading(pages, file[0].unread) for pages, file in zip(read, files, strict=True)]

    def _read_as_rows(
        self,
        sheets: Sequence[list[_Sheet]],
        found: Sequence[list[list[_ReadRow]]],
        lengths: LengthRange | None,
    ) -> None:
        """Read pages that may be one row as such, if their rows are doubtful or were not found.

        The only row of a page is read anew from its crop and the whole page together; of several rows and the
        page as one row, the more probable is kept.
        """
        doubtful = [
            (pages, file, number)
            for pages, file in zip(sheets, found, strict=True)
            for number, sheet in enumerate(pages)
            if _may_be_a_row(sheet, file[number])
        ]
        if not doubtful:
            return
        whole = [_as_row(pages[number]) for pages, _, number in doubtful]
        single = [len(file[number]) == 1 for _, file, number in doubtful]
        crops = [
            [*(row.crop for row in file[number] if is_single), page.crops[0]]
            for (_, file, number), page, is_single in zip(doubtful, whole, single, strict=True)
        ]
        answers = self.row_reader.read_crops([[crop.grey for crop in row] for row in crops], lengths)
        rows = self._judge([row[0] for row in crops], answers, [True] * len(crops))
        for (pages, file, number), page, row, is_single in zip(doubtful, whole, rows, single, strict=True):
            if is_single and row.answer.text:
                file[number] = [row]
            elif _is_better(row, file[number]):
                pages[number], file[number] = page, [row]

    def _refuse_upside_down(
        self,
        sheets: Sequence[list[_Sheet]],
        found: Sequence[list[list[_ReadRow]]],
        lengths: LengthRange | None,
    ) -> None:
        """Refuse all characters of pages that are upside down: 6 and 9 would be read as each other."""
        for pages, file in zip(sheets, found, strict=True):
            for i, rows in enumerate(file):
                if self._is_upside_down(rows, lengths):
                    pages[i] = replace(pages[i], reason=Reason.UPSIDE_DOWN)
                    file[i] = [row.refused() for row in rows]

    def _is_upside_down(self, rows: Sequence[_ReadRow], lengths: LengthRange | None) -> bool:
        """Return whether the rows of a page are doubtful as they are, and clear after half a turn."""
        long = [row for row in rows if len(row.answer.text) >= TURNED_LENGTH]
        is_read = any(one.accepted for row in rows for one in row.places)
        if not long or not is_read or not all(row.may_be_upside_down for row in long):
            return False
        answers = self.row_reader.read([row.crop.grey[::-1, ::-1] for row in long], lengths)
        return all(
            "?" not in answer.text
            and len(answer.text) >= TURNED_LENGTH
            and self._calibration.confidence(answer.probability) >= CLEAR
            for answer in answers
        )

    def _read_rows(self, pages: Sequence[Sequence[RowCrop]], lengths: LengthRange | None) -> list[_ReadRow]:
        """Read the rows of all pages, in order."""
        crops = [crop for page in pages for crop in page]
        alone = [len(page) == 1 for page in pages for _ in page]
        answers = self.row_reader.read([crop.grey for crop in crops], lengths)
        return self._judge(crops, answers, alone)

    def _judge(
        self, crops: Sequence[RowCrop], answers: Sequence[RowAnswer], alone: Sequence[bool]
    ) -> list[_ReadRow]:
        """Find the ink of each character that was read, and run the classifier on it."""
        sure = [self._calibration.confidence(answer.probability) for answer in answers]
        found = [find_places(crop, answer) for crop, answer in zip(crops, answers, strict=True)]
        pieces = [len(crop.row.members) for crop in crops]
        rows = [RowPlaces(*row) for row in zip(answers, sure, found, alone, pieces, strict=True)]
        judged = judge(rows, self.classifier)
        return [_ReadRow(*row) for row in zip(crops, answers, judged, sure, strict=True)]


@dataclass(frozen=True, eq=False)
class _Sheet:
    """A page, its layout and the crops of its rows; none if the page is not read."""

    page: Page
    layout: Layout
    crops: tuple[RowCrop, ...]
    reason: Reason | None


@dataclass(frozen=True, eq=False)
class _ReadRow:
    """A row with its text, the judgements of its ink, and the probability that it is right."""

    crop: RowCrop
    answer: RowAnswer
    places: Sequence[Judgement]
    confidence: float

    @property
    def judgements(self) -> list[Judgement]:
        """All judgements but those of signs; without an accepted digit, those of signs, too."""
        rest = [one for one in self.places if not one.is_sign]
        return rest if any(one.accepted for one in rest) else list(self.places)

    @property
    def text(self) -> str:
        return "".join(str(one.digit) if one.accepted else "?" for one in self.judgements)

    @property
    def may_be_upside_down(self) -> bool:
        """Whether it is doubtful in the way of a number on its head."""
        return "?" in self.answer.text or self.confidence < CLEAR

    def refused(self) -> _ReadRow:
        """Return the row with no character accepted."""
        return replace(self, places=[replace(one, accepted=False) for one in self.places])

    @property
    def notes(self) -> list[str]:
        others = len(self.places) - len(self.judgements)
        return [f"{others} stroke{'s' * (others > 1)} beside digits left out"] if others else []


def _sureness(rows: Sequence[_ReadRow]) -> float:
    """Return the probability that all rows of a page are right; 0 if no row has a text."""
    said = [row.confidence for row in rows if row.answer.text]
    return float(np.prod(said)) if said else 0.0


def _may_be_a_row(sheet: _Sheet, rows: Sequence[_ReadRow]) -> bool:
    """Return whether a page may be one row: it is hardly higher, and its rows are none, torn or doubtful."""
    height, width = sheet.page.grey.shape
    if height < SMALLEST or width < NARROWEST_AS_ROW * height:
        return False
    if not rows:
        return sheet.reason in (None, Reason.NO_INK, Reason.TOO_SMALL) and height <= HIGHEST_AS_ROW
    times = ROW_HIGH if len(rows) == 1 else ROWS_HIGH
    if height > times * max(row.crop.grey.shape[0] for row in rows):
        return False
    if len(rows) == 1:
        return _sureness(rows) < DOUBTFUL
    return _sureness(rows) < UNLIKELY or _side_by_side(rows)


def _side_by_side(rows: Sequence[_ReadRow]) -> bool:
    """Return whether rows stand side by side, and none above another: parts of one line."""
    spans = [(float(row.crop.rise.mean()), row.crop.grey.shape[0]) for row in rows]
    highest, lowest = max(top for top, _ in spans), min(top + tall for top, tall in spans)
    return lowest - highest > 0.5 * min(tall for _, tall in spans)


def _is_better(whole: _ReadRow, rows: Sequence[_ReadRow]) -> bool:
    """Return whether a page read as one row is better than its rows."""
    if not any(one.accepted for one in whole.places):
        return False
    needed = _sureness(rows)
    if len(rows) > 1 and _side_by_side(rows):
        needed = min(ENOUGH_AS_ROW, needed)
    return whole.confidence > max(LEAST_AS_ROW, needed)


def _as_row(sheet: _Sheet) -> _Sheet:
    row = page_as_row(sheet.layout, sheet.page.grey.shape)
    layout = replace(sheet.layout, rows=(row,))
    return _Sheet(sheet.page, layout, (crop_row(sheet.page, layout, row),), None)


def _lay_out(page: Page) -> _Sheet:
    layout = find_rows(page)
    reason = _unreadable(layout)
    if reason:
        return _Sheet(page, layout, (), reason)
    rows = layout.rows
    if len(rows) == 1:
        rows = (whole_picture(rows[0], page.grey.shape),)
    area = sum((row.bottom - row.top) * (row.right - row.left) for row in rows)
    if area > MOST_AREA * page.grey.size:
        return _Sheet(page, layout, (), Reason.TOO_MANY)
    return _Sheet(page, layout, tuple(crop_row(page, layout, row) for row in rows), None)


def _unreadable(layout: Layout) -> Reason | None:
    if layout.too_many or sum(row.tall for row in layout.rows) > MOST:
        return Reason.TOO_MANY
    if not layout.rows:
        return Reason.TOO_SMALL if len(layout.components) else Reason.NO_INK
    if max(row.bottom - row.top for row in layout.rows) < SMALLEST:
        return Reason.TOO_SMALL
    return None


@dataclass(frozen=True, eq=False)
class _ReadPage:
    """A page with its lines, each of one row or of several rows side by side."""

    page: Page
    lines: tuple[tuple[_ReadRow, ...], ...]
    reason: Reason | None
    notes: tuple[str, ...]


def _read_page(sheet: _Sheet, rows: Sequence[_ReadRow]) -> _ReadPage:
    writing = [row for row in rows if not _is_pattern(sheet, row, rows)]
    if not any(one.accepted for row in writing for one in row.places):
        writing = list(rows)
    by_line: dict[int, list[_ReadRow]] = {}
    for row in writing:
        if row.judgements:
            by_line.setdefault(row.crop.row.line, []).append(row)
    lines = tuple(tuple(parts) for parts in by_line.values())
    notes = [*sheet.page.notes, *sheet.layout.notes, *(note for row in writing for note in row.notes)]
    notes += ["a pattern along the edge left out"] * (len(writing) < len(rows))
    return _ReadPage(sheet.page, lines, sheet.reason, tuple(dict.fromkeys(notes)))


def _is_pattern(sheet: _Sheet, row: _ReadRow, rows: Sequence[_ReadRow]) -> bool:
    """Return whether nothing is read in a row's line, and a page edge cuts most of many components off."""
    line = [other for other in rows if other.crop.row.line == row.crop.row.line]
    if any(one.accepted for other in line for one in other.places) or row.crop.row.tall < PARAMETERS.pattern:
        return False
    tall = row.crop.row.members[: row.crop.row.tall]
    return sheet.layout.components.cut_off(tall, sheet.page.grey.shape) >= CUT_OFF


def _is_unreadable(digits: Sequence[ReadDigit], lines: Sequence[ReadLine]) -> bool:
    """Return whether too many characters of a picture are not digits, or some and the rest is a guess."""
    refused = sum(digit.reason is not None for digit in digits)
    guessed = float(np.exp(np.mean([np.log(max(line.confidence, 1e-6)) for line in lines]))) < GUESS
    return refused >= (SOME_REFUSED if guessed else MOST_REFUSED) * len(digits)


def _reading(pages: Sequence[_ReadPage], unread: int) -> Reading:
    digits: list[ReadDigit] = []
    lines: list[ReadLine] = []
    texts, notes = [], []
    for number, read in enumerate(pages):
        first = len(lines)
        for parts in read.lines:
            digits += [
                _digit(read.page, row.crop, one, len(lines)) for row in parts for one in row.judgements
            ]
            lines.append(_line(read.page, parts, number))
        texts.append("\n".join(line.text for line in lines[first:]))
        where = f"page {number + 1}: " if len(pages) > 1 else ""
        notes += [where + note for note in read.notes]
        if len(pages) > 1 and (read.reason or not read.lines):
            notes.append(f"{where}{read.reason or Reason.NO_INK}")
    if unread:
        were = "frames of the file were" if unread > 1 else "frame of the file was"
        notes.append(f"{unread:,} other {were} not read")
    steps = tuple(step for read in pages for step in (*read.page.steps, *_row_steps(read)))
    if digits and not _is_unreadable(digits, lines):
        return Reading("ok", "\n\n".join(texts), tuple(digits), None, steps, tuple(lines), tuple(notes))
    reason = pages[0].reason or (Reason.NOT_A_DIGIT if digits else Reason.NO_INK)
    return Reading("rejected", "", tuple(digits), reason, steps, tuple(lines), tuple(notes))


def _row_steps(read: _ReadPage) -> list[Step]:
    """Return pictures of the rows as they were read, if steps were asked for."""
    if not read.page.steps:
        return []
    crops = [row.crop.grey for parts in read.lines for row in parts]
    return [Step(f"row {number}", crop) for number, crop in enumerate(crops[:MOST_ROWS_SHOWN], start=1)]


def _digit(page: Page, crop: RowCrop, known: Judgement, line: int) -> ReadDigit:
    second, first = (int(digit) for digit in np.argsort(known.probabilities)[-2:])
    values = tuple(float(value) for value in known.probabilities)
    box = page.box(crop.to_page(*known.place.box))
    reason = None if known.accepted else Reason.NOT_A_DIGIT
    return ReadDigit(
        first,
        values[first],
        second,
        values[second],
        values,
        box,
        line,
        known.form,
        reason,
        known.opinions,
    )


def _line(page: Page, parts: Sequence[_ReadRow], number: int) -> ReadLine:
    corners = [row.crop.to_page(*one.place.box) for row in parts for one in row.judgements]
    confidence = float(np.prod([row.confidence for row in parts]))
    return ReadLine(
        "".join(row.text for row in parts),
        confidence,
        _alternatives(parts),
        page.box(np.concatenate(corners)) if corners else Box(0, 0, 0, 0),
        number,
    )


def _alternatives(parts: Sequence[_ReadRow]) -> tuple[tuple[str, float], ...]:
    """Return the likeliest texts of a line: those of its only row, or combinations of several rows' texts."""
    found: list[tuple[str, float]] = [("", 1.0)]
    for row in parts:
        longer = [
            (before + text, probability * share)
            for before, probability in found
            for text, share in row.answer.alternatives
        ]
        found = sorted(longer, key=lambda one: -one[1])[:MOST_ALTERNATIVES]
    return tuple(found)

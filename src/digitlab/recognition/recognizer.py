"""The recognizer: from pictures by way of pages, rows, the row reader and the classifier to readings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from digitlab.bundle.data import require_digits
from digitlab.bundle.rows_runtime import load_row_network
from digitlab.bundle.runtime import Classifier, load_classifier
from digitlab.recognition.ink_regions import assign_ink
from digitlab.recognition.lengths import LengthRange
from digitlab.recognition.page import Page, make_page
from digitlab.recognition.reading import Box, ReadDigit, Reading, ReadLine, Reason, Step
from digitlab.recognition.row_crop import RowCrop, crop_row
from digitlab.recognition.row_grouping import PARAMETERS
from digitlab.recognition.row_reader import MOST_ALTERNATIVES, RowAnswer, RowReader
from digitlab.recognition.rows import Layout, find_rows, page_as_row, whole_picture
from digitlab.recognition.sources import Source, source_pages
from digitlab.recognition.verify import Judgement, RowRegions, judge

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
        pages = [_lay_out(make_page(picture, explain)) for file in files for picture in file]
        rows_by_page = self._read_rows([page.crops for page in pages], lengths)
        self._read_as_rows(pages, rows_by_page, lengths)
        self._refuse_upside_down(pages, rows_by_page, lengths)
        read_pages = iter([_read_page(page, rows) for page, rows in zip(pages, rows_by_page, strict=True)])
        readings = []
        for file in files:
            pages_of_file = list(islice(read_pages, len(file)))
            readings.append(_reading(pages_of_file, file[0].unread))
        return readings

    def _read_as_rows(
        self, pages: list[_PageLayout], rows_by_page: list[list[_ReadRow]], lengths: LengthRange | None
    ) -> None:
        """Read pages that may be one row as such, if their rows are doubtful or were not found.

        The only row of a page is read anew from its crop and the whole page together; of several rows and the
        page as one row, the more probable is kept.

        Args:
            pages: the pages; those that are one row are replaced in place.
            rows_by_page: rows of each page; replaced in place, too.
            lengths: admissible numbers of characters of each row, if known.
        """
        doubtful = [i for i, page in enumerate(pages) if _may_be_a_row(page, rows_by_page[i])]
        if not doubtful:
            return
        whole_pages = [_as_row(pages[i]) for i in doubtful]
        crops: list[list[RowCrop]] = []
        for i, whole_page in zip(doubtful, whole_pages, strict=True):
            rows = rows_by_page[i]
            only_row = [rows[0].crop] if len(rows) == 1 else []
            crops.append([*only_row, whole_page.crops[0]])
        answers = self.row_reader.read_crops([[crop.grey for crop in of_row] for of_row in crops], lengths)
        whole_rows = self._judge([of_row[0] for of_row in crops], answers, [True] * len(crops))
        for i, whole_page, row in zip(doubtful, whole_pages, whole_rows, strict=True):
            if len(rows_by_page[i]) == 1 and row.answer.text:
                rows_by_page[i] = [row]
            elif _is_better(row, rows_by_page[i]):
                pages[i] = whole_page
                rows_by_page[i] = [row]

    def _refuse_upside_down(
        self, pages: list[_PageLayout], rows_by_page: list[list[_ReadRow]], lengths: LengthRange | None
    ) -> None:
        """Refuse all characters of pages that are upside down: 6 and 9 would be read as each other."""
        for i, rows in enumerate(rows_by_page):
            if self._is_upside_down(rows, lengths):
                pages[i] = replace(pages[i], reason=Reason.UPSIDE_DOWN)
                rows_by_page[i] = [row.refused() for row in rows]

    def _is_upside_down(self, rows: Sequence[_ReadRow], lengths: LengthRange | None) -> bool:
        """Return whether the rows of a page are doubtful as they are, and clear after half a turn."""
        long = [row for row in rows if len(row.answer.text) >= TURNED_LENGTH]
        is_read = any(row.is_read for row in rows)
        if not long or not is_read or not all(row.may_be_upside_down for row in long):
            return False
        turned = [row.crop.grey[::-1, ::-1] for row in long]
        return all(self._is_clear(answer) for answer in self.row_reader.read(turned, lengths))

    def _is_clear(self, answer: RowAnswer) -> bool:
        """Return whether a row is long enough to show that it is the right way up, and read clearly."""
        if "?" in answer.text or len(answer.text) < TURNED_LENGTH:
            return False
        return self._calibration.confidence(answer.probability) >= CLEAR

    def _read_rows(
        self, crops_by_page: Sequence[Sequence[RowCrop]], lengths: LengthRange | None
    ) -> list[list[_ReadRow]]:
        """Read the rows of all pages in common batches."""
        crops = [crop for page in crops_by_page for crop in page]
        alone = [len(page) == 1 for page in crops_by_page for _ in page]
        answers = self.row_reader.read([crop.grey for crop in crops], lengths)
        rows = iter(self._judge(crops, answers, alone))
        return [list(islice(rows, len(page))) for page in crops_by_page]

    def _judge(
        self, crops: Sequence[RowCrop], answers: Sequence[RowAnswer], alone: Sequence[bool]
    ) -> list[_ReadRow]:
        """Find the ink of each character that was read, and run the classifier on it."""
        rows = []
        for crop, answer, is_alone in zip(crops, answers, alone, strict=True):
            confidence = self._calibration.confidence(answer.probability)
            components = len(crop.row.members)
            rows.append(RowRegions(answer, confidence, assign_ink(crop, answer), is_alone, components))
        read_rows = []
        for crop, row, judgements in zip(crops, rows, judge(rows, self.classifier), strict=True):
            read_rows.append(_ReadRow(crop, row.answer, judgements, row.confidence))
        return read_rows


@dataclass(frozen=True, eq=False)
class _PageLayout:
    """A page, its layout and the crops of its rows; none if the page is not read."""

    page: Page
    layout: Layout
    crops: tuple[RowCrop, ...]
    reason: Reason | None


@dataclass(frozen=True, eq=False)
class _ReadRow:
    """A row with its text, the judgements of all its ink, and the probability that it is right."""

    crop: RowCrop
    answer: RowAnswer
    all_judgements: Sequence[Judgement]
    confidence: float

    @property
    def is_read(self) -> bool:
        """Whether any ink was accepted as a digit."""
        return any(judgement.accepted for judgement in self.all_judgements)

    @property
    def judgements(self) -> list[Judgement]:
        """All judgements but those of signs; without an accepted digit, those of signs, too."""
        without_signs = [judgement for judgement in self.all_judgements if not judgement.is_sign]
        if any(judgement.accepted for judgement in without_signs):
            return without_signs
        return list(self.all_judgements)

    @property
    def text(self) -> str:
        characters = [str(judgement.digit) if judgement.accepted else "?" for judgement in self.judgements]
        return "".join(characters)

    @property
    def may_be_upside_down(self) -> bool:
        """Whether it is doubtful in the way of a number on its head."""
        return "?" in self.answer.text or self.confidence < CLEAR

    def refused(self) -> _ReadRow:
        """Return the row with no character accepted."""
        refused = [replace(judgement, accepted=False) for judgement in self.all_judgements]
        return replace(self, all_judgements=refused)

    @property
    def notes(self) -> list[str]:
        left_out = len(self.all_judgements) - len(self.judgements)
        return [f"{left_out} stroke{'s' * (left_out > 1)} beside digits left out"] if left_out else []


def _confidence(rows: Sequence[_ReadRow]) -> float:
    """Return the probability that all rows of a page are right; 0 if no row has a text."""
    confidences = [row.confidence for row in rows if row.answer.text]
    return float(np.prod(confidences)) if confidences else 0.0


def _may_be_a_row(page: _PageLayout, rows: Sequence[_ReadRow]) -> bool:
    """Return whether a page may be one row: it is hardly higher, and its rows are none, torn or doubtful."""
    height, width = page.page.grey.shape
    if height < SMALLEST or width < NARROWEST_AS_ROW * height:
        return False
    if not rows:
        return page.reason in (None, Reason.NO_INK, Reason.TOO_SMALL) and height <= HIGHEST_AS_ROW
    most = ROW_HIGH if len(rows) == 1 else ROWS_HIGH
    if height > most * max(row.crop.grey.shape[0] for row in rows):
        return False
    if len(rows) == 1:
        return _confidence(rows) < DOUBTFUL
    return _confidence(rows) < UNLIKELY or _side_by_side(rows)


def _side_by_side(rows: Sequence[_ReadRow]) -> bool:
    """Return whether rows stand side by side, and none above another: parts of one line."""
    tops = [float(row.crop.rise.mean()) for row in rows]
    heights = [row.crop.grey.shape[0] for row in rows]
    bottoms = [top + height for top, height in zip(tops, heights, strict=True)]
    overlap = min(bottoms) - max(tops)
    return overlap > 0.5 * min(heights)


def _is_better(whole: _ReadRow, rows: Sequence[_ReadRow]) -> bool:
    """Return whether a page read as one row is better than its rows."""
    if not whole.is_read:
        return False
    needed = _confidence(rows)
    if len(rows) > 1 and _side_by_side(rows):
        needed = min(ENOUGH_AS_ROW, needed)
    return whole.confidence > max(LEAST_AS_ROW, needed)


def _as_row(page: _PageLayout) -> _PageLayout:
    row = page_as_row(page.layout, page.page.grey.shape)
    layout = replace(page.layout, rows=(row,))
    return _PageLayout(page.page, layout, (crop_row(page.page, layout, row),), None)


def _lay_out(page: Page) -> _PageLayout:
    layout = find_rows(page)
    reason = _unreadable(layout)
    if reason:
        return _PageLayout(page, layout, (), reason)
    rows = layout.rows
    if len(rows) == 1:
        rows = (whole_picture(rows[0], page.grey.shape),)
    area = sum((row.bottom - row.top) * (row.right - row.left) for row in rows)
    if area > MOST_AREA * page.grey.size:
        return _PageLayout(page, layout, (), Reason.TOO_MANY)
    crops = tuple(crop_row(page, layout, row) for row in rows)
    return _PageLayout(page, layout, crops, None)


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


def _read_page(page: _PageLayout, rows: Sequence[_ReadRow]) -> _ReadPage:
    writing = [row for row in rows if not _is_pattern(page, row, rows)]
    if not any(row.is_read for row in writing):
        writing = list(rows)
    by_line: dict[int, list[_ReadRow]] = {}
    for row in writing:
        if row.judgements:
            by_line.setdefault(row.crop.row.line, []).append(row)
    lines = tuple(tuple(parts) for parts in by_line.values())
    notes = [*page.page.notes, *page.layout.notes]
    for row in writing:
        notes += row.notes
    if len(writing) < len(rows):
        notes.append("a pattern along the edge left out")
    return _ReadPage(page.page, lines, page.reason, tuple(dict.fromkeys(notes)))


def _is_pattern(page: _PageLayout, row: _ReadRow, rows: Sequence[_ReadRow]) -> bool:
    """Return whether nothing is read in a row's line, and a page edge cuts most of many components off."""
    if row.crop.row.tall < PARAMETERS.pattern:
        return False
    line = [other for other in rows if other.crop.row.line == row.crop.row.line]
    if any(other.is_read for other in line):
        return False
    tall = row.crop.row.members[: row.crop.row.tall]
    return page.layout.components.cut_off(tall, page.page.grey.shape) >= CUT_OFF


def _is_unreadable(digits: Sequence[ReadDigit], lines: Sequence[ReadLine]) -> bool:
    """Return whether too many characters of a picture are not digits, or some and the rest is a guess."""
    refused = sum(digit.reason is not None for digit in digits)
    mean_logarithm = np.mean([np.log(max(line.confidence, 1e-6)) for line in lines])
    is_guess = float(np.exp(mean_logarithm)) < GUESS
    return refused >= (SOME_REFUSED if is_guess else MOST_REFUSED) * len(digits)


def _reading(pages: Sequence[_ReadPage], unread: int) -> Reading:
    digits: list[ReadDigit] = []
    lines: list[ReadLine] = []
    texts: list[str] = []
    notes: list[str] = []
    steps: list[Step] = []
    for i, page in enumerate(pages):
        first_line = len(lines)
        for parts in page.lines:
            for row in parts:
                digits += [_digit(page.page, row.crop, judgement, len(lines)) for judgement in row.judgements]
            lines.append(_line(page.page, parts, i))
        texts.append("\n".join(line.text for line in lines[first_line:]))
        prefix = f"page {i + 1}: " if len(pages) > 1 else ""
        notes += [prefix + note for note in page.notes]
        if len(pages) > 1 and (page.reason or not page.lines):
            notes.append(f"{prefix}{page.reason or Reason.NO_INK}")
        steps += [*page.page.steps, *_row_steps(page)]
    if unread:
        were = "frames of the file were" if unread > 1 else "frame of the file was"
        notes.append(f"{unread:,} other {were} not read")
    if digits and not _is_unreadable(digits, lines):
        text = "\n\n".join(texts)
        return Reading("ok", text, tuple(digits), None, tuple(steps), tuple(lines), tuple(notes))
    reason = pages[0].reason or (Reason.NOT_A_DIGIT if digits else Reason.NO_INK)
    return Reading("rejected", "", tuple(digits), reason, tuple(steps), tuple(lines), tuple(notes))


def _row_steps(page: _ReadPage) -> list[Step]:
    """Return pictures of the rows as they were read, if steps were asked for."""
    if not page.page.steps:
        return []
    crops = [row.crop.grey for parts in page.lines for row in parts]
    return [Step(f"row {i}", crop) for i, crop in enumerate(crops[:MOST_ROWS_SHOWN], start=1)]


def _digit(page: Page, crop: RowCrop, judgement: Judgement, line: int) -> ReadDigit:
    probabilities = tuple(judgement.probabilities.tolist())
    runner_up, digit = np.argsort(judgement.probabilities)[-2:].tolist()
    return ReadDigit(
        digit=digit,
        confidence=probabilities[digit],
        runner_up=runner_up,
        runner_up_confidence=probabilities[runner_up],
        probabilities=probabilities,
        box=page.box(crop.to_page(*judgement.region.box)),
        line=line,
        image=judgement.form,
        reason=None if judgement.accepted else Reason.NOT_A_DIGIT,
        opinions=judgement.opinions,
    )


def _line(page: Page, parts: Sequence[_ReadRow], page_index: int) -> ReadLine:
    corners = [row.crop.to_page(*judgement.region.box) for row in parts for judgement in row.judgements]
    return ReadLine(
        text="".join(row.text for row in parts),
        confidence=float(np.prod([row.confidence for row in parts])),
        alternatives=_alternatives(parts),
        box=page.box(np.concatenate(corners)) if corners else Box(0, 0, 0, 0),
        page=page_index,
    )


def _alternatives(parts: Sequence[_ReadRow]) -> tuple[tuple[str, float], ...]:
    """Return the likeliest texts of a line: those of its only row, or combinations of several rows' texts."""
    likeliest: list[tuple[str, float]] = [("", 1.0)]
    for row in parts:
        longer = []
        for beginning, probability in likeliest:
            for text, text_probability in row.answer.alternatives:
                longer.append((beginning + text, probability * text_probability))
        longer.sort(key=lambda alternative: -alternative[1])
        likeliest = longer[:MOST_ALTERNATIVES]
    return tuple(likeliest)

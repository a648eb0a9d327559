"""Composition of rows of writing: real and generated digits by one hand and one pen on synthetic paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import groupby, pairwise

import cv2
import numpy as np

from digitlab.spec.rows import COLUMN
from digitlab.synthesis import row_hand
from digitlab.synthesis.glyphs import Glyph, glyphs_of
from digitlab.synthesis.letter_skeletons import DRAWINGS, LETTERS
from digitlab.synthesis.papers import draw_paper, expose
from digitlab.synthesis.pen import draw_ink
from digitlab.synthesis.row_form import ROW_HEIGHT, ROW_WIDTHS, nearest_width, scale_row
from digitlab.synthesis.row_hand import Habits, Way, draw_habits
from digitlab.synthesis.row_texts import SPACE, Text, Token, draw_text, label
from digitlab.synthesis.signs import SIGNS
from digitlab.synthesis.skeletons import skeletonize
from digitlab.synthesis.strokes import write_glyph

BATCH = 64
BATCHES = 16
"""Number of batches in a chunk."""
WIDEST = 352
"""Largest width in pixels of a row that is trained on, unless a text needs more."""
_NOTHING: Way = np.zeros((0, 2), np.float32), np.zeros((0, 2), np.int32)
"""The path of the pen over a gap."""
DrawText = Callable[[np.random.Generator], Text]


@dataclass(frozen=True, eq=False)
class ComposedRow:
    """A row and its text.

    Attributes:
        image: grey levels, uint8 [h, w].
        text: digits of the row, and `?` for ink of a digit's size that is no digit.
    """

    image: np.ndarray
    text: str


@dataclass(frozen=True, eq=False)
class RowBatch:
    """Rows in row form, of one width.

    Attributes:
        images: rows, uint8 [64, 32, W].
        texts: text of each row.
    """

    images: np.ndarray
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Shares:
    """Shares of rows with certain properties.

    Attributes:
        drawn: share of hands that write generated digits, all or some; the others write those of the images.
        clean: share of rows without paper, light and noise: drawings on a screen.
        inverted: share of rows with light ink on dark paper.
        tight: share of rows that are cropped to their ink.
        neighbours: share of rows that show ink of the rows above or below.
    """

    drawn: float = 0.5
    clean: float = 0.2
    inverted: float = 0.15
    tight: float = 0.3
    neighbours: float = 0.1


class RowComposer:
    """Composes rows of writing.

    Args:
        images: digits that hands write, in MNIST form, uint8 [n, 28, 28].
        labels: classes of the images, [n], 0..9.
        shares: shares of rows with certain properties.
        held_back: whether to use the shapes and papers that are held back from training.
        draw: function that draws the content of a row; `row_texts.draw_text` by default.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        shares: Shares = Shares(),
        held_back: bool = False,
        draw: DrawText = draw_text,
    ) -> None:
        self._skeletons = skeletonize(images)
        self._of_digit = [np.flatnonzero(labels == digit) for digit in range(10)]
        self._shares = shares
        self._held_back = held_back
        self._draw = draw

    def holding_back(self) -> RowComposer:
        """Return a composer of the same digits with the shapes and papers held back from training."""
        other = copy(self)
        other._held_back = True
        return other

    def rows(self, count: int, seed: int) -> list[ComposedRow]:
        """Compose `count` rows, 1 or more; the same seed gives the same rows."""
        random = np.random.default_rng(np.random.SeedSequence(seed))
        return self._compose(count, random)

    def chunk(self, seed: int, index: int) -> list[RowBatch]:
        """Compose one chunk of an endless stream of batches.

        Args:
            seed: seed of the stream, 0 or more.
            index: index of the chunk, 0 or more.

        Returns:
            16 batches of 64 rows in row form, in random order; the rows of a batch are about equally long.
        """
        random = np.random.default_rng(np.random.SeedSequence((seed, index)))
        rows = self._compose(BATCH * BATCHES, random)
        lengths = np.array([_aspect(row) for row in rows])
        # Sorted by length, but not exactly: the rows of a batch are about equally long.
        varied = lengths * np.exp(0.08 * random.standard_normal(len(rows)))
        order = np.argsort(varied, kind="stable")
        batches = []
        for i in random.permutation(BATCHES):
            indices = order[i * BATCH : (i + 1) * BATCH]
            batches.append(_batch([rows[index] for index in indices]))
        return batches

    def _compose(self, count: int, random: np.random.Generator) -> list[ComposedRow]:
        texts = [self._draw(random) for _ in range(count)]
        ways = self._ways(texts, random)
        return [self._row(text, ways_of_text, random) for text, ways_of_text in zip(texts, ways, strict=True)]

    def _ways(self, texts: Sequence[Text], random: np.random.Generator) -> list[list[Way]]:
        """Return the pen's path for each token of each row; a glyph's are drawn together, which is faster."""
        ways = [[_NOTHING] * len(text) for text in texts]
        glyphs: dict[str, Glyph] = {}
        tokens_of_glyph: dict[str, list[tuple[int, int]]] = {}  # indices of their row, and in its text
        for i, text in enumerate(texts):
            alphabet = _Alphabet(self._shares.drawn, self._held_back, random)
            for j, token in enumerate(text):
                glyph = alphabet.glyph(token)
                if glyph is not None:
                    key = f"{glyph.digit} {glyph.name}"
                    glyphs.setdefault(key, glyph)
                    tokens_of_glyph.setdefault(key, []).append((i, j))
                elif token.kind == "digit":
                    candidates = self._of_digit[token.value]
                    ways[i][j] = self._skeletons[candidates[random.integers(len(candidates))]]
        for key, tokens in tokens_of_glyph.items():
            points, lines = write_glyph(glyphs[key], len(tokens), random)
            for (i, j), points_of_token in zip(tokens, points, strict=True):
                ways[i][j] = points_of_token, lines
        return ways

    def _row(self, text: Text, ways: list[Way], random: np.random.Generator) -> ComposedRow:
        habits = draw_habits(random)
        way = _place(text, ways, habits, random)
        is_clean = random.random() < self._shares.clean
        height = float(np.exp(random.uniform(np.log(15), np.log(42))))  # of a digit, in pixels
        ink, box = draw_ink(way, height, random, rough=not is_clean)
        is_tight = random.random() < self._shares.tight
        ink = _crop(ink, _window(box, height, is_tight, random))
        if random.random() < self._shares.neighbours:
            _intrude(ink, random)
        if is_clean:
            page = 1 - ink * random.uniform(0.35, 1)
            grey = np.clip(page * random.uniform(150, 255.9), 0, 255).astype(np.uint8)
        else:
            paper = draw_paper(ink.shape, height, random, self._held_back)
            strength = random.uniform(_faintest(paper), 0.97)
            grey = expose(paper * (1 - strength * ink), height, strength, random)
        if random.random() < self._shares.inverted:
            grey = 255 - grey
        return ComposedRow(grey, label(text))


def _faintest(paper: np.ndarray) -> float:
    """Return the smallest strength of ink, 0.33..0.85, that stands out from the paper's print."""
    low, usual = np.percentile(paper, (5, 50))
    print_depth = 1 - float(low / usual)
    return float(np.clip(1.4 * print_depth, 0.33, 0.85))


class _Alphabet:
    """The variants of digits of one hand, which mostly keeps to the same variant of a digit."""

    def __init__(self, drawn: float, held_back: bool, random: np.random.Generator) -> None:
        self._held_back = held_back
        self._random = random
        self._variant: dict[int, Glyph | None] = {}  # by digit
        kind = random.random()
        if kind < 0.7 * drawn:
            self._drawn = 1.0
        elif kind < drawn:
            # Some hands write both generated digits and those of the images.
            self._drawn = random.random()
        else:
            self._drawn = 0.0

    def glyph(self, token: Token) -> Glyph | None:
        """Return the variant that this hand writes; None for a digit of the images, or for a gap."""
        if token.kind == "sign":
            return SIGNS[token.name]
        if token.kind == "letter":
            return LETTERS[token.value]
        if token.kind == "drawing":
            return DRAWINGS[token.value]
        if token.kind == SPACE:
            return None
        if token.value not in self._variant or self._random.random() < 0.15:
            self._variant[token.value] = self._choose(token.value)
        return self._variant[token.value]

    def _choose(self, digit: int) -> Glyph | None:
        if self._random.random() >= self._drawn:
            return None
        held_back = self._held_back and self._random.random() < 0.5
        glyphs, shares = glyphs_of(digit, held_back)
        return glyphs[int(self._random.choice(len(glyphs), p=shares))]


def _place(text: Text, ways: list[Way], habits: Habits, random: np.random.Generator) -> Way | None:
    """Place tokens side by side; return the path of the pen of the whole row, None without tokens."""
    placed: list[tuple[Token, Way]] = []
    right, gap = 0.0, 0.0
    as_coil = random.random() < 0.1
    for token, group in _groups(text, ways, as_coil):
        if token.kind == SPACE:
            gap += random.uniform(0.35, 1.3)
            continue
        if len(group) > 1:
            points, lines = row_hand.coil(len(group), habits, random)
        else:
            scale = habits.zero_size if _is_zero(token) else 1.0
            points, lines = row_hand.move(group[0], habits, random, scale)
        points = _raise(points, token, habits)
        # Signs such as points and commas need less space.
        gap_factor = 0.5 if token.kind == "sign" else 1.0
        gap += habits.gap * gap_factor + habits.gap_jitter * random.standard_normal() * gap_factor
        if placed:
            _, way_before = placed[-1]
            # Digits may overlap, but stay to the right of the middle of the one before.
            left = max(right + gap, _middle(way_before) + 0.12)
            points[:, 0] += left - points[:, 0].min()
        right, gap = float(points[:, 0].max()), 0.0
        placed.append((token, (points, lines)))
    if not placed:
        return None
    all_ways = [way for _, way in placed]
    all_ways += _joins(placed, habits, random)
    all_ways += _underlines(placed, random)
    points, lines = row_hand.merge(all_ways)
    return row_hand.bend(points, habits, random), lines


def _is_zero(token: Token) -> bool:
    return token.kind == "digit" and token.value == 0


def _groups(text: Text, ways: list[Way], as_coil: bool) -> list[tuple[Token, list[Way]]]:
    """Group tokens with their paths: consecutive zeros together where they are written as a coil."""
    groups: list[tuple[Token, list[Way]]] = []
    for token, way in zip(text, ways, strict=True):
        if as_coil and groups and _is_zero(token):
            token_before, group = groups[-1]
            if token_before == token:
                group.append(way)
                continue
        groups.append((token, [way]))
    return groups


def _middle(way: Way) -> float:
    points, _ = way
    return float(points[:, 0].min() + points[:, 0].max()) / 2


def _raise(points: np.ndarray, token: Token, habits: Habits) -> np.ndarray:
    """Raise small cents, and lower a 4, 7 or 9 where the hand lets them hang below the baseline."""
    if token.small:
        points = points * row_hand.SMALL
        points[:, 1] -= 0.05
    elif token.kind == "digit" and token.value in (4, 7, 9) and habits.descends:
        points[:, 1] += habits.descends
    return points


def _joins(placed: Sequence[tuple[Token, Way]], habits: Habits, random: np.random.Generator) -> list[Way]:
    """Draw strokes from digit to digit; most often from zero to zero."""
    joins = []
    for (one, left), (other, right) in pairwise(placed):
        if one.kind != "digit" or other.kind != "digit":
            continue
        both_zero = _is_zero(one) and _is_zero(other)
        share = habits.joins if both_zero else 0.3 * habits.joins
        if random.random() < share:
            height = habits.joins_at + 1 - habits.zero_size if both_zero else random.uniform(0, 1)
            left_points, right_points = left[0], right[0]
            joins.append(row_hand.join(left_points, right_points, height, random))
    return joins


def _underlines(placed: Sequence[tuple[Token, Way]], random: np.random.Generator) -> list[Way]:
    """Draw one or two lines under what is underlined."""
    underlines = []
    for is_underlined, group in groupby(placed, key=lambda item: item[0].underlined):
        if not is_underlined:
            continue
        points = np.concatenate([points for _, (points, _) in group])
        left, right = points[:, 0].min(), points[:, 0].max()
        foot = points[:, 1].max()
        count = 2 if random.random() < 0.3 else 1
        for i in range(count):
            y = foot + random.uniform(0.08, 0.16) * (1 + i)
            begin = (left - 0.05, y)
            end = (right + 0.05, y + random.normal(0, 0.03))
            underlines.append((np.array([begin, end], np.float32), np.array([[0, 1]], np.int32)))
    return underlines


def _window(
    box: tuple[int, int, int, int],
    height: float,
    tight: bool,
    random: np.random.Generator,
) -> tuple[int, int, int, int]:
    """Draw the part of the ink's picture that is shown: top, bottom, left, right; it may reach beyond."""
    top, bottom, left, right = box
    # Low ink, such as a minus alone, is shown in 0.6 of a digit's height at least.
    shown_height = max(bottom - top, 0.6 * height)
    slack = (shown_height - (bottom - top)) / 2
    if tight:
        margins = random.uniform(0, 0.06, 4)
        sideways = 1.0
    else:
        margins = random.uniform(0.02, 0.42, 4) * random.uniform(0.3, 1)
        sideways = 1.5
    above, below, before, after = margins
    return (
        round(top - slack - above * shown_height),
        round(bottom + slack + below * shown_height),
        round(left - before * shown_height * sideways),
        round(max(right, left + 0.3 * shown_height) + after * shown_height * sideways),
    )


def _crop(ink: np.ndarray, window: tuple[int, int, int, int]) -> np.ndarray:
    """Crop a picture of ink to a window, which may reach beyond it."""
    top, bottom, left, right = window
    rows, columns = ink.shape
    above, below = max(0, -top), max(0, bottom - rows)
    before, after = max(0, -left), max(0, right - columns)
    padded = np.pad(ink, ((above, below), (before, after)))
    return padded[top + above : bottom + above, left + before : right + before].copy()


def _intrude(ink: np.ndarray, random: np.random.Generator) -> None:
    """Draw ends of strokes of the rows above and below, in place."""
    rows, columns = ink.shape
    for _ in range(random.integers(1, 4)):
        x = random.uniform(0, columns)
        length = random.uniform(0.04, 0.16) * rows
        is_above = random.random() < 0.5
        end_x = int(x + random.normal(0, 0.15) * rows)
        begin_y, end_y = (0, length) if is_above else (rows - 1, rows - 1 - length)
        thickness = max(1, int(0.05 * rows))
        cv2.line(ink, (int(x), begin_y), (end_x, int(end_y)), 1.0, thickness, cv2.LINE_AA)


def _batch(rows: Sequence[ComposedRow]) -> RowBatch:
    """Scale rows to one width: the median of theirs, or more where a text needs more columns."""
    median_width = np.median([ROW_HEIGHT * row.image.shape[1] / row.image.shape[0] for row in rows])
    width = nearest_width(min(float(median_width), WIDEST))
    needed = COLUMN * max(_columns(row.text) for row in rows)
    width = next(row_width for row_width in ROW_WIDTHS if row_width >= max(width, needed))
    images = np.stack([scale_row(row.image, width) for row in rows])
    return RowBatch(images, tuple(row.text for row in rows))


def _aspect(row: ComposedRow) -> float:
    """Return the width of a row in its heights."""
    height, width = row.image.shape
    return width / height


def _columns(text: str) -> int:
    """Return the columns that CTC needs for a text: one a character, and a blank between equal ones."""
    return len(text) + sum(one == other for one, other in pairwise(text))

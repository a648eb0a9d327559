"""What a report holds, before it is written as a page or as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from digitlab.report.measured import Fact
from digitlab.report.tables import TextTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Illustration:
    """A figure.

    Attributes:
        name: unique in the report; begins ids and names of files.
        figure: the drawing.
        description: what a reader who does not see it is told.
        caption: what is drawn, of how many networks, and what the intervals are.
    """

    kind: ClassVar[str] = "illustration"
    name: str
    figure: Figure
    description: str
    caption: str


@dataclass(frozen=True)
class Tabular:
    """A table.

    Attributes:
        table: its cells.
        label: what it is, for a reader who does not see it.
        caption: how to read it (empty: it needs no words).
        shading: what the colour of cells stands for, where there are colours (empty: cells have none).
        folded: what stands in its place until a reader unfolds it (empty: it is in sight).
    """

    kind: ClassVar[str] = "table"
    table: TextTable
    label: str
    caption: str = ""
    shading: str = ""
    folded: str = ""


@dataclass(frozen=True)
class Sentences:
    """Sentences that say what was found.

    Attributes:
        lines: one each.
    """

    kind: ClassVar[str] = "sentences"
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Notes:
    """Remarks in small letters.

    Attributes:
        lines: one each.
    """

    kind: ClassVar[str] = "notes"
    lines: tuple[str, ...]


Piece = Illustration | Tabular | Sentences | Notes


class Block(NamedTuple):
    """Pieces under one heading."""

    title: str
    pieces: tuple[Piece, ...]


class Section(NamedTuple):
    """All that a report says of one study.

    Attributes:
        key: unique in the report; begins the names of its figures.
        name: of the study.
        data: title of the data that it was run on.
        question: of the study.
        description: what a reader should know before the answer (empty: nothing).
        answer: one sentence.
        method: data, seeds, versions, processor and rules, in a few words.
        blocks: the evidence, in the order in which it is read.
    """

    key: str
    name: str
    data: str
    question: str
    description: str
    answer: str
    method: str
    blocks: tuple[Block, ...]


class Report(NamedTuple):
    """All that is written of one study or several.

    Attributes:
        title: of the whole; for one study its question.
        description: what a reader should know first (empty: nothing).
        sections: one for each study.
        facts: how they were measured.
    """

    title: str
    description: str
    sections: tuple[Section, ...]
    facts: tuple[Fact, ...]

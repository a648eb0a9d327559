"""Content of a report, before it is written as a page or as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from digitlab.report.methods import MethodNote
from digitlab.report.tables import TextTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Illustration:
    """A figure.

    Attributes:
        name: unique name in the report; prefix of ids and file names.
        figure: the drawing.
        description: alternative text for readers who do not see the figure.
        caption: explanation of the drawing, its number of networks and its intervals.
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
        table: cells of the table.
        label: name of the table for readers who do not see it.
        caption: explanation of how to read it (empty: none).
        shading: meaning of the cells' colours (empty: cells have none).
        folded: summary that is shown until a reader unfolds the table (empty: the table is open).
    """

    kind: ClassVar[str] = "table"
    table: TextTable
    label: str
    caption: str = ""
    shading: str = ""
    folded: str = ""


@dataclass(frozen=True)
class Sentences:
    """Findings of a study, as sentences.

    Attributes:
        lines: one sentence each.
    """

    kind: ClassVar[str] = "sentences"
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Notes:
    """Remarks in small print.

    Attributes:
        lines: one remark each.
    """

    kind: ClassVar[str] = "notes"
    lines: tuple[str, ...]


Piece = Illustration | Tabular | Sentences | Notes


class Block(NamedTuple):
    """Pieces under one heading."""

    title: str
    pieces: tuple[Piece, ...]


class Section(NamedTuple):
    """The part of a report about one study.

    Attributes:
        key: unique name in the report; prefix of the names of its figures.
        name: name of the study.
        data: title of the data that it was run on.
        question: question of the study.
        description: introduction before the answer (empty: none).
        answer: answer of the study in one sentence.
        method: data, seeds, versions, processor and rules, in a few words.
        blocks: figures, tables and sentences, in reading order.
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
    """The report of one study or several.

    Attributes:
        title: title of the report.
        description: introduction for the reader (empty: none).
        sections: one section per study.
        methods: notes on how the studies were measured.
    """

    title: str
    description: str
    sections: tuple[Section, ...]
    methods: tuple[MethodNote, ...]

"""The report of one study or several as Markdown, with its figures as PNG files beside it."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from digitlab.files import write_whole
from digitlab.marks import mark_png, replaced_by
from digitlab.report.canvas import figure_style
from digitlab.report.composing import compose
from digitlab.report.content import Block, Illustration, Notes, Piece, Report, Section, Sentences, Tabular
from digitlab.report.methods import MethodNote
from digitlab.report.study_data import StudyData, report_mark
from digitlab.report.tables import TextTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PNG_DOTS = 160
"""Dots per inch; figures are six inches wide."""

_MISSING_GLYPH = re.compile(r"Glyph (\d+) .*missing from")

# Characters that would begin Markdown syntax; an underscore or a hash inside a word does not.
_MARKS = re.compile(r"[\\`*\[\]|$~]|(?<!\w)[_#]|_(?!\w)")


def write_markdown(
    studies: Sequence[StudyData],
    path: Path | str,
    *,
    name: str = "",
    title: str = "",
    description: str = "",
) -> Path:
    """Write the report of one study or several as Markdown, with the text and tables of the HTML report.

    Figures are files beside it, `NAME-STUDY-error.png` and so on, written before the text that refers to
    them; each file is written completely or not at all.

    Args:
        studies: results, predictions and data of each study, at least one.
        path: path of the Markdown file; its folder is created, and only files of a digitlab report are
            replaced.
        name: name of the report; if empty, the names of its studies.
        title: title of the report; if empty, the question of the first study.
        description: introduction for the reader; if empty, a single study's own description.

    Returns:
        The path.

    Raises:
        OutputError: a file cannot be written, or is there and is no report.
        MissingExtraError: SciPy is not installed.
    """
    path = Path(path)
    mark = report_mark((study_data.table.plan for study_data in studies), name)
    replaced_by(mark, path)
    report = compose(studies, title, description)
    figures: dict[Path, Figure] = {}
    for illustration in _illustrations(report):
        file = path.with_name(_file_name(path, illustration))
        replaced_by(mark, file)  # all are checked before the first is written
        figures[file] = illustration.figure
    parts = list(_report(report, path))
    lacking: set[str] = set()
    for file, figure in figures.items():
        write_whole(file, mark_png(_png(figure, lacking), mark))
    if lacking:
        letters = " ".join(sorted(lacking))
        parts.append(f"Letters that the drawing font lacks are boxes in the figures: {letters}")
    parts.append(f"<!-- {mark} -->")
    text = "\n\n".join(parts) + "\n"
    # A file name that is not UTF-8 is written as its bytes, so that links to the figures still work.
    return write_whole(path, text.encode("utf-8", "surrogateescape"))


def _illustrations(report: Report) -> Iterator[Illustration]:
    for section in report.sections:
        for block in section.blocks:
            for piece in block.pieces:
                if isinstance(piece, Illustration):
                    yield piece


def _file_name(path: Path, illustration: Illustration) -> str:
    return f"{path.stem}-{illustration.name}.png"


def _png(figure: Figure, lacking: set[str]) -> bytes:
    """Return a figure as PNG, and add the letters that the drawing font lacks to `lacking`."""
    file = io.BytesIO()
    with figure_style(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        figure.savefig(file, format="png", dpi=PNG_DOTS, facecolor="white", metadata={"Software": None})
    for warning in caught:
        glyph = _MISSING_GLYPH.match(str(warning.message))
        if glyph is None:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        else:
            lacking.add(chr(int(glyph[1])))
    return file.getvalue()


def _report(report: Report, path: Path) -> Iterator[str]:
    several = len(report.sections) > 1  # one study has no section of its own: its question is the title
    yield f"# {_plain(report.title)}"
    if report.description:
        yield _plain(report.description)
    if several:
        yield "\n".join(_contents(report.sections))
    for i, section in enumerate(report.sections, start=1):
        if several:
            yield f"## {i}. {_plain(section.question)}"
            if section.description:
                yield _plain(section.description)
        yield f"**{_plain(section.answer)}**"
        yield f"*Study {_plain(section.name)} on {_plain(section.data)}. {_plain(section.method)}*"
        for block in section.blocks:
            yield from _block(block, "###" if several else "##", path)
    yield "## Methods"
    lines: list[str] = []
    for note in report.methods:
        lines += _method_note(note)
    yield "\n".join(lines)


def _contents(sections: Sequence[Section]) -> Iterator[str]:
    for i, section in enumerate(sections, start=1):
        yield f"{i}. {_plain(section.question)}  \n   {_plain(section.answer)}"


def _block(block: Block, heading: str, path: Path) -> Iterator[str]:
    yield f"{heading} {_plain(block.title)}"
    for piece in block.pieces:
        yield from _piece(piece, path)


def _piece(piece: Piece, path: Path) -> Iterator[str]:
    match piece:
        case Illustration():
            yield f"![{_plain(piece.description)}](<{_file_name(path, piece)}>)"
            yield _plain(piece.caption)
        case Tabular():
            yield "\n".join(_rows(piece.table))
            if piece.caption:
                yield _plain(piece.caption)
        case Sentences() | Notes():
            yield "\n".join(f"- {_plain(line)}" for line in piece.lines)


def _rows(table: TextTable) -> Iterator[str]:
    yield _row(table.columns)
    alignments = ["---:" if right else ":---" for right in table.right]
    yield f"|{'|'.join(alignments)}|"
    yield from map(_row, table.rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_plain, cells))} |"


def _method_note(note: MethodNote) -> Iterator[str]:
    for entry in note.entries:
        studies = f" ({entry.studies})" if entry.studies else ""
        text = " ".join(map(_plain, entry.lines))
        yield f"- **{_plain(note.name)}{studies}:** {text}"


def _plain(text: str) -> str:
    """Return text on one line, escaped for Markdown and HTML."""
    one_line = " ".join(text.split())
    return _MARKS.sub(r"\\\g<0>", escape(one_line, quote=False))

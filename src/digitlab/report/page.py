"""The report as a page: one HTML file that needs no network, no scripts and no other files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from digitlab.errors import MissingExtraError
from digitlab.files import write_whole
from digitlab.marks import replaced_by
from digitlab.report.canvas import ACCENT
from digitlab.report.composing import compose
from digitlab.report.content import Illustration
from digitlab.report.markup import inline_svg
from digitlab.report.material import Material, report_mark

try:
    from jinja2 import Environment, PackageLoader, StrictUndefined
except ModuleNotFoundError as error:
    raise MissingExtraError("jinja2", "report") from error


def write_report(
    studies: Sequence[Material],
    path: Path | str,
    *,
    name: str = "",
    title: str = "",
    description: str = "",
) -> Path:
    """Write the report of one study or several as HTML, completely or not at all; equal material, equal page.

    Args:
        studies: material of each study, at least one.
        path: path of the HTML file; its folder is created, and only a digitlab report is replaced.
        name: name of the report; if empty, the names of its studies.
        title: title of the page; if empty, the question of the first study.
        description: introduction for the reader; if empty, a single study's own description.

    Returns:
        The path.

    Raises:
        OutputError: the file cannot be written, or is there and is no report.
        MissingExtraError: SciPy is not installed.
    """
    mark = report_mark((material.table.plan for material in studies), name)
    replaced_by(mark, path)
    environment = Environment(
        loader=PackageLoader("digitlab.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["unbroken"] = _unbroken
    environment.filters["svg"] = _svg
    page = environment.get_template("report.html")
    html = page.render(report=compose(studies, title, description), accent=ACCENT, mark=str(mark))
    return write_whole(path, html.encode())


def _svg(illustration: Illustration) -> str:
    return inline_svg(illustration.figure, illustration.name, illustration.description)


def _unbroken(text: str) -> str:
    """Keep a number and its percent sign, an axis and its level, on one line."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%").replace("= ", "=\N{NO-BREAK SPACE}")

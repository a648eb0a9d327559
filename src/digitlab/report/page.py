"""The report as a page: one HTML file that needs no network, no scripts and no other files."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from digitlab.errors import MissingExtraError
from digitlab.files import write_whole
from digitlab.marks import replaced_by
from digitlab.report.canvas import ACCENT, figure_style
from digitlab.report.composing import compose
from digitlab.report.content import Illustration
from digitlab.report.study_data import StudyData, report_mark

try:
    from jinja2 import Environment, PackageLoader, StrictUndefined
except ModuleNotFoundError as error:
    raise MissingExtraError("jinja2", "report") from error

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}
_REFERENCES = re.compile(r'(\bid="|url\(#|\bhref="#)')
_IMAGE_ID = re.compile(r'(?<=<image) ([^>]*?)id="[^"]*"')
_FONT_FAMILY = re.compile(r"font-family: [^;\"]*;? ?")


def write_report(
    studies: Sequence[StudyData],
    path: Path | str,
    *,
    name: str = "",
    title: str = "",
    description: str = "",
) -> Path:
    """Write the report of one study or several as HTML, completely or not at all; from equal data, equally.

    Args:
        studies: results, predictions and data of each study, at least one.
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
    mark = report_mark((study_data.table.plan for study_data in studies), name)
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


def inline_svg(figure: Figure, name: str, description: str) -> str:
    """Return a figure as an `svg` element, with text in the page's font; equal figures give equal markup.

    Args:
        figure: figure to convert.
        name: unique name in the page; prefix of every id in the element.
        description: alternative text for readers who do not see the figure.
    """
    from matplotlib import rc_context

    file = io.StringIO()
    with (
        figure_style(),
        rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "svg.image_inline": True}),
        warnings.catch_warnings(),
    ):
        # The page's fonts draw the text, so letters that matplotlib's own font lacks do not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        figure.savefig(file, format="svg", facecolor="none", metadata=_NO_METADATA)
    text = file.getvalue()
    box = re.search(r'viewBox="([^"]*)"', text)
    assert box
    # The content of the root, without the style sheet, which would apply to the whole page.
    _, _, content = text.partition("</style>")
    _, _, content = content.partition("</defs>")
    content, _, _ = content.rpartition("</svg>")
    content = re.sub(r"<[^>]+>", lambda tag: _own(tag[0], name), content)
    root = f'<svg role="img" aria-label="{escape(description)}" viewBox="{box[1]}">'
    return root + content + "</svg>"


def _own(tag: str, name: str) -> str:
    """Prefix the ids in a tag with the figure's name, and leave the font to the page."""
    tag = _IMAGE_ID.sub(r" \g<1>", tag)  # a hash of the image: equal images would share it
    tag = _REFERENCES.sub(rf"\g<1>{name}-", tag)
    tag = _FONT_FAMILY.sub("", tag)
    return tag.replace("xlink:href", "href")

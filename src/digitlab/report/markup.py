"""Figures as SVG elements inside an HTML page."""

from __future__ import annotations

import io
import re
import warnings
from html import escape

from matplotlib import rc_context
from matplotlib.figure import Figure

from digitlab.report.canvas import figure_style

_NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}
_REFERENCES = re.compile(r'(\bid="|url\(#|\bhref="#)')
_IMAGE_ID = re.compile(r'(?<=<image) ([^>]*?)id="[^"]*"')
_FONT_FAMILY = re.compile(r"font-family: [^;\"]*;? ?")


def inline_svg(figure: Figure, name: str, description: str) -> str:
    """Return a figure as an `svg` element, with text in the page's font; equal figures give equal markup.

    Args:
        figure: figure to convert.
        name: unique name in the page; prefix of every id in the element.
        description: alternative text for readers who do not see the figure.
    """
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
    content = text[text.index("</style>") + len("</style>") : text.rindex("</svg>")].partition("</defs>")[2]
    content = re.sub(r"<[^>]+>", lambda tag: _own(tag[0], name), content)
    root = f'<svg role="img" aria-label="{escape(description)}" viewBox="{box[1]}">'
    return root + content + "</svg>"


def _own(tag: str, name: str) -> str:
    """Prefix the ids in a tag with the figure's name, and leave the font to the page."""
    tag = _IMAGE_ID.sub(r" \g<1>", tag)  # a hash of the image: equal images would share it
    return _FONT_FAMILY.sub("", _REFERENCES.sub(rf"\g<1>{name}-", tag)).replace("xlink:href", "href")

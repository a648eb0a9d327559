"""A figure as SVG that stands inside an HTML page beside others."""

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
    """Write a figure as an `svg` element: text stays text, in the page's font; equal figures, equal markup.

    Args:
        figure: to write.
        name: unique in the page; begins every id inside.
        description: what a reader who does not see the figure is told.
    """
    file = io.StringIO()
    with (
        figure_style(),
        rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "svg.image_inline": True}),
        warnings.catch_warnings(),
    ):
        # The page's fonts draw the text; what matplotlib's own lacks does not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        figure.savefig(file, format="svg", facecolor="none", metadata=_NO_METADATA)
    text = file.getvalue()
    box = re.search(r'viewBox="([^"]*)"', text)
    assert box
    # Inside the root, and without the style sheet, which would hold for the whole page.
    content = text[text.index("</style>") + len("</style>") : text.rindex("</svg>")].partition("</defs>")[2]
    content = re.sub(r"<[^>]+>", lambda tag: _own(tag[0], name), content)
    root = f'<svg role="img" aria-label="{escape(description)}" viewBox="{box[1]}">'
    return root + content + "</svg>"


def _own(tag: str, name: str) -> str:
    """Make a tag's ids the figure's own, and leave the font to the page; text between tags is not touched."""
    tag = _IMAGE_ID.sub(r" \g<1>", tag)  # made from its content: equal images would have the same
    return _FONT_FAMILY.sub("", _REFERENCES.sub(rf"\g<1>{name}-", tag)).replace("xlink:href", "href")

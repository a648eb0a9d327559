"""Output of the commands: results to stdout, progress and messages to stderr."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

from digitlab.cli.streams import replacing

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPED_WIDTH = 200
"""Width in columns of a table in a file or a pipe, where nothing should be wrapped or cut."""


def stdout() -> Console:
    """Return the console for results."""
    console = _console()
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    return console


def stderr() -> Console:
    """Return the console for progress and messages."""
    return _console(stderr=True)


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console
    from rich.text import Text

    class Replacing(Console):
        """Console that replaces unencodable characters before it measures, so that columns stay aligned."""

        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(replacing(text, self.encoding), **options)

    return Replacing(stderr=stderr, highlight=False, markup=False, emoji=False)


def say(message: str) -> None:
    """Print a message on stderr."""
    print(message, file=sys.stderr)


def utf8_stdout() -> TextIO:
    """Return stdout in UTF-8 and without newline translation, for files that are the same on every system."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    return sys.stdout


def plain_table(*titles: str, right: Iterable[str] = ()) -> Table:
    """Create a table with a line under its titles and no other lines.

    Args:
        titles: titles of the first columns.
        right: titles of the right-aligned columns after them.
    """
    from rich import box
    from rich.table import Table

    table = Table(*titles, box=box.SIMPLE_HEAD)
    for title in right:
        table.add_column(title, justify="right")
    return table


def print_json(value: Any) -> None:
    """Print a JSON object on one line of stdout, with escapes if the encoding lacks a character."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, allow_nan=False)
    print(text)

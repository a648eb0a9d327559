"""The two streams: results to stdout, progress and messages to stderr."""

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
"""Columns of a table that goes to a file or a pipe, where nothing should be wrapped or cut."""


def stdout() -> Console:
    """Give the console for results."""
    console = _console()
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    return console


def stderr() -> Console:
    """Give the console for progress and messages."""
    return _console(stderr=True)


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console
    from rich.text import Text

    class Replacing(Console):
        """Writes what the encoding lacks in ASCII before it measures, so that columns stay columns."""

        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(replacing(text, self.encoding), **options)

    return Replacing(stderr=stderr, highlight=False, markup=False, emoji=False)


def say(message: str) -> None:
    """Print a message for people, on stderr."""
    print(message, file=sys.stderr)


def utf8_stdout() -> TextIO:
    """Give stdout for a file that is the same on every system: in UTF-8, with lines as they are written."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    return sys.stdout


def plain_table(*titles: str, right: Iterable[str] = ()) -> Table:
    """Begin a table with a line under its titles and no others.

    Args:
        titles: of the first columns.
        right: titles of the columns after them, whose cells stand to the right.
    """
    from rich import box
    from rich.table import Table

    table = Table(*titles, box=box.SIMPLE_HEAD)
    for title in right:
        table.add_column(title, justify="right")
    return table


def print_json(value: Any) -> None:
    """Print one JSON object on a line of stdout, with escapes where the encoding lacks a letter."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, allow_nan=False)
    print(text)

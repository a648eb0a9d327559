"""The two streams: results to stdout, progress and messages to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPED_WIDTH = 200
"""Columns of a table that goes to a file or a pipe, where nothing should be wrapped or cut."""


def stdout() -> Console:
    """Give the console for results."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    return console


def stderr() -> Console:
    """Give the console for progress and messages."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def say(message: str) -> None:
    """Print a message for people, on stderr."""
    print(message, file=sys.stderr)


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
    """Print one JSON object on a line of stdout."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False))

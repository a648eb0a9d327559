"""What the arguments of `digitlab recognize` name: files, folders, patterns, and `-` for stdin."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from glob import glob
from pathlib import Path

STDIN = "-"
"""Stands for a picture on the standard input."""


def picture_names(arguments: Iterable[str]) -> Iterator[str]:
    """Name every file that arguments stand for, in their order; within a folder or pattern sorted.

    Folders are walked with all that is below them, but for hidden files. Nothing is left out for its name:
    what is no picture is found out by its content. An argument that leads to no file is given as it is.

    Args:
        arguments: paths of files or folders, patterns as shells have them (`**` for any folders), or `-`.
    """
    for argument in arguments:
        there = argument == STDIN or os.path.lexists(argument)
        # pathlib has no patterns that are absolute.
        found = [argument] if there else sorted(glob(argument, recursive=True)) or [argument]  # noqa: PTH207
        for name in found:
            yield from _below(name) or [name]


def _below(folder: str) -> list[str]:
    """All files in a folder, and the folders among them that cannot be read; of a file none."""
    found: list[str] = []

    def note(error: OSError) -> None:
        if os.path.isdir(error.filename):  # noqa: PTH112 - pathlib's raises where a name is too long
            found.append(error.filename)

    for parent, folders, files in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        found += [str(Path(parent, name)) for name in sorted(files) if name[0] != "."]
    return found


def printable(name: str) -> str:
    """Give a file's name without what would steer a terminal or cannot be encoded."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)

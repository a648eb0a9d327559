"""Expansion of the arguments of `digitlab recognize`: files, folders, patterns, and `-` for stdin."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from glob import glob
from pathlib import Path

STDIN = "-"
"""Argument that stands for a picture on the standard input."""


def picture_names(arguments: Iterable[str]) -> Iterator[str]:
    """Yield every file that arguments stand for, in their order, sorted within a folder or pattern.

    Folders are walked recursively, without hidden files and folders. No other file is excluded by its name:
    its content decides whether it is a picture. An argument that matches no file is yielded unchanged.

    Args:
        arguments: paths of files or folders, patterns as shells have them (`**` for any folders), or `-`.
    """
    for argument in arguments:
        matches: list[str] = []
        if argument != STDIN and not os.path.lexists(argument):  # else it is a name, even with brackets
            matches = sorted(glob(argument, recursive=True))  # noqa: PTH207 - pathlib's has no absolute ones
        for name in matches or [argument]:
            yield from _below(name) or [name]


def _below(folder: str) -> list[str]:
    """Return all files below a folder, and the folders that cannot be read; an empty list for a file."""
    names: list[str] = []

    def add_folder(error: OSError) -> None:
        if os.path.isdir(error.filename):  # noqa: PTH112 - pathlib's raises where a name is too long
            names.append(error.filename)

    for parent, folders, files in os.walk(folder, onerror=add_folder):
        folders[:] = sorted(name for name in folders if name[0] != ".")  # in place: these are walked next
        names += [str(Path(parent, name)) for name in sorted(files) if name[0] != "."]
    return names


def printable(name: str) -> str:
    """Return a file's name with control characters and undecodable bytes replaced."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)

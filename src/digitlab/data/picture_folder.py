"""Folders of pictures by class: the names that they must have, and messages about others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from digitlab.data.catalog import NAMINGS
from digitlab.data.classes import DIGITS
from digitlab.errors import DataError

PART_NAMES = ("train", "test")
"""Names of the folders in a folder of pictures that has its own test part."""

_LEFT_BEHIND = frozenset(
    (
        "__macosx",
        "desktop.ini",
        "ehthumbs.db",
        "thumbs.db",
        "@eadir",
        "$recycle.bin",
        "lost+found",
        "system volume information",
    )
)
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NUMBERED = re.compile(r"(?:class|digit|label|number)?[ _-]*0*([0-9])")
_PARTS = {
    "training": "train",
    "training set": "train",
    "testing": "test",
    "test set": "test",
    "val": "test",
    "valid": "test",
    "validation": "test",
}
_SHOWN = 4  # names in a message


class Listing(NamedTuple):
    """Contents of a folder.

    Attributes:
        names: names in the folder, sorted.
        left_out: paths that desktops and archives leave behind, hidden files among them.
    """

    names: list[str]
    left_out: list[Path]


def list_folder(folder: Path) -> Listing:
    """List a folder, and separately what desktops and archives leave behind."""
    names, left_out = [], []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.lower() in _LEFT_BEHIND:
            left_out.append(path)
        else:
            names.append(path.name)
    return Listing(names, left_out)


def check_class_names(folder: Path, names: Sequence[str], *, in_part: bool) -> None:
    """Raise an error for a folder that does not hold the folders 0..9 and nothing else.

    Args:
        folder: folder that was listed.
        names: names in the folder.
        in_part: whether the folder is that of a part, which has no parts itself.

    Raises:
        DataError: a folder is missing, or there is another one; the message names it, and its right name if
            that is plain.
    """
    if set(names) == set(DIGITS):
        for name in names:
            if not (folder / name).is_dir():
                raise DataError(f"{folder / name}: expected a folder of pictures, found a file: remove it")
        return
    expected = "the folders 0..9 with pictures"
    if not in_part:
        expected += ", or train and test with these in them"
    raise DataError(f"{folder}: expected {expected}; {_what_is_wrong(folder, names)}")


def _what_is_wrong(folder: Path, names: Sequence[str]) -> str:
    if not names:
        return "found an empty folder"
    if any(naming.pattern.fullmatch(name) for naming in NAMINGS for name in names):
        return "found IDX files: the folder is a data set already, pass it to --data unchanged"
    is_alone = len(names) == 1 and names[0] not in DIGITS + PART_NAMES
    if is_alone and (folder / names[0]).is_dir():  # archives often unpack into a folder of their own
        return f"found {names[0]!r} alone: pass {folder / names[0]}"
    wanted = PART_NAMES if _looks_like_parts(names) else DIGITS
    missing = [name for name in wanted if name not in names]
    foreign = [name for name in names if name not in wanted]
    if not foreign:
        return f"found no {', '.join(missing)}: add the missing folders"
    what = f"besides them {_shown(foreign)}"
    if missing:
        what = f"no {', '.join(missing)} but {_shown(foreign)}"
    renamings = []
    for name in foreign:
        meant = _meant(name)
        if meant in missing:
            renamings.append(f"rename {name!r} to {meant}")
    cure = ", ".join(renamings[:_SHOWN]) or "name each folder after its class, and remove the rest"
    return f"found {what}: {cure}"


def _looks_like_parts(names: Sequence[str]) -> bool:
    return any((_meant(name) or name) in PART_NAMES for name in names)


def _meant(name: str) -> str:
    """Return the class or part that a folder's name stands for; empty if that is not plain."""
    plain = name.strip().lower()
    if plain in PART_NAMES:
        return plain
    if plain in _PARTS:
        return _PARTS[plain]
    if plain in _WORDS:
        return str(_WORDS.index(plain))
    match = _NUMBERED.fullmatch(plain)
    return match[1] if match else ""


def _shown(names: Sequence[str]) -> str:
    """Join names, quoted so that blanks at their ends are visible."""
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    if len(names) > _SHOWN:
        shown += f" and {len(names) - _SHOWN} more"
    return shown

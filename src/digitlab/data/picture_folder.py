"""Folders of pictures by class: the names that they must have, and messages about others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from digitlab.data.catalog import NAMINGS
from digitlab.data.classes import DIGITS
from digitlab.errors import DataError
from digitlab.spec.recipe import MAX_CLASSES, MIN_CLASSES

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


def class_names(folder: Path, names: Sequence[str], *, in_part: bool) -> tuple[str, ...]:
    """Return the names of the classes of a folder that holds a folder of pictures for each, and nothing else.

    Args:
        folder: folder that was listed.
        names: names in the folder.
        in_part: whether the folder is that of a part, which has no parts itself.

    Returns:
        Names in the order of the classes: numbers by value, then words.

    Raises:
        DataError: there are other files, too few or too many folders, or folders whose names stand for
            digits in other words; the message names them, and their right names if those are plain.
    """
    wrong = _what_is_wrong(folder, names)
    if wrong:
        expected = "a folder of pictures for each class (0..9 for digits)"
        if not in_part:
            expected += ", or train and test with these in them"
        raise DataError(f"{folder}: expected {expected}; {wrong}")
    return tuple(sorted(names, key=_in_order))


def _in_order(name: str) -> tuple[bool, int, str]:
    """Return a sorting key: numbers by value, then words."""
    is_word = not name.isdecimal()
    return is_word, 0 if is_word else int(name), name


def _what_is_wrong(folder: Path, names: Sequence[str]) -> str:
    """Return what is wrong with the names in a folder, and what to do; empty if nothing is."""
    cause = _no_folder_of_classes(folder, names)
    if cause:
        return cause
    is_parts = _looks_like_parts(names)
    renamed = set(names) != set(DIGITS) and {_meant(name) for name in names} == set(DIGITS)
    if not is_parts and not renamed:
        return ""
    wanted = PART_NAMES if is_parts else DIGITS
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


def _no_folder_of_classes(folder: Path, names: Sequence[str]) -> str:
    """Return why a folder holds no folders of classes, whatever their names are; empty if it may."""
    if not names:
        return "found an empty folder"
    if any(naming.pattern.fullmatch(name) for naming in NAMINGS for name in names):
        return "found IDX files: the folder is a data set already, pass it to --data unchanged"
    files = [name for name in names if not (folder / name).is_dir()]
    if files:
        return f"found {_shown(files)}, no folder: remove what is no class"
    if len(names) == 1:  # archives often unpack into a folder of their own
        return f"found {names[0]!r} alone: pass {folder / names[0]}"
    if len(names) > MAX_CLASSES:
        return f"found {len(names)}: use {MIN_CLASSES} to {MAX_CLASSES} classes"
    return ""


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

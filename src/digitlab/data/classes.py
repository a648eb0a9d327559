"""Names of the classes of a data set."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from digitlab.errors import DataError
from digitlab.spec.recipe import CLASSES, MAX_CLASSES, MIN_CLASSES

DIGITS = tuple(str(digit) for digit in range(CLASSES))
"""Names of the classes of digits."""
CLASSES_FILE = "classes.txt"
"""File beside those of a data set: a line of UTF-8 for each class, the name of class 0 first."""

_MAX_BYTES = 10_000
_MAX_LETTERS = 60

_FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_CAPITALS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SMALL = tuple("abcdefghijklmnopqrstuvwxyz")
_MERGED = (*DIGITS, *_CAPITALS, *"abdefghnqrt")  # small letters that look like their capitals are merged

EMNIST_CLASSES = {
    "digits": DIGITS,
    "mnist": DIGITS,
    "letters": _SMALL,
    "balanced": _MERGED,
    "bymerge": _MERGED,
    "byclass": (*DIGITS, *_CAPITALS, *_SMALL),
}
"""Names of the classes of EMNIST's six data sets, as in their mappings (Cohen et al. 2017)."""

_HIRAGANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")

# The MD5 of the test labels as they are published, gzipped: 5 kB that tell which data set a folder holds.
_PUBLISHED = {
    "bb300cfdad3c16e7a12a480ee83cd310": _FASHION,  # Fashion-MNIST, Xiao, Rasul and Vollgraf 2017
    "7320c461ea6c1c855c0b718fb2a4b134": _HIRAGANA,  # KMNIST, Clanuwat et al. 2018
}


def read_classes(folder: Path) -> tuple[str, ...] | None:
    """Read the names of a data set's classes from the file beside it.

    Args:
        folder: folder that may contain `classes.txt`.

    Returns:
        The names, or None if there is no such file.

    Raises:
        DataError: the file does not hold 2 to 100 different names.
    """
    path = folder / CLASSES_FILE
    if not path.is_file():
        return None
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise _unfit(path, "a longer file")
    try:
        text = content.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError:
        raise _unfit(path, "other bytes than UTF-8") from None
    names = tuple(line.strip() for line in text.strip().splitlines())
    check_names(names, str(path), "one a line, ")
    return names


def check_names(names: Sequence[str], source: str, form: str = "") -> None:
    """Check the names of classes.

    Args:
        names: names, that of class 0 first.
        source: origin of the names, for the message.
        form: form of the names there, for the message.

    Raises:
        DataError: they are not 2 to 100, one is empty, too long or not printable, or two are equal.
    """
    if not MIN_CLASSES <= len(names) <= MAX_CLASSES:
        raise _unfit(source, "one name" if len(names) == 1 else f"{len(names)} names", form)
    for name in names:
        if not name or len(name) > _MAX_LETTERS or not name.isprintable():
            raise _unfit(source, f"{name[:_MAX_LETTERS]!r} among them", form)
    for name in names:
        if names.count(name) > 1:
            raise _unfit(source, f"{name!r} twice", form)


def _unfit(source: Path | str, found: str, form: str = "one a line, ") -> DataError:
    return DataError(
        f"{source}: expected the names of {MIN_CLASSES} to {MAX_CLASSES} classes, all different and of at "
        f"most {_MAX_LETTERS} letters, {form}found {found}"
    )


def published_classes(test_labels: Path) -> tuple[str, ...] | None:
    """Return the class names of a published data set, recognized by its file of test labels.

    Returns:
        Ten names, or None if the file is unknown.
    """
    with test_labels.open("rb") as file:
        return _PUBLISHED.get(hashlib.file_digest(file, _md5).hexdigest())


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)


def class_numbers(count: int) -> tuple[str, ...]:
    """Return the numbers of some classes as text, which stand for names that are not known."""
    return tuple(str(i) for i in range(count))


def numbered(classes: Sequence[str]) -> tuple[str, ...]:
    """Return a title of each class for a table: its number, and its name if that differs.

    Args:
        classes: names of the classes, or their numbers as text.
    """
    titles = []
    for i, name in enumerate(classes):
        titles.append(name if name == str(i) else f"{i} {name}")
    return tuple(titles)

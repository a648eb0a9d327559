"""Names of the ten classes of a data set."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from digitlab.errors import DataError

CLASSES = 10
DIGITS = tuple(str(digit) for digit in range(CLASSES))
"""Names of the classes of digits."""
CLASSES_FILE = "classes.txt"
"""File beside those of a data set: ten lines of UTF-8, the name of class 0 first."""

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
        Ten names, or None if there is no such file.

    Raises:
        DataError: the file does not hold ten different names.
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
    if len(names) != CLASSES:
        raise _unfit(path, "one line" if len(names) == 1 else f"{len(names)} lines")
    for name in names:
        if not name or len(name) > _MAX_LETTERS or not name.isprintable():
            raise _unfit(path, f"{name[:_MAX_LETTERS]!r} among them")
    for name in names:
        if names.count(name) > 1:
            raise _unfit(path, f"{name!r} twice")
    return names


def _unfit(path: Path, found: str) -> DataError:
    return DataError(
        f"{path}: expected the names of the ten classes, all different and of at most "
        f"{_MAX_LETTERS} letters, one a line, found {found}"
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


def numbered(classes: Sequence[str] | None) -> tuple[str, ...]:
    """Return a title of each class for a table: its number, and its name if that differs.

    Args:
        classes: ten names, or None if they are not known.
    """
    if classes is None:
        return DIGITS
    titles = []
    for digit, name in zip(DIGITS, classes, strict=True):
        titles.append(digit if name == digit else f"{digit} {name}")
    return tuple(titles)

"""The data sets known by name, and how published data sets name their files and lay out their images."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from digitlab.data.classes import DIGITS, EMNIST_CLASSES
from digitlab.errors import DataError

ROLES = ("train-images", "train-labels", "test-images", "test-labels")
"""The four files of a data set, in the order in which they are hashed."""
FILE_NAMES = {
    "train-images": "train-images-idx3-ubyte.gz",
    "train-labels": "train-labels-idx1-ubyte.gz",
    "test-images": "t10k-images-idx3-ubyte.gz",
    "test-labels": "t10k-labels-idx1-ubyte.gz",
}
"""File name of each role in MNIST, gzipped, and in data sets written by digitlab."""


@dataclass(frozen=True)
class CatalogEntry:
    """A data set that is known by name.

    Attributes:
        name: name accepted by `--data`.
        title: title in a few words.
        folder: folder of its four files.
        authors: authors of the data set.
        licence: licence under which it is distributed.
        classes: names of its classes.
        sha256: SHA-256 of each uncompressed file in hexadecimal digits, by role.
    """

    name: str
    title: str
    folder: Path
    authors: str
    licence: str
    classes: tuple[str, ...]
    sha256: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the data set with its published files."""
        return combined_fingerprint(self.sha256[role] for role in ROLES)


CATALOG: dict[str, CatalogEntry] = {
    "mnist": CatalogEntry(
        name="mnist",
        title="MNIST, handwritten digits",
        folder=Path(__file__).parent / "mnist",
        authors="Yann LeCun and Corinna Cortes",
        licence="CC BY-SA 3.0",
        classes=DIGITS,
        sha256={
            "train-images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "test-images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "test-labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
    ),
}
"""The data sets known by name."""


def known_entry(name: str, fingerprint: str | None) -> CatalogEntry | None:
    """Find a data set in the catalogue by its name, or by its contents; None if it is not there.

    Args:
        name: name in the catalogue, or a folder.
        fingerprint: fingerprint of the contents, in 64 hexadecimal digits; None if it is not known.
    """
    if name in CATALOG:
        return CATALOG[name]
    for entry in CATALOG.values():
        if entry.fingerprint == fingerprint:
            return entry
    return None


@dataclass(frozen=True)
class FileNaming:
    """Naming scheme of published data sets' files, and the layout of the images in them.

    Attributes:
        pattern: regular expression of a file name, with the groups `part` (train, t10k or test), `kind`
            (images or labels) and, if one folder holds several data sets, `split`.
        transposed: whether rows and columns of each image are exchanged in the file.
    """

    pattern: re.Pattern[str]
    transposed: bool


_ENDING = r"(?P<kind>images|labels)[-.]idx[13]-ubyte(\.gz)?"

NAMINGS: tuple[FileNaming, ...] = (
    # MNIST, Fashion-MNIST and KMNIST, from any of their mirrors.
    FileNaming(re.compile(rf"(?P<part>train|t10k)-{_ENDING}", re.IGNORECASE), transposed=False),
    # EMNIST was converted from Matlab's column-major arrays.
    FileNaming(
        re.compile(rf"emnist-(?P<split>\w+)-(?P<part>train|test)-{_ENDING}", re.IGNORECASE), transposed=True
    ),
)
"""Naming schemes that a folder may follow."""

_SHOWN = 4  # names in a message


@dataclass(frozen=True)
class DataFiles:
    """The four files of a data set, found in a folder.

    Attributes:
        paths: path of each file, by role.
        transposed: whether rows and columns of each image are exchanged in the files.
        classes: names of the classes, if the file names imply them; else None.
        first_label: label of the first class in the files; EMNIST's letters count from 1.
    """

    paths: Mapping[str, Path]
    transposed: bool
    classes: tuple[str, ...] | None
    first_label: int = 0


def find_files(folder: Path) -> DataFiles:
    """Find the four files of a data set in a folder by their names.

    If a file exists both gzipped and plain, the plain one is used.

    Args:
        folder: folder of files named like `train-images-idx3-ubyte.gz` or `emnist-digits-train-images-...`.

    Returns:
        The files.

    Raises:
        DataError: a file is missing, or the folder holds more than one data set.
    """
    groups = _files_by_data_set(folder)
    if len(groups) > 1:
        titles = sorted(split or "files named like MNIST's" for split, _ in groups)
        raise DataError(
            f"{folder}: expected one data set, found {', '.join(titles)}: put each into its own folder"
        )
    if not groups:
        raise DataError(
            f"{folder}: expected the four files of a data set, named like train-images-idx3-ubyte.gz "
            f"(train and t10k, images and labels), found {_named(folder)}{_cure(folder)}"
        )
    [((split, transposed), paths)] = groups.items()
    missing = [role for role in ROLES if role not in paths]
    if missing:
        names = ", ".join(path.name for path in paths.values())
        raise DataError(f"{folder}: no file of {' or '.join(missing)}, found {names}: add the missing files")
    return DataFiles(paths, transposed, EMNIST_CLASSES.get(split), int(split == "letters"))


def _files_by_data_set(folder: Path) -> dict[tuple[str, bool], dict[str, Path]]:
    """Return the files of data sets by role, for each split (empty where names have none) and layout."""
    groups: dict[tuple[str, bool], dict[str, Path]] = {}
    # The longer name, with .gz, comes later and gives way to the plain file.
    for path in sorted(folder.iterdir()):
        for naming in NAMINGS:
            match = naming.pattern.fullmatch(path.name)
            if match is None or not path.is_file():
                continue
            part = "train" if match["part"].lower() == "train" else "test"
            role = f"{part}-{match['kind'].lower()}"
            split = match.groupdict().get("split") or ""
            paths = groups.setdefault((split, naming.transposed), {})
            paths.setdefault(role, path)
    return groups


def combined_fingerprint(hashes: Iterable[str]) -> str:
    """Return one hash for a data set from the hashes of its four arrays.

    Args:
        hashes: SHA-256 of the arrays as uncompressed IDX files, in hexadecimal digits, ordered as `ROLES`.

    Returns:
        SHA-256 in 64 hexadecimal digits.
    """
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _named(folder: Path) -> str:
    """Return the first few names in a folder, for a message."""
    names = sorted(path.name for path in folder.iterdir())
    if not names:
        return "an empty folder"
    shown = ", ".join(names[:_SHOWN])
    if len(names) > _SHOWN:
        shown += f" and {len(names) - _SHOWN} more"
    return shown


def _cure(folder: Path) -> str:
    """Return what to do with a folder of pictures or of an .npz file; empty for any other."""
    names = {path.name for path in folder.iterdir()}
    has_classes = {"0", "9"} <= names
    has_parts = {"train", "test"} <= names
    has_arrays = any(name.endswith(".npz") for name in names)
    if has_classes or has_parts or has_arrays:
        return ": convert pictures and .npz files with  digitlab data import"
    return ""

"""Names of data sets: the location to load one from, and its title for people."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypedDict

from digitlab.data.catalog import CATALOG
from digitlab.data.dataset import Dataset, load
from digitlab.errors import DataError
from digitlab.spec.recipe import CLASSES
from digitlab.spec.trial import DataSpec

SHORT = 8
"""Number of a fingerprint's digits that distinguish the data sets of one person."""


def locate(dataset: str, folder: Path | None = None) -> str:
    """Return the name or absolute path under which a data set is found from every folder.

    Args:
        dataset: name in the catalogue, or a folder.
        folder: base of a relative path; the current folder if None.

    Raises:
        SpecError: the path is not UTF-8, and so could not be stored with a result.
    """
    if dataset in CATALOG:
        return dataset
    path = os.path.abspath(Path(folder or "", dataset))  # noqa: PTH100 (links keep their names)
    return DataSpec.from_values({"dataset": path}, f"data {dataset!r}").dataset


class Contents(TypedDict):
    """What a trial's data is told about the contents of a data set.

    Attributes:
        fingerprint: SHA-256 of the contents.
        class_count: number of classes; None for ten.
    """

    fingerprint: str
    class_count: int | None


def contents(dataset: Dataset) -> Contents:
    """Return the fields of a `DataSpec` that describe a data set's contents."""
    count = None if dataset.class_count == CLASSES else dataset.class_count
    return {"fingerprint": dataset.fingerprint, "class_count": count}


def known_fingerprint(dataset: str) -> str:
    """Return the fingerprint of a data set, without loading it if it is in the catalogue.

    Args:
        dataset: name in the catalogue, or a folder.

    Returns:
        SHA-256 in 64 hexadecimal digits.

    Raises:
        DataError: the data set cannot be loaded, as in `load`.
    """
    entry = CATALOG.get(dataset)
    if entry:
        return entry.fingerprint
    return load(dataset).fingerprint


def data_title(dataset: str, fingerprint: str | None = None) -> str:
    """Return the title of a data set for people.

    Args:
        dataset: name in the catalogue, or a folder.
        fingerprint: fingerprint of the contents; its beginning distinguishes folders of the same name.

    Returns:
        The title in the catalogue, or the folder's name with the beginning of the fingerprint, if given.
    """
    entry = CATALOG.get(dataset)
    if entry:
        return entry.title
    name = DataSpec(dataset=dataset).name
    if fingerprint:
        return f"{name} (SHA-256 {fingerprint[:SHORT]})"
    return name


def require_folder(dataset: str, said: str, folder: Path | None = None) -> None:
    """Raise an error for a data set that is neither in the catalogue nor a folder.

    Args:
        dataset: name or path returned by `locate`.
        said: name or path as it was requested, for the message.
        folder: base of a relative path, for the message; None for the current folder.

    Raises:
        DataError: there is no such data set.
    """
    if dataset not in CATALOG and not Path(dataset).is_dir():
        where = f", looked for from {folder}" if folder else ""
        raise DataError(
            f"no data set {said!r}: expected a name ({', '.join(CATALOG)}) or a folder with the four IDX "
            f"files of a data set{where}"
        )

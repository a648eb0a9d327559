"""What a data set is called: the place that it is loaded from, and its name for people."""

from __future__ import annotations

import os
from pathlib import Path

from digitlab.data.catalog import CATALOG
from digitlab.data.dataset import load
from digitlab.errors import DataError
from digitlab.spec.trial import DataSpec

SHORT = 8
"""Digits of a fingerprint that tell the data sets of one person apart."""


def locate(dataset: str, folder: Path | None = None) -> str:
    """Give the name or the absolute path under which a data set is found from everywhere.

    Args:
        dataset: a name in the catalogue, or a folder.
        folder: from which a relative path leads; the current one unless said.

    Raises:
        SpecError: the path is none in UTF-8, and so could not be kept with a result.
    """
    if dataset in CATALOG:
        return dataset
    path = os.path.abspath(Path(folder or "", dataset))  # noqa: PTH100 (links keep their names)
    return DataSpec.from_values({"dataset": path}, f"data {dataset!r}").dataset


def known_fingerprint(dataset: str) -> str:
    """Give the fingerprint of a data set, without loading it where its name says it.

    Args:
        dataset: a name in the catalogue, or a folder.

    Returns:
        SHA-256 in 64 hexadecimal digits.

    Raises:
        DataError: as for `load`.
    """
    entry = CATALOG.get(dataset)
    return entry.fingerprint if entry else load(dataset).fingerprint


def data_title(dataset: str, fingerprint: str | None = None) -> str:
    """Name a data set for people.

    Args:
        dataset: a name in the catalogue, or a folder.
        fingerprint: of its contents; its beginning tells two folders of one name apart.

    Returns:
        The title in the catalogue, or the folder's name.
    """
    entry = CATALOG.get(dataset)
    if entry:
        return entry.title
    name = DataSpec(dataset=dataset).name
    return f"{name} (SHA-256 {fingerprint[:SHORT]})" if fingerprint else name


def require_folder(dataset: str, said: str, folder: Path | None = None) -> None:
    """Refuse a data set that is neither known by name nor a folder, in the words in which it was asked for.

    Args:
        dataset: as `locate` gives it.
        said: as it was asked for.
        folder: from which a relative path leads, if it is not the current one.

    Raises:
        DataError: there is none.
    """
    if dataset not in CATALOG and not Path(dataset).is_dir():
        where = f", looked for from {folder}" if folder else ""
        raise DataError(
            f"no data set {said!r}: expected a name ({', '.join(CATALOG)}) or a folder with the four IDX "
            f"files of a data set{where}"
        )

"""Paths of everything that digitlab writes: results beside the store, and the user's cache."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_NOT_FOR_NAMES = re.compile(r"[^\w.-]+")
_LONGEST_DATA = 80  # bytes of a data set's name in the name of a file, which may have 255 in all


@dataclass(frozen=True)
class Workspace:
    """Paths in a folder of results.

    Attributes:
        root: the folder of results.
        store_name: file name of the store in it.
    """

    root: Path = Path("digitlab-results")
    store_name: str = "store.sqlite"

    @classmethod
    def of(cls, store: Path | str) -> Self:
        """Return the workspace of a store: everything else lies beside it."""
        path = Path(store)
        return cls(path.parent, path.name)

    @property
    def store(self) -> Path:
        """The SQLite file of results."""
        return self.root / self.store_name

    @property
    def models(self) -> Path:
        """The folder of trained networks, a bundle each."""
        return self.root / "models"

    def model(self, recipe: str, seed: int) -> Path:
        """Return the folder of a network that is trained alone.

        Args:
            recipe: name of the recipe.
            seed: seed of the training.
        """
        return self.models / f"{recipe}-seed{seed}"

    @property
    def reports(self) -> Path:
        """The folder of reports."""
        return self.root / "reports"

    @property
    def exports(self) -> Path:
        """The folder of networks in other formats."""
        return self.root / "exports"

    @property
    def studies(self) -> Path:
        """The folder of studies that were written in the browser, a TOML file each."""
        return self.root / "studies"

    @property
    def drawings(self) -> Path:
        """The folder of drawings that people corrected, with a subfolder for each digit."""
        return self.root / "drawings"

    @property
    def measurements(self) -> Path:
        """The folder of results of benchmarks."""
        return self.root / "measurements"

    def report(
        self, study: str, form: str = "html", *, data: str | None = None, fingerprint: str | None = None
    ) -> Path:
        """Return the path of the report of a study or collection, one for each data set.

        Args:
            study: name of the study or collection.
            form: file format, `html` or `md`.
            data: data set, a known name or a folder; None where it is the one that the study's own file
                names.
            fingerprint: fingerprint of a data set that is a folder, since two folders may share a name; None
                for a known name.
        """
        name = study if data is None else f"{study}-on-{_file_name(data)}"
        suffix = "" if data is None or fingerprint is None else f"-{fingerprint[:8]}"
        return self.reports / f"{name}{suffix}.{form}"


DEFAULT_STORE = Workspace().store
"""Path of the store unless `--store` names another."""


def _file_name(data: str) -> str:
    """Return a data set's name with characters and a length that any file system accepts."""
    safe = _NOT_FOR_NAMES.sub("_", Path(data).name).encode()[:_LONGEST_DATA].decode(errors="ignore")
    return safe or "data"


def cache_folder() -> Path | None:
    """Return digitlab's cache folder of the user, which may not exist yet; None if the user has no home.

    It lies in `XDG_CACHE_HOME`, or in `LOCALAPPDATA` on Windows; else in `~/.cache`.
    """
    place = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME", "")
    if Path(place).is_absolute():  # the specification of XDG_CACHE_HOME asks to ignore other paths
        return Path(place) / "digitlab"
    try:
        return Path.home() / ".cache" / "digitlab"
    except RuntimeError:
        return None

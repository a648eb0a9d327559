"""Where everything that digitlab makes lies: beside the store."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_NOT_FOR_NAMES = re.compile(r"[^\w.-]+")
_LONGEST_DATA = 80  # bytes of a data set's name in the name of a file, which may have 255 in all


@dataclass(frozen=True)
class Workspace:
    """The places of a folder of results.

    Attributes:
        root: the folder.
        store_name: file name of the store in it.
    """

    root: Path = Path("digitlab-results")
    store_name: str = "store.sqlite"

    @classmethod
    def of(cls, store: Path | str) -> Self:
        """Give the workspace that a store lies in: everything else lies beside it."""
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
        """The folder of studies that were described in the browser, a TOML file each."""
        return self.root / "studies"

    @property
    def drawings(self) -> Path:
        """The folder of drawings that people corrected, in a folder of each digit."""
        return self.root / "drawings"

    @property
    def measurements(self) -> Path:
        """The folder of what benchmarks measured."""
        return self.root / "measurements"

    def report(
        self, study: str, form: str = "html", *, data: str | None = None, fingerprint: str | None = None
    ) -> Path:
        """Give the place of a study's report, or a collection's: one for each data set.

        Args:
            study: name of the study or collection.
            form: `html` or `md`.
            data: the data set, a known name or a folder; None where it is the one that the study's own file
                names.
            fingerprint: of a data set that is a folder, since two folders may share a name; None for a
                known name.
        """
        name = study if data is None else f"{study}-on-{_file_name(data)}"
        suffix = "" if data is None or fingerprint is None else f"-{fingerprint[:8]}"
        return self.reports / f"{name}{suffix}.{form}"


DEFAULT_STORE = Workspace().store
"""Where results are kept unless `--store` says otherwise."""


def _file_name(data: str) -> str:
    """Name a data set as any file system can."""
    safe = _NOT_FOR_NAMES.sub("_", Path(data).name).encode()[:_LONGEST_DATA].decode(errors="ignore")
    return safe or "data"

"""Opening of a store's SQLite file, read-only if nothing can be written beside it."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

BUSY_SECONDS = 30.0
"""Seconds that a statement waits for another process."""

_UNWRITABLE = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)
"""Result codes if SQLite cannot create the files that it needs beside a database even to read it."""


class OpenedFile(NamedTuple):
    """An open database.

    Attributes:
        database: connection to the database.
        obstacle: reason why it is read-only (empty: none is known).
        copy: folder of the copy that is read in its place (None: the file itself is read).
    """

    database: sqlite3.Connection
    obstacle: str = ""
    copy: TemporaryDirectory[str] | None = None


def open_database(path: Path) -> OpenedFile:
    """Open a database; a missing one is created, empty.

    Args:
        path: path of the file.

    Raises:
        sqlite3.Error: the file cannot even be read.
        OSError: the path cannot be examined.
    """
    try:
        return OpenedFile(_connect(str(path.absolute())))
    except sqlite3.Error as error:
        if primary_code(error) not in _UNWRITABLE or not path.is_file():
            raise
        try:
            return _open_for_reading(path, str(error))
        except (sqlite3.Error, OSError):
            raise error from None


def primary_code(error: sqlite3.Error) -> int:
    """Return the primary result code of an error, without the extended part."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _open_for_reading(path: Path, obstacle: str) -> OpenedFile:
    log = Path(f"{path}-wal")
    if not log.exists() or not log.stat().st_size:
        # All data is in the file itself, so SQLite can do without the files beside it.
        return OpenedFile(_connect(f"{path.absolute().as_uri()}?immutable=1"), obstacle)
    # The last transactions of a killed writer are in the log alone, which SQLite reads only if it can write.
    copy = TemporaryDirectory(prefix="digitlab-")
    try:
        for source in (path, log):
            shutil.copyfile(source, Path(copy.name, source.name))
        return OpenedFile(_connect(str(Path(copy.name, path.name))), obstacle, copy)
    except BaseException:
        copy.cleanup()
        raise


def _connect(name: str) -> sqlite3.Connection:
    # Names are absolute, because SQLite takes some, such as :memory:, for no file at all.
    is_uri = name.startswith("file:")
    database = sqlite3.connect(name, timeout=BUSY_SECONDS, isolation_level=None, uri=is_uri)
    try:
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()  # SQLite opens the file only now
    except BaseException:
        database.close()
        raise
    return database

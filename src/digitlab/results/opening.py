"""The SQLite file of a store: opened for all, or for reading alone where nothing can be written beside it."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

BUSY_SECONDS = 30.0
"""How long a statement waits for another process."""

_UNWRITABLE = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)
"""What SQLite says where it cannot make the files that it keeps beside a database, even to read it."""


class OpenedFile(NamedTuple):
    """A database and what is known of it.

    Attributes:
        database: the open connection.
        obstacle: why it can only be read (empty: nothing is known that speaks against writing).
        copy: folder of the copy that is read in its place (None: it is read itself).
    """

    database: sqlite3.Connection
    obstacle: str = ""
    copy: TemporaryDirectory[str] | None = None


def open_database(path: Path) -> OpenedFile:
    """Open a database; one that is not there yet is made, empty.

    Args:
        path: of the file.

    Raises:
        sqlite3.Error: it cannot even be read.
        OSError: likewise.
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
    """Give what kind of failure it was, without the part of its code that says where."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _open_for_reading(path: Path, obstacle: str) -> OpenedFile:
    log = Path(f"{path}-wal")
    if not log.exists() or not log.stat().st_size:
        # Nothing but the file itself holds data: SQLite may do without all that it keeps beside it.
        return OpenedFile(_connect(f"{path.absolute().as_uri()}?immutable=1"), obstacle)
    # What a killed writer finished last is in the log alone, which SQLite only reads where it can write.
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
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()  # SQLite opens it only now
    except BaseException:
        database.close()
        raise
    return database

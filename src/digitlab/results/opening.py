"""Opening of a store's SQLite file: its tables are made or checked; read-only if nothing can be written."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from digitlab.errors import StoreError

APPLICATION_ID = 0x6467_4C62
"""SQLite application id of a digitlab store: "dgLb"."""

VERSION = 3
"""Version of the tables; since 3, predictions are packed."""
READABLE = (2, VERSION)
"""Versions that are read; a store of an older one has the present version from its first change on."""

TABLES = (
    """
    CREATE TABLE trials (
        id TEXT PRIMARY KEY,
        status TEXT NOT NULL CHECK (status IN ('running', 'interrupted', 'failed', 'done')),
        reason TEXT NOT NULL DEFAULT '',
        changed TEXT NOT NULL,
        family TEXT NOT NULL,
        epochs INTEGER NOT NULL,
        spec TEXT NOT NULL,
        result TEXT
    ) STRICT
    """,
    "CREATE INDEX families ON trials (family)",
    # Plan of the last run of each study on each data set.
    """
    CREATE TABLE plans (
        study TEXT NOT NULL,
        changed TEXT NOT NULL,
        plan TEXT NOT NULL
    ) STRICT
    """,
    "CREATE UNIQUE INDEX plans_by_study_and_data ON plans (study, json_extract(plan, '$.fingerprint'))",
    """
    CREATE TABLE predictions (
        trial TEXT NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
        epoch INTEGER NOT NULL,
        classes BLOB NOT NULL,
        PRIMARY KEY (trial, epoch)
    ) STRICT, WITHOUT ROWID
    """,
    # Key figures of each result, so that a study can be shown without reading whole results.
    """
    CREATE TABLE figures (
        trial TEXT NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
        epoch INTEGER NOT NULL,
        test_error REAL NOT NULL,
        validation_error REAL NOT NULL,
        test_mse REAL NOT NULL,
        train_seconds REAL NOT NULL,
        parameters INTEGER NOT NULL,
        multiply_adds INTEGER NOT NULL,
        PRIMARY KEY (trial, epoch)
    ) STRICT, WITHOUT ROWID
    """,
)
"""Statements that create the tables of a store."""

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

    def close(self) -> None:
        """Close the database, and remove the copy."""
        self.database.close()
        if self.copy is not None:
            self.copy.cleanup()


def open_store(path: Path) -> OpenedFile:
    """Open a store; an empty or missing file is made one.

    Args:
        path: path of the file.

    Raises:
        StoreError: the file is another database, or a store of another version.
        sqlite3.Error: the file cannot be read or, if it is empty, not written.
        OSError: the path cannot be examined.
    """
    opened = _open(path)
    try:
        is_new = not _is_store(opened.database, path)
        opened.database.execute("PRAGMA foreign_keys = ON")
        opened.database.execute("PRAGMA synchronous = FULL")
        if is_new:
            _create(opened, path)
        version = _number(opened.database, "PRAGMA user_version")
        # Early stores have no key figures, under the same version.
        figures = _number(opened.database, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'figures'")
        if version not in READABLE or not figures:
            received = version if version not in READABLE else f"{version} without key figures"
            raise StoreError(
                f"store {path}: expected version {VERSION}, received {received}; use the digitlab that wrote "
                "it, or name another --store"
            )
    except BaseException:
        opened.close()
        raise
    return opened


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Write to a database as the only one: all of it on a normal exit, nothing after an error.

    Args:
        database: open database without a transaction.

    Raises:
        sqlite3.Error: the database cannot be written.
    """
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def raise_version(database: sqlite3.Connection) -> None:
    """Mark a store as one of the present version, within a transaction that changes it."""
    if _number(database, "PRAGMA user_version") != VERSION:
        database.execute(f"PRAGMA user_version = {VERSION}")


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether a statement failed because another process holds the database."""
    return _primary_code(error) == sqlite3.SQLITE_BUSY


def _primary_code(error: sqlite3.Error) -> int:
    """Return the primary result code of an error, without the extended part."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _is_store(database: sqlite3.Connection, path: Path) -> bool:
    """Return True for a store, False for an empty file; raise for anything else before it is changed."""
    # Tables first: another process may be creating the store, which commits tables and id together.
    if not _number(database, "SELECT count(*) FROM sqlite_master"):
        return False
    if _number(database, "PRAGMA application_id") != APPLICATION_ID:
        raise StoreError(
            f"store {path}: expected a digitlab store, received another SQLite database; name another --store"
        )
    return True


def _create(opened: OpenedFile, path: Path) -> None:
    database = opened.database
    _enter_wal(database)
    if opened.obstacle:
        raise sqlite3.OperationalError(opened.obstacle)
    with transaction(database):
        if _is_store(database, path):
            return  # another process was faster
        for statement in TABLES:
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {VERSION}")


def _enter_wal(database: sqlite3.Connection) -> None:
    """Switch to a write-ahead log; SQLite refuses without waiting while another process even reads."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _number(database: sqlite3.Connection, query: str) -> int:
    return database.execute(query).fetchone()[0]


def _open(path: Path) -> OpenedFile:
    try:
        return OpenedFile(_connect(str(path.absolute())))
    except sqlite3.Error as error:
        if _primary_code(error) not in _UNWRITABLE or not path.is_file():
            raise
        try:
            return _open_for_reading(path, str(error))
        except (sqlite3.Error, OSError):
            raise error from None


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

"""The tables of a result store."""

from __future__ import annotations

APPLICATION_ID = 0x6467_4C62
"""Tells a digitlab store from every other SQLite database: "dgLb"."""

VERSION = 1

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
    """
    CREATE TABLE plans (
        study TEXT PRIMARY KEY,
        changed TEXT NOT NULL,
        plan TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE predictions (
        trial TEXT NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
        epoch INTEGER NOT NULL,
        classes BLOB NOT NULL,
        PRIMARY KEY (trial, epoch)
    ) STRICT, WITHOUT ROWID
    """,
)

FIGURES = """
    CREATE TABLE IF NOT EXISTS figures (
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
"""
"""What a table takes of each result, so that a study is shown without reading all that is kept of it.

The first stores have none, and what they hold is read whole; it comes with the next result.
"""

"""The tables of a result store."""

from __future__ import annotations

APPLICATION_ID = 0x6467_4C62
"""Tells a digitlab store from every other SQLite database: "dgLb"."""

VERSION = 2
"""Version 1 kept one plan a study, whatever data it was run on. It is read as it is, and brought to this
version by the first who writes to it."""

PLANS = (
    """
    CREATE TABLE plans (
        study TEXT NOT NULL,
        changed TEXT NOT NULL,
        plan TEXT NOT NULL
    ) STRICT
    """,
    # No column of its own for the fingerprint, so that one query reads the plans of both versions.
    "CREATE UNIQUE INDEX plans_by_study_and_data ON plans (study, json_extract(plan, '$.fingerprint'))",
)
"""How each study was last run on each data set."""

TO_VERSION_2 = (
    "ALTER TABLE plans RENAME TO plans_of_version_1",
    *PLANS,
    "INSERT INTO plans SELECT study, changed, plan FROM plans_of_version_1",
    "DROP TABLE plans_of_version_1",
    "PRAGMA user_version = 2",
)

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
    *PLANS,
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

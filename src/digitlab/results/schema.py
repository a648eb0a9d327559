"""The tables of a result store."""

from __future__ import annotations

APPLICATION_ID = 0x6467_4C62
"""SQLite application id of a digitlab store: "dgLb"."""

VERSION = 2
"""Version of the schema. Version 1 kept one plan per study, for any data; it can be read as it is, and the
first process that writes to it upgrades it."""

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
"""Plan of the last run of each study on each data set."""

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
"""Key figures of each result, so that a study can be shown without reading whole results.

The first stores lack this table, and their results are read whole; the next result creates it.
"""

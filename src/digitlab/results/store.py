"""The result store: one SQLite file that one runner writes and any number of processes read."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

import numpy as np

from digitlab.errors import SpecError, StoreError
from digitlab.results import schema
from digitlab.results.opening import BUSY_SECONDS, open_database, primary_code
from digitlab.results.record import Figures, Result
from digitlab.spec.base import Spec
from digitlab.spec.plan import Plan
from digitlab.spec.trial import Trial, checkpoints

S = TypeVar("S", bound=Spec)

_PART = 500  # parameters in one SQL statement


class Status(NamedTuple):
    """Status of a trial in the store.

    Attributes:
        state: `running`, `interrupted`, `failed` or `done`.
        reason: reason why it failed or was interrupted (empty: it did not).
    """

    state: str
    reason: str


class KeptPlan(NamedTuple):
    """A study that was run, on one data set.

    Attributes:
        study: name of the study.
        fingerprint: SHA-256 of the data's contents.
        changed: time of the last run, ISO 8601.
    """

    study: str
    fingerprint: str
    changed: str


def reasons(statuses: Mapping[str, Status], state: str) -> dict[str, str]:
    """Return the reasons of the trials in a state, by trial id."""
    return {trial: status.reason for trial, status in statuses.items() if status.state == state}


class Store:
    """Results by trial id, in one SQLite file.

    Laws:
        - A result is stored completely or not at all: one transaction each, on disk before `finish` returns.
        - Any number of processes can read while one writes; `exclusive` keeps a second runner out.
        - After a `kill -9` at any moment the file is intact and has every result that `finish` returned from.
        - A store can be read even if neither it nor its folder can be written.

    Args:
        path: path of the file.
        create: whether a missing store is created, with its folder; else it must exist.

    Raises:
        StoreError: the file cannot be read, is not a store, or has a newer version.
    """

    def __init__(self, path: Path | str, *, create: bool = True) -> None:
        self.path = Path(path)
        with self._errors():
            if create:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            elif not self.path.exists():
                raise StoreError(
                    f"store {self.path}: there is none yet; run a study first, or name another --store"
                )
            self._db, self._obstacle, self._copy = open_database(self.path)
            try:
                self._open()
            except BaseException:
                self.close()
                raise

    def _open(self) -> None:
        ours = self._is_ours()
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute("PRAGMA synchronous = FULL")
        if not ours:
            self._enter_wal()
            self._create()
        version = self._number("PRAGMA user_version")
        if version > schema.VERSION:
            raise StoreError(
                f"store {self.path}: expected version {schema.VERSION} or older, received {version}; "
                "use the newer digitlab that wrote it, or name another --store"
            )

    def _is_ours(self) -> bool:
        """Return True for a store, False for an empty file; raise for anything else before it is changed."""
        # Tables first: another process may be creating the store, which commits tables and id together.
        if not self._number("SELECT count(*) FROM sqlite_master"):
            return False
        if self._number("PRAGMA application_id") != schema.APPLICATION_ID:
            raise StoreError(
                f"store {self.path}: expected a digitlab store, received another SQLite database; "
                "name another --store"
            )
        return True

    def _number(self, query: str) -> int:
        return self._db.execute(query).fetchone()[0]

    def _enter_wal(self) -> None:
        """Switch to a write-ahead log; SQLite refuses without waiting while another process even reads."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)

    def _create(self) -> None:
        with self._transaction():
            if self._is_ours():
                return  # another process was faster
            for statement in (*schema.TABLES, schema.FIGURES):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version = {schema.VERSION}")

    def close(self) -> None:
        """Close the file."""
        self._db.close()
        if self._copy is not None:
            self._copy.cleanup()

    @property
    def obstacle(self) -> str:
        """Reason why the store is read-only (empty: none is known)."""
        effective = os.access in os.supports_effective_ids
        if self._obstacle or os.access(self.path, os.W_OK, effective_ids=effective):
            return self._obstacle
        return "the file may not be written"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Lock the store for one runner; the lock ends with the process, however that ends.

        Trials that a killed runner left as `running` become `interrupted`.

        Raises:
            StoreError: another runner is working on this store.
        """
        # An exclusive transaction on a file beside the store is an advisory lock on every system.
        with self._errors():
            lock = sqlite3.connect(f"{self.path}.lock", timeout=0, isolation_level=None)
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.Error as error:
                lock.close()
                if not _is_busy(error):
                    raise
                raise StoreError(
                    f"store {self.path}: another digitlab is running a study on it; wait until it has ended, "
                    "or name another --store"
                ) from None
        try:
            self._interrupt()
            yield
        finally:
            with suppress(StoreError):  # a full disk, say, has been reported already
                self._interrupt()
            lock.close()

    def _interrupt(self) -> None:
        with self._transaction():
            self._db.execute(
                "UPDATE trials SET status = 'interrupted', reason = ?, changed = ? WHERE status = 'running'",
                ("the study was stopped while it ran", _now()),
            )

    def keep_plan(self, plan: Plan) -> None:
        """Store the plan of a study's last run on the plan's data, replacing the one before."""
        with self._transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO plans (study, changed, plan) VALUES (?, ?, ?)",
                (plan.study.name, _now(), plan.to_json()),
            )

    def plan(self, study: str, fingerprint: str) -> Plan | None:
        """Return the plan of a study's last run on a data set (None: there was no run).

        Args:
            study: name of the study.
            fingerprint: SHA-256 of the data's contents.
        """
        query = "SELECT plan FROM plans WHERE study = ? AND json_extract(plan, '$.fingerprint') = ?"
        with self._errors():
            row = self._db.execute(query, (study, fingerprint)).fetchone()
        return self._decoded(Plan, row[0]) if row else None

    def plans(self, study: str) -> list[Plan]:
        """Return the plan of a study's last run on each data set, the latest first."""
        query = "SELECT plan FROM plans WHERE study = ? ORDER BY changed DESC, plan"
        with self._errors():
            rows = self._db.execute(query, (study,)).fetchall()
        return [self._decoded(Plan, row[0]) for row in rows]

    def studies(self) -> list[KeptPlan]:
        """List the studies that were run, once per data set, the latest first."""
        query = (
            "SELECT study, json_extract(plan, '$.fingerprint'), changed FROM plans "
            "ORDER BY changed DESC, study, plan"
        )
        with self._errors():
            return [KeptPlan(*row) for row in self._db.execute(query)]

    def is_taken(self) -> bool:
        """Return whether a runner is working on this store."""
        lock = Path(f"{self.path.absolute()}.lock")
        if not lock.exists():
            return False
        with (
            self._errors(),
            closing(sqlite3.connect(f"{lock.as_uri()}?mode=ro", timeout=0, uri=True)) as found,
        ):
            try:
                found.execute("SELECT count(*) FROM sqlite_master").fetchone()
            except sqlite3.OperationalError as error:
                if not _is_busy(error):
                    raise
                return True
        return False

    def start(self, trial: Trial) -> None:
        """Mark a trial as running; a trial with a result stays `done` until there is a new one."""
        self._mark(trial, "running", "")

    def finish(self, result: Result) -> None:
        """Store the result of a trial."""
        with self._transaction():
            self._db.execute("DELETE FROM trials WHERE id = ?", (result.trial.id,))
            self._db.execute(
                "INSERT INTO trials (id, status, changed, family, epochs, spec, result) "
                "VALUES (?, 'done', ?, ?, ?, ?, ?)",
                (result.trial.id, _now(), *_identity(result.trial), result.to_json()),
            )
            self._db.executemany(
                "INSERT INTO predictions (trial, epoch, classes) VALUES (?, ?, ?)",
                [
                    (result.trial.id, epoch, classes.tobytes())
                    for epoch, classes in result.predictions.items()
                ],
            )
            self._db.execute(schema.FIGURES)
            self._db.executemany(
                "INSERT INTO figures VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(result.trial.id, epoch, *result.figures(epoch)) for epoch in result.test],
            )

    def fail(self, trial: Trial, reason: str) -> None:
        """Store that a trial failed, and why; a trial with a result stays `done`."""
        self._mark(trial, "failed", reason)

    def _mark(self, trial: Trial, status: str, reason: str) -> None:
        with self._transaction():
            self._db.execute(
                "INSERT INTO trials (id, status, reason, changed, family, epochs, spec) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET status = excluded.status, reason = excluded.reason, "
                "changed = excluded.changed WHERE status != 'done'",
                (trial.id, status, reason, _now(), *_identity(trial)),
            )

    def statuses(self, ids: Iterable[str]) -> dict[str, Status]:
        """Return the statuses of trials by id; those never started are missing."""
        rows = self._select("SELECT id, status, reason FROM trials WHERE id IN", ids)
        return {trial: Status(state, reason) for trial, state, reason in rows}

    def sources(self, trials: Iterable[Trial]) -> dict[str, str]:
        """Find the trials whose results can be read for some trials: themselves, or longer trainings.

        Args:
            trials: trials to look up.

        Returns:
            Ids of the given trials, mapped to ids of trials that are done and have the given trial's last
            epoch as a checkpoint; trials without one are missing.
        """
        return self._sources({trial.id: trial for trial in trials})

    def _sources(self, asked: Mapping[str, Trial]) -> dict[str, str]:
        families = {trial: each.family for trial, each in asked.items()}
        done: dict[str, list[tuple[int, str]]] = {}
        query = "SELECT family, epochs, id FROM trials WHERE status = 'done' AND family IN"
        for family, epochs, source in self._select(query, families.values()):
            done.setdefault(family, []).append((epochs, source))
        found: dict[str, str] = {}
        for trial, each in asked.items():
            for epochs, source in sorted(done.get(families[trial], ())):
                if each.training.epochs in checkpoints(epochs):
                    found[trial] = source
                    break
        return found

    def results(self, trials: Iterable[Trial]) -> dict[str, Result]:
        """Return the results of the trials that are done, by id, without their predictions.

        Args:
            trials: trials to read; one that is a checkpoint of a longer training is done, too.
        """
        asked = {trial.id: trial for trial in trials}
        sources = self._sources(asked)
        rows = self._select("SELECT id, result FROM trials WHERE id IN", sources.values())
        trained = {source: self._decoded(Result, text) for source, text in rows}
        return {trial: trained[source].after(asked[trial]) for trial, source in sources.items()}

    def figures(self, trials: Iterable[Trial]) -> dict[str, Figures]:
        """Return only the key figures of the trials that are done, by id.

        Args:
            trials: trials to read; one that is a checkpoint of a longer training is done, too.
        """
        asked = {trial.id: trial for trial in trials}
        sources = self._sources(asked)
        query = "SELECT * FROM figures WHERE trial IN"
        known = self._number("SELECT count(*) FROM sqlite_master WHERE name = 'figures'")
        rows = self._select(query, sources.values()) if known else ()
        kept = {(source, epoch): Figures(*figures) for source, epoch, *figures in rows}
        found: dict[str, Figures] = {}
        for trial, source in sources.items():
            epochs = asked[trial].training.epochs
            read = kept.get((source, epochs))
            found[trial] = read or self.results([asked[trial]])[trial].figures(epochs)
        return found

    def predictions(self, trial: Trial) -> np.ndarray:
        """Return the classes predicted for the test images after a trial's last epoch, uint8 [n].

        Raises:
            StoreError: no predictions are stored.
        """
        epoch = trial.training.epochs
        query = "SELECT classes FROM predictions WHERE trial = ? AND epoch = ?"
        source = self.sources([trial]).get(trial.id)
        with self._errors():
            row = self._db.execute(query, (source, epoch)).fetchone()
        if row is None:
            raise StoreError(
                f"store {self.path}: no predictions of trial {trial.id} after epoch {epoch}; train it again"
            )
        return np.frombuffer(row[0], np.uint8)

    def counts(self) -> dict[str, int]:
        """Count the trials in each state."""
        with self._errors():
            return dict(
                self._db.execute("SELECT status, count(*) FROM trials GROUP BY status ORDER BY status")
            )

    def check(self) -> str:
        """Run SQLite's integrity check; return `ok`, or the first error in one line."""
        with self._errors():
            return " ".join(self._db.execute("PRAGMA integrity_check").fetchone()[0].split())

    def _select(self, query: str, ids: Iterable[str]) -> Iterator[tuple]:
        wanted = list(dict.fromkeys(ids))
        for begin in range(0, len(wanted), _PART):
            part = wanted[begin : begin + _PART]
            with self._errors():
                yield from self._db.execute(f"{query} ({', '.join('?' * len(part))})", part).fetchall()

    def _decoded(self, kind: type[S], text: str) -> S:
        try:
            return kind.from_json(text, kind.__name__.lower())
        except SpecError as error:
            raise StoreError(
                f"store {self.path}: expected what this version of digitlab writes, received {error}; "
                "name another --store"
            ) from None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if self._obstacle:
            raise self._error(self._obstacle)
        with self._errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                if self._number("PRAGMA user_version") == 1:
                    for statement in schema.TO_VERSION_2:
                        self._db.execute(statement)
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise self._error(str(error)) from None

    def _error(self, cause: str) -> StoreError:
        return StoreError(
            f"store {self.path}: {cause}; check that the folder can be written, that the disk has room and "
            "that the file is a digitlab store"
        )


def _is_busy(error: sqlite3.Error) -> bool:
    return primary_code(error) == sqlite3.SQLITE_BUSY


def _identity(trial: Trial) -> tuple[str, int, str]:
    return trial.family, trial.training.epochs, trial.to_json()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")

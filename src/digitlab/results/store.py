"""The result store: one SQLite file that one runner writes and any number of processes read."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np

from digitlab.errors import SpecError, StoreError
from digitlab.results.opening import is_busy, open_store, raise_version, transaction
from digitlab.results.packing import pack, unpack
from digitlab.results.record import Figures, Result
from digitlab.spec.base import Spec
from digitlab.spec.plan import Plan
from digitlab.spec.trial import Trial, checkpoints

S = TypeVar("S", bound=Spec)


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


class StoredTrial(NamedTuple):
    """Everything that a store has of one trial, as it is stored.

    Attributes:
        id: the trial's id.
        status: `running`, `interrupted`, `failed` or `done`.
        reason: reason why it failed or was interrupted.
        changed: time of the last change, ISO 8601.
        family: id of the trial's prefix group.
        epochs: the trial's epochs.
        spec: the trial as JSON.
        result: its result as JSON (None: it has none).
        predictions: classes predicted for the test images, a byte each, by checkpoint epoch.
        figures: key figures, each with its checkpoint epoch first.
    """

    id: str
    status: str
    reason: str
    changed: str
    family: str
    epochs: int
    spec: str
    result: str | None
    predictions: dict[int, bytes]
    figures: tuple[tuple[Any, ...], ...]


def reasons(statuses: Mapping[str, Status], state: str) -> dict[str, str]:
    """Return the reasons of the trials in a state, by trial id."""
    return {trial: status.reason for trial, status in statuses.items() if status.state == state}


class Store:
    """Results by trial id, in one SQLite file.

    Laws:
        - A result is stored completely or not at all, on disk before `finish` or `record` returns.
        - Any number of processes can read while one writes; `exclusive` keeps a second runner out.
        - After a `kill -9` at any moment the file is intact and has every result that `finish` or `record`
          returned from.
        - A store can be read even if neither it nor its folder can be written.

    Args:
        path: path of the file.
        create: whether a missing store is created, with its folder; else it must exist.

    Raises:
        StoreError: the file cannot be read, is not a store, or has another version.
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
            self._opened = open_store(self.path)
        self._db = self._opened.database

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    @property
    def obstacle(self) -> str:
        """Reason why the store is read-only (empty: none is known)."""
        if self._opened.obstacle:
            return self._opened.obstacle
        effective = os.access in os.supports_effective_ids  # Windows has none
        if os.access(self.path, os.W_OK, effective_ids=effective):
            return ""
        return "the file may not be written"

    @property
    def _lock(self) -> Path:
        return Path(f"{self.path.absolute()}.lock")

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
            lock = sqlite3.connect(self._lock, timeout=0, isolation_level=None)
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.Error as error:
                lock.close()
                if not is_busy(error):
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

    def save_plan(self, plan: Plan) -> None:
        """Store the plan of a study's last run on the plan's data, replacing the one before."""
        with self._transaction():
            self._insert_plan(plan)

    def _insert_plan(self, plan: Plan) -> None:
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
        if row is None:
            return None
        return self._decoded(Plan, row[0])

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

    def is_locked(self) -> bool:
        """Return whether a runner is working on this store."""
        if not self._lock.exists():
            return False
        address = f"{self._lock.as_uri()}?mode=ro"
        with self._errors(), closing(sqlite3.connect(address, timeout=0, uri=True)) as lock:
            try:
                lock.execute("SELECT count(*) FROM sqlite_master").fetchone()
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise
                return True
        return False

    def start(self, trial: Trial) -> None:
        """Mark a trial as running; a trial with a result stays `done` until there is a new one."""
        self.record([trial])

    def finish(self, result: Result) -> None:
        """Store the result of a trial."""
        self.record(finished=[result])

    def fail(self, trial: Trial, reason: str) -> None:
        """Store that a trial failed, and why; a trial with a result stays `done`."""
        self.record(failed=[(trial, reason)])

    def record(
        self,
        started: Iterable[Trial] = (),
        finished: Iterable[Result] = (),
        failed: Iterable[tuple[Trial, str]] = (),
    ) -> None:
        """Store what has happened to trials: all of it or nothing, in one transaction.

        Args:
            started: trials to mark as running.
            finished: results.
            failed: trials that failed, each with the reason.
        """
        with self._transaction():
            for trial in started:
                self._mark(trial, "running", "")
            for result in finished:
                self._insert_result(result)
            for trial, reason in failed:
                self._mark(trial, "failed", reason)

    def _insert_result(self, result: Result) -> None:
        trial = result.trial
        self._db.execute("DELETE FROM trials WHERE id = ?", (trial.id,))
        self._db.execute(
            "INSERT INTO trials (id, status, changed, family, epochs, spec, result) "
            "VALUES (?, 'done', ?, ?, ?, ?, ?)",
            (trial.id, _now(), *_identity(trial), result.model_dump_json(exclude_none=True)),
        )
        predictions = {epoch: classes.tobytes() for epoch, classes in result.predictions.items()}
        figures = [(epoch, *result.figures(epoch)) for epoch in result.test]
        self._insert_details(trial.id, predictions, figures)

    def _insert_details(
        self, id_: str, predictions: Mapping[int, bytes], figures: Iterable[tuple[Any, ...]]
    ) -> None:
        self._db.executemany(
            "INSERT INTO predictions (trial, epoch, classes) VALUES (?, ?, ?)",
            [(id_, epoch, packed) for epoch, packed in pack(predictions).items()],
        )
        self._db.executemany(
            "INSERT INTO figures VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [(id_, *values) for values in figures]
        )

    def _mark(self, trial: Trial, status: str, reason: str) -> None:
        self._db.execute(
            "INSERT INTO trials (id, status, reason, changed, family, epochs, spec) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET status = excluded.status, reason = excluded.reason, "
            "changed = excluded.changed WHERE status != 'done'",
            (trial.id, status, reason, _now(), *_identity(trial)),
        )

    def statuses(self, ids: Iterable[str], *, done: bool = True) -> dict[str, Status]:
        """Return the statuses of trials by id; those never started are missing.

        Args:
            ids: ids of the trials.
            done: whether to return those that are done, too.
        """
        others = "" if done else "status != 'done' AND "
        rows = self._select(f"SELECT id, status, reason FROM trials WHERE {others}id IN", ids)
        return {trial: Status(state, reason) for trial, state, reason in rows}

    def find_runs(self, trials: Iterable[Trial]) -> dict[str, str]:
        """Find the trials whose results can be read for some trials: themselves, or longer trainings.

        Args:
            trials: trials to look up.

        Returns:
            Ids of the given trials, mapped to ids of trials that are done and have the given trial's last
            epoch as a checkpoint; trials without one are missing.
        """
        return self._find_runs({trial.id: trial for trial in trials})

    def _find_runs(self, asked: Mapping[str, Trial]) -> dict[str, str]:
        groups = {id_: trial.prefix_group for id_, trial in asked.items()}
        # By prefix group, the epochs and the ids of the trials that are done.
        done: dict[str, list[tuple[int, str]]] = {}
        query = "SELECT family, epochs, id FROM trials WHERE status = 'done' AND family IN"
        for group, epochs, run in self._select(query, groups.values()):
            done.setdefault(group, []).append((epochs, run))
        runs: dict[str, str] = {}
        for id_, trial in asked.items():
            # The shortest first: a trial's own result goes before that of a longer one.
            for epochs, run in sorted(done.get(groups[id_], ())):
                if trial.training.epochs in checkpoints(epochs):
                    runs[id_] = run
                    break
        return runs

    def results(self, trials: Iterable[Trial]) -> dict[str, Result]:
        """Return the results of the trials that are done, by id, without their predictions.

        Args:
            trials: trials to read; one that is a checkpoint of a longer training is done, too.
        """
        asked = {trial.id: trial for trial in trials}
        runs = self._find_runs(asked)
        rows = self._select("SELECT id, result FROM trials WHERE id IN", runs.values())
        trained = {run: self._decoded(Result, text) for run, text in rows}
        results = {}
        for id_, run in runs.items():
            results[id_] = trained[run].after(asked[id_])
        return results

    def figures(self, trials: Iterable[Trial]) -> dict[str, Figures]:
        """Return only the key figures of the trials that are done, by id.

        Args:
            trials: trials to read; one that is a checkpoint of a longer training is done, too.

        Raises:
            StoreError: a trial is done, but its key figures are not stored.
        """
        asked = {trial.id: trial for trial in trials}
        runs = self._find_runs(asked)
        runs_by_epoch: dict[int, list[str]] = {}  # of each training only the epochs asked for
        for id_, run in runs.items():
            runs_by_epoch.setdefault(asked[id_].training.epochs, []).append(run)
        known: dict[tuple[str, int], Figures] = {}
        for epoch, of_epoch in runs_by_epoch.items():
            query = f"SELECT * FROM figures WHERE epoch = {epoch} AND trial IN"
            for run, _, *values in self._select(query, of_epoch):
                known[run, epoch] = Figures(*values)
        figures: dict[str, Figures] = {}
        for id_, run in runs.items():
            key = run, asked[id_].training.epochs
            if key not in known:
                raise self._lacks("key figures", asked[id_])
            figures[id_] = known[key]
        return figures

    def predictions(self, trials: Iterable[Trial]) -> dict[str, np.ndarray]:
        """Return each trial's classes predicted for the test images after its last epoch, uint8 [n], by id.

        Args:
            trials: trials to read; one that is a checkpoint of a longer training is done, too.

        Raises:
            StoreError: no predictions of a trial are stored.
        """
        asked = {trial.id: trial for trial in trials}
        keys: dict[str, tuple[str, int]] = {}  # the training of each trial, and the epoch of it
        for id_, run in self._find_runs(asked).items():
            keys[id_] = run, asked[id_].training.epochs
        # Of each training only the epochs asked for, and the last one, from which the others differ.
        query = (
            "SELECT trial, epoch, classes, (SELECT last.classes FROM predictions AS last "
            "WHERE last.trial = predictions.trial ORDER BY last.epoch DESC LIMIT 1) "
            "FROM json_each(?) AS asked JOIN predictions "
            "ON trial = json_extract(asked.value, '$[0]') AND epoch = json_extract(asked.value, '$[1]')"
        )
        with self._errors():
            rows = self._db.execute(query, (json.dumps(list(keys.values())),)).fetchall()
        known: dict[tuple[str, int], np.ndarray] = {}
        for run, epoch, packed, last in rows:
            known[run, epoch] = unpack(packed, last)
        predictions = {}
        for id_, trial in asked.items():
            if id_ not in keys or keys[id_] not in known:
                raise self._lacks("predictions", trial)
            predictions[id_] = known[keys[id_]]
        return predictions

    def find_trials(self, beginning: str) -> list[Trial]:
        """Return the trials whose ids begin with some characters, whatever their state, by id."""
        query = "SELECT spec FROM trials WHERE substr(id, 1, ?) = ? ORDER BY id"
        with self._errors():
            rows = self._db.execute(query, (len(beginning), beginning)).fetchall()
        return [self._decoded(Trial, row[0]) for row in rows]

    def states(self) -> dict[str, str]:
        """Return the state of each trial by id."""
        with self._errors():
            return dict(self._db.execute("SELECT id, status FROM trials ORDER BY id"))

    def stored_trial(self, id_: str) -> StoredTrial:
        """Return everything that is stored of a trial.

        Raises:
            KeyError: there is no such trial.
        """
        columns = "id, status, reason, changed, family, epochs, spec, result"
        with self._errors():
            row = self._db.execute(f"SELECT {columns} FROM trials WHERE id = ?", (id_,)).fetchone()
            if row is None:
                raise KeyError(id_)
            predictions = self._db.execute(
                "SELECT epoch, classes FROM predictions WHERE trial = ? ORDER BY epoch", (id_,)
            ).fetchall()
            figures = self._db.execute(
                "SELECT * FROM figures WHERE trial = ? ORDER BY epoch", (id_,)
            ).fetchall()
        by_epoch = {}
        for epoch, packed in predictions:
            by_epoch[epoch] = unpack(packed, predictions[-1][1]).tobytes()
        return StoredTrial(*row[:8], predictions=by_epoch, figures=tuple(figure[1:] for figure in figures))

    def add(self, trials: Iterable[StoredTrial], plans: Iterable[Plan]) -> None:
        """Store trials of other stores, in place of those of the same id, and plans: all or nothing."""
        with self._transaction():
            for trial in trials:
                self._db.execute("DELETE FROM trials WHERE id = ?", (trial.id,))
                self._db.execute(
                    "INSERT INTO trials (id, status, reason, changed, family, epochs, spec, result) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    trial[:8],
                )
                self._insert_details(trial.id, trial.predictions, trial.figures)
            for plan in plans:
                self._insert_plan(plan)

    @property
    def data_version(self) -> int:
        """Number that changes when another process has written to the file."""
        with self._errors():
            return self._db.execute("PRAGMA data_version").fetchone()[0]

    def counts(self) -> dict[str, int]:
        """Count the trials in each state."""
        with self._errors():
            return dict(
                self._db.execute("SELECT status, count(*) FROM trials GROUP BY status ORDER BY status")
            )

    def check(self) -> str:
        """Run SQLite's integrity check; return `ok`, or the first error in one line."""
        with self._errors():
            answer = self._db.execute("PRAGMA integrity_check").fetchone()[0]
        return " ".join(answer.split())

    def _select(self, query: str, ids: Iterable[str]) -> list[tuple]:
        # As one JSON array, since SQLite limits the number of parameters.
        array = json.dumps(list(ids))
        with self._errors():
            return self._db.execute(f"{query} (SELECT value FROM json_each(?))", (array,)).fetchall()

    def _lacks(self, what: str, trial: Trial) -> StoreError:
        return StoreError(
            f"store {self.path}: no {what} of trial {trial.id} after epoch {trial.training.epochs}; "
            "train it again"
        )

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
        if self._opened.obstacle:
            raise self._error(self._opened.obstacle)
        with self._errors(), transaction(self._db):
            raise_version(self._db)
            yield

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


def _identity(trial: Trial) -> tuple[str, int, str]:
    """Return the values of the columns `family`, `epochs` and `spec`."""
    return trial.prefix_group, trial.training.epochs, trial.to_json()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")

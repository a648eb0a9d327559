"""Merging of stores: the results of several machines or people in one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal, NamedTuple

from digitlab.errors import StoreError
from digitlab.results.store import Store, StoredTrial
from digitlab.spec.plan import Plan

Keep = Literal["ours", "theirs"]
"""Whose result counts where two stores have different ones of a trial."""

SHOWN = 5
"""Largest number of trials that a message names."""


class MergeReport(NamedTuple):
    """What a merge did.

    Attributes:
        added: number of finished trials that were not in the store.
        equal: number of finished trials that were there with the same result.
        conflicts: ids of the trials that were there with another result.
        failed: number of failed trials that were added, so that they are not tried again unasked.
        remarks: lines on studies that were kept as they were.
    """

    added: int
    equal: int
    conflicts: tuple[str, ...]
    failed: int
    remarks: tuple[str, ...]


def merge_stores(store: Store, others: Sequence[Path | str], keep: Keep | None = None) -> MergeReport:
    """Add the results and plans of other stores to a store; the others are only read.

    The id of a trial covers everything that decides its outcome, so a trial that several stores have is one.
    A study that several stores ran gets the seeds of all of them.

    Args:
        store: store that receives the results; nothing in it changes if there is an error.
        others: paths of the other stores.
        keep: store whose result counts where two have different ones of a trial; None is an error.

    Raises:
        StoreError: a store cannot be read or written, a study is running on the receiving one, or two stores
            have different results of a trial.
    """
    with ExitStack() as stack:
        opened = [stack.enter_context(Store(path, create=False)) for path in others]
        for other in opened:
            if other.path.resolve() == store.path.resolve():
                raise StoreError(f"store {other.path}: expected another store than the one merged into")
        stack.enter_context(store.exclusive())
        merge = _Merge(store, keep)
        for other in opened:
            merge.read(other)
        if merge.conflicts and keep is None:
            raise StoreError(_conflict_message(merge.conflicts))
        store.add(merge.rows(), merge.plans.values())
        return merge.report()


class _Row(NamedTuple):
    """The store that has a trial, and the trial's state there."""

    store: Store
    state: str


class _Merge:
    """The choice of the rows that are copied, made before anything is written."""

    def __init__(self, store: Store, keep: Keep | None) -> None:
        self.store = store
        self.keep = keep
        # Where each trial's best row is so far: here, or in another store, from which it is copied.
        self.found = {id_: _Row(store, state) for id_, state in store.states().items()}
        self.plans: dict[tuple[str, str], Plan] = {}
        self.conflicts: dict[str, tuple[Store, Store]] = {}
        self.equal: set[str] = set()
        self.remarks: list[str] = []

    def read(self, other: Store) -> None:
        """Choose what is copied from another store."""
        for id_, state in other.states().items():
            if state == "done":
                self._choose(id_, other)
            elif state == "failed" and id_ not in self.found:
                self.found[id_] = _Row(other, state)
        for kept in other.studies():
            plan = other.plan(kept.study, kept.fingerprint)
            if plan is not None:
                self._add_plan(plan, other)

    def _choose(self, id_: str, other: Store) -> None:
        known = self.found.get(id_)
        if known is None or known.state != "done":
            self.found[id_] = _Row(other, "done")
        elif _has_same_result(known.store.stored_trial(id_), other.stored_trial(id_)):
            self.equal.add(id_)
        else:
            self.conflicts[id_] = known.store, other
            if self.keep == "theirs":
                self.found[id_] = _Row(other, "done")

    def _add_plan(self, plan: Plan, other: Store) -> None:
        key = plan.study.name, plan.fingerprint
        known = self.plans.get(key) or self.store.plan(*key)
        if known is None:
            self.plans[key] = plan
            return
        differences = known.differences(plan)
        if differences:
            self.remarks.append(
                f"study {plan.study.name}: kept as it was; in {other.path} it differs "
                f"({', '.join(differences)}), and only its trials are added"
            )
            return
        first = min(known.study.first_seed, plan.study.first_seed)
        end = max(known.study.seed_range.stop, plan.study.seed_range.stop)
        self.plans[key] = known.with_seeds(end - first, first)

    def rows(self) -> Iterator[StoredTrial]:
        """Yield the trials that are copied, one at a time, since each has all its predictions."""
        for id_, row in self.found.items():
            if row.store is not self.store:
                yield row.store.stored_trial(id_)

    def report(self) -> MergeReport:
        """Return what was done."""
        copied = {id_: row.state for id_, row in self.found.items() if row.store is not self.store}
        added = [id_ for id_, state in copied.items() if state == "done" and id_ not in self.conflicts]
        failed = [id_ for id_, state in copied.items() if state != "done"]
        equal = self.equal - set(added)
        return MergeReport(len(added), len(equal), tuple(self.conflicts), len(failed), tuple(self.remarks))


def _has_same_result(one: StoredTrial, other: StoredTrial) -> bool:
    """Return whether two results of a trial are the same network's: seconds and machines may differ."""
    return one.predictions == other.predictions and _scores(one) == _scores(other)


def _scores(trial: StoredTrial) -> object:
    return json.loads(trial.result or "{}").get("test")


def _conflict_message(conflicts: dict[str, tuple[Store, Store]]) -> str:
    names = []
    for id_, (source, other) in list(conflicts.items())[:SHOWN]:
        names.append(f"{id_} in {source.path} and {other.path}")
    rest = "" if len(conflicts) <= SHOWN else f" and {len(conflicts) - SHOWN} more"
    return (
        f"expected one result of a trial, received different ones of {len(conflicts)}: {'; '.join(names)}"
        f"{rest}; nothing is merged: --keep ours or --keep theirs says which counts"
    )

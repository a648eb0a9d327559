"""What holds of worker processes beside the contract: how they die, and when their death costs nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import executor_tasks as tasks
from digitlab.studies import Executor, ProcessExecutor
from digitlab.studies.executors.base import Done, Event, Failed, Started


@pytest.fixture(params=[1, 2], ids=["1 process", "2 processes"])
def executor(request: pytest.FixtureRequest) -> Executor:
    return ProcessExecutor(request.param)


@pytest.mark.parametrize(
    ("end", "ending"),
    [
        (tasks.be_killed, "SIGKILL (out of memory?)"),
        (tasks.leave_at_once, "exit status 3"),
        (tasks.leave_politely, "exit status 4"),
        (tasks.leave_in_silence, "exit status 5"),
        (tasks.read_address_zero, "SIGSEGV"),
    ],
)
def test_the_reason_says_how_a_worker_died(executor: Executor, end: Callable[[], None], ending: str) -> None:
    events: list[Event] = []
    executor.run(tasks.die, [end], events.append)
    assert events[-1] == Failed(0, f"its worker died 2 times, at last with {ending}")


def test_a_worker_that_is_found_dead_between_two_items_costs_none(executor: Executor) -> None:
    events: list[Event] = []

    def kill_idle(event: Event) -> None:
        events.append(event)
        if isinstance(event, Done):
            os.kill(event.value, signal.SIGKILL)
            while event.value in {child.pid for child in multiprocessing.active_children()}:
                time.sleep(0.005)

    executor.run(tasks.pid, range(4), kill_idle)
    done = [event for event in events if isinstance(event, Done)]
    assert sum(isinstance(event, Started) for event in events) == len(done) == 4
    assert len({event.value for event in done}) == 4


def test_a_worker_that_is_dying_as_it_is_given_an_item_costs_none() -> None:
    events: list[Event] = []

    def kill_idle(event: Event) -> None:
        events.append(event)
        if isinstance(event, Done):
            os.kill(event.value, signal.SIGKILL)

    ProcessExecutor(1).run(tasks.pid, range(4), kill_idle)
    assert [event.index for event in events if isinstance(event, Done)] == [0, 1, 2, 3]


def test_a_worker_that_is_killed_as_it_starts_is_replaced(executor: Executor, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    events: list[Event] = []

    def kill_first(event: Event) -> None:
        events.append(event)
        if events == [Started(0)]:
            multiprocessing.active_children()[0].kill()
            gate.touch()

    executor.run(tasks.wait_for, [gate, gate], kill_first)
    assert {event.index for event in events if isinstance(event, Done)} == {0, 1}
    assert events.count(Started(0)) == 2


def test_workers_that_are_always_killed_as_they_start_fail_their_items(
    executor: Executor, tmp_path: Path
) -> None:
    events: list[Event] = []

    def kill_all(event: Event) -> None:
        events.append(event)
        for child in multiprocessing.active_children():
            child.kill()

    executor.run(tasks.wait_for, [tmp_path / "never"] * 2, kill_all)
    reason = "its worker died 2 times, at last with SIGKILL (out of memory?)"
    assert {event for event in events if isinstance(event, Failed)} == {Failed(0, reason), Failed(1, reason)}

"""The laws of `Executor`, over every executor there is. The tasks train nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import executor_tasks as tasks
import numpy as np
import only_for_drivers
import pytest

from digitlab.studies import Executor, InlineExecutor, ProcessExecutor
from digitlab.studies.executors.base import Done, Event, Failed, Progress, Started, Task

APART: dict[str, Callable[[], Executor]] = {
    "1 process": partial(ProcessExecutor, 1),
    "2 processes": partial(ProcessExecutor, 2),
}
"""Executors whose tasks run in other processes than the caller."""

ALL: dict[str, Callable[[], Executor]] = {"inline": InlineExecutor, **APART}


@pytest.fixture(params=ALL.values(), ids=list(ALL))
def executor(request: pytest.FixtureRequest) -> Executor:
    return request.param()


@pytest.fixture(params=APART.values(), ids=list(APART))
def apart(request: pytest.FixtureRequest) -> Executor:
    return request.param()


def events_of(executor: Executor, task: Task, items: Sequence[Any]) -> list[Event]:
    """Run to the end and check the laws that hold for every run."""
    events: list[Event] = []
    executor.run(task, items, events.append)
    for index in range(len(items)):
        own = [event for event in events if event.index == index]
        assert isinstance(own[0], Started)
        assert isinstance(own[-1], Done | Failed)
        assert sum(isinstance(event, Done | Failed) for event in own) == 1
    assert {event.index for event in events} == set(range(len(items)))
    assert not multiprocessing.active_children()
    return events


def ends_of(executor: Executor, task: Task, items: Sequence[Any]) -> list[Any]:
    """The value of each item, or its `Failed`."""
    ends = [event for event in events_of(executor, task, items) if isinstance(event, Done | Failed)]
    in_order = sorted(ends, key=lambda event: event.index)
    return [event.value if isinstance(event, Done) else event for event in in_order]


def starts_of(events: Sequence[Event], index: int) -> int:
    return sum(event == Started(index) for event in events)


def test_every_item_ends_in_its_own_value(executor: Executor) -> None:
    assert ends_of(executor, tasks.square, range(20)) == [number**2 for number in range(20)]


def test_no_items_are_no_events(executor: Executor) -> None:
    assert events_of(executor, tasks.square, []) == []


def test_a_single_item_is_enough_for_any_number_of_workers(executor: Executor) -> None:
    assert events_of(executor, tasks.square, [7]) == [Started(0), Done(0, 49)]


def test_an_executor_runs_again_after_a_run(executor: Executor) -> None:
    assert ends_of(executor, tasks.square, [1, 2]) == [1, 4]
    assert ends_of(executor, tasks.square, [3]) == [9]


def test_reports_come_in_order_between_start_and_end(executor: Executor) -> None:
    lengths = [0, 1, 200, 3]
    events = events_of(executor, tasks.count, lengths)
    for index, length in enumerate(lengths):
        reports = [Progress(index, number) for number in range(length)]
        expected = [Started(index), *reports, Done(index, length)]
        assert [event for event in events if event.index == index] == expected


def test_events_come_in_the_thread_that_runs(executor: Executor) -> None:
    threads: list[int] = []
    executor.run(tasks.count, [2, 2], lambda event: threads.append(threading.get_ident()))
    assert set(threads) == {threading.get_ident()}


def test_large_items_reports_and_values_arrive_whole(executor: Executor) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, 8_000_000, np.uint8)
    events = events_of(executor, tasks.echo, [pixels, b"small", pixels[:3_000_000]])
    received = [event.value for event in events if isinstance(event, Done) and event.index == 0]
    reported = [event.report for event in events if isinstance(event, Progress) and event.index == 0]
    assert np.array_equal(received[0], pixels)
    assert np.array_equal(reported[0], pixels)


def test_an_exception_fails_its_item_in_one_line_and_the_others_go_on(executor: Executor) -> None:
    ends = ends_of(executor, tasks.fail_on_odd, [0, 1, 2, 3, 4])
    assert ends == [0, Failed(1, "ValueError: 1 is odd"), 2, Failed(3, "ValueError: 3 is odd"), 4]


def test_a_failure_that_is_meant_for_people_gives_its_message_alone(executor: Executor) -> None:
    assert ends_of(executor, tasks.fail_for_people, [0]) == [Failed(0, "the loss became nan in epoch 3")]


def test_endless_recursion_fails_its_item(executor: Executor) -> None:
    (end,) = ends_of(executor, tasks.recurse, [0])
    assert end.reason.startswith("RecursionError: maximum recursion depth exceeded")


def test_a_broken_pipe_of_the_task_is_no_death_of_its_worker(executor: Executor) -> None:
    events = events_of(executor, tasks.break_a_pipe, [0])
    assert events == [Started(0), Failed(0, "BrokenPipeError: a pipe of the task's own")]


@pytest.mark.parametrize("kind", [Started, Progress, Done])
def test_what_on_event_raises_ends_the_run_unchanged(executor: Executor, kind: type[Event]) -> None:
    raised = LookupError("the observer has failed")
    seen: list[Event] = []

    def fail(event: Event) -> None:
        seen.append(event)
        if isinstance(event, kind) and event.index == 1:
            raise raised

    with pytest.raises(LookupError) as caught:
        executor.run(tasks.echo, range(50), fail)
    assert caught.value is raised
    assert isinstance(seen[-1], kind)
    assert not multiprocessing.active_children()


def test_what_on_event_raises_ends_the_run_even_where_the_task_hides_it(executor: Executor) -> None:
    def fail(event: Event) -> None:
        if isinstance(event, Progress):
            raise LookupError("the observer has failed")

    with pytest.raises(LookupError):
        executor.run(tasks.hide_what_report_raises, range(5), fail)


def test_ctrl_c_in_on_event_ends_the_run(executor: Executor) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, Progress):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        executor.run(tasks.count, [3, 3, 3], interrupt)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("task", [tasks.unpicklable_value, tasks.unpicklable_report])
def test_what_cannot_be_pickled_fails_its_item_without_a_second_try(apart: Executor, task: Task) -> None:
    events = events_of(apart, task, [0, 1])
    reasons = {event.reason for event in events if isinstance(event, Failed)}
    assert reasons == {"TypeError: cannot pickle '_thread.lock' object"}
    assert sum(isinstance(event, Started) for event in events) == 2


def test_a_value_that_cannot_be_read_back_fails_its_item(apart: Executor) -> None:
    ends = ends_of(apart, tasks.unreadable_value, [0, 1, 2])
    assert [end.reason for end in ends] == [
        "ValueError: invalid literal for int() with base 10: 'no number'"
    ] * 3


def test_an_item_that_cannot_be_pickled_fails_alone(apart: Executor) -> None:
    ends = ends_of(apart, tasks.echo, [1, lambda: None, 3])
    assert (ends[0], ends[2]) == (1, 3)
    assert "pickle" in ends[1].reason


def test_a_task_that_cannot_be_pickled_fails_every_item(apart: Executor) -> None:
    ends = ends_of(apart, lambda item, report: item, [1, 2])
    assert all("pickle" in end.reason for end in ends)


def test_a_task_whose_module_fails_to_import_in_the_worker_says_so(apart: Executor) -> None:
    ends = ends_of(apart, only_for_drivers.task, [0, 1, 2])
    assert ends == [Failed(index, "ImportError: not in a worker") for index in range(3)]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (tasks.be_killed, "SIGKILL (out of memory?)"),
        (tasks.leave_at_once, "exit status 3"),
        (tasks.leave_politely, "exit status 4"),
        (tasks.leave_in_silence, "exit status 5"),
        (tasks.read_address_zero, "SIGSEGV"),
    ],
)
def test_a_dead_worker_costs_only_its_item_which_is_tried_twice(
    apart: Executor, end: Callable[[], None], reason: str
) -> None:
    events = events_of(apart, tasks.die, [None, end, None, None])
    assert Failed(1, f"its worker died 2 times, at last with {reason}") in events
    assert starts_of(events, 1) == events.count(Progress(1, "dying")) == 2
    assert {event.index for event in events if event == Done(event.index, "alive")} == {0, 2, 3}


def test_an_item_whose_worker_died_once_is_done_at_the_second_try(apart: Executor, tmp_path: Path) -> None:
    events = events_of(apart, tasks.die_once, [None, tmp_path / "tried", None])
    assert Done(1, "alive") in events
    assert starts_of(events, 1) == 2


def test_workers_that_all_die_leave_no_item_behind(apart: Executor, tmp_path: Path) -> None:
    marks = [tmp_path / str(number) for number in range(5)]
    events = events_of(apart, tasks.die_once, marks)
    assert all(Done(index, "alive") in events for index in range(5))


def test_a_worker_that_is_found_dead_between_two_items_costs_none(apart: Executor) -> None:
    events: list[Event] = []

    def kill_idle(event: Event) -> None:
        events.append(event)
        if isinstance(event, Done):
            os.kill(event.value, signal.SIGKILL)
            while event.value in {child.pid for child in multiprocessing.active_children()}:
                time.sleep(0.005)

    apart.run(tasks.pid, range(4), kill_idle)
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


def test_a_worker_that_is_killed_as_it_starts_is_replaced(apart: Executor, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    events: list[Event] = []

    def kill_first(event: Event) -> None:
        events.append(event)
        if events == [Started(0)]:
            multiprocessing.active_children()[0].kill()
            gate.touch()

    apart.run(tasks.wait_for, [gate, gate], kill_first)
    assert {event.index for event in events if isinstance(event, Done)} == {0, 1}
    assert starts_of(events, 0) == 2


def test_workers_that_are_always_killed_as_they_start_fail_their_items(
    apart: Executor, tmp_path: Path
) -> None:
    events: list[Event] = []

    def kill_all(event: Event) -> None:
        events.append(event)
        for child in multiprocessing.active_children():
            child.kill()

    apart.run(tasks.wait_for, [tmp_path / "never"] * 2, kill_all)
    reason = "its worker died 2 times, at last with SIGKILL (out of memory?)"
    assert {event for event in events if isinstance(event, Failed)} == {Failed(0, reason), Failed(1, reason)}

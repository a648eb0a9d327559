"""The laws of `Executor`, over every executor there is. The tasks train nothing."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import executor_tasks as tasks
import numpy as np
import only_for_drivers
import pytest

from digitlab.errors import UserError
from digitlab.studies import Executor, InlineExecutor, ProcessExecutor
from digitlab.studies.executors.base import Done, Event, Failed, Progress, Started, Task

APART: dict[str, Callable[[], Executor]] = {
    "1 process": partial(ProcessExecutor, 1),
    "2 processes": partial(ProcessExecutor, 2),
}
"""Executors whose tasks run in other processes than the caller."""

ALL: dict[str, Callable[[], Executor]] = {"inline": InlineExecutor, **APART}

SECONDS = 20.0
"""How long to wait for what takes a fraction of a second on an idle machine."""


@pytest.fixture(params=ALL.values(), ids=ALL.keys())
def executor(request: pytest.FixtureRequest) -> Executor:
    return request.param()


@pytest.fixture(params=APART.values(), ids=APART.keys())
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
    executor.run(tasks.count, [2, 2], lambda event: threads.append(os.getpid()))
    assert set(threads) == {os.getpid()}


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
        (tasks.read_address_zero, "SIGSEGV"),
    ],
)
def test_a_dead_worker_costs_only_its_item_which_is_tried_twice(
    apart: Executor, end: Callable[[], None], reason: str
) -> None:
    events = events_of(apart, tasks.die, [None, end, None, None])
    assert Failed(1, f"its worker died 2 times, at last with {reason}") in events
    assert starts_of(events, 1) == events.count(Progress(1, "dying")) == 2
    assert [event.index for event in events if event == Done(event.index, "alive")] == [0, 2, 3]


def test_an_item_whose_worker_died_once_is_done_at_the_second_try(apart: Executor, tmp_path: Path) -> None:
    events = events_of(apart, tasks.die_once, [None, tmp_path / "tried", None])
    assert Done(1, "alive") in events
    assert starts_of(events, 1) == 2


def test_workers_that_all_die_leave_no_item_behind(apart: Executor, tmp_path: Path) -> None:
    marks = [tmp_path / str(number) for number in range(5)]
    events = events_of(apart, tasks.die_once, marks)
    assert all(Done(index, "alive") in events for index in range(5))


@pytest.mark.parametrize("awaited", [True, False], ids=["found dead", "dying as it is given the next"])
def test_a_worker_that_dies_between_two_items_costs_none(apart: Executor, awaited: bool) -> None:
    events: list[Event] = []

    def kill_idle(event: Event) -> None:
        events.append(event)
        if isinstance(event, Done):
            os.kill(event.value, signal.SIGKILL)
            while awaited and event.value in {child.pid for child in multiprocessing.active_children()}:
                time.sleep(0.005)

    apart.run(tasks.pid, range(4), kill_idle)
    done = [event for event in events if isinstance(event, Done)]
    assert {event.index for event in done} == {0, 1, 2, 3}
    assert len({event.value for event in done}) == 4
    if awaited:
        assert sum(isinstance(event, Started) for event in events) == 4


def test_a_worker_that_is_killed_as_it_starts_is_replaced(apart: Executor) -> None:
    events: list[Event] = []

    def kill_first(event: Event) -> None:
        events.append(event)
        if events == [Started(0)]:
            multiprocessing.active_children()[0].kill()

    apart.run(tasks.square, [5, 6], kill_first)
    assert {event for event in events if isinstance(event, Done)} == {Done(0, 25), Done(1, 36)}
    assert starts_of(events, 0) == 2


def test_workers_that_are_always_killed_as_they_start_fail_their_items(apart: Executor) -> None:
    def kill_all(event: Event) -> None:
        ends.append(event)
        for child in multiprocessing.active_children():
            child.kill()

    ends: list[Event] = []
    apart.run(tasks.square, [5, 6], kill_all)
    reason = "its worker died 2 times, at last with SIGKILL (out of memory?)"
    assert {event for event in ends if isinstance(event, Failed)} == {Failed(0, reason), Failed(1, reason)}


def test_workers_live_from_item_to_item() -> None:
    assert len(set(ends_of(ProcessExecutor(2), tasks.pid, range(30)))) <= 2


def test_no_more_workers_are_started_than_there_are_items() -> None:
    most = 0

    def look(event: Event) -> None:
        nonlocal most
        most = max(most, len(multiprocessing.active_children()))

    ProcessExecutor(16).run(tasks.square, range(3), look)
    assert 1 <= most <= 3


@pytest.mark.parametrize("workers", [0, -1])
def test_less_than_one_worker_is_refused(workers: int) -> None:
    with pytest.raises(UserError, match=rf"workers: expected 1 or more, received {workers}"):
        ProcessExecutor(workers)


def test_a_script_without_the_main_guard_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(
        "from operator import add\n"
        "from digitlab.studies import ProcessExecutor\n"
        "ProcessExecutor(2).run(add, range(1000), print)\n"
    )
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert 'a script that runs a study needs  if __name__ == "__main__":  around' in ended.stderr
    assert ended.stderr.count("bootstrapping phase") <= 2  # one for each worker, not one for each item


DRIVER = Path(__file__).with_name("executor_driver.py")


@contextmanager
def driver(locks: Sequence[Path]) -> Iterator[subprocess.Popen[str]]:
    """A process that runs an executor, in a process group of its own as a shell would put it."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, DRIVER, *locks], text=True, process_group=0, **pipes) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "running\n"
            yield process
        finally:
            process.kill()


def await_locks(process: subprocess.Popen[str], locks: Sequence[Path]) -> None:
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in locks] == ["locked\n"] * len(locks)


def free(lock: Path) -> bool:
    """Whether no living process holds the lock: an ended one does not, even where nobody has reaped it."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def all_free_soon(locks: Sequence[Path]) -> bool:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if all(free(lock) for lock in locks):
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def locks(tmp_path: Path) -> list[Path]:
    return [tmp_path / "first", tmp_path / "second"]


@pytest.mark.parametrize("group", [False, True], ids=["driver alone", "terminal's whole group"])
def test_ctrl_c_leaves_no_worker(locks: list[Path], group: bool) -> None:
    with driver(locks) as process:
        await_locks(process, locks)
        assert not any(free(lock) for lock in locks)
        (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    assert (out, err) == ("interrupted, 0 left\n", "")
    assert all(free(lock) for lock in locks)


@pytest.mark.parametrize("seconds", [0.0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3])
def test_ctrl_c_while_workers_start_is_quiet(locks: list[Path], seconds: float) -> None:
    with driver(locks) as process:
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    assert out.endswith("interrupted, 0 left\n")
    assert err == ""
    assert all(free(lock) for lock in locks)


def test_workers_end_by_themselves_when_their_driver_is_killed(locks: list[Path]) -> None:
    with driver(locks) as process:
        await_locks(process, locks)
        process.kill()
        assert all_free_soon(locks)
        assert process.communicate(timeout=SECONDS) == ("", "")

"""The laws of `Executor`, over every executor there is. The tasks train nothing."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import executor_tasks as tasks
import only_for_drivers
from digitlab.studies import Executor, InlineExecutor, ProcessExecutor
from digitlab.studies.executors.base import Done, Event, Failed, Progress, Started, Task
from ray_cluster import await_that, busy, running_cluster

EXECUTORS: dict[str, Callable[[], Executor]] = {
    "inline": InlineExecutor,
    "1 process": partial(ProcessExecutor, 1),
    "2 processes": partial(ProcessExecutor, 2),
}
APART = [
    "1 process",
    pytest.param("2 processes", marks=pytest.mark.slow),  # as one does, for twice as many starts
    pytest.param("ray", marks=pytest.mark.slow),
]
"""Executors whose tasks run in other processes than the caller."""


class Ray(NamedTuple):
    """How to make an executor on a cluster to which this process is connected, and the cluster."""

    make: Callable[[], Executor]
    cluster: Any


@pytest.fixture(scope="module")
def on_ray() -> Iterator[Ray]:
    """Connect this process to a cluster of two nodes."""
    from digitlab.studies import RayExecutor  # before Ray itself, which it makes silent

    import ray  # isort: skip

    with running_cluster(nodes=2) as cluster:
        ray.init(cluster.address, log_to_driver=False, logging_level=logging.CRITICAL)
        yield Ray(RayExecutor, cluster)
        ray.shutdown()


def made(name: str, request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Make an executor, and see that nothing is left of its runs."""
    if name == "ray":
        on_ray: Ray = request.getfixturevalue("on_ray")
        yield on_ray.make()
        await_that(lambda: not busy(on_ray.cluster))
    else:
        yield EXECUTORS[name]()
    assert not multiprocessing.active_children()


@pytest.fixture(params=["inline", *APART])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    yield from made(request.param, request)


@pytest.fixture(params=APART)
def apart(request: pytest.FixtureRequest) -> Iterator[Executor]:
    yield from made(request.param, request)


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
    "end", [tasks.be_killed, tasks.leave_at_once, tasks.leave_politely, tasks.leave_in_silence,
            tasks.read_address_zero]
)  # fmt: skip
def test_a_dead_worker_costs_only_its_item_which_is_tried_twice(
    apart: Executor, end: Callable[[], None]
) -> None:
    events = events_of(apart, tasks.die, [None, end, None, None])
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed.index == 1
    assert failed.reason.startswith("its worker died 2 times, at last with ")
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

"""Worker processes: how many, how long they live, and that none outlives who started it."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

import executor_tasks
import process_driver
from digitlab.errors import UserError
from digitlab.studies import ProcessExecutor
from digitlab.studies.executors.base import Done, Event

SECONDS = 20.0
"""How long to wait for what takes a fraction of a second on an idle machine."""

DRIVER = Path(process_driver.__file__)


def test_workers_live_from_item_to_item() -> None:
    pids: set[int] = set()

    def collect(event: Event) -> None:
        if isinstance(event, Done):
            pids.add(event.value)

    ProcessExecutor(2).run(executor_tasks.pid, range(30), collect)
    assert len(pids) <= 2


def test_no_more_workers_are_started_than_there_are_items() -> None:
    most = 0

    def look(event: Event) -> None:
        nonlocal most
        most = max(most, len(multiprocessing.active_children()))

    ProcessExecutor(16).run(executor_tasks.pid, range(3), look)
    assert 1 <= most <= 3


@pytest.mark.parametrize("workers", [0, -1])
def test_less_than_one_worker_is_refused(workers: int) -> None:
    with pytest.raises(UserError, match=rf"workers: expected 1 or more, received {workers}"):
        ProcessExecutor(workers)


def test_a_script_needs_no_guard_around_its_code(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(
        "from operator import add\n"
        "from digitlab.studies import ProcessExecutor\n"
        "print('once')\n"
        "ProcessExecutor(2).run(add, range(10), print)\n"
        "print(__file__)\n"
    )
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert lines.count("once") == 1  # the workers do not run the script again
    assert lines[-1] == str(script)
    assert sum(line.startswith("Failed(") for line in lines) == 10  # numbers have no sum with a function


@contextmanager
def driver(locks: Sequence[Path]) -> Iterator[subprocess.Popen[str]]:
    """A process that runs an executor, in a process group of its own as a shell would put it."""
    with subprocess.Popen(
        [sys.executable, DRIVER, *locks],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
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


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.1])
def test_ctrl_c_while_workers_start_is_quiet(locks: list[Path], seconds: float) -> None:
    with driver(locks) as process:
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    assert out.endswith("interrupted, 0 left\n")
    assert err == ""
    assert all(free(lock) for lock in locks)


def test_ctrl_c_does_not_reach_a_worker_that_starts(tmp_path: Path) -> None:
    script = tmp_path / "interrupting.py"
    script.write_text(
        "import multiprocessing, operator, os, signal\n"
        "from digitlab.studies import ProcessExecutor\n"
        "def tell(event):\n"
        "    print(event)\n"
        "    for child in multiprocessing.active_children():\n"
        "        os.kill(child.pid, signal.SIGINT)\n"
        "if __name__ == '__main__':\n"
        "    ProcessExecutor(1).run(operator.eq, [0], tell)\n"
    )
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.stderr) == ("Started(index=0)\nDone(index=0, value=False)\n", "")


def test_workers_end_by_themselves_when_their_driver_is_killed(locks: list[Path]) -> None:
    with driver(locks) as process:
        await_locks(process, locks)
        process.kill()
        assert all_free_soon(locks)
        assert process.communicate(timeout=SECONDS) == ("", "")

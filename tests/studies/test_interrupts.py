"""Ctrl-C while a process starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from digitlab.studies.executors.interrupts import defer_signals


def raise_interrupted(number: int, frame: FrameType | None) -> None:
    raise InterruptedError(signal.Signals(number).name)


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM])
def number(request: pytest.FixtureRequest) -> signal.Signals:
    return request.param


@pytest.fixture(autouse=True)
def handled(number: signal.Signals) -> Iterator[None]:
    before = signal.signal(number, raise_interrupted)
    yield
    signal.signal(number, before)


def send(number: signal.Signals) -> None:
    """Send it to this process, which has a thread that does not block it."""
    idle = threading.Event()
    thread = threading.Thread(target=idle.wait)
    thread.start()
    try:
        os.kill(os.getpid(), number)
    finally:
        idle.set()
        thread.join()


def test_an_interrupt_waits_for_the_end_of_the_start(number: signal.Signals) -> None:
    steps: list[str] = []

    def start() -> None:
        with defer_signals():
            send(number)
            steps.append("started")

    with pytest.raises(InterruptedError, match=number.name):
        start()
    assert steps == ["started"]
    assert signal.getsignal(number) is raise_interrupted


def test_without_an_interrupt_nothing_is_raised_and_the_next_one_is(number: signal.Signals) -> None:
    with defer_signals():
        pass
    with pytest.raises(InterruptedError):
        send(number)


def test_in_another_thread_an_interrupt_is_left_to_the_main_one(number: signal.Signals) -> None:
    entered, sent = threading.Event(), threading.Event()

    def start() -> None:
        with defer_signals():
            entered.set()
            sent.wait(10)

    thread = threading.Thread(target=start)
    thread.start()
    entered.wait(10)
    with pytest.raises(InterruptedError):
        send(number)
    sent.set()
    thread.join()


def test_a_process_started_meanwhile_does_not_hear_ctrl_c() -> None:
    with defer_signals(), subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        child.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.3)
        child.kill()

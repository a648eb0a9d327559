"""Holding Ctrl-C back for the moment in which it would do harm."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

_HELD = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def hold_interrupts() -> Iterator[None]:
    """Start a process in this context: Ctrl-C and a polite end wait until it stands, here and, Ctrl-C, there.

    A start that is cut short leaves a process that is not in anybody's list, or one that finds nothing to
    read and complains about it. Blocking the signal is not enough: another thread of this process takes it,
    and Python raises it in the main thread all the same. The block is for the child, which inherits it.
    """
    arrived: list[int] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():  # no other thread is interrupted
        for number in _HELD:
            if signal.getsignal(number) is not None:  # else it is not Python's, and cannot be put back
                handlers[number] = signal.signal(number, lambda number, _: arrived.append(number))
    try:
        with _blocked_for_children():
            yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in arrived:
            signal.raise_signal(number)


@contextmanager
def _blocked_for_children() -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # else the child's start does it, and lets signals through afterwards
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

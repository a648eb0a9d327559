"""Deferral of Ctrl-C while a process is started."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

_DEFERRED = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def defer_signals() -> Iterator[None]:
    """Defer SIGINT and SIGTERM here, and SIGINT in the child, while a process is started in this context.

    An interrupted start leaves a process that nobody keeps track of, or one that finds nothing to read and
    prints an error. Blocking the signal here is not enough: another thread of this process takes it, and
    Python raises it in the main thread nevertheless. The block is for the child, which inherits it.
    """
    arrived: list[int] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():  # no other thread is interrupted
        for item in _DEFERRED:
            if signal.getsignal(item) is not None:  # else it is not Python's, and cannot be restored
                handlers[item] = signal.signal(item, lambda received, _: arrived.append(received))
    try:
        with _blocked_for_children():
            yield
    finally:
        for item, handler in handlers.items():
            signal.signal(item, handler)
        for received in arrived:
            signal.raise_signal(received)


@contextmanager
def _blocked_for_children() -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # else the child's start does it, which unblocks signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

"""Start of worker processes, from a script, a notebook or the command line alike."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any

_spawn = multiprocessing.get_context("spawn")
_MISSING = object()


def pipe() -> tuple[Any, Any]:
    """Return two connected ends of a pipe, one for a process that `start_process` starts."""
    return _spawn.Pipe()


def start_process(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Start a fresh Python process that calls a function, and ends with this one.

    The process does not import the caller's main module, so a script needs no guard around its code.

    Args:
        target: function of a module that is not the main one.
        *arguments: its arguments, which can be pickled.
    """
    process = _spawn.Process(target=target, args=arguments, daemon=True)
    with _without_main_module():
        process.start()
    return process


@contextmanager
def _without_main_module() -> Iterator[None]:
    """Hide where the main module came from, for a spawned process would run it again."""
    main = sys.modules["__main__"]
    hidden = {}
    for name, value in (("__spec__", None), ("__file__", None)):
        hidden[name] = getattr(main, name, _MISSING)
        setattr(main, name, value)
    try:
        yield
    finally:
        for name, value in hidden.items():
            if value is _MISSING:
                delattr(main, name)
            else:
                setattr(main, name, value)

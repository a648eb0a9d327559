"""A module that a worker cannot import."""

from __future__ import annotations

import multiprocessing

if multiprocessing.parent_process() is not None:
    raise ImportError("not in a worker")


def task(item: object, report: object) -> object:
    return item

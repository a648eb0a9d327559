"""A module that a worker cannot import."""

from __future__ import annotations

import sys

if "test_executor_contract" not in sys.modules:
    raise ImportError("not in a worker")


def task(item: object, report: object) -> object:
    return item

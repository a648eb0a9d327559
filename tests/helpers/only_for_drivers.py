"""A module that a worker cannot import."""

from __future__ import annotations

import sys

if not any(name.endswith("test_executor_contract") for name in sys.modules):
    raise ImportError("not in a worker")


def task(item: object, report: object) -> object:
    return item

"""Files of this machine that the service watches."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def signature(paths: Iterable[Path]) -> tuple[int, ...]:
    """Give what changes whenever files do, without opening them.

    Args:
        paths: of the files; those that are not there count for nothing.
    """
    found: list[int] = []
    for path in paths:
        with suppress(OSError):  # it is just being removed, or a link to nothing
            status = path.stat()
            found += [status.st_mtime_ns, status.st_size]
    return tuple(found)

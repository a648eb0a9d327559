"""Detection of changes in the files that the service reads."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def signature(paths: Iterable[Path]) -> tuple[int, ...]:
    """Return a value that changes whenever the files do, without opening them.

    Args:
        paths: paths of the files; missing files are ignored.
    """
    found: list[int] = []
    for path in paths:
        with suppress(OSError):  # just being removed, or a broken link
            status = path.stat()
            found += [status.st_mtime_ns, status.st_size]
    return tuple(found)

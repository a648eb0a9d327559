"""Files of this machine that the service writes, or watches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from digitlab.errors import UserError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give the draft of a file, in its folder, which is made; on leaving, it becomes the file.

    Args:
        path: of the file.

    Raises:
        UserError: it cannot be written.
    """
    draft = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        draft.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}; make room there") from None


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

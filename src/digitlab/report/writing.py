"""Files of a report, written whole or not at all."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from digitlab.errors import UserError


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file and make its folder; one that was there stays until the new one is whole.

    Args:
        path: of the file.
        content: of the file.

    Returns:
        The path.

    Raises:
        UserError: it cannot be written.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(content)
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UserError(
            f"report {path}: cannot be written: {error.strerror or error}; check that the folder can be "
            "written and that the disk has room, or name another file"
        ) from None
    return path

"""Files and folders that are written whole or not at all.

All of them are written as a draft beside the target, brought to disk and renamed. Whoever looks sees what was
there before or the whole of what is new, whatever ends the writer; an error or Ctrl-C leaves no draft behind,
only a kill does, and its name begins with `.digitlab-`.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from digitlab.errors import OutputError

Place = str | os.PathLike[str]


def cache_folder() -> Path:
    """Name the user's folder for what can be made again; it may not be there yet.

    `XDG_CACHE_HOME`, or `LOCALAPPDATA` on Windows, says where; else it is in `~/.cache`.
    """
    place = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(place) if place else Path.home() / ".cache") / "digitlab"


def write_whole(path: Place, content: bytes) -> Path:
    """Write a file whole, or leave what was there.

    Args:
        path: of the file; its folder is made.
        content: of the file.

    Returns:
        The path.

    Raises:
        OutputError: it cannot be written, or something is there that is no file.
    """
    with whole_file(path) as draft:
        draft.write_bytes(content)
    return Path(path)


@contextmanager
def whole_file(path: Place) -> Iterator[Path]:
    """Give the draft of a file, which is not there yet; on leaving, it takes the place of the file.

    Args:
        path: of the file; its folder is made, and a link leads to the file.

    Raises:
        OutputError: it cannot be written, or something is there that is no file.
    """
    target = Path(os.path.realpath(path))
    draft = _draft_of(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _refuse_what_a_rename_would_not(target)
        try:
            yield draft
            _sync(draft)
            draft.replace(target)
            _sync(target.parent)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from None


@contextmanager
def new_file(path: Place) -> Iterator[Path]:
    """Give the draft of a file where nothing is, as `whole_file` does.

    Args:
        path: of the file; its folder is made.

    Raises:
        OutputError: something is there already, or it cannot be written.
    """
    _ensure_nothing_at(path)
    with whole_file(path) as draft:
        yield draft
        _ensure_nothing_at(path)  # somebody else may have been faster


@contextmanager
def new_folder(folder: Place) -> Iterator[Path]:
    """Give the draft of a folder to write files into; on leaving, it takes its place.

    Args:
        folder: a new or an empty one.

    Raises:
        OutputError: the folder is there already, or cannot be written.
    """
    target = ensure_new(folder)
    draft = _draft_of(target)
    try:
        try:
            draft.mkdir()
            yield draft
            _sync_tree(draft)
            with suppress(FileNotFoundError):
                target.rmdir()  # if it is there it is empty; Windows renames onto nothing
            draft.rename(target)
            _sync(target.parent)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise unwritable(target, error) from None


def ensure_new(folder: Place) -> Path:
    """Make sure that a folder can be written, before any work is done for it.

    Args:
        folder: one that is not there yet, or is empty.

    Returns:
        The folder as an absolute path without symbolic links.

    Raises:
        OutputError: something is there already, or the place cannot be written.
    """
    target = Path(os.path.realpath(folder))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not _is_free(target):
            raise OutputError(
                f"{target}: expected a new folder, received one that is there; name another or remove it"
            )
        with tempfile.TemporaryFile(dir=target.parent):
            return target
    except OSError as error:
        raise unwritable(target, error) from None


def ensure_folder(folder: Place) -> Path:
    """Make a folder, and make sure that files can be written into it, before any work is done for them.

    Args:
        folder: one that is there, or not yet.

    Returns:
        The folder as an absolute path.

    Raises:
        OutputError: another thing is there, or it cannot be written.
    """
    path = Path(folder).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise unwritable(folder, error) from None


def unwritable(path: Place, error: OSError) -> OutputError:
    """Say in one line why a place cannot be written."""
    cause = error.strerror or " ".join(str(error).split())
    return OutputError(
        f"{path}: cannot be written: {cause}; see that its folder can be written and the disk has room, "
        "or name another place"
    )


def _draft_of(target: Path) -> Path:
    """Name a draft in the target's folder; the target's own name may be as long as names can be."""
    return target.with_name(f".digitlab-{secrets.token_hex(4)}")


def _refuse_what_a_rename_would_not(target: Path) -> None:
    """Keep a rename, which asks the folder alone, from replacing a device or a protected file."""
    if not target.exists():
        return
    if not target.is_file():
        raise OutputError(f"{target}: expected a file or nothing there, received another thing; name another")
    with target.open("ab"):
        pass  # it may be written


def _ensure_nothing_at(path: Place) -> None:
    if os.path.lexists(path):
        raise OutputError(
            f"{path}: expected a new path, received one that is there; name another or remove it"
        )


def _is_free(target: Path) -> bool:
    try:
        return not any(target.iterdir())
    except FileNotFoundError:
        return True
    except NotADirectoryError:
        return False


def _sync_tree(folder: Path) -> None:
    """Bring a folder and all that is in it to disk, the files before the folders that name them."""
    for path in sorted(folder.rglob("*"), reverse=True):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder to sync it
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

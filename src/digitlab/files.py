"""Atomic writing of files and folders: whole or not at all.

Each is written as a draft beside the target, synced to disk and renamed. A reader sees either what was there
before or all of what is new, however the writer ends. An error or Ctrl-C leaves no draft behind; only a kill
does, and the draft's name begins with `.digitlab-`.
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

StrPath = str | os.PathLike[str]


def write_whole(path: StrPath, content: bytes) -> Path:
    """Write a file atomically.

    Args:
        path: path of the file; its folder is created.
        content: content of the file.

    Returns:
        The path.

    Raises:
        OutputError: the file cannot be written, or something other than a file is there.
    """
    with whole_file(path) as draft:
        draft.write_bytes(content)
    return Path(path)


@contextmanager
def whole_file(path: StrPath) -> Iterator[Path]:
    """Yield the path of a draft, which does not exist yet; on exit, the draft replaces the file.

    Args:
        path: path of the file; its folder is created, and symbolic links are followed.

    Raises:
        OutputError: the file cannot be written, or something other than a file is there.
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
def new_file(path: StrPath) -> Iterator[Path]:
    """Yield the path of a draft as `whole_file` does, for a file that does not exist yet.

    Args:
        path: path of the file; its folder is created.

    Raises:
        OutputError: something is there already, or the file cannot be written.
    """
    _ensure_nothing_at(path)
    with whole_file(path) as draft:
        yield draft
        _ensure_nothing_at(path)  # another process may have created it meanwhile


@contextmanager
def new_folder(folder: StrPath) -> Iterator[Path]:
    """Yield a draft folder to write files into; on exit, it becomes the folder.

    Args:
        folder: folder to write to; it must be new or empty.

    Raises:
        OutputError: something is there already, or the folder cannot be written.
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


def ensure_new(folder: StrPath) -> Path:
    """Check that a folder can be written, before any work is done for it.

    Args:
        folder: folder to write to; it must be new or empty.

    Returns:
        The folder as an absolute path without symbolic links.

    Raises:
        OutputError: something is there already, or its parent folder cannot be written.
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


def ensure_folder(folder: StrPath) -> Path:
    """Create a folder, and check that files can be written into it, before any work is done for them.

    Args:
        folder: folder to create; it may exist already.

    Returns:
        The folder as an absolute path.

    Raises:
        OutputError: something other than a folder is there, or it cannot be written.
    """
    path = Path(folder).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise unwritable(folder, error) from None


def unwritable(path: StrPath, error: OSError) -> OutputError:
    """Return the error, in one line, for a path that cannot be written."""
    cause = error.strerror or " ".join(str(error).split())
    return OutputError(
        f"{path}: cannot be written: {cause}; see that its folder can be written and the disk has room, "
        "or name another place"
    )


def _draft_of(target: Path) -> Path:
    """Name a draft beside the target, without the target's name, which may have the maximal length."""
    return target.with_name(f".digitlab-{secrets.token_hex(4)}")


def _refuse_what_a_rename_would_not(target: Path) -> None:
    """Refuse a device or a read-only file: a rename, which needs the folder's rights alone, replaces it."""
    if not target.exists():
        return
    if not target.is_file():
        raise OutputError(f"{target}: expected a file or nothing there, received another thing; name another")
    with target.open("ab"):
        pass  # it is writable


def _ensure_nothing_at(path: StrPath) -> None:
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
    """Sync a folder and its contents to disk, files before the folders that list them."""
    for path in sorted(folder.rglob("*"), reverse=True):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    """Sync a file, or the names in a folder, to disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder to sync it
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Writing a folder whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from digitlab.errors import BundleError


def ensure_new(folder: Path | str) -> Path:
    """Make sure that a folder can be written, before any work is done for it.

    Args:
        folder: one that is not there yet, or is empty.

    Returns:
        The folder as an absolute path without symbolic links.

    Raises:
        BundleError: something is there already, or the place cannot be written.
    """
    target = Path(os.path.realpath(folder))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not _is_free(target):
            raise BundleError(
                f"{target}: expected a new folder, received one that is there; name another or remove it"
            )
        with tempfile.TemporaryFile(dir=target.parent):
            return target
    except OSError as error:
        raise unwritable(target, error) from None


def _is_free(target: Path) -> bool:
    try:
        return not any(target.iterdir())
    except FileNotFoundError:
        return True
    except NotADirectoryError:
        return False


@contextmanager
def new_folder(folder: Path | str) -> Iterator[Path]:
    """Give a draft to write files into; on leaving, it is synced to disk and renamed.

    A kill at any moment leaves a whole folder there or none, and so does an error inside the context.

    Args:
        folder: a new or an empty one.

    Raises:
        BundleError: the folder is there already, or cannot be written.
    """
    target = ensure_new(folder)
    try:
        draft = Path(tempfile.mkdtemp(prefix=".digitlab-", dir=target.parent))
        try:
            draft.chmod(0o755)  # mkdtemp lets nobody else read
            yield draft
            sync_tree(draft)
            with suppress(FileNotFoundError):
                target.rmdir()  # if it is there it is empty; Windows renames onto nothing
            draft.rename(target)
            sync(target.parent)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise unwritable(target, error) from None


def replace_file(path: Path, content: bytes) -> None:
    """Write a file whole or leave the old one.

    Raises:
        BundleError: it cannot be written.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=".digitlab-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            draft = Path(name)
            draft.chmod(0o644)  # mkstemp lets nobody else read
            sync(draft)
            draft.replace(path)
            sync(path.parent)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from None


def unwritable(target: Path, error: OSError) -> BundleError:
    """Say in one line why a place cannot be written."""
    cause = error.strerror or " ".join(str(error).split())
    return BundleError(f"{target}: cannot be written: {cause}; name another folder")


def sha256(path: Path) -> str:
    """Hash a file: 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_tree(folder: Path) -> None:
    """Bring a folder and all that is in it to disk, the files before the folders that name them."""
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder to sync it
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Revision of the running code: the commit of its clone, and whether it was changed since."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Revision(NamedTuple):
    """Revision of a clone's code.

    Attributes:
        commit: full hash of the last commit.
        clean: whether the package's files are those of that commit.
    """

    commit: str
    clean: bool


@cache
def revision() -> Revision | None:
    """Return the revision of the code that this process runs; None where it is installed, or without git.

    It is read once, preferably before a long run: imported code stays what it was when files change.
    """
    package = Path(__file__).parent
    try:
        _git(package, "ls-files", "--error-unmatch", Path(__file__).name)  # fails in another project's clone
        commit = _git(package, "rev-parse", "HEAD")
        changes = _git(package, "status", "--porcelain", "--", ".")
    except (OSError, subprocess.SubprocessError):
        return None
    return Revision(commit, not changes)


def _git(folder: Path, *arguments: str) -> str:
    # Git's optional lock would make a commit fail that is made meanwhile.
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=10)
    return done.stdout.strip()

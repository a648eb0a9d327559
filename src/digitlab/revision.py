"""Which code this is: the commit of the clone that it runs from, and whether it was changed since."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Revision(NamedTuple):
    """The code of a clone.

    Attributes:
        commit: the full hash of the last commit.
        clean: whether the package's files are those of that commit.
    """

    commit: str
    clean: bool


@cache
def revision() -> Revision | None:
    """Give the revision of the code that this process runs (None: it is installed, or git is not there).

    It is asked for once, best before a long run: code that was imported stays what it was when files change.
    """
    package = Path(__file__).parent
    try:
        _git(package, "ls-files", "--error-unmatch", Path(__file__).name)  # a clone of ours, no other's
        commit = _git(package, "rev-parse", "HEAD")
        changes = _git(package, "status", "--porcelain", "--", ".")
    except (OSError, subprocess.SubprocessError):
        return None
    return Revision(commit, not changes)


def _git(folder: Path, *arguments: str) -> str:
    # Its optional lock would stop a commit that is made meanwhile.
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=10)
    return done.stdout.strip()

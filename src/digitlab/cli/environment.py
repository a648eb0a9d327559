"""Preparation of a process: usable standard streams, and variables that libraries can read."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

from digitlab.cli.streams import prepare_streams

EPOCH = "SOURCE_DATE_EPOCH"


def prepare_environment() -> None:
    """Make the standard streams usable, and correct variables that libraries could not read.

    NumPy reads SOURCE_DATE_EPOCH when it is imported for SciPy, and fails if it is not a time. Matplotlib
    reads MPLBACKEND on import, and fails if that backend is not installed: a notebook passes its commands the
    backend of its own environment.
    """
    prepare_streams()
    os.environ["MPLBACKEND"] = "agg"  # figures go into files, and no window is opened
    seconds = os.environ.get(EPOCH)
    if seconds is not None and not _is_time(seconds):
        del os.environ[EPOCH]
        print(
            f"digitlab: {EPOCH}: expected seconds since 1970, received {seconds!r}; it is ignored",
            file=sys.stderr,
        )


def _is_time(text: str) -> bool:
    try:
        datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        return False
    return True

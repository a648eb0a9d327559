"""What a process of ours needs before it begins: streams that can be written, variables that can be read."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

from digitlab.cli.streams import prepare_streams

EPOCH = "SOURCE_DATE_EPOCH"


def prepare_environment() -> None:
    """Make the standard streams usable, and leave out what no library could read of the variables.

    NumPy reads SOURCE_DATE_EPOCH as it is imported for SciPy, and fails where that is no time. Matplotlib
    reads MPLBACKEND so, and fails where that is not installed: a notebook gives its commands one that
    its own environment has, and perhaps no other.
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

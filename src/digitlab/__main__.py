"""`python -m digitlab` and the command `digitlab`."""

from __future__ import annotations

import os
import signal
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit with its code."""
    listens = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if listens:
        signal.signal(signal.SIGINT, _leave)
    from digitlab.cli.environment import prepare_environment
    from digitlab.cli.main import run

    prepare_environment()
    if listens:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    code = run(sys.argv[1:])
    if listens:
        signal.signal(signal.SIGINT, _leave)
    sys.exit(code)


def _leave(*_: object) -> None:
    """End at Ctrl-C while modules are imported or the interpreter ends: without a traceback of these."""
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()

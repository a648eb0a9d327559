"""The command line of a benchmark: its options, its exit codes, and its errors in one line."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from typing import TypeVar

from digitlab.cli.main import INTERRUPTED, TERMINATED
from digitlab.errors import DigitlabError, missing_extra

Number = TypeVar("Number", int, float)


def run(main: Callable[[], None]) -> None:
    """Run the main function of a benchmark, and exit.

    The exit code is 0 on success, 1 if a run failed, 2 for bad usage or input, 130 if interrupted, and 143
    if terminated: then the processes that it started are ended first.

    Args:
        main: function that reads the command line and measures.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except DigitlabError as error:
        _explain(error)
    except ModuleNotFoundError as error:
        missing = missing_extra(error)
        if missing is None:
            raise
        _explain(missing)


def _explain(error: DigitlabError) -> None:
    print("benchmarks:", " ".join(str(error).splitlines()), file=sys.stderr)
    sys.exit(error.exit_code)


def at_least(lowest: Number) -> Callable[[str], Number]:
    """Return a converter of an option's text, for `argparse`.

    Args:
        lowest: smallest value that is accepted; its type is that of the option.
    """

    def convert(text: str) -> Number:
        try:
            value = type(lowest)(text)
        except ValueError:
            value = None
        if value is None or not lowest <= value < float("inf"):
            raise argparse.ArgumentTypeError(f"expected a number of at least {lowest}, received {text!r}")
        return value

    return convert

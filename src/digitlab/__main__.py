"""`python -m digitlab` and the command `digitlab`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from digitlab.cli.environment import prepare_environment
    from digitlab.cli.main import run

    prepare_environment()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

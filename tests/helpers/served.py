"""A service of its own in a process of its own, as a user starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serve(model: str, results: Path) -> Iterator[str]:
    """Start `digitlab serve` on a free port, give the address with the owner's key, and stop it.

    Args:
        model: name of a network that is shipped, or a bundle's folder.
        results: the folder of its store.
    """
    command = [sys.executable, "-m", "digitlab", "serve", "--port", "0", "--model", model]
    command += ["--store", str(results / "store.sqlite")]
    said = results / "serve.log"
    with (
        said.open("w") as log,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | {"NO_COLOR": "1"},
            start_new_session=True,
        ) as process,
    ):
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), said.read_text()
        try:
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0, said.read_text()

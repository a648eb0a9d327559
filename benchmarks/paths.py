"""Paths of the results, and of the peers with their own environment of Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from digitlab.errors import UserError
from digitlab.files import write_whole
from digitlab.workspace import Workspace

FOLDER = Path(__file__).resolve().parent
"""Folder of the benchmarks."""
PUBLISHED = FOLDER / "results"
"""Folder of the published results."""
PEERS = FOLDER / "peers"
"""Folder of the peers' scripts, and of the list of packages that they require."""

_ENVIRONMENT = FOLDER.parent / "build" / "peers" / "venv"
_READY = _ENVIRONMENT / ".ready"


def results_folder(out: Path | None = None, publish: bool = False) -> Path:
    """Return the folder in which measurements are saved: the workspace's, unless another is requested.

    Args:
        out: folder that is requested.
        publish: whether to return the folder of the published results, which are then replaced.

    Raises:
        UserError: both are requested.
    """
    if not publish:
        return out or Workspace().measurements
    if out is not None:
        raise UserError(f"--publish: expected no --out beside it, received {out}; leave one away")
    return PUBLISHED


def peers_python() -> Path:
    """Return the path of Python in the peers' own environment, which need not exist."""
    if os.name == "nt":
        return _ENVIRONMENT / "Scripts" / "python.exe"
    return _ENVIRONMENT / "bin" / "python"


def peers_installed() -> bool:
    """Return whether the peers' own environment holds what they require now."""
    return _READY.exists() and _READY.read_text("utf-8") == _requirements().read_text("utf-8")


def _requirements() -> Path:
    return PEERS / "requirements.txt"


def install_peers() -> None:
    """Create the peers' own environment, with the packages of `benchmarks/peers/requirements.txt`.

    Raises:
        UserError: it could not be created, or pip could not install the packages.
    """
    install = [str(peers_python()), "-m", "pip", "install", "--quiet", "--requirement", str(_requirements())]
    try:
        subprocess.run([sys.executable, "-m", "venv", str(_ENVIRONMENT)], check=True)
        subprocess.run(install, check=True, stdout=sys.stderr)
        # Written last, so that an interrupted installation does not count.
        write_whole(_READY, _requirements().read_bytes())
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(f"the peers' environment {_ENVIRONMENT} could not be made: {error}") from None

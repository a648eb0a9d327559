"""Paths of the board's peers and results, in the clone that digitlab runs from, if there is one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from digitlab.errors import UserError
from digitlab.files import write_whole
from digitlab.speed.book import key_of
from digitlab.workspace import Workspace

_PACKAGE = Path(__file__).resolve().parents[1]
_CLONE = _PACKAGE.parents[1]
_ENVIRONMENT = _CLONE / "build" / "peers" / "venv"
_READY = _ENVIRONMENT / ".ready"


def peers_folder() -> Path | None:
    """Return the folder of the peers' scripts; None outside of a clone."""
    folder = _CLONE / "benchmarks" / "peers"
    return folder if folder.is_dir() else None


def results_folder(out: Path | None = None, publish: bool = False) -> Path:
    """Return the folder in which measurements are saved: the workspace's, unless another is requested.

    Args:
        out: folder that is requested.
        publish: whether to return the folder of the clone's published results, which are then replaced.

    Raises:
        UserError: both are requested, or the published results are and digitlab does not run from a clone.
    """
    if not publish:
        return out or Workspace().measurements
    if out is not None:
        raise UserError(f"--publish: expected no --out beside it, received {out}; leave one away")
    if peers_folder() is None:
        raise UserError("--publish: expected digitlab in its clone, whose results these are; name --out DIR")
    return _CLONE / "benchmarks" / "results"


def peers_python() -> Path:
    """Return the path of Python in the peers' own environment, which need not exist."""
    place = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return _ENVIRONMENT.joinpath(*place)


def peers_installed() -> bool:
    """Return whether the peers' own environment holds what they require now."""
    folder = peers_folder()
    return folder is not None and _READY.exists() and _READY.read_text("utf-8") == _required(folder)


def _required(folder: Path) -> str:
    return (folder / "requirements.txt").read_text("utf-8")


def training_code(clock: str) -> str:
    """Hash the code that trains and that times it; runs of other code do not count.

    Args:
        clock: name of the module of this package that times the training.
    """
    files = sorted(path for room in ("models", "training") for path in (_PACKAGE / room).glob("*.py"))
    files.append(_PACKAGE / "speed" / f"{clock}.py")
    return key_of(*(path.read_text("utf-8") for path in files))


def install_peers() -> None:
    """Create the peers' own environment, with the packages of `benchmarks/peers/requirements.txt`.

    Raises:
        UserError: digitlab does not run from a clone, or pip could not install them.
    """
    folder = peers_folder()
    if folder is None:
        raise UserError("the peers are in the clone of digitlab: install digitlab from there")
    python = peers_python()
    try:
        subprocess.run([sys.executable, "-m", "venv", str(_ENVIRONMENT)], check=True)
        wanted = ["--requirement", str(folder / "requirements.txt")]
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", *wanted], check=True, stdout=sys.stderr
        )
        write_whole(_READY, _required(folder).encode())  # last: an interrupted installation does not count
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(f"the peers' environment {_ENVIRONMENT} could not be made: {error}") from None

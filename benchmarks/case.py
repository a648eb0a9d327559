"""What is measured: programs that run in processes of their own and print figures as JSON."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from paths import FOLDER

import digitlab
from digitlab.errors import DigitlabError


@dataclass(frozen=True)
class Case:
    """A program that is measured.

    Attributes:
        name: name, unique in its benchmark.
        key: hash of all that decides what a run does, from `key_of`; runs with another key do not count.
        command: command of a run, without the arguments that differ between runs.
    """

    name: str
    key: str
    command: tuple[str, ...]


class JobRequest(NamedTuple):
    """One run to make.

    Attributes:
        case: program to run.
        number: index of the run among those of the case: a seed, or a round.
    """

    case: Case
    number: int


def key_of(*decisive: str) -> str:
    """Hash all that decides what a run does into a key: sixteen hexadecimal digits."""
    return hashlib.sha256("\0".join(decisive).encode()).hexdigest()[:16]


def training_code(program: str) -> str:
    """Hash the code that trains and the program that times it; runs of other code do not count.

    Args:
        program: file name of the program in this folder.
    """
    package = Path(digitlab.__file__).parent
    files = sorted(path for name in ("models", "training") for path in (package / name).glob("*.py"))
    return key_of(*(path.read_text("utf-8") for path in (*files, FOLDER / program)))


def printed_values(
    title: str, command: Sequence[str], names: Sequence[str], environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run a program, and return what it prints.

    Args:
        title: title of the run, for messages.
        command: complete command.
        names: names that the printed JSON object must have.
        environment: environment variables (None: those of this process).

    Returns:
        Values of these names.

    Raises:
        DigitlabError: the program does not start, fails, or prints something else.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    except OSError as error:
        raise DigitlabError(f"{title}: {command[0]}: {error.strerror or error}") from None
    last = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
    if done.returncode:
        raise DigitlabError(f"{title}: exit code {done.returncode}; it printed: {last}")
    try:
        values = json.loads(done.stdout)
        return {name: values[name] for name in names}
    except (ValueError, KeyError, TypeError):
        raise DigitlabError(
            f"{title}: expected a JSON object with {', '.join(names)}, received: {last}"
        ) from None

"""Starting and stopping of studies, one at a time, each as a process `digitlab study run`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from pathlib import Path

from digitlab.errors import OutputError, SpecError, UserError
from digitlab.files import write_whole
from digitlab.serving.refusals import RefusalError
from digitlab.spec.library import resolve_study
from digitlab.spec.study import Study

STOP_SECONDS = 15.0
"""Seconds that a study may take to end when the service ends; then it is killed."""

_STOPPED = (130, 143)  # exit codes after SIGINT and SIGTERM
_MOST_SAID = 4096  # bytes at the end of its standard error that are kept


class StudyRuns:
    """The study that this service runs, if any; used from one event loop.

    Args:
        store: path of the store for the results.

    Attributes:
        running: key of the study that is running; None if none is.
        messages: reason why the last run of a study failed, by the study's key.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._process: Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._stop_asked = False
        self.running: str | None = None
        self.messages: dict[str, str] = {}

    def require_idle(self) -> None:
        """Raise if a study is running.

        Raises:
            RefusalError: a study is running already.
        """
        if self.running is not None:
            raise RefusalError(
                409, f"study {self.running} is running: wait until it has ended, or stop it first"
            )

    async def start(self, name: str, study: str, options: Sequence[str] = ()) -> None:
        """Start a study.

        Args:
            name: key of the study.
            study: name in the library, or path of the study's file.
            options: command-line options of `digitlab study run`.

        Raises:
            RefusalError: another study is running already.
            UserError: the process cannot be started.
        """
        self.require_idle()
        self.running = name
        self._stop_asked = False
        self.messages.pop(name, None)
        command = [sys.executable, "-m", "digitlab", "study", "run", study]
        command += ["--store", str(self._store), *options]
        try:
            # A session of its own, so that Ctrl-C on the service reaches it through us alone.
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, start_new_session=True
            )
        except OSError as error:
            self.running = None
            raise UserError(f"study {name}: cannot be started: {error.strerror or error}") from None
        self._watcher = asyncio.create_task(self._watch(name, self._process))

    async def _watch(self, name: str, process: Process) -> None:
        """Wait for the end of a process; if it failed, keep the last line of its standard error."""
        assert process.stderr is not None
        said = b""
        while part := await process.stderr.read(_MOST_SAID):
            said = (said + part)[-_MOST_SAID:]
        code = await process.wait()
        if code != 0 and code not in _STOPPED and not self._stop_asked:
            lines = said.decode("utf-8", "replace").split("\n")
            last = next((line for line in reversed(lines) if line.strip()), f"it exited with code {code}")
            self.messages[name] = last.strip().removeprefix("digitlab: ")
        self.running = self._process = None

    def stop(self, name: str) -> None:
        """Ask a study to stop; finished trials are kept.

        Raises:
            RefusalError: the study is not running here.
        """
        if self.running != name or self._process is None:
            raise RefusalError(409, f"study {name[:80]!r} is not running here")
        self._stop_asked = True  # no failure then: interrupted while starting, it ends with a traceback
        self._signal(signal.SIGINT)

    async def close(self) -> None:
        """Stop the study that is running, when the service ends."""
        if self._watcher is None or self._process is None:
            return
        self._signal(signal.SIGINT)
        try:
            await asyncio.wait_for(asyncio.shield(self._watcher), STOP_SECONDS)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._watcher

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


def write_study(study: Study, folder: Path) -> Path:
    """Write a study's file, so that the command line can run it, too.

    Args:
        study: study to write.
        folder: folder for the file; it is created if necessary.

    Raises:
        OutputError: the file cannot be written, or exists and is not of a study of that name.
    """
    path = study_path(study, folder)
    if path.exists() and not _is_of(study, path):
        raise OutputError(f"{path}: expected a file of study {study.name}, received another; move that one")
    return write_whole(path, study.to_toml().encode())


def _is_of(study: Study, path: Path) -> bool:
    try:
        return resolve_study(str(path)).name == study.name
    except SpecError:
        return False


def study_path(study: Study, folder: Path) -> Path:
    """Return the path of a study's file in a folder."""
    return folder / f"{study.name}.toml"

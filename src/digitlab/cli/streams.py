"""Standard streams that take any text in any encoding, and say in one line that they cannot be written."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

from digitlab.errors import DigitlabError

REPLACING = "digitlab.replacing"
"""Name of the error handler that writes what an encoding lacks in ASCII."""

_TWINS = {
    "\N{NO-BREAK SPACE}": " ",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MINUS SIGN}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{MIDDLE DOT}": ".",
    "\N{PLUS-MINUS SIGN}": "+/-",
    "\N{ALMOST EQUAL TO}": "~",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{SQUARE ROOT}": "sqrt ",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{DOWNWARDS ARROW}": "v",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{REPLACEMENT CHARACTER}": "?",
}
"""What we write ourselves, as ASCII has it."""


class StdoutError(DigitlabError):
    """Standard output that cannot be written: what was to stand there is lost."""


class ReaderGoneError(StdoutError):
    """Who read our output has closed the pipe, and has enough of it."""


def prepare_streams() -> None:
    """Make stdin, stdout and stderr usable, whatever their encoding and whatever is at their other end.

    What an encoding lacks is written in ASCII: dashes and signs by their twins, letters as `\\u795e`, bytes
    of names that are no UTF-8 as `\\xff`. A stream that was closed when the process began leads nowhere;
    were it left closed, the next file that is opened would take its number, and a library's messages.
    Stdout that cannot be written raises `StdoutError` once and then leads nowhere, too. Messages that cannot
    be written are forgotten: they must not stop the work that they are about.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = _Results(*_layers(sys.stdout, 1))
    sys.stderr = _Messages(*_layers(sys.stderr, 2))


def check_output() -> None:
    """Make sure that what was written to stdout has arrived.

    Raises:
        StdoutError: it has not; also where a library has swallowed that before.
    """
    sys.stdout.flush()
    if isinstance(sys.stdout, _Results) and sys.stdout.failure is not None:
        raise sys.stdout.failure


def replacing(text: str, encoding: str) -> str:
    """Write in ASCII what an encoding lacks."""
    return text.encode(encoding, REPLACING).decode(encoding)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_twin, error.object[error.start : error.end])), error.end


def _twin(letter: str) -> str:
    if "\ud800" <= letter <= "\udfff":  # a byte that Python could not decode
        return f"\\x{ord(letter) & 0xFF:02x}"
    if "\u2800" <= letter <= "\u28ff":  # a spinner's
        return "."
    return _TWINS.get(letter) or letter.encode("ascii", "backslashreplace").decode("ascii")


codecs.register_error(REPLACING, _replace)


class _Results(io.TextIOWrapper):
    """Standard output: a failure to write is raised once, and kept."""

    failure: StdoutError | None = None

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError as error:
            raise self._lost(error) from None

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise self._lost(error) from None

    def _lost(self, error: OSError) -> StdoutError:
        _lead_nowhere(self)
        if error.errno in (errno.EPIPE, errno.ESHUTDOWN):
            self.failure = ReaderGoneError("stdout: who read it has closed it")
        else:
            self.failure = StdoutError(
                f"stdout: cannot be written: {error.strerror or error}; what was to stand there is not "
                "complete: make room or name another file, and run it again"
            )
        return self.failure


class _Messages(io.TextIOWrapper):
    """Standard error: a failure to write is forgotten."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError:
            _lead_nowhere(self)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            _lead_nowhere(self)


def _lead_nowhere(stream: io.TextIOWrapper) -> None:
    """Let go what is not written yet, so that nothing fails when the process ends and writes it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    with suppress(OSError):
        io.TextIOWrapper.flush(stream)


def _layers(stream: TextIO | None, descriptor: int) -> tuple[Any, ...]:
    """What a stream is made of: bytes, encoding, error handler, ends of lines, how soon it writes."""
    if stream is None:
        return open(descriptor, "wb", closefd=False), "utf-8", REPLACING, None, True
    assert isinstance(stream, io.TextIOWrapper)
    stream.flush()
    return stream.buffer, stream.encoding, REPLACING, None, stream.line_buffering, stream.write_through

"""Standard streams that accept any text in any encoding, and report write failures in one line."""

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
"""Name of the error handler that replaces characters that an encoding lacks by ASCII."""

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
"""ASCII equivalents of the characters in our own texts."""


class StdoutError(DigitlabError):
    """Standard output cannot be written; its content is lost."""


class ReaderGoneError(StdoutError):
    """The reader of standard output has closed the pipe."""


def prepare_streams() -> None:
    """Make stdin, stdout and stderr usable, whatever their encoding and whatever they are connected to.

    Characters that an encoding lacks are written in ASCII: dashes and signs as their equivalents, letters as
    `\\u795e`, bytes of names that are not UTF-8 as `\\xff`. A stream that was closed when the process began
    is connected to the null device; were it left closed, the next file that is opened would get its
    descriptor, and a library's messages. Stdout that cannot be written raises `StdoutError` once, and is then
    connected to the null device, too. Messages that cannot be written are dropped: they must not stop the
    work that they report on.
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
    """Check that everything written to stdout has arrived.

    Raises:
        StdoutError: stdout could not be written, even if a library suppressed the error.
    """
    sys.stdout.flush()
    if isinstance(sys.stdout, _Results) and sys.stdout.failure is not None:
        raise sys.stdout.failure


def replacing(text: str, encoding: str) -> str:
    """Replace the characters that an encoding lacks by ASCII."""
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
    """Standard output: a failure to write is raised once, and recorded."""

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
            self.failure = ReaderGoneError("stdout: its reader has closed it")
        else:
            self.failure = StdoutError(
                f"stdout: cannot be written: {error.strerror or error}; its content is "
                "incomplete: free disk space or name another file, and run it again"
            )
        return self.failure


class _Messages(io.TextIOWrapper):
    """Standard error: a failure to write is ignored."""

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
    """Connect a stream to the null device, so that nothing fails when the process ends and flushes it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    with suppress(OSError):
        io.TextIOWrapper.flush(stream)


def _layers(stream: TextIO | None, descriptor: int) -> tuple[Any, ...]:
    """Return a stream's arguments of `TextIOWrapper`: buffer, encoding, errors, newline, buffering."""
    if stream is None:
        return open(descriptor, "wb", closefd=False), "utf-8", REPLACING, None, True
    assert isinstance(stream, io.TextIOWrapper)
    stream.flush()
    return stream.buffer, stream.encoding, REPLACING, None, stream.line_buffering, stream.write_through

"""Marks that identify files written by digitlab, so that no other file is ever replaced.

A mark is text: in a page an element of its head, in Markdown a comment at its end, in a PNG file a chunk
after its header.
"""

from __future__ import annotations

import json
import os
import re
import struct
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from digitlab.errors import OutputError

GENERATOR = "digitlab"
LOOKED_AT = 16_384
"""Number of bytes at either end of a file that are searched for its mark."""

_PNG_HEADER_BYTES = 33  # the signature and the chunk IHDR, after which others may follow
_MARK = rb"digitlab (\{[^}\n]*\})"
_OF_A_PAGE = re.compile(rb"\s*<!doctype html>[^\0]*?<meta name=\"generator\" content='" + _MARK)
_OF_A_PNG_FILE = re.compile(rb"\x89PNG\r\n\x1a\n(?s:.{29})tEXtSoftware\0" + _MARK)
_UNMARKED_REPORT = re.compile(
    rb"\s*<!doctype html>\n<html lang=\"en\">\n<head>\n(?:<meta [^>]*>\n)+"
    rb"<title>[^<]* \xc2\xb7 digitlab</title>\n<style>"
)
"""Beginning of report pages that are older than marks."""
_OF_MARKDOWN = re.compile(rb"\n<!-- " + _MARK + rb" -->\n\Z")


@dataclass(frozen=True)
class Mark:
    """Origin of a file written by digitlab, as stored in the file.

    Attributes:
        kind: kind of file: `report` (page, Markdown or figure of a study), `drawing` (picture with what was
            read) or `plot` (figure of one training by the classroom script).
        study: name of the study or collection; empty where the file is older than marks, or of no study.
        data: names of its data sets.
        fingerprint: beginnings of the data sets' fingerprints.
        content: `Plan.content` of each study; empty where it is not known.
    """

    kind: Literal["report", "drawing", "plot"]
    study: str = ""
    data: str = ""
    fingerprint: str = ""
    content: str = ""

    def __str__(self) -> str:
        inner = json.dumps(asdict(self))[1:-1]  # ASCII, on one line
        # Characters that would end an attribute, a comment or the mark are written as JSON's escapes.
        for character in ("--", *"<>&'{}"):
            inner = inner.replace(character, "".join(f"\\u{ord(each):04x}" for each in character))
        return f"{GENERATOR} {{{inner}}}"


def read_mark(path: Path) -> Mark | None:
    """Read the mark of a file; None where it has none, so that digitlab did not write it.

    For a report page that is older than marks, a mark without a study is returned.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(LOOKED_AT)
        file.seek(max(0, path.stat().st_size - LOOKED_AT))
        tail = file.read(LOOKED_AT)
    found = _OF_A_PAGE.match(head) or _OF_A_PNG_FILE.match(head) or _OF_MARKDOWN.search(tail)
    if found is None:
        return Mark("report") if _UNMARKED_REPORT.match(head) else None
    try:
        return Mark(**json.loads(found[1]))
    except (ValueError, TypeError):
        return None


def mark_png(content: bytes, mark: Mark) -> bytes:
    """Return the content of a PNG file with a mark added.

    Args:
        content: content of the file.
        mark: mark to add.
    """
    chunk = b"tEXtSoftware\0" + str(mark).encode()
    length, checksum = struct.pack(">I", len(chunk) - 4), struct.pack(">I", zlib.crc32(chunk))
    return content[:_PNG_HEADER_BYTES] + length + chunk + checksum + content[_PNG_HEADER_BYTES:]


def replaced_by(mark: Mark, path: Path | str, inputs: Iterable[Path | str | int] = ()) -> str:
    """Check that a file may be written, before any work is done for it.

    Args:
        mark: mark that the file will have.
        path: path of the file.
        inputs: paths or descriptors of files that are read for it.

    Returns:
        A sentence on what it replaces, where that is of another study or other data; else an empty text.

    Raises:
        OutputError: something other than such a file by digitlab is there, or an input.
    """
    place = Path(path)
    try:
        if not place.exists():
            return ""
        known = read_mark(place) if place.is_file() else None
        if known is None or known.kind != mark.kind:
            raise OutputError(
                f"{path}: expected a new file or a {mark.kind} that digitlab wrote, received another that is "
                "there; move it away or name another"
            )
        if any(_is_same(each, place) for each in inputs):
            raise OutputError(f"{path}: expected another file than is read, received the same; name another")
    except OSError as error:
        raise OutputError(f"{path}: cannot be read: {error.strerror or error}; name another") from None
    same = (known.study, known.fingerprint, known.content) == (mark.study, mark.fingerprint, mark.content)
    return "" if same else _replaced(known, mark)


def _is_same(one: Path | str | int, other: Path) -> bool:
    """Whether two names lead to the same file, through links and whatever their spelling."""
    try:
        return os.path.samefile(one, other)  # noqa: PTH121  # a Path is no descriptor
    except (OSError, ValueError):
        return False


def _replaced(known: Mark, mark: Mark) -> str:
    if not known.study:
        return "replaces a report of an older digitlab"
    sentence = f"replaces the report of study {known.study} on {known.data}"
    if (known.study, known.data) == (mark.study, mark.data):
        asked = known.fingerprint == mark.fingerprint
        sentence += ", which asked otherwise" if asked else f" as it was (fingerprint {known.fingerprint})"
    return "".join(letter if letter.isprintable() else "?" for letter in sentence)

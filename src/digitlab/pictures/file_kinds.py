"""Detection of a file's kind by its content, in words for error messages."""

from __future__ import annotations

import base64
import binascii
import re

PICTURE_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"BM": "BMP",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
}
"""Formats of picture files, by their first bytes."""

DEFLATE_RATIO = 1032
"""Largest compression ratio of deflate, of PNG, ZIP and gzip: two bits stand for 258 bytes."""

BASE64 = "base64 text of a picture"
"""Kind of a text, or a data URI, that encodes a picture's bytes."""

_MAGIC = {
    b"\xc5\xd0\xd3\xc6": "EPS",
    b"PK\3\4": "a ZIP archive",
    b"\x1f\x8b": "a gzip file",
    b"\0\0\1\0": "an icon",
    b"\0\0\x08": "an IDX file",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"\x93NUMPY": "an .npy file of one array",
    b"\x80\2": "a pickle",
    b"\x80\3": "a pickle",
    b"\x80\4": "a pickle",
    b"\x80\5": "a pickle",
    b"MATLAB 5.0": "a Matlab file",
    b"SQLite format 3\0": "an SQLite file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\0": "an xz file",
    b"(\xb5/\xfd": "a zstd file",
}
_TEXTS = {
    "%pdf": "PDF",
    "%!": "PostScript",
    "<svg": "SVG",
    "<!doctype html": "HTML",
    "<html": "HTML",
    "<?xml": "XML or SVG",
    "{": "JSON",
    "[": "JSON",
}
_HEAD = 4096  # bytes of a file that tell its kind
_BASE64_LINE = re.compile(r"[A-Za-z0-9+/\s]{12,}={0,2}\s*")
_DATA_URI = re.compile(r"data:image/[\w.+-]+(;[\w=.+-]+)*,", re.IGNORECASE)


def picture_format(data: bytes) -> str:
    """Return the format of a picture by its file's first bytes.

    Args:
        data: content of the file; one that ends within a format's magic counts as a truncated file of that
            format.

    Returns:
        PNG, JPEG, WebP, BMP, TIFF or GIF; empty for any other file.
    """
    for magic, name in PICTURE_MAGIC.items():
        # A header of BMP has zeros in it, and a text that begins with BM has none.
        if name == "BMP" and len(data) > 10 and b"\0" not in data[:18]:
            continue
        if data.startswith(magic) or magic.startswith(data):
            return name
    if b"RIFF".startswith(data[:4]) and b"WEBP".startswith(data[8:12]):
        return "WebP"
    return ""


def kind_of(data: bytes) -> str:
    """Return the kind of a file that is not a picture of an accepted format.

    Args:
        data: content of the file, or its first kilobytes.

    Returns:
        The kind, as it follows "found" in a message: `PDF`, `a ZIP archive`, `CSV text`; `something else` if
        it is unknown.
    """
    if not data:
        return "an empty file"
    if data[4:8] == b"ftyp":
        return "HEIC, AVIF or a video"
    for magic, name in _MAGIC.items():
        if data.startswith(magic):
            return name
    if data[257:262] == b"ustar":
        return "a tar archive"
    text = _text(data[:_HEAD])
    return "something else" if text is None else _kind_of_text(text)


def _kind_of_text(text: str) -> str:
    start = text.lstrip("\ufeff \t\r\n")
    for mark, name in _TEXTS.items():
        if start.lower().startswith(mark):
            return name
    if _DATA_URI.match(start) or _is_base64_picture(start):
        return BASE64
    lines = [line for line in start.splitlines() if line.strip()]
    if lines and any(mark in lines[0] for mark in ",;\t"):
        return "CSV text"
    return "text"


def _is_base64_picture(text: str) -> bool:
    if not _BASE64_LINE.fullmatch(text):
        return False
    digits = "".join(text.split())
    try:
        # In whole groups of four: only the beginning of a long file is decoded.
        head = base64.b64decode(digits[: len(digits) // 4 * 4][:64], validate=True)
    except binascii.Error:
        return False
    return len(head) >= 8 and bool(picture_format(head))


def _text(data: bytes) -> str | None:
    """Return the text of a file's head, or None if it is binary; a character may be cut at its end."""
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(data) - 4:
            return None
        return data[: error.start].decode("utf-8")

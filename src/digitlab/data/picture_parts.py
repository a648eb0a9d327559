"""The parts that a picture file is made of, walked before a decoder sees it.

A file may be small, sound and still a trap: millions of empty comments, chunks or blocks, each of them work
for the decoder; or a header that claims a large picture, with padding behind a few bytes of pixels. The walk
reads no more than the lengths of the parts.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from digitlab.errors import ImageError

_FEW_PARTS = 1_000
_PART_BYTES = 128  # that a part of a file of many must have on average; those of a GIF's pixels have 255
_MAX_EXIF_PARTS = 100  # of a JPEG; Pillow copies all before each
_USUAL_SCANS = 16  # of a JPEG; an empty one is a few bytes
_MAX_TAGS = 1_000  # of a TIFF
_BYTE_COUNTS = {279, 325}  # tags of a TIFF: how long its strips are, or its tiles
_WIDTHS = {3: 2, 4: 4, 16: 8}  # bytes of a number in a TIFF, by its type

_START_OF_SCAN, _END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
_WITHOUT_LENGTH = frozenset((0x00, 0x01, *range(0xD0, 0xD9), 0xFF))  # markers of a JPEG, and fill bytes
_EXTENSION, _FRAME = 0x21, 0x2C


def pixel_bytes(data: bytes, format_name: str) -> int:
    """Count the bytes that hold the pixels of a file's first picture.

    Args:
        data: the file.
        format_name: as its magic says: PNG, JPEG, WebP, BMP, TIFF or GIF.

    Returns:
        The number; of a format whose parts say it only to the decoder, no less than it.

    Raises:
        ImageError: when the file ends before its parts do, or is made of far too many.
    """
    try:
        return _WALKS[format_name](data)
    except (struct.error, IndexError) as error:
        raise ImageError(f"the {format_name} file is truncated; get it again") from error


def _check_parts(parts: int, data: bytes, format_name: str) -> None:
    if parts > _FEW_PARTS + len(data) // _PART_BYTES:
        raise ImageError(f"damaged: a {format_name} file made of too many tiny parts; save it again as PNG")


def _png(data: bytes) -> int:
    position, parts, held, kind = 8, 0, 0, b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, position)
        position += 12 + length
        held += length if kind == b"IDAT" else 0
        parts += 1
        _check_parts(parts, data, "PNG")
    return held


def _jpeg(data: bytes) -> int:
    """Count the bytes of the scans; of many a share, since each goes over all of the pixels again."""
    begin = _first_scan(data)
    end = data.find(_END_OF_IMAGE, begin)
    end = len(data) if end < 0 else end
    return (end - begin) // (1 + data.count(_START_OF_SCAN, begin, end) // _USUAL_SCANS)


def _first_scan(data: bytes) -> int:
    """Find the first scan; what precedes it is segments with their lengths."""
    position, parts, exif_parts = 2, 0, 0
    while not data.startswith(_START_OF_SCAN, position):
        if data[position] != 0xFF or data[position + 1] in _WITHOUT_LENGTH:
            position += 1  # Pillow reads such bytes one by one
        else:
            exif_parts += data.startswith(b"Exif\0", position + 4)
            position += 2 + struct.unpack_from(">H", data, position + 2)[0]
        parts += 1
        _check_parts(parts, data, "JPEG")
    if exif_parts > _MAX_EXIF_PARTS:
        raise ImageError(f"damaged: a JPEG file with more than {_MAX_EXIF_PARTS} parts of Exif data")
    return position


def _gif(data: bytes) -> int:
    position, parts = 13 + _palette_bytes(data[10]), 0
    while data[position] != _FRAME:
        if data[position] == _EXTENSION:
            position, count = _skip_blocks(data, position + 2)
            parts += count
        else:
            position += 1
        parts += 1
        _check_parts(parts, data, "GIF")
    begin = position + 11 + _palette_bytes(data[position + 9])
    return _skip_blocks(data, begin)[0] - begin


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 128 else 0


def _skip_blocks(data: bytes, position: int) -> tuple[int, int]:
    """Go over blocks that begin with their length, up to an empty one; give their end and their number."""
    parts = 0
    while data[position]:
        position += 1 + data[position]
        parts += 1
        _check_parts(parts, data, "GIF")
    return position + 1, parts


def _webp(data: bytes) -> int:
    position, parts, held = 12, 0, 0
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        if not held and kind in (b"VP8 ", b"VP8L", b"ANMF"):
            held = length
        position += 8 + length + length % 2
        parts += 1
        _check_parts(parts, data, "WebP")
    return min(held, len(data))


def _tiff(data: bytes) -> int:
    """Add up what the first directory says of the parts that hold the pixels."""
    order = "<" if data.startswith(b"II") else ">"
    if 0x2B in data[2:4]:  # BigTIFF
        count, entry, word, at = "Q", "HHQ", "Q", 8
    else:
        count, entry, word, at = "H", "HHI", "I", 4
    [start] = struct.unpack_from(order + word, data, at)
    [tags] = struct.unpack_from(order + count, data, min(start, len(data)))
    if tags > _MAX_TAGS:
        raise ImageError(f"damaged: a TIFF file with {tags:,} tags; save it again as PNG")
    position, size = start + struct.calcsize(count), struct.calcsize("<" + entry)
    for _ in range(tags):
        tag, kind, values = struct.unpack_from(order + entry, data, position)
        position += size
        if tag in _BYTE_COUNTS and kind in _WIDTHS:
            width = _WIDTHS[kind]
            [offset] = struct.unpack_from(order + word, data, position)
            offset = position if width * values <= struct.calcsize(word) else offset
            claimed = _sum(data[offset : offset + width * values], f"{order}u{width}")
            return min(claimed or len(data), len(data))  # some writers put zeros there
        position += struct.calcsize(word)
    return len(data)


def _sum(data: bytes, dtype: str) -> int:
    values = np.frombuffer(data, dtype, len(data) // np.dtype(dtype).itemsize)
    return int(values.astype(np.float64).sum())  # no claim overflows it


_WALKS: dict[str, Callable[[bytes], int]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "WebP": _webp,
    "BMP": len,
    "TIFF": _tiff,
    "GIF": _gif,
}

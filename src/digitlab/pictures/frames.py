"""The parts of a picture file, walked before a decoder sees it.

A small and valid file may still be an attack: millions of empty comments, chunks or blocks, each of them work
for the decoder; or a header that claims a large picture, with padding after a few bytes of pixels. The walk
reads little more than the lengths of the parts.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import numpy as np

from digitlab.errors import ImageError

MAX_PAGES = 100
"""Largest number of pages of a TIFF file that are read."""
MOST_FRAMES = 10_000
"""Number up to which frames are counted; an exact count above it is of no use."""

_FEW_PARTS = 1_000
_PART_BYTES = 128  # smallest mean size of parts that are many; those of a GIF's pixels have 255
_MAX_EXIF_PARTS = 100  # of a JPEG; for each, Pillow copies all before it
_USUAL_SCANS = 16  # of a JPEG; an empty one is a few bytes
_MAX_TAGS = 1_000  # of a page of a TIFF
_MAX_TAGS_OF_ALL = 5_000  # of all pages of a TIFF, which have a dozen or two each
_MAX_STRIPS_OF_ALL = 50_000  # of all pages of a TIFF; some writers make one of each row
_SUBFILE, _REDUCED_OR_MASK = 254, 0b101  # a tag of a TIFF, and what it says of a picture that is no page
_BYTE_COUNTS = {279, 325}  # tags of a TIFF: how long its strips are, or its tiles
_NUMBERS = {*_BYTE_COUNTS, _SUBFILE}
_WIDTHS = {3: 2, 4: 4, 16: 8}  # bytes of a number in a TIFF, by its type

_START_OF_SCAN, _END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
_WITHOUT_LENGTH = frozenset((0x00, 0x01, *range(0xD0, 0xD9), 0xFF))  # markers of a JPEG, and fill bytes
_EXTENSION, _FRAME, _TRAILER = 0x21, 0x2C, 0x3B


@dataclass(frozen=True)
class Frame:
    """One picture in a file.

    Attributes:
        index: index of the picture in the file, from 0.
        held: number of bytes in the file that hold its pixels; an upper bound if only the decoder can tell.
    """

    index: int
    held: int


@dataclass(frozen=True)
class Frames:
    """The pictures in a file.

    Attributes:
        pages: pictures to read: all of a TIFF except reduced copies and masks, at most one more than
            `MAX_PAGES`; the first one of other formats.
        others: number of further pictures, counted up to `MOST_FRAMES`.
    """

    pages: tuple[Frame, ...]
    others: int = 0


def list_frames(data: bytes, format_name: str) -> Frames:
    """List the pictures in a file.

    Args:
        data: content of the file.
        format_name: format by the file's magic: PNG, JPEG, WebP, BMP, TIFF or GIF.

    Raises:
        ImageError: the file ends before the parts of its first picture do, or has far too many parts.
    """
    try:
        return _WALKS[format_name](data)
    except (struct.error, IndexError) as error:
        raise ImageError(f"the {format_name} file is truncated; get it again") from error


def _only(held: int, others: int = 0) -> Frames:
    return Frames((Frame(0, held),), min(max(others, 0), MOST_FRAMES))


def _check_parts(parts: int, data: bytes, format_name: str) -> None:
    if parts > _FEW_PARTS + len(data) // _PART_BYTES:
        raise ImageError(f"damaged: a {format_name} file made of too many tiny parts; save it again as PNG")


def _png(data: bytes) -> Frames:
    position, parts, held, frames, kind = 8, 0, 0, 1, b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"acTL":  # an animation, and how many frames it has
            [frames] = struct.unpack_from(">I", data, position + 8)
        position += 12 + length
        held += length if kind == b"IDAT" else 0
        parts += 1
        _check_parts(parts, data, "PNG")
    return _only(held, frames - 1)


def _jpeg(data: bytes) -> Frames:
    """Count the bytes of the scans; a share of them for many scans, since each covers all pixels again."""
    begin = _first_scan(data)
    end = data.find(_END_OF_IMAGE, begin)
    end = len(data) if end < 0 else end
    return _only((end - begin) // (1 + data.count(_START_OF_SCAN, begin, end) // _USUAL_SCANS))


def _first_scan(data: bytes) -> int:
    """Return the offset of the first scan, which follows segments with their lengths."""
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


def _gif(data: bytes) -> Frames:
    pixels = _gif_pixels(data)
    held = next(pixels, None)
    if held is None:
        raise IndexError
    others = 0
    with suppress(IndexError, ImageError):  # damage after the first frame does not affect it
        for _ in islice(pixels, MOST_FRAMES):
            others += 1
    return _only(held, others)


def _gif_pixels(data: bytes) -> Iterator[int]:
    """Yield the number of bytes of pixels of each frame."""
    position, parts = 13 + _palette_bytes(data[10]), 0
    while data[position] != _TRAILER:
        if data[position] == _FRAME:
            begin = position + 11 + _palette_bytes(data[position + 9])
            position, _ = _skip_blocks(data, begin)
            yield position - begin
        elif data[position] == _EXTENSION:
            position, count = _skip_blocks(data, position + 2)
            parts += count
        else:
            position += 1
        parts += 1
        _check_parts(parts, data, "GIF")


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 128 else 0


def _skip_blocks(data: bytes, position: int) -> tuple[int, int]:
    """Skip blocks that begin with their length, up to an empty one; return their end and their number."""
    parts = 0
    while data[position]:
        position += 1 + data[position]
        parts += 1
        _check_parts(parts, data, "GIF")
    return position + 1, parts


def _webp(data: bytes) -> Frames:
    position, parts, held, frames = 12, 0, 0, 0
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        if not held and kind in (b"VP8 ", b"VP8L", b"ANMF"):
            held = length
        frames += kind == b"ANMF"
        position += 8 + length + length % 2
        parts += 1
        _check_parts(parts, data, "WebP")
    return _only(min(held, len(data)), frames - 1)


@dataclass(frozen=True)
class _Directory:
    """Facts about one picture from its directory in a TIFF.

    Attributes:
        held: number of bytes that hold its pixels.
        is_page: whether it is neither a reduced copy nor a mask.
        tags: number of tags.
        strips: number of strips or tiles that hold its pixels.
        next: offset of the next directory; 0 after the last.
    """

    held: int
    is_page: bool
    tags: int
    strips: int
    next: int


def _tiff(data: bytes) -> Frames:
    order = "<" if data.startswith(b"II") else ">"
    is_big = 0x2B in data[2:4]  # BigTIFF
    [start] = struct.unpack_from(order + ("Q" if is_big else "I"), data, 8 if is_big else 4)
    directories = [_directory(data, start, order, is_big)]
    seen = {start}
    while (start := directories[-1].next) and start not in seen and len(directories) <= MAX_PAGES:
        seen.add(start)
        try:
            directories.append(_directory(data, start, order, is_big))
        except struct.error:
            directories.append(_Directory(0, True, 0, 0, 0))  # not there: the decoder will find nothing
        tags = sum(directory.tags for directory in directories)
        if tags > _MAX_TAGS_OF_ALL:
            raise ImageError(f"damaged: a TIFF file with {tags:,} tags; save it again as PNG")
    strips = sum(directory.strips for directory in directories)
    if strips > _MAX_STRIPS_OF_ALL:
        raise ImageError(f"the TIFF file is made of {strips:,} strips; save it again as PNG")
    pages = [Frame(index, found.held) for index, found in enumerate(directories) if found.is_page]
    pages = pages or [Frame(0, directories[0].held)]
    return Frames(tuple(pages), len(directories) - len(pages))


def _directory(data: bytes, start: int, order: str, is_big: bool) -> _Directory:
    count, entry, word = ("Q", "HHQ", "Q") if is_big else ("H", "HHI", "I")
    [tags] = struct.unpack_from(order + count, data, min(start, len(data)))
    if tags > _MAX_TAGS:
        raise ImageError(f"damaged: a TIFF file with {tags:,} tags; save it again as PNG")
    position, size = start + struct.calcsize("<" + count), struct.calcsize("<" + entry)
    held, is_page, strips = len(data), True, 0
    for _ in range(tags):
        tag, kind, values = struct.unpack_from(order + entry, data, position)
        position += size
        if tag in _NUMBERS and kind in _WIDTHS:
            width = _WIDTHS[kind]
            [offset] = struct.unpack_from(order + word, data, position)
            offset = position if width * values <= struct.calcsize("<" + word) else offset
            total = _sum(data[offset : offset + width * values], f"{order}u{width}")
            if tag == _SUBFILE:
                is_page = not total & _REDUCED_OR_MASK
            else:
                strips = values
                held = min(total or len(data), len(data))  # some writers put zeros there
        position += struct.calcsize("<" + word)
    if len(data) < position + struct.calcsize("<" + word):
        return _Directory(held, is_page, tags, strips, 0)
    [following] = struct.unpack_from(order + word, data, position)
    return _Directory(held, is_page, tags, strips, following)


def _sum(data: bytes, dtype: str) -> int:
    values = np.frombuffer(data, dtype, len(data) // np.dtype(dtype).itemsize)
    return int(values.astype(np.float64).sum())  # float64, which no claimed size overflows


_WALKS: dict[str, Callable[[bytes], Frames]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "WebP": _webp,
    "BMP": lambda data: _only(len(data)),
    "TIFF": _tiff,
    "GIF": _gif,
}

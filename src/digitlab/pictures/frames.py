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
    position = 8  # after the magic
    parts = held = 0
    frames = 1
    kind = b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"acTL":  # an animation, and how many frames it has
            [frames] = struct.unpack_from(">I", data, position + 8)
        elif kind == b"IDAT":
            held += length
        position += 12 + length  # with the chunk's length, kind and checksum
        parts += 1
        _check_parts(parts, data, "PNG")
    return _only(held, frames - 1)


def _jpeg(data: bytes) -> Frames:
    """Count the bytes of the scans; a share of them for many scans, since each covers all pixels again."""
    begin = _first_scan(data)
    end = data.find(_END_OF_IMAGE, begin)
    if end < 0:
        end = len(data)
    scans = data.count(_START_OF_SCAN, begin, end)
    return _only((end - begin) // (1 + scans // _USUAL_SCANS))


def _first_scan(data: bytes) -> int:
    """Return the offset of the first scan, which follows segments with their lengths."""
    position = 2  # after the magic
    parts = exif_parts = 0
    while not data.startswith(_START_OF_SCAN, position):
        if data[position] != 0xFF or data[position + 1] in _WITHOUT_LENGTH:
            position += 1  # Pillow reads such bytes one by one
        else:
            exif_parts += data.startswith(b"Exif\0", position + 4)
            [length] = struct.unpack_from(">H", data, position + 2)
            position += 2 + length  # the length does not count the marker's two bytes
        parts += 1
        _check_parts(parts, data, "JPEG")
    if exif_parts > _MAX_EXIF_PARTS:
        raise ImageError(f"damaged: a JPEG file with more than {_MAX_EXIF_PARTS} parts of Exif data")
    return position


def _gif(data: bytes) -> Frames:
    pixels = _gif_pixels(data)
    held = next(pixels, None)
    if held is None:
        raise IndexError  # the file ends before its first frame does
    others = 0
    with suppress(IndexError, ImageError):  # damage after the first frame does not affect it
        for _ in islice(pixels, MOST_FRAMES):
            others += 1
    return _only(held, others)


def _gif_pixels(data: bytes) -> Iterator[int]:
    """Yield the number of bytes of pixels of each frame."""
    position = 13 + _palette_bytes(data[10])  # after the header and the palette of all frames
    parts = 0
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
    """Return the length of a palette of 2, 4 .. 256 colours, of three bytes each; 0 if there is none."""
    has_palette = flags & 128
    colours = 2 << (flags & 7)
    return 3 * colours if has_palette else 0


def _skip_blocks(data: bytes, position: int) -> tuple[int, int]:
    """Skip blocks that begin with their length, up to an empty one; return their end and their number."""
    parts = 0
    while data[position]:
        position += 1 + data[position]
        parts += 1
        _check_parts(parts, data, "GIF")
    return position + 1, parts


def _webp(data: bytes) -> Frames:
    position = 12  # after the header of the container
    parts = held = frames = 0
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        if not held and kind in (b"VP8 ", b"VP8L", b"ANMF"):
            held = length
        frames += kind == b"ANMF"
        position += 8 + length + length % 2  # chunks begin at even offsets
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
    start = directories[-1].next
    # A directory that was seen before would make the walk endless.
    while start and start not in seen and len(directories) <= MAX_PAGES:
        seen.add(start)
        try:
            directories.append(_directory(data, start, order, is_big))
        except struct.error:
            directories.append(_Directory(0, True, 0, 0, 0))  # not there: the decoder will find nothing
        tags = sum(directory.tags for directory in directories)
        if tags > _MAX_TAGS_OF_ALL:
            raise ImageError(f"damaged: a TIFF file with {tags:,} tags; save it again as PNG")
        start = directories[-1].next
    strips = sum(directory.strips for directory in directories)
    if strips > _MAX_STRIPS_OF_ALL:
        raise ImageError(f"the TIFF file is made of {strips:,} strips; save it again as PNG")
    pages = [Frame(i, directory.held) for i, directory in enumerate(directories) if directory.is_page]
    pages = pages or [Frame(0, directories[0].held)]
    return Frames(tuple(pages), len(directories) - len(pages))


def _directory(data: bytes, start: int, order: str, is_big: bool) -> _Directory:
    # Layouts of the number of tags; of a tag, its type and number of values; and of a value or an offset.
    count, entry, word = ("Q", "HHQ", "Q") if is_big else ("H", "HHI", "I")
    word_size = struct.calcsize("<" + word)
    [tags] = struct.unpack_from(order + count, data, min(start, len(data)))
    if tags > _MAX_TAGS:
        raise ImageError(f"damaged: a TIFF file with {tags:,} tags; save it again as PNG")
    position = start + struct.calcsize("<" + count)
    held, is_page, strips = len(data), True, 0
    for _ in range(tags):
        tag, kind, values = struct.unpack_from(order + entry, data, position)
        position += struct.calcsize("<" + entry)
        if tag in _NUMBERS and kind in _WIDTHS:
            width = _WIDTHS[kind]
            length = width * values
            # Values that fit into a word are in the tag itself, others at an offset.
            [offset] = struct.unpack_from(order + word, data, position)
            if length <= word_size:
                offset = position
            total = _sum(data[offset : offset + length], f"{order}u{width}")
            if tag == _SUBFILE:
                is_page = not total & _REDUCED_OR_MASK
            else:
                strips = values
                held = min(total or len(data), len(data))  # some writers put zeros there
        position += word_size
    if len(data) < position + word_size:
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

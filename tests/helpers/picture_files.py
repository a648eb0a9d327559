"""Picture files for the tests: what Pillow writes, and what it does not."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

SHORT, LONG = 3, 4
LOSSLESS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "BMP": {},
    "GIF": {},
    "TIFF": {},
    "WebP": {"lossless": True, "exact": True},
}


def encoded(image: Image.Image | np.ndarray, format_name: str, **options: Any) -> bytes:
    """What Pillow makes of an image."""
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    stream = io.BytesIO()
    image.save(stream, format_name, **options)
    return stream.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, bits: int, color: int, pixels: bytes, extra: bytes = b"") -> bytes:
    """A PNG file of compressed `pixels`, with `extra` chunks before them."""
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def png_rows(rows: Sequence[bytes]) -> bytes:
    """Rows of packed samples, compressed as PNG keeps them, without filter."""
    return zlib.compress(b"".join(b"\0" + row for row in rows))


def tiff(pixels: bytes, tags: Mapping[int, int | Sequence[int]], order: str = "<") -> bytes:
    """A TIFF file, of one strip unless `tags` say otherwise; tags of one value may be given as numbers."""
    strip = {} if 324 in tags else {273: 8, 279: len(pixels)}
    every = {**strip, **tags}
    start = 8 + len(pixels) + len(pixels) % 2
    far_start = start + 2 + 12 * len(every) + 4
    entries, far = b"", b""
    for tag, value in sorted(every.items()):
        values = [value] if isinstance(value, int) else list(value)
        kind = LONG if tag in (273, 278, 279, 324, 325) else SHORT
        packed = struct.pack(f"{order}{len(values)}{'I' if kind == LONG else 'H'}", *values)
        if len(packed) > 4:
            far, packed = far + packed, struct.pack(f"{order}I", far_start + len(far))
        entries += struct.pack(f"{order}HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    header = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, start)
    directory = struct.pack(f"{order}H", len(every)) + entries + bytes(4)
    return header + pixels.ljust(start - 8, b"\0") + directory + far


def grey_tiff(
    values: np.ndarray, bits: int, order: str = "<", *, photometric: int = 1, sample_format: int = 1
) -> bytes:
    """A TIFF file of one grey channel; `values` are already of that depth."""
    height, width = values.shape
    if bits == 12:
        pairs = values.reshape(-1, 2).astype(np.uint32)
        packed = (pairs[:, 0] << 12 | pairs[:, 1]).astype(">u4")
        pixels = packed.view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()
    else:
        pixels = values.astype(values.dtype.newbyteorder("<" if order == "<" else ">")).tobytes()
    shape = {256: width, 257: height, 258: bits, 262: photometric, 277: 1, 278: height}
    return tiff(pixels, shape | {259: 1, 339: sample_format}, order)


def with_tag(data: bytes, tag: int, value: int) -> bytes:
    """A little-endian TIFF file with one number in its directory exchanged."""
    changed = bytearray(data)
    [start] = struct.unpack_from("<I", data, 4)
    [count] = struct.unpack_from("<H", data, start)
    for position in range(start + 2, start + 2 + 12 * count, 12):
        found, kind = struct.unpack_from("<HH", data, position)
        if found == tag:
            struct.pack_into("<H" if kind == SHORT else "<I", changed, position + 8, value)
            return bytes(changed)
    raise AssertionError(f"no tag {tag}")

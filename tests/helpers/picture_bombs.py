"""Small files that cost much, if they are believed: bombs, lying headers, floods of tiny parts."""

from __future__ import annotations

import random
import struct
import zlib
from typing import Any

from PIL import Image

from picture_files import encoded, png, png_chunk, png_rows, tiff, with_tag

HUGE = (60_000, 60_000)
LARGE = (7_000, 7_000)  # 49 megapixels: within the limits, were it true


def noise() -> Image.Image:
    return Image.effect_noise((28, 28), 50).convert("RGB")


def lying(format_name: str, where: bytes | int, layout: str, *claim: int, **options: Any) -> bytes:
    """A small file with another size written over its own, at an offset or behind a mark."""
    data = bytearray(encoded(noise(), format_name, **options))
    offset = where if isinstance(where, int) else data.index(where) + len(where)
    struct.pack_into(layout, data, offset, *claim)
    return bytes(data)


def lying_tiff(width: int, height: int, compression: str, mode: str = "L") -> bytes:
    data = encoded(Image.new(mode, (28, 28)), "TIFF", compression=compression)
    return with_tag(with_tag(with_tag(data, 256, width), 257, height), 278, height)


def tiff_of_tiles(width: int, height: int) -> bytes:
    """A small deflated TIFF whose directory claims tiles of that size."""
    packed = zlib.compress(bytes(256))
    shape = {256: 28, 257: 26, 258: 8, 259: 8, 262: 1, 277: 1}
    return tiff(packed, shape | {322: width, 323: height, 324: 8, 325: len(packed)})


def tiff_read_over_and_over() -> bytes:
    """A true page of 49 megapixels, which its directory lists 500 times in halves."""
    strips = {273: [8] * 1000, 278: 3500, 279: [7000 * 3500 // 8] * 1000}
    shape = {256: 7000, 257: 7000, 258: 1, 259: 1, 262: 1, 277: 1}
    return tiff(bytes(7000 * 7000 // 8), shape | strips)


def real_png_bomb(side: int, bits: int) -> bytes:
    """A square picture of zeros: 1.6 gigapixels of one bit are 195 kB."""
    packer = zlib.compressobj(9)
    rows = [packer.compress(bytes(side * bits // 8 + 1) * 1000) for _ in range(side // 1000)]
    return png(side, side, bits, 0, b"".join(rows) + packer.flush())


def png_with_a_bomb_beside_the_picture(kind: bytes) -> bytes:
    bomb = png_chunk(kind, b"name\0\0" + zlib.compress(bytes(2**27), 9))
    return png(28, 28, 8, 0, png_rows([bytes(28)] * 28), bomb)


def jpeg_of_many_scans() -> bytes:
    """A progressive JPEG whose scans are repeated, each of them a walk over all pixels."""
    data = encoded(Image.new("L", (2000, 2000)), "JPEG", progressive=True)
    first, last = data.index(b"\xff\xda"), data.rindex(b"\xff\xda")
    return data[:first] + data[first:-2] + data[last:-2] * 200 + data[-2:]


def jpeg_of_many_exif_parts() -> bytes:
    """Half a minute of work for Pillow, which copies all the parts before each."""
    data = encoded(Image.new("L", (28, 28)), "JPEG")
    return data[:2] + b"\xff\xe1\0\x09Exif\0\0x" * 1_000_000 + data[2:]


def bombs() -> dict[str, bytes]:
    lossless_claim = (LARGE[0] - 1) | (LARGE[1] - 1) << 14
    return {
        "a PNG header": png(*HUGE, 8, 6, zlib.compress(b"x")),
        "a PNG header within the limits": png(*LARGE, 8, 6, zlib.compress(b"x")),
        "a padded PNG header within the limits": png(*LARGE, 8, 6, random.Random(0).randbytes(8000)),
        "a true PNG bomb of 40000 x 40000 bits": real_png_bomb(40_000, 1),
        "a true PNG bomb of 30000 x 30000 bits": real_png_bomb(30_000, 1),
        "a true PNG bomb of 13000 x 13000 bytes": real_png_bomb(13_000, 8),
        "a PNG of one endless row": png(2**31 - 1, 1, 1, 0, zlib.compress(bytes(2**20))),
        "a PNG comment": png_with_a_bomb_beside_the_picture(b"zTXt"),
        "a PNG profile": png_with_a_bomb_beside_the_picture(b"iCCP"),
        "a JPEG header": lying("JPEG", b"\xff\xc0\0\x11\x08", ">HH", 65_500, 65_500),
        "a JPEG header within the limits": lying("JPEG", b"\xff\xc0\0\x11\x08", ">HH", *LARGE),
        "a JPEG of many scans": jpeg_of_many_scans(),
        "a JPEG of many Exif parts": jpeg_of_many_exif_parts(),
        "a WebP header": lying("WebP", 21, "<I", 2**28 - 1, lossless=True),
        "a lossless WebP header within the limits": lying("WebP", 21, "<I", lossless_claim, lossless=True),
        "a lossy WebP header within the limits": lying("WebP", 26, "<HH", *LARGE),
        "a WebP canvas": lying(
            "WebP", 24, "<HBHB", 6_999, 0, 6_999, 0, save_all=True, append_images=[noise()]
        ),
        "a GIF screen": lying("GIF", 6, "<HH", 65_000, 65_000),
        "a GIF screen within the limits": lying("GIF", 6, "<HH", *LARGE),
        "a GIF frame": lying("GIF", b"\x2c\0\0\0\0", "<HH", *LARGE),
        "a BMP header": lying("BMP", 18, "<ii", *HUGE),
        "a BMP header within the limits": lying("BMP", 18, "<ii", *LARGE),
        "a TIFF header": lying_tiff(*HUGE, "raw"),
        "a TIFF header within the limits": lying_tiff(*LARGE, "raw"),
        "a deflated TIFF header within the limits": lying_tiff(*LARGE, "tiff_deflate"),
        "a colored TIFF header within the limits": lying_tiff(*LARGE, "tiff_lzw", "RGBA") + bytes(10_000),
        "a fax header within the limits": lying_tiff(*LARGE, "group4", "1"),
        "a TIFF tile": tiff_of_tiles(2**15, 2**15),
        "a TIFF that is read over and over": tiff_read_over_and_over(),
    }


def padded_lies() -> dict[str, bytes]:
    """Headers within the limits, in files that are large enough for them and hold almost no pixels."""
    padding = bytes(200_000)
    progressive = lying("JPEG", b"\xff\xc2\0\x11\x08", ">HH", *LARGE, progressive=True)
    return {
        "a padded PNG": png(*LARGE, 8, 0, zlib.compress(b"x")) + padding,
        "a padded JPEG": lying("JPEG", b"\xff\xc0\0\x11\x08", ">HH", *LARGE) + padding,
        "a padded progressive JPEG": progressive + padding,
        "a padded lossy WebP": lying("WebP", 26, "<HH", *LARGE) + padding,
        "a padded GIF screen": lying("GIF", 6, "<HH", *LARGE) + padding,
        "a padded GIF frame": lying("GIF", b"\x2c\0\0\0\0", "<HH", *LARGE) + padding,
        "a padded fax": lying_tiff(*LARGE, "group4", "1") + padding,
        "a padded TIFF": lying_tiff(*LARGE, "tiff_lzw") + padding,
    }


def floods(size: int = 3_000_000) -> dict[str, bytes]:
    """Sound pictures with so many bytes of parts put into them that say nothing."""

    def flooded(data: bytes, position: int, part: bytes) -> bytes:
        return data[:position] + part * (size // len(part)) + data[position:]

    png_file, jpeg = encoded(noise(), "PNG"), encoded(noise(), "JPEG")
    gif, webp = encoded(noise().convert("P"), "GIF"), encoded(noise(), "WebP")
    before_frame = gif.index(b"\x2c\0\0\0\0")
    tags = dict.fromkeys(range(1_000, 60_000), 1)
    return {
        "PNG texts": flooded(png_file, 33, png_chunk(b"tEXt", b"a\0b")),
        "PNG chunks without pixels": flooded(png_file, 33, png_chunk(b"IDAT", b"")),
        "PNG chunks of no known kind": flooded(png_file, 33, png_chunk(b"abCd", b"")),
        "PNG texts at the end": flooded(png_file, len(png_file) - 12, png_chunk(b"tEXt", b"a\0b")),
        "JPEG comments": flooded(jpeg, 2, b"\xff\xfe\0\2"),
        "JPEG profiles": flooded(jpeg, 2, b"\xff\xe2\0\x12ICC_PROFILE\0\1\1xx"),
        "JPEG pictures beside the picture": flooded(jpeg, 2, b"\xff\xe2\0\x08MPF\0xx"),
        "JPEG fill bytes": flooded(jpeg, 2, b"\xff"),
        "JPEG stray bytes": flooded(jpeg, 20, b"\0"),
        "JPEG markers without a length": flooded(jpeg, 2, b"\xff\xd0"),
        "GIF comments": flooded(gif, before_frame, b"!\xfe\1x\0"),
        "a GIF comment of many blocks": flooded(
            gif, before_frame, b"!\xfe" + b"\1x" * (size // 2 - 2) + b"\0"
        ),
        "GIF controls": flooded(gif, before_frame, b"!\xf9\4\0\0\0\0\0"),
        "GIF stray bytes": flooded(gif, before_frame, b"\0"),
        "WebP chunks": flooded(webp, 12, b"abcd\0\0\0\0"),
        "TIFF tags": tiff(bytes(784), {256: 28, 257: 28, 258: 8, 262: 1} | tags),
    }

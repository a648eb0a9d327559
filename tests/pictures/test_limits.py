from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digitlab.data.dataset import Dataset
from digitlab.errors import ImageError
from digitlab.pictures.decoder import MAX_SIDE, Picture, decode_image
from picture_bombs import LARGE, bombs, floods, padded_lies, tiff_of_tiles
from picture_files import LOSSLESS, encoded, grey_tiff, with_tag

MEASURE = """
import json, pathlib, sys
from digitlab.pictures import decode_image
from digitlab.errors import ImageError

def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    data, before = path.read_bytes(), peak()
    try:
        decode_image(data)
        outcome = "read"
    except ImageError as error:
        outcome = "damaged or too large" if error.accepted else "no picture"
    print(json.dumps([path.name, outcome, peak() - before]))
"""


@pytest.mark.slow  # packs hundreds of megabytes
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_bombs_and_lying_headers_are_refused_in_little_memory(tmp_path: Path) -> None:
    files = bombs() | padded_lies() | floods()
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, tmp_path], check=True, capture_output=True, text=True
    )
    measured = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(measured) == len(files)
    assert done.stderr == ""
    for name, outcome, megabytes in measured:
        assert (name, outcome) == (name, "damaged or too large")
        assert (name, megabytes < 50) == (name, True)


def test_a_side_or_an_area_over_the_limit_is_refused_naming_the_limit() -> None:
    for width, height in ((MAX_SIDE + 1, 1), (7072, 7072)):
        with pytest.raises(ImageError, match=r"expected at most 50 megapixels and 30,000 pixels a side"):
            decode_image(encoded(Image.new("1", (width, height)), "PNG"))
    assert decode_image(encoded(Image.new("1", LARGE, 1), "PNG")).grey.shape == LARGE


@pytest.mark.parametrize(
    ("format_name", "mode", "options"),
    [
        ("PNG", "1", {}),
        ("JPEG", "L", {"optimize": True}),
        ("JPEG", "RGB", {"progressive": True}),
        ("WebP", "RGB", {"lossless": True}),
        ("GIF", "L", {}),
        ("BMP", "1", {}),
        ("TIFF", "1", {"compression": "group4"}),
        ("TIFF", "1", {"compression": "packbits"}),
        ("TIFF", "L", {"compression": "tiff_lzw"}),
        ("TIFF", "L", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", "L", {"compression": "lzma"}),
        ("TIFF", "L", {"compression": "zstd"}),
    ],
)
def test_an_empty_page_is_never_taken_for_a_lie(
    format_name: str, mode: str, options: dict[str, object]
) -> None:
    if format_name == "TIFF":
        options = options | {"strip_size": 2**24}  # packed as tightly as it gets
    page = Image.new(mode, (3000, 4000), "white")
    picture = decode_image(encoded(page, format_name, **options))
    assert picture.grey.shape == (4000, 3000)
    assert picture.grey.min() == 255


@pytest.mark.parametrize(
    ("tag", "value"),
    # No width; a height, bits, a compression, an offset and channels beyond all measure; a strip too few.
    [(256, 0), (257, 2**16 - 1), (258, 7), (259, 34712), (273, 2**31), (277, 1000), (278, 13)],
)
def test_a_tiff_directory_that_cannot_be_true_is_refused(digit: np.ndarray, tag: int, value: int) -> None:
    with pytest.raises(ImageError, match=r"damaged|too large") as raised:
        decode_image(with_tag(grey_tiff(digit, 8), tag, value))
    assert raised.value.accepted


@pytest.mark.parametrize("sides", [(0, 16), (16, 0), (17, 16), (2048, 2049)])
def test_tiff_tiles_of_impossible_sizes_are_refused(sides: tuple[int, int]) -> None:
    with pytest.raises(ImageError, match="damaged"):
        decode_image(tiff_of_tiles(*sides))


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WebP", "BMP", "TIFF", "GIF"])
def test_a_truncated_picture_is_refused_unless_all_of_its_pixels_are_there(
    mnist: Dataset, format_name: str
) -> None:
    data = encoded(Image.fromarray(mnist.x_test[0]), format_name, **LOSSLESS.get(format_name, {}))
    whole = decode_image(data).grey
    for length in (*range(1, len(data) - 30, 7), *range(len(data) - 30, len(data))):
        outcome = picture_or_error(data[:length])
        if isinstance(outcome, Picture):
            assert length > len(data) - 30
            np.testing.assert_array_equal(outcome.grey, whole)
        else:
            assert outcome.accepted


def picture_or_error(data: bytes) -> Picture | ImageError:
    try:
        return decode_image(data)
    except ImageError as error:
        return error


def test_a_flipped_bit_in_the_pixels_of_a_png_is_noticed(digit: np.ndarray) -> None:
    data = bytearray(encoded(digit, "PNG"))
    data[data.index(b"IDAT") + 20] ^= 1
    with pytest.raises(ImageError, match="damaged"):
        decode_image(bytes(data))


def test_a_run_length_coded_bmp_is_read_up_to_four_megapixels() -> None:
    def bmp(width: int, height: int, runs: bytes) -> bytes:
        palette = b"".join(bytes([grey, grey, grey, 0]) for grey in range(256))
        start = 14 + 40 + len(palette)
        head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0)
        return b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + head + palette + runs

    rows = b"".join(bytes([20, 10 * row, 8, 255, 0, 0]) for row in range(12)) + b"\0\1"
    expected = np.repeat(np.array([[10 * row, 255] for row in range(11, -1, -1)]), [20, 8], axis=1)
    np.testing.assert_array_equal(decode_image(bmp(28, 12, rows)).grey, expected)
    with pytest.raises(ImageError, match="run-length coded BMP of 7,000 x 7,000"):
        decode_image(bmp(7000, 7000, rows))


@pytest.fixture(scope="module")
def real_file(mnist: Dataset) -> Callable[[int], bytes]:
    """Nineteen files of real digits by number; Hypothesis would print a list of them whole."""
    digits = mnist.x_test
    grey = Image.fromarray(digits[0])
    color, bilevel, palette = grey.convert("RGB"), grey.convert("1"), grey.convert("P")
    clear = Image.fromarray(np.dstack([digits[0]] * 3 + [digits[1]]))
    exif = Image.Exif()
    exif[274] = 6
    files = [encoded(grey, name, **LOSSLESS[name]) for name in ("PNG", "BMP", "GIF", "TIFF")]
    files += [encoded(clear, name, **LOSSLESS[name]) for name in ("PNG", "WebP", "GIF")]
    files += [encoded(color, name, exif=exif) for name in ("JPEG", "WebP")]
    files += [encoded(color, "JPEG", progressive=True), encoded(grey.convert("CMYK"), "JPEG")]
    files += [encoded(palette, "PNG", transparency=3), encoded(digits[0].astype(np.uint16) * 257, "PNG")]
    packings = ("tiff_lzw", "tiff_deflate", "packbits", "jpeg")
    files += [encoded(color, "TIFF", compression=packing) for packing in packings]
    files += [encoded(bilevel, "TIFF", compression="group4"), encoded(palette, "TIFF", big_tiff=True)]
    return files.__getitem__


@pytest.mark.slow  # decodes 1,500 files
@given(file=st.integers(0, 18), seed=st.integers(0, 2**32), repair=st.booleans())
@settings(deadline=None, max_examples=1500)
def test_random_damage_gives_a_picture_or_an_image_error_and_nothing_else(
    real_file: Callable[[int], bytes], file: int, seed: int, repair: bool
) -> None:
    damaged = bytearray(real_file(file))
    chance = random.Random(seed)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        if chance.random() < 0.2:
            del damaged[chance.randrange(len(damaged) + 1) :]
        elif damaged:
            position = chance.randrange(min(len(damaged), chance.choice([40, 200, 2**20])))
            damaged[position] = chance.choice([0, 1, 255, chance.randrange(256), damaged[position] ^ 16])
    outcome = picture_or_error(_with_true_checksums(damaged) if repair else bytes(damaged))
    if isinstance(outcome, Picture):
        assert outcome.grey.dtype == np.uint8
        assert outcome.alpha is None or outcome.alpha.shape == outcome.grey.shape
    else:
        # Warnings are errors in this suite: had one passed our filter, it would show here.
        assert not isinstance(outcome.__cause__, Warning)


MAGICS = [
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"BM",
    b"GIF89a",
    b"II*\0\x08\0\0\0",
    b"RIFF\x20\0\0\0WEBP",
]


@given(magic=st.sampled_from(MAGICS), rest=st.binary(max_size=200))
@settings(deadline=None, max_examples=300)
def test_any_bytes_give_a_picture_or_an_image_error(magic: bytes, rest: bytes) -> None:
    outcome = picture_or_error(magic + rest)
    is_text = magic == b"BM" and b"\0" not in rest
    assert isinstance(outcome, Picture) or outcome.accepted or not magic or is_text


def _with_true_checksums(data: bytearray) -> bytes:
    """A damaged PNG whose parts match their checksums, so that the damage gets as far as the decoder."""
    position = 8
    while data.startswith(b"\x89PNG") and position + 12 <= len(data):
        [length] = struct.unpack_from(">I", data, position)
        if position + 12 + length > len(data):
            break
        checksum = zlib.crc32(data[position + 4 : position + 8 + length])
        struct.pack_into(">I", data, position + 8 + length, checksum)
        position += 12 + length
    return bytes(data)

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlab.data.dataset import Dataset
from digitlab.errors import ImageError
from digitlab.pictures.decoder import Picture, decode_image
from picture_files import LOSSLESS, encoded, grey_tiff, png, png_chunk, png_rows, tiff


def assert_reads(data: bytes, expected: np.ndarray, *, tolerance: int = 0) -> Picture:
    picture = decode_image(data)
    assert picture.grey.dtype == np.uint8
    assert picture.grey.shape == expected.shape
    assert np.abs(picture.grey.astype(int) - expected).max() <= tolerance
    return picture


def alpha_of(data: bytes) -> np.ndarray:
    alpha = decode_image(data).alpha
    assert alpha is not None
    return alpha


@pytest.mark.parametrize("format_name", LOSSLESS)
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_a_digit_is_read_from_every_format_and_mode(digit: np.ndarray, format_name: str, mode: str) -> None:
    image = Image.fromarray(digit).convert(mode)
    data = encoded(image, format_name, **LOSSLESS[format_name])
    picture = assert_reads(data, np.asarray(image.convert("L")))
    assert picture.format == format_name
    assert picture.alpha is None


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_digit_is_read_from_jpeg(digit: np.ndarray, mode: str, options: dict[str, bool]) -> None:
    image = Image.fromarray(digit).convert(mode)
    assert_reads(encoded(image, "JPEG", quality=100, **options), digit, tolerance=4)


@pytest.mark.parametrize("options", [{}, {"keep_rgb": True}, {"subsampling": 0}])
def test_of_a_colored_jpeg_the_luminance_is_read(digit: np.ndarray, options: dict[str, Any]) -> None:
    image = Image.fromarray(np.dstack([255 - digit // 2, digit, digit // 3]))
    assert_reads(encoded(image, "JPEG", quality=97, **options), np.asarray(image.convert("L")), tolerance=5)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "F"])
def test_a_digit_is_read_from_tiff(digit: np.ndarray, mode: str, compression: str) -> None:
    image = Image.fromarray(digit).convert(mode)
    expected = np.asarray(image.convert("L"))
    assert_reads(encoded(image, "TIFF", compression=compression), expected)


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_a_fax_is_read(digit: np.ndarray, compression: str) -> None:
    image = Image.fromarray(digit).convert("1")
    assert_reads(encoded(image, "TIFF", compression=compression), np.asarray(image.convert("L")))


def test_a_tiff_of_tiles_is_read(digit: np.ndarray) -> None:
    padded = np.zeros((32, 32), np.uint8)
    padded[:26, :28] = digit
    tiles = padded.reshape(2, 16, 2, 16).swapaxes(1, 2)
    shape = {256: 28, 257: 26, 258: 8, 259: 1, 262: 1, 277: 1, 322: 16, 323: 16}
    blocks = {324: [8 + 256 * tile for tile in range(4)], 325: [256] * 4}
    assert_reads(tiff(tiles.tobytes(), shape | blocks), digit)


def test_a_tiff_that_keeps_its_channels_apart_is_read(digit: np.ndarray) -> None:
    shape = {256: 28, 257: 26, 258: (8, 8, 8), 259: 1, 262: 2, 277: 3, 278: 26, 284: 2}
    strips = {273: [8 + digit.size * channel for channel in range(3)], 279: [digit.size] * 3}
    assert_reads(tiff(digit.tobytes() * 3, shape | strips), digit)


def test_of_a_tiff_of_many_strips_all_are_read(mnist: Dataset) -> None:
    page = np.concatenate(mnist.x_test[:200])
    assert_reads(encoded(page, "TIFF", big_tiff=True, compression="raw", strip_size=8192), page)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_png_greys_below_eight_bits_are_spread_over_the_whole_range(digit: np.ndarray, bits: int) -> None:
    levels = (digit.astype(int) * (2**bits - 1) + 127) // 255
    in_bits = (levels[..., None] >> np.arange(bits)[::-1] & 1).astype(np.uint8).reshape(26, -1)
    rows = png_rows([np.packbits(row).tobytes() for row in in_bits])
    assert_reads(png(28, 26, bits, 0, rows), levels * 255 // (2**bits - 1))
    for clear in {0, 2**bits // 2}:  # the darkest sample as the transparent one; and one in the middle
        alpha = alpha_of(png(28, 26, bits, 0, rows, png_chunk(b"tRNS", clear.to_bytes(2))))
        np.testing.assert_array_equal(alpha == 0, levels == clear)


def test_sixteen_bits_are_scaled_and_not_clipped(digit: np.ndarray) -> None:
    deep = digit.astype(np.uint16) * 257
    files = [encoded(deep, "PNG"), encoded(deep, "TIFF", compression="tiff_lzw"), grey_tiff(deep, 16, ">")]
    for data in (*files, grey_tiff(65535 - deep, 16, photometric=0)):
        assert_reads(data, digit)
    halves = np.array([[0, 127, 128, 129, 32768, 65407, 65535, 385]], np.uint16)
    assert_reads(encoded(halves, "PNG"), np.array([[0, 0, 0, 1, 128, 255, 255, 1]]))  # 128.5 is half


def test_sixteen_bits_may_have_a_transparent_grey(digit: np.ndarray) -> None:
    deep = digit.astype(np.uint16) * 257 + 5 * (digit == 0)
    rows = png_rows([row.astype(">u2").tobytes() for row in deep])
    alpha = alpha_of(png(28, 26, 16, 0, rows, png_chunk(b"tRNS", b"\0\5")))
    np.testing.assert_array_equal(alpha == 0, digit == 0)


def test_twelve_bits_are_read_and_deep_greys_that_pillow_does_not_know_are_refused(digit: np.ndarray) -> None:
    twelve = (digit.astype(np.uint32) * 4095 + 127) // 255
    sixteen = digit.astype(np.uint16) * 257
    assert_reads(grey_tiff(twelve, 12), digit)
    for data in (grey_tiff(twelve, 12, ">"), grey_tiff(sixteen, 16, ">", photometric=0)):
        with pytest.raises(ImageError, match="of a rare kind; save it again as PNG"):
            decode_image(data)


@pytest.mark.parametrize("order", ["<", ">"])
def test_white_as_zero_is_turned_round(digit: np.ndarray, order: str) -> None:
    assert_reads(grey_tiff(255 - digit, 8, order, photometric=0), digit)
    assert_reads(grey_tiff(1 - digit / np.float32(255), 32, order, photometric=0, sample_format=3), digit)


def test_thirty_two_bits_and_floats_are_brought_to_the_range_they_were_made_for(digit: np.ndarray) -> None:
    unsigned, signed, real = 1, 2, 3
    wide = digit.astype(np.int64)
    for values, bits, kind in (
        (wide.astype(np.int32), 32, signed),
        ((wide * 257).astype(np.int32), 32, signed),
        ((wide * 16843009).astype(np.uint32), 32, unsigned),
        ((wide * 257).astype(np.uint32), 32, unsigned),
        ((wide * 128 - 16384).astype(np.int16), 16, signed),
        ((wide / 255).astype(np.float32), 32, real),
        (wide.astype(np.float32), 32, real),
        ((wide / 127.5 - 1).astype(np.float32), 32, real),
    ):
        assert_reads(grey_tiff(values, bits, sample_format=kind), digit, tolerance=1)


def test_a_constant_picture_of_any_depth_stays_constant() -> None:
    for value in (-1.5, 0.0, 0.25, 1.0, 1e9):
        picture = decode_image(grey_tiff(np.full((12, 12), value, np.float32), 32, sample_format=3))
        assert len(np.unique(picture.grey)) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_numbers_are_refused(value: float) -> None:
    with pytest.raises(ImageError, match="no numbers"):
        decode_image(grey_tiff(np.full((12, 12), value, np.float32), 32, sample_format=3))


@pytest.mark.parametrize("format_name", ["PNG", "TIFF", "WebP", "GIF"])
def test_ink_that_is_only_in_the_alpha_channel_is_kept_there(digit: np.ndarray, format_name: str) -> None:
    ink = np.where(digit > 127, 255, 0).astype(np.uint8)
    image = np.dstack([np.zeros_like(ink)] * 3 + [ink])
    picture = decode_image(encoded(image, format_name, **LOSSLESS[format_name]))
    np.testing.assert_array_equal(picture.alpha, ink)
    assert (picture.grey[ink == 255] == 0).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("format_name", ["PNG", "TIFF"])
def test_color_below_transparency_and_the_degrees_of_alpha_are_kept(
    mnist: Dataset, format_name: str, mode: str
) -> None:
    grey, alpha = mnist.x_test[0], mnist.x_test[1]
    image = Image.fromarray(np.dstack([grey] * 3 + [alpha])).convert(mode)
    picture = assert_reads(encoded(image, format_name), grey)
    np.testing.assert_array_equal(picture.alpha, alpha)


def test_an_alpha_channel_without_transparency_is_none(digit: np.ndarray) -> None:
    assert decode_image(encoded(Image.fromarray(digit).convert("RGBA"), "PNG")).alpha is None


def test_premultiplied_alpha_is_divided_out(digit: np.ndarray) -> None:
    alpha = np.full_like(digit, 128)
    stored = np.dstack([(digit.astype(int) * 128 // 255).astype(np.uint8), alpha])
    shape = {256: 28, 257: 26, 258: (8, 8), 259: 1, 262: 1, 277: 2, 278: 26}
    picture = assert_reads(tiff(stored.tobytes(), shape | {338: 1}), digit, tolerance=2)
    np.testing.assert_array_equal(picture.alpha, alpha)


def test_a_palette_with_alpha_beside_it_is_read(digit: np.ndarray) -> None:
    stored = np.dstack([digit, 255 - digit])
    ramp = [value * 257 for value in range(256)] * 3
    shape = {256: 28, 257: 26, 258: (8, 8), 259: 1, 262: 3, 277: 2, 278: 26, 320: ramp, 338: 2}
    picture = assert_reads(tiff(stored.tobytes(), shape), digit)
    np.testing.assert_array_equal(picture.alpha, 255 - digit)


def test_a_palette_may_have_one_clear_color_or_an_alpha_for_each(digit: np.ndarray) -> None:
    image = Image.fromarray(digit)
    image.putpalette(bytes(np.repeat(np.arange(256, dtype=np.uint8), 3)))
    np.testing.assert_array_equal(alpha_of(encoded(image, "PNG", transparency=0)) == 0, digit == 0)
    each = assert_reads(encoded(image, "PNG", transparency=bytes(range(255, -1, -1))), digit)
    np.testing.assert_array_equal(each.alpha, 255 - digit)


@pytest.mark.parametrize(("bits", "scale"), [(8, 1), (16, 257)])
def test_a_color_may_be_declared_transparent(digit: np.ndarray, bits: int, scale: int) -> None:
    rgb = np.dstack([digit, np.full_like(digit, 7), digit]).astype(np.uint16) * np.uint16(scale)
    rows = [row.astype(">u2" if bits == 16 else "u1").tobytes() for row in rgb]
    clear = b"".join(value.to_bytes(2) for value in (0, 7 * scale, 0))
    alpha = alpha_of(png(28, 26, bits, 2, png_rows(rows), png_chunk(b"tRNS", clear)))
    np.testing.assert_array_equal(alpha == 0, digit == 0)


TURNED = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, 1),  # shown turned clockwise, so stored turned the other way
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WebP", "TIFF"])
def test_a_picture_is_turned_upright(mnist: Dataset, format_name: str, orientation: int) -> None:
    grey, alpha = mnist.x_test[0, :26], mnist.x_test[1, :26]
    pixels = np.dstack([grey] * 3 if format_name == "JPEG" else [grey] * 3 + [alpha])
    exif = Image.Exif()
    exif[274] = orientation
    options = LOSSLESS.get(format_name, {"quality": 100})
    stored = np.ascontiguousarray(TURNED[orientation](pixels))
    picture = assert_reads(encoded(stored, format_name, exif=exif, **options), grey, tolerance=4)
    if format_name != "JPEG":
        np.testing.assert_array_equal(picture.alpha, alpha)


def test_a_deep_grey_is_turned_upright(digit: np.ndarray) -> None:
    exif = Image.Exif()
    exif[274] = 6
    deep = np.rot90(digit.astype(np.uint16) * 257)
    for format_name in ("PNG", "TIFF"):
        assert_reads(encoded(np.ascontiguousarray(deep), format_name, exif=exif), digit)


@pytest.mark.parametrize(
    "exif", [b"", b"II*\0", b"II*\0\x08\0\0\0\xff\xff", b"MM\0*\xff\xff\xff\xff", b"junk" * 20]
)
def test_a_picture_is_not_refused_for_its_exif_data(digit: np.ndarray, exif: bytes) -> None:
    before = list(warnings.filters)
    for format_name in ("JPEG", "PNG"):
        data = encoded(digit, format_name, exif=b"Exif\0\0" + exif, quality=100)
        assert_reads(data, digit, tolerance=4)
    assert warnings.filters == before


@pytest.mark.parametrize(("format_name", "options"), [("GIF", {}), ("WebP", {"lossless": True}), ("PNG", {})])
def test_of_an_animation_the_first_frame_is_read(
    mnist: Dataset, format_name: str, options: dict[str, bool]
) -> None:
    first, *others = (Image.fromarray(digit).convert("RGB") for digit in mnist.x_test[:3])
    data = encoded(first, format_name, save_all=True, append_images=others, **options)
    assert_reads(data, mnist.x_test[0], tolerance=2)


@pytest.mark.parametrize(("format_name", "tolerance"), [("TIFF", 0), ("MPO", 40)])
def test_of_a_file_of_several_pictures_the_first_is_read(
    mnist: Dataset, format_name: str, tolerance: int
) -> None:
    first, *others = (Image.fromarray(digit) for digit in mnist.x_test[:3])
    data = encoded(first, format_name, save_all=True, append_images=others)
    assert_reads(data, mnist.x_test[0], tolerance=tolerance)


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "GIF", "WebP"])
def test_what_follows_a_picture_in_its_file_is_left_alone(digit: np.ndarray, format_name: str) -> None:
    options = LOSSLESS.get(format_name, {"quality": 100})
    data = encoded(Image.fromarray(digit).convert("RGB"), format_name, **options)
    assert_reads(data + b"\xff\xd8\xff\xda<script>" * 200, digit, tolerance=4)


def test_a_path_is_read_by_content_and_not_by_name(tmp_path: Path, digit: np.ndarray) -> None:
    path = tmp_path / "seven.svg"
    path.write_bytes(encoded(digit, "PNG"))
    for source in (path, str(path)):
        picture = decode_image(source)
        np.testing.assert_array_equal(picture.grey, digit)
        assert picture.format == "PNG"
        assert not picture.grey.flags.writeable


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<?xml version='1.0'?>\n<svg/>", "XML or SVG"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 28 28\n", "PostScript"),
        (b"\xc5\xd0\xd3\xc6" + bytes(28), "EPS"),
        (b"\xef\xbb\xbf \n<!DOCTYPE HTML><html>", "HTML"),
        (b"\0\0\0\x1cftypheic", "HEIC"),
        (b"\0\0\1\0\1\0", "icon"),
        (b"PK\3\4", "ZIP"),
        (b"P5 28 28 255\n" + bytes(784), "something else"),
        (b"just some text", "text: save it as PNG"),
        (b"label,pixel0,pixel1\n7,0,0\n", "CSV text"),
        (b"BMI,age\n21.5,40\n22.5,41\n", "CSV text"),
        (b'{"image": "iVBORw0KGgo="}', "JSON"),
        (b"\0\0\x08\x03\0\0\xea\x60", "an IDX file"),
        (b"\x93NUMPY\1\0", "an .npy file"),
        (b"PAR1" + bytes(9), "a Parquet file"),
        (bytes(range(1, 256)), "something else"),
    ],
)
def test_what_is_no_accepted_format_is_told_apart_from_what_is_damaged(content: bytes, found: str) -> None:
    with pytest.raises(ImageError, match=rf"expected a picture in PNG, .*found .*{found}") as raised:
        decode_image(content)
    assert not raised.value.accepted


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "GIF", "WebP", "BMP", "TIFF"])
@pytest.mark.parametrize("before", ["", "data:image/png;base64,", " \n"])
@pytest.mark.parametrize("lines", [False, True])
def test_base64_text_of_a_picture_is_named_with_what_to_do(
    digit: np.ndarray, format_name: str, before: str, lines: bool
) -> None:
    stream = io.BytesIO()
    Image.fromarray(digit).save(stream, format_name)
    encode = base64.encodebytes if lines else base64.b64encode
    text = before.encode() + encode(stream.getvalue())
    with pytest.raises(ImageError, match="found base64 text of a picture: decode it to the bytes") as raised:
        decode_image(text)
    assert not raised.value.accepted


def test_a_text_that_could_be_base64_and_stands_for_no_picture_is_text() -> None:
    with pytest.raises(ImageError, match="found text: save it as PNG"):
        decode_image(b"abcdefghijklmnopqrstuvwxyz")


def test_no_helper_program_is_started_for_any_content(tmp_path: Path) -> None:
    # Ghostscript and its like would be found here first, and leave a trace.
    for program in ("gs", "gswin64c", "convert", "djpeg", "inkscape"):
        script = tmp_path / program
        script.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
        script.chmod(0o755)
    code = (
        "import sys\nfrom digitlab.pictures import decode_image\nfrom digitlab.errors import ImageError\n"
        "for content in (b'%!PS-Adobe-3.0 EPSF-3.0\\n%%BoundingBox: 0 0 9 9\\n', b'%PDF-1.7', b'<svg/>'):\n"
        "    try:\n        decode_image(content)\n    except ImageError:\n        pass\n"
        "assert 'PIL.EpsImagePlugin' not in sys.modules and 'PIL.PdfParser' not in sys.modules\n"
    )
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert not (tmp_path / "started").exists()


def test_empty_missing_and_odd_files_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "pipe")
    for name, message in (
        ("empty.png", "the file is empty"),
        ("missing.png", "No such file"),
        ("", "found a folder"),
        ("pipe", "found a device or pipe"),
    ):
        with pytest.raises(ImageError, match=message) as raised:
            decode_image(tmp_path / name)
        assert raised.value.accepted
        assert str(tmp_path / name) in str(raised.value)


def test_threads_do_not_disturb_each_other(mnist: Dataset) -> None:
    digits = mnist.x_test[:40]
    files = [encoded(image, ("PNG", "TIFF", "GIF", "BMP")[i % 4]) for i, image in enumerate(digits)]
    with ThreadPoolExecutor(8) as threads:
        pictures = list(threads.map(decode_image, files * 8))
    for picture, expected in zip(pictures, [*digits] * 8, strict=True):
        np.testing.assert_array_equal(picture.grey, expected)

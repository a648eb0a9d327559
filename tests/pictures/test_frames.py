"""Files of several pictures: the pages of a TIFF are read, other frames are counted."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlab.data.dataset import Dataset
from digitlab.errors import ImageError
from digitlab.pictures.decoder import MAX_PAGES_PIXELS, decode_image, decode_pages
from digitlab.pictures.frames import MAX_PAGES
from picture_files import encoded, grey_tiff, tiff

PACKINGS = ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "group4"]


@pytest.fixture
def pages(mnist: Dataset) -> list[Image.Image]:
    """Three pages of different sizes."""
    return [Image.fromarray(np.tile(mnist.x_test[number], (1, number + 1))) for number in range(3)]


def several(pages: list[Image.Image], **options: Any) -> bytes:
    return encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:], **options)


def joined(files: list[bytes], reduced: frozenset[int] = frozenset()) -> bytes:
    """Little-endian TIFF files of one page each, made one; those in `reduced` are said to be thumbnails."""
    whole = bytearray(files[0][:8])
    link = 4
    for number, data in enumerate(files):
        base = len(whole)
        whole += data
        [start] = struct.unpack_from("<I", data, 4)
        [count] = struct.unpack_from("<H", data, start)
        for position in range(base + start + 2, base + start + 2 + 12 * count, 12):
            tag, kind, values, value = struct.unpack_from("<HHII", whole, position)
            if tag == 273 or values * {3: 2, 4: 4, 5: 8}.get(kind, 1) > 4:
                struct.pack_into("<I", whole, position + 8, value + base)
            if tag == 254 and number in reduced:
                struct.pack_into("<I", whole, position + 8, 1)
        struct.pack_into("<I", whole, link, base + start)
        link = base + start + 2 + 12 * count
    return bytes(whole)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("big", [False, True])
def test_all_pages_of_a_tiff_are_read_in_their_order(
    pages: list[Image.Image], packing: str, big: bool
) -> None:
    pages = [page.convert("1") for page in pages] if packing == "group4" else pages
    read = decode_pages(several(pages, compression=packing, big_tiff=big))
    assert [page.unread for page in read] == [0, 0, 0]
    for page, expected in zip(read, pages, strict=True):
        np.testing.assert_array_equal(page.grey, np.asarray(expected.convert("L")))


def test_whoever_asks_for_one_picture_gets_the_first_and_the_number_of_the_others(
    pages: list[Image.Image],
) -> None:
    picture = decode_image(several(pages))
    np.testing.assert_array_equal(picture.grey, np.asarray(pages[0]))
    assert picture.unread == 2


@pytest.mark.parametrize("order", [0, 3])
def test_each_page_is_turned_upright_for_itself(pages: list[Image.Image], order: int) -> None:
    exif = Image.Exif()
    exif[274] = 6
    plain, turned = encoded(pages[1], "TIFF"), encoded(pages[2], "TIFF", exif=exif)
    read = decode_pages(joined([plain, turned, plain] if order else [turned, plain]))
    shapes = [page.grey.shape for page in read]
    assert shapes == ([(28, 56), (84, 28), (28, 56)] if order else [(84, 28), (28, 56)])
    upright = read[1 if order else 0]
    np.testing.assert_array_equal(upright.grey, np.rot90(np.asarray(pages[2]), -1))


def test_a_thumbnail_in_a_tiff_is_no_page_and_is_counted(mnist: Dataset) -> None:
    digits = [grey_tiff_of(digit) for digit in mnist.x_test[:3]]
    read = decode_pages(joined(digits, reduced=frozenset({1})))
    assert [page.unread for page in read] == [1, 0]
    np.testing.assert_array_equal(read[1].grey, mnist.x_test[2])


def grey_tiff_of(digit: np.ndarray) -> bytes:
    """A TIFF file of a digit whose directory says that it is a page."""
    shape = {254: 0, 256: 28, 257: 28, 258: 8, 259: 1, 262: 1, 277: 1, 278: 28}
    return tiff(digit.tobytes(), shape)


@pytest.mark.parametrize(
    ("format_name", "options"),
    [("GIF", {}), ("WebP", {"lossless": True}), ("PNG", {}), ("MPO", {"quality": 97})],
)
def test_of_other_files_with_several_frames_the_number_is_known(
    mnist: Dataset, format_name: str, options: dict[str, Any]
) -> None:
    first, *others = (Image.fromarray(digit).convert("RGB") for digit in mnist.x_test[:5])
    data = encoded(first, format_name, save_all=True, append_images=others, **options)
    [picture] = decode_pages(data)
    assert picture.unread == 4
    assert np.abs(picture.grey.astype(int) - np.asarray(first.convert("L"))).max() <= 12


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WebP", "BMP", "GIF", "TIFF"])
def test_most_files_have_one_picture(digit: np.ndarray, format_name: str) -> None:
    [picture] = decode_pages(encoded(digit, format_name))
    assert picture.unread == 0


def test_an_error_names_the_page(pages: list[Image.Image]) -> None:
    files = {
        "a directory that is not there": with_second_directory_at(several(pages), 2**31),
        "a page that is too large": joined([grey_tiff(np.asarray(pages[0]), 8), claiming(60_000)]),
        "a page that is not in the file": joined([grey_tiff(np.asarray(pages[0]), 8), claiming(7_000)]),
    }
    for name, damaged in files.items():
        with pytest.raises(ImageError, match=r"^the picture: page 2 of \d: .*(damaged|too large)") as caught:
            decode_pages(damaged)
        assert caught.value.accepted, name
        assert decode_image(damaged).unread >= 1, name


def with_second_directory_at(data: bytes, offset: int) -> bytes:
    changed = bytearray(data)
    [start] = struct.unpack_from("<I", data, 4)
    [count] = struct.unpack_from("<H", data, start)
    struct.pack_into("<I", changed, start + 2 + 12 * count, offset)
    return bytes(changed)


def claiming(side: int) -> bytes:
    """A page of a few pixels that claims to be a square of that side."""
    shape = {256: side, 257: side, 258: 8, 259: 1, 262: 1, 277: 1, 278: side}
    return tiff(bytes(784), shape)


def test_directories_in_a_ring_are_read_once(pages: list[Image.Image]) -> None:
    data = several(pages[:2])
    [start] = struct.unpack_from("<I", data, 4)
    assert len(decode_pages(with_second_directory_at(data, start))) == 1


def test_more_pages_than_anybody_writes_are_refused(digit: np.ndarray) -> None:
    page = Image.fromarray(digit)
    assert len(decode_pages(several([page] * MAX_PAGES))) == MAX_PAGES
    with pytest.raises(ImageError, match="too large with more than 100 pages; split the file"):
        decode_pages(several([page] * (MAX_PAGES + 1)))


def test_pages_that_are_too_large_together_are_refused_by_their_headers() -> None:
    pages = [Image.new("1", (6000, 6000), 1)] * 3
    with pytest.raises(ImageError, match=r"108,000,000 pixels on 3 pages; expected at most 100 megapixels"):
        decode_pages(several(pages, compression="group4"))
    assert MAX_PAGES_PIXELS == 100_000_000


def test_pages_of_so_many_parts_that_to_list_them_takes_seconds_are_refused() -> None:
    rows = {256: 1, 257: 20_000, 258: 8, 259: 1, 262: 1, 277: 1, 278: 1}
    page = tiff(bytes(20_000), rows | {273: [8] * 20_000, 279: [1] * 20_000})
    with pytest.raises(ImageError, match="made of 60,000 strips; save it again as PNG"):
        decode_pages(joined([page] * 3))


def test_a_gif_is_not_refused_for_what_follows_its_first_frame(mnist: Dataset) -> None:
    first, *others = (Image.fromarray(digit) for digit in mnist.x_test[:4])
    data = encoded(first, "GIF", save_all=True, append_images=others)
    [picture] = decode_pages(data[: len(data) - 300])
    assert picture.unread < 3

from __future__ import annotations

import gzip
import math
import struct
import time
import tracemalloc
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from digitlab.data.dataset import Dataset
from digitlab.data.idx import MAX_BYTES, idx_sha256, read_idx, read_idx_header, write_idx
from digitlab.errors import DataError, OutputError

DTYPES = [np.dtype(kind) for kind in ("u1", "i1", "i2", "i4", "f4", "f8")]
any_array = st.sampled_from(DTYPES).flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=6, min_side=0, max_side=5))
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("idx")


@given(array=any_array, suffix=st.sampled_from(["", ".gz"]), order=st.sampled_from("<>"))
@settings(deadline=None, max_examples=150)
def test_every_type_and_rank_comes_back_as_it_was_written(
    folder: Path, array: np.ndarray, suffix: str, order: Literal["<", ">"]
) -> None:
    path = folder / f"a{suffix}"
    write_idx(path, array.astype(array.dtype.newbyteorder(order)))
    back = read_idx(path)
    assert back.dtype == array.dtype
    assert back.dtype.isnative
    np.testing.assert_array_equal(back, array, strict=True)
    header = read_idx_header(path)
    assert (header.dtype, header.shape) == (array.dtype, array.shape)


def test_a_file_holds_what_the_format_says(tmp_path: Path) -> None:
    write_idx(tmp_path / "a", np.array([[1, -2]], np.int16))
    assert (tmp_path / "a").read_bytes() == bytes.fromhex("00000b02 00000001 00000002 0001 fffe")


def test_a_view_with_gaps_is_written_in_its_own_order(tmp_path: Path, mnist: Dataset) -> None:
    view = mnist.x_test[:9:2, ::-1].swapaxes(1, 2)
    write_idx(tmp_path / "a", view)
    np.testing.assert_array_equal(read_idx(tmp_path / "a"), view)


def test_gzip_is_told_by_content_and_not_by_name(tmp_path: Path, mnist: Dataset) -> None:
    write_idx(tmp_path / "a.gz", mnist.x_test[:50])
    (tmp_path / "a.gz").rename(tmp_path / "zipped")
    write_idx(tmp_path / "plain", mnist.x_test[:50])
    (tmp_path / "plain").rename(tmp_path / "plain.gz")
    for name in ("zipped", "plain.gz"):
        np.testing.assert_array_equal(read_idx(tmp_path / name), mnist.x_test[:50])


def test_the_same_array_gives_the_same_gzip_file_under_any_name_and_at_any_time(
    tmp_path: Path, mnist: Dataset
) -> None:
    write_idx(tmp_path / "a.gz", mnist.x_test[:50])
    first = (tmp_path / "a.gz").read_bytes()
    time.sleep(1.1)  # gzip counts time in seconds
    write_idx(tmp_path / "b.gz", mnist.x_test[:50])
    assert (tmp_path / "b.gz").read_bytes() == first


def test_a_gzip_file_of_two_members_is_one_file(tmp_path: Path, digit: np.ndarray) -> None:
    write_idx(tmp_path / "plain", digit)
    content = (tmp_path / "plain").read_bytes()
    (tmp_path / "a").write_bytes(gzip.compress(content[:100]) + gzip.compress(content[100:]))
    np.testing.assert_array_equal(read_idx(tmp_path / "a"), digit)


def test_the_hash_of_an_array_is_that_of_its_published_file(mnist: Dataset) -> None:
    # From the list of hashes that came with the files.
    published = "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    assert idx_sha256(mnist.x_test) == published


def refused(path: Path, message: str, content: bytes) -> None:
    """The file is refused with one line that names it, and with next to nothing allocated."""
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=message) as raised:
            read_idx(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert peak < 2**20


def header(code: int, *shape: int) -> bytes:
    return struct.pack(f">HBB{len(shape)}I", 0, code, len(shape), *shape)


def packed(content: bytes) -> bytes:
    """Compress without the time, which would give the tests another name in each process."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    "shape",
    [
        (10**6, 10**6),  # 10^12 items
        (1000, 1000, 1000),  # as much as is allowed to be allocated
        (2**32 - 1,) * 8,  # a product far over 64 bits
        (0, 2**32 - 1, 2**32 - 1, 2**32 - 1),  # nothing, of which numpy would still make an error
    ],
)
def test_a_header_that_claims_more_than_the_file_has_is_refused_before_anything_is_allocated(
    tmp_path: Path, shape: tuple[int, ...], pack: type[bytes]
) -> None:
    content = pack((header(8, *shape) + b"digits" * 20)[:100])
    refused(tmp_path / "lie", "the header claims", content)


@given(
    code=st.sampled_from([8, 9, 11, 12, 13, 14]),
    shape=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=10),
    items=st.binary(max_size=60),
)
@settings(deadline=None, max_examples=100)
def test_a_header_is_read_only_when_its_claim_is_the_length_of_the_file(
    folder: Path, code: int, shape: list[int], items: bytes
) -> None:
    content = header(code, *shape) + items
    path = folder / "random"
    path.write_bytes(content)
    claim = read_idx_header(path)
    # Zeros make nothing of the other dimensions, which are held against the limit all the same.
    allocated = claim.dtype.itemsize * math.prod(max(dimension, 1) for dimension in shape)
    if claim.nbytes == len(items) and allocated <= MAX_BYTES:
        assert read_idx(path).shape == tuple(shape)
    else:
        refused(path, "the header claims", content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found 0 bytes"),
        (b"\0\0\x08", "found 3 bytes"),
        (b"\x89PNG\r\n\x1a\n", "found 89 50 4e"),
        (b"\0\0\x0a\x01" + bytes(8), "found 00 00 0a"),
        (b"\0\1\x08\x01" + bytes(8), "found 00 01 08"),
        (b"\0\0\x08\xff" + bytes(2000), "255"),
        (b"\0\0\x08\x03" + bytes(8), "ends within its header"),
        (header(8, 3, 2) + bytes(5), "3x2 uint8, 18 bytes in all, and the file has 17"),
        (header(8, 3, 2) + bytes(7), "3x2 uint8, 18 bytes in all, and the file has 19"),
        (packed(header(8, 3, 2) + bytes(5)), "6 bytes of items, found 5"),
        (packed(header(8, 3, 2) + bytes(7)), "more bytes than the 6"),
        (packed(header(8, 6) + bytes(6))[:-6], "truncated"),
        (packed(header(8, 6) + bytes(6))[:-8] + bytes(8), "damaged"),
        (packed(header(8, 6) + bytes(6)) + b"garbage", "damaged"),
        (b"\x1f\x8b", "truncated"),
        (b"\x1f\x8b\x08\x00" + b"\xff" * 40, "damaged|truncated"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    refused(tmp_path / "damaged", message, content)


def test_a_gzip_bomb_is_read_no_further_than_its_header_claims(tmp_path: Path) -> None:
    bomb = gzip.compress(header(8, 6) + bytes(200_000_000), compresslevel=1)
    refused(tmp_path / "bomb", "more bytes than the 6", bomb)


def test_the_limit_on_memory_is_the_callers(tmp_path: Path, mnist: Dataset) -> None:
    write_idx(tmp_path / "a.gz", mnist.x_test[:50])
    with pytest.raises(DataError, match="more than the limit of 39,199 bytes"):
        read_idx(tmp_path / "a.gz", max_bytes=50 * 784 - 1)
    assert read_idx(tmp_path / "a.gz", max_bytes=50 * 784).shape == (50, 28, 28)


@pytest.mark.parametrize("flipped", range(0, 400, 23))
def test_a_flipped_bit_in_a_gzip_file_never_goes_unnoticed(
    tmp_path: Path, digit: np.ndarray, flipped: int
) -> None:
    write_idx(tmp_path / "a.gz", digit)
    content = bytearray((tmp_path / "a.gz").read_bytes())
    content[10 + flipped % (len(content) - 10)] ^= 4  # the first ten bytes are gzip's own header
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(DataError):
        read_idx(tmp_path / "a.gz")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_idx(tmp_path / "missing")
    with pytest.raises(DataError, match="found a folder"):
        read_idx(tmp_path)


@pytest.mark.parametrize("dtype", ["u2", "i8", "f2", "c8", "?", "O", "U3"])
def test_a_type_that_idx_does_not_have_is_refused_and_nothing_is_written(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(DataError, match="IDX holds uint8"):
        write_idx(tmp_path / "a", np.zeros(3, dtype))
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, digit: np.ndarray) -> None:
    write_idx(tmp_path / "kept", digit)
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="expected a file or nothing there"):
        write_idx(tmp_path / "folder", digit)
    with pytest.raises(OutputError, match="cannot be written"):
        write_idx(tmp_path / "kept" / "a", digit)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "kept"]
    np.testing.assert_array_equal(read_idx(tmp_path / "kept"), digit)

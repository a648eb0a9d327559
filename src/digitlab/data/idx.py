"""The IDX format of MNIST: arrays of six types and any rank in a file, gzipped or not.

A file is two zero bytes, a type, the rank, the dimensions as big-endian 32-bit numbers, and the items in
big-endian order. Everything that a header claims is checked against the file before anything is allocated.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import struct
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from digitlab.errors import DataError
from digitlab.files import whole_file
from digitlab.pictures.file_kinds import DEFLATE_RATIO

IDX_TYPES: dict[int, np.dtype] = {
    0x08: np.dtype(np.uint8),
    0x09: np.dtype(np.int8),
    0x0B: np.dtype(np.int16),
    0x0C: np.dtype(np.int32),
    0x0D: np.dtype(np.float32),
    0x0E: np.dtype(np.float64),
}
MAX_BYTES = 2**30
"""Largest size of one file's items in memory, in bytes: enough for EMNIST's largest part, 547 MB."""

_MAX_RANK = 64  # numpy's limit
_GZIP_MAGIC = b"\x1f\x8b"
_PORTION = 2**20  # bytes read at a time


@dataclass(frozen=True)
class IdxHeader:
    """Header of an IDX file.

    Attributes:
        dtype: type of the items, in native byte order.
        shape: the dimensions, slowest first.
    """

    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Size of the items in bytes."""
        return self.dtype.itemsize * math.prod(self.shape)

    def encoded(self) -> bytes:
        """Return the header as it is stored in a file."""
        [code] = [code for code, dtype in IDX_TYPES.items() if dtype == self.dtype]
        rank = len(self.shape)
        return struct.pack(f">HBB{rank}I", 0, code, rank, *self.shape)


def read_idx_header(path: str | os.PathLike[str]) -> IdxHeader:
    """Read the header of an IDX file, without the items.

    Args:
        path: path of the file, gzipped or not.

    Returns:
        Type and dimensions.

    Raises:
        DataError: the file cannot be read, or does not have an IDX header.
    """
    with _opened(Path(path)) as (stream, _size, _zipped):
        return _parse_header(stream, str(path))


def read_idx(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> np.ndarray:
    """Read an array from an IDX file.

    Args:
        path: path of the file; its content, not its name, decides whether it is gzipped.
        max_bytes: largest size of the items in memory, in bytes.

    Returns:
        The array in native byte order: uint8, int8, int16, int32, float32 or float64.

    Raises:
        DataError: the file cannot be read, its header is wrong or claims another length than the file has, or
            its compressed content is damaged.
    """
    name = str(path)
    with _opened(Path(path)) as (stream, size, zipped):
        header = _parse_header(stream, name)
        _check_claim(header, size, zipped=zipped, max_bytes=max_bytes, name=name)
        array = np.empty(header.shape, header.dtype)
        _fill(array, stream, name)
    if sys.byteorder == "little":
        return array.byteswap(inplace=True)
    return array


def write_idx(path: str | os.PathLike[str], array: np.ndarray) -> None:
    """Write an array as an IDX file, whole or not at all.

    Args:
        path: path of the file, gzipped if its name ends in `.gz`. The same array is always written as the
            same bytes.
        array: array of up to 64 dimensions; uint8, int8, int16, int32, float32 or float64 in any byte order.

    Raises:
        DataError: IDX cannot store the type.
        OutputError: the file cannot be written.
    """
    header = _header_of(array, str(path))

    def write_items(stream: BufferedIOBase) -> None:
        stream.write(header.encoded())
        stream.write(_big_endian_items(array))

    with whole_file(path) as draft, draft.open("xb") as file:
        if Path(path).name.endswith(".gz"):
            # No time and no name in the file: the same array gives the same bytes.
            with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as stream:
                write_items(stream)
        else:
            write_items(file)


def idx_sha256(array: np.ndarray) -> str:
    """Return the hash of an array as an uncompressed IDX file: of its type, its shape and its items.

    Args:
        array: array as accepted by `write_idx`.

    Returns:
        SHA-256 in 64 hexadecimal digits; equal to that of the file, since an array has only one encoding.

    Raises:
        DataError: IDX cannot store the type.
    """
    digest = hashlib.sha256(_header_of(array, "array").encoded())
    digest.update(_big_endian_items(array))
    return digest.hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BufferedIOBase, int, bool]]:
    """Yield the uncompressed stream of a file, the file's size, and whether it is gzipped."""
    try:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "no such file"
            raise DataError(f"{path}: expected an IDX file, found {what}")
        with path.open("rb") as file:
            zipped = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            size = os.fstat(file.fileno()).st_size
            if zipped:
                with gzip.GzipFile(fileobj=file) as stream:
                    yield stream, size, True
            else:
                yield file, size, False
    except EOFError:
        raise DataError(f"{path}: the gzip file is truncated; get it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: the gzip file is damaged ({error}); get it again") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def _parse_header(stream: BufferedIOBase, name: str) -> IdxHeader:
    start = stream.read(4)
    if len(start) < 4:
        raise DataError(f"{name}: expected an IDX file, found {len(start)} bytes; get it again")
    zeros, code, rank = struct.unpack(">HBB", start)
    if zeros != 0 or code not in IDX_TYPES:
        known = ", ".join(f"0x{code:02x}" for code in IDX_TYPES)
        raise DataError(
            f"{name}: no IDX file: expected it to start with 00 00 and a type of {known}, "
            f"found {start[:3].hex(' ')}"
        )
    if rank > _MAX_RANK:
        raise DataError(
            f"{name}: expected an IDX file of at most {_MAX_RANK} dimensions, its header claims {rank}"
        )
    dimensions = stream.read(4 * rank)
    if len(dimensions) < 4 * rank:
        raise DataError(
            f"{name}: the file ends within its header, which claims {rank} dimensions; get it again"
        )
    return IdxHeader(IDX_TYPES[code], struct.unpack(f">{rank}I", dimensions))


def _check_claim(header: IdxHeader, size: int, *, zipped: bool, max_bytes: int, name: str) -> None:
    """Raise an error, by arithmetic alone, if a header's array cannot be in a file of `size` bytes."""
    claimed = len(header.encoded()) + header.nbytes
    shape = "x".join(str(dimension) for dimension in header.shape) or "one item"
    # With a dimension of 0 the array is empty, but numpy limits the product of the others all the same.
    items = math.prod(max(dimension, 1) for dimension in header.shape)
    if header.dtype.itemsize * items > max_bytes:
        raise DataError(
            f"{name}: the header claims {shape} {header.dtype}, more than the limit of {max_bytes:,} bytes"
        )
    if zipped:
        fits = claimed <= size * DEFLATE_RATIO  # the true length is known only once it is unpacked
        kind = "gzip file"
    else:
        fits = claimed == size
        kind = "file"
    if not fits:
        raise DataError(
            f"{name}: the header claims {shape} {header.dtype}, {claimed:,} bytes in all, and the {kind} has "
            f"{size:,}; get it again"
        )


def _fill(array: np.ndarray, stream: BufferedIOBase, name: str) -> None:
    """Read exactly the array's bytes; for gzip, reading past the end checks the checksum and the length."""
    target = array.reshape(-1).view(np.uint8).data
    filled = 0
    while filled < len(target):
        count = stream.readinto(target[filled : filled + _PORTION])
        if not count:
            raise DataError(
                f"{name}: the header claims {len(target):,} bytes of items, found {filled:,}; get it again"
            )
        filled += count
    if stream.read(1):
        raise DataError(
            f"{name}: more bytes than the {len(target):,} of items that the header claims; get it again"
        )


def _header_of(array: np.ndarray, name: str) -> IdxHeader:
    dtype = array.dtype.newbyteorder("=")
    if dtype not in IDX_TYPES.values():
        known = ", ".join(str(known) for known in IDX_TYPES.values())
        raise DataError(f"{name}: IDX holds {known}; received {array.dtype}: convert the array first")
    if max(array.shape, default=0) >= 2**32:
        raise DataError(f"{name}: IDX holds dimensions below 2^32; received {array.shape}")
    return IdxHeader(dtype, array.shape)


def _big_endian_items(array: np.ndarray) -> memoryview:
    items = np.ascontiguousarray(array, array.dtype.newbyteorder(">"))
    return items.reshape(-1).view(np.uint8).data

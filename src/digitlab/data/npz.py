"""Arrays from an `.npz` file, each checked by the archive's directory and its header before it is read."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from digitlab.data.idx import MAX_BYTES
from digitlab.errors import DataError
from digitlab.pictures.file_kinds import DEFLATE_RATIO, kind_of, picture_format

_MEMBERS = {
    "train-images": "x_train.npy",
    "train-labels": "y_train.npy",
    "test-images": "x_test.npy",
    "test-labels": "y_test.npy",
}

_EXPECTED = "expected a folder of pictures or an .npz file"
_ZIP = b"PK"
_HEAD = 4096  # bytes that tell what a file is
_SHOWN = 6  # names in a message
_SAVEZ = "numpy.savez('new.npz', x_train=..., y_train=..., x_test=..., y_test=...)"
_CURES = {
    "CSV text": f"convert it to arrays [n, 28, 28] and save them with {_SAVEZ}",
    "a Parquet file": f"convert its columns to arrays [n, 28, 28] and save them with {_SAVEZ}",
    "an Arrow file": f"convert its columns to arrays [n, 28, 28] and save them with {_SAVEZ}",
    "an HDF5 file": f"convert its arrays to shape [n, 28, 28] and save them with {_SAVEZ}",
    "a Matlab file": f"convert its arrays to shape [n, 28, 28] and save them with {_SAVEZ}",
    "an .npy file of one array": f"save all four arrays in one file with {_SAVEZ}",
    "a pickle": f"pickles are not loaded: save its arrays with {_SAVEZ}",
    "an IDX file": "pass the folder of the four IDX files to --data: no import is needed",
    "a gzip file": "pass the folder of four gzipped IDX files to --data; unpack anything else first",
    "a tar archive": "unpack it and pass the folder",
    "a 7z archive": "unpack it and pass the folder",
    "a RAR archive": "unpack it and pass the folder",
}


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Read the four arrays of a data set from a file such as Keras's `mnist.npz`.

    Args:
        path: path of a file with `x_train`, `y_train`, `x_test` and `y_test`; other arrays are ignored.

    Returns:
        Arrays by role (`train-images`, ...), the labels as uint8.

    Raises:
        DataError: the file is damaged, lacks one of the arrays, or claims more or less than it holds.
    """
    if not path.is_file():
        raise DataError(f"{path}: {_EXPECTED}, found no such file")
    try:
        _check_kind(path)
        with zipfile.ZipFile(path) as archive:
            return {role: _read_member(archive, name, role, path) for role, name in _MEMBERS.items()}
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    # Exceptions of zipfile, zlib and numpy's header reader for damaged or encrypted bytes.
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        raise DataError(f"{path}: the .npz file is damaged ({error}); get it again") from error


def _check_kind(path: Path) -> None:
    """Raise an error for a file that is not a ZIP archive, as .npz files are, with its kind."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_ZIP):
        return
    picture = picture_format(head) if head else ""
    kind = f"one {picture} picture" if picture else kind_of(head)
    cure = _CURES.get(kind, "import pictures of 28x28 pixels in folders 0..9, or numpy.savez's arrays")
    raise DataError(f"{path}: {_EXPECTED}, found {kind}: {cure}")


def _read_member(archive: zipfile.ZipFile, name: str, role: str, path: Path) -> np.ndarray:
    if name not in archive.namelist():
        raise DataError(
            f"{path}: expected {', '.join(_MEMBERS.values())} in it, {_what_is_there(archive.namelist())}"
        )
    info = archive.getinfo(name)
    if info.file_size > MAX_BYTES or info.file_size > info.compress_size * DEFLATE_RATIO + 1:
        raise DataError(
            f"{path}: {name} claims {info.file_size:,} bytes from {info.compress_size:,}; "
            f"expected a plausible size of at most {MAX_BYTES:,}"
        )
    with archive.open(info) as member:
        if npy.read_magic(member) != (1, 0):
            raise DataError(
                f"{path}: expected {name} in version 1.0 of numpy's format: save it again with numpy"
            )
        shape, column_major, dtype = npy.read_array_header_1_0(member)
        is_labels = role.endswith("labels")
        if is_labels and dtype.kind not in "iu":
            raise DataError(f"{path}: expected {name} as integers, found {dtype}")
        if not is_labels and dtype != np.uint8:
            raise DataError(
                f"{path}: expected {name} as uint8, found {dtype}: save pixels of 0..255 as uint8"
            )
        start = member.tell()
        claimed = dtype.itemsize * math.prod(shape)
        if start + claimed != info.file_size:
            raise DataError(
                f"{path}: {name} claims {claimed:,} bytes of items, it has {info.file_size - start:,}"
            )
        order = "F" if column_major else "C"
        array = np.frombuffer(member.read(), dtype).reshape(shape, order=order)
    if is_labels:
        return _small_labels(array, f"{path}: {name}")
    return array


def _what_is_there(names: list[str]) -> str:
    """Describe the members of an archive without the arrays of a data set, and say what to do."""
    if not names:
        return "found nothing"
    text = f"found {', '.join(names[:_SHOWN])}"
    if len(names) > _SHOWN:
        text += f" and {len(names) - _SHOWN} more"
    if not any(name.endswith(".npy") for name in names):
        text += ": unpack the archive and pass the folder of pictures"
    return text


def _small_labels(labels: np.ndarray, what: str) -> np.ndarray:
    if labels.size and (labels.min() < 0 or labels.max() > 255):
        raise DataError(f"{what}: expected labels 0..9, found {labels.min()}..{labels.max()}")
    return labels.astype(np.uint8)
